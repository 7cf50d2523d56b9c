//! Words of a policy that must not leave: names of projects, customers, persons.
//!
//! Compared without case, over folded texts, so full-width, decomposed and invisible
//! characters do not hide them. A Latin word stands by itself; Hangul may be followed
//! and preceded by anything, as particles and compounds are written without a space.

use std::ops::Range;

use aho_corasick::AhoCorasick;

use crate::fold::Folded;

/// The longest word, in characters.
pub const WORD_CHARS_MAX: usize = 200;

/// The words, ready.
pub struct Deny {
    words: Vec<Word>,
    /// The first pieces of the words.
    heads: AhoCorasick,
    /// The word that a head of the automaton is of.
    owners: Vec<usize>,
}

impl Deny {
    /// Makes words ready; `None` where there are none.
    ///
    /// # Errors
    /// A sentence for every word that cannot be one.
    pub fn compile(said: &[String]) -> Result<Option<Self>, Vec<String>> {
        let (mut words, mut faults) = (Vec::new(), Vec::new());
        for word in said {
            match Word::of(word) {
                Ok(word) => words.push(word),
                Err(reason) => faults.push(format!("deny word {word:?} {reason}")),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        if words.is_empty() {
            return Ok(None);
        }
        let (mut heads, mut owners) = (Vec::new(), Vec::new());
        for (owner, word) in words.iter().enumerate() {
            for head in word.heads() {
                heads.push(head);
                owners.push(owner);
            }
        }
        let heads = AhoCorasick::builder().ascii_case_insensitive(true).build(heads);
        let heads = heads.map_err(|error| vec![format!("deny words take too much: {error}")])?;
        Ok(Some(Self { words, heads, owners }))
    }

    /// Every word in a folded text; one may lie in another.
    pub fn find(&self, text: &str, mut put: impl FnMut(Range<usize>)) {
        for head in self.heads.find_overlapping_iter(text) {
            let owner = self.owners.get(head.pattern().as_usize());
            let word = owner.and_then(|owner| self.words.get(*owner));
            if let Some(end) = word.and_then(|word| word.end(text, head.start())) {
                put(head.start()..end);
            }
        }
    }
}

/// A word, folded and in small letters, parted where it has spaces.
struct Word {
    pieces: Vec<String>,
}

impl Word {
    fn of(said: &str) -> Result<Self, String> {
        if said.chars().count() > WORD_CHARS_MAX {
            return Err(format!("is longer than {WORD_CHARS_MAX} characters"));
        }
        let folded = Folded::of(said);
        let pieces = folded.text().split_whitespace().map(str::to_lowercase);
        let pieces: Vec<String> = pieces.collect();
        if pieces.iter().any(|piece| piece.chars().any(char::is_alphanumeric)) {
            Ok(Self { pieces })
        } else {
            Err("has no letter and no digit".to_owned())
        }
    }

    /// The first piece as the automaton, which knows the case of ASCII alone, needs it.
    fn heads(&self) -> Vec<String> {
        let head = self.pieces.first().cloned().unwrap_or_default();
        let large = head.to_uppercase();
        if head.is_ascii() || large == head { vec![head] } else { vec![head, large] }
    }

    /// The end of the word, if it stands at a place of a text.
    fn end(&self, text: &str, start: usize) -> Option<usize> {
        let mut at = start;
        for (index, piece) in self.pieces.iter().enumerate() {
            if index > 0 {
                at = behind_spaces(text, at)?;
            }
            at = behind_piece(text, at, piece)?;
        }
        let before = text.get(..start)?.chars().next_back();
        let (first, last) =
            (text.get(start..)?.chars().next(), text.get(..at)?.chars().next_back());
        let behind = text.get(at..)?.chars().next();
        (!is_one_word(before, first) && !is_one_word(last, behind)).then_some(at)
    }
}

/// A run of spaces of any kind, with a line break or not.
fn behind_spaces(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let behind = rest.trim_start();
    (behind.len() < rest.len()).then(|| text.len() - behind.len())
}

fn behind_piece(text: &str, at: usize, piece: &str) -> Option<usize> {
    let mut wanted = piece.chars().peekable();
    let mut end = at;
    for c in text.get(at..)?.chars() {
        if wanted.peek().is_none() {
            break;
        }
        if !c.to_lowercase().all(|small| wanted.next() == Some(small)) {
            return None;
        }
        end += c.len_utf8();
    }
    wanted.next().is_none().then_some(end)
}

/// Whether two neighbours are letters or digits of the scripts that part words by
/// spaces: Latin, Greek and Cyrillic.
fn is_one_word(left: Option<char>, right: Option<char>) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() && c < '\u{590}';
    left.is_some_and(is_letter) && right.is_some_and(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(words: &[&str], text: &str) -> Vec<String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let deny = Deny::compile(&words).ok().flatten().unwrap();
        let folded = Folded::of(text);
        let mut found = Vec::new();
        deny.find(folded.text(), |span| found.push(text[folded.original(span)].to_owned()));
        found
    }

    #[test]
    fn case_and_forms_do_not_matter() {
        let words = ["Bluefin", "한빛", "Émile", "STRAßE"];
        for text in [
            "bluefin",
            "BLUEFIN",
            "ｂｌｕｅｆｉｎ",
            "blu\u{200b}efin",
            "Bluеfin",
            "한빛",
            "émile",
            "ÉMILE",
            "E\u{301}mile",
            "Straße",
        ] {
            assert_eq!(find(&words, text), [text], "{text}");
        }
        assert_eq!(
            find(&words, "\u{1112}\u{1161}\u{11ab}\u{1107}\u{1175}\u{11be}"),
            ["\u{1112}\u{1161}\u{11ab}\u{1107}\u{1175}\u{11be}"]
        );
    }

    #[test]
    fn latin_words_have_edges_and_hangul_has_none() {
        let words = ["fin", "한빛"];
        assert!(find(&words, "bluefin finish fin2 éfin").is_empty());
        assert_eq!(find(&words, "(fin) fin은 새fin, fin_x"), ["fin", "fin", "fin", "fin"]);
        assert_eq!(find(&words, "구한빛에서"), ["한빛"]);
    }

    #[test]
    fn spaces_are_any_spaces() {
        let words = ["Project  Bluefin"];
        assert_eq!(find(&words, "project bluefin"), ["project bluefin"]);
        assert_eq!(find(&words, "Project\n  Bluefin"), ["Project\n  Bluefin"]);
        assert!(find(&words, "ProjectBluefin, Project blue").is_empty());
    }

    #[test]
    fn a_word_may_lie_in_another() {
        let words = ["한빛프로젝트", "한빛", "프로젝트"];
        assert_eq!(find(&words, "한빛프로젝트"), ["한빛", "한빛프로젝트", "프로젝트"]);
        assert_eq!(find(&words, "한빛프로"), ["한빛"]);
    }

    #[test]
    fn what_is_no_word_is_refused() {
        let words = [String::new(), " - ".to_owned(), "가".repeat(201), "ok".to_owned()];
        let faults = Deny::compile(&words).err().unwrap();
        assert_eq!(faults.len(), 3);
        assert_eq!(faults[1], "deny word \" - \" has no letter and no digit");
        assert!(Deny::compile(&[]).ok().unwrap().is_none());
    }
}
