//! A text that arrives in pieces is cut into phrases: no value reaches from one into the
//! next, so that each can be looked at and given on.
//!
//! Where the cuts are depends on the text alone and never on its pieces. A phrase ends
//! where two quiet words meet, plain words that no value has in it; prose is held back by
//! a word. What is full of digits and marks is held until it is over, up to a bound.

use std::ops::Range;

use contract::masking::MaskingPolicyConfig;

/// Longest phrase, in bytes: longer than the tokens that people are given, such as a JWT.
const PHRASE_BYTES_MAX: usize = 4096;

/// Longest phrase with a private key in it: one of RSA with 8192 bits has 6,400
/// bytes.
const PEM_BYTES_MAX: usize = 16_384;

/// How much of the text before a phrase is looked at again, for the words that tell what a
/// value is, in characters. More than [`crate::evidence::WINDOW_CHARS`].
const CONTEXT_CHARS: usize = 64;

/// Longest word that is quiet, in characters: longer ones are keys rather than words.
const QUIET_CHARS_MAX: usize = 24;

/// What words have in them that announce a value of letters alone: a password may be any
/// word.
const ANNOUNCING: &[&str] = &[
    "pass",
    "pwd",
    "pw",
    "secret",
    "credential",
    "token",
    "key",
    "비밀",
    "비번",
    "암호",
    "패스",
    "시크릿",
    "토큰",
    "키",
];

/// Words that stand for a mark inside of a value: `kim at example dot com`.
const SPOKEN: &[&str] = &[
    "at",
    "dot",
    "dash",
    "hyphen",
    "minus",
    "slash",
    "colon",
    "underscore",
    "골뱅이",
    "닷",
    "점",
    "쩜",
    "앳",
    "다시",
    "대시",
    "하이픈",
    "슬래시",
    "콜론",
];

/// Digits as they are said in Korean.
const HANGUL_DIGITS: &str = "공영일이삼사오육륙칠팔구";

/// How phrases are cut.
#[derive(Clone, Copy, Default)]
pub(super) struct Cut {
    /// At ends of sentences and lines alone: what is looked for may have spaces in it.
    at_sentences: bool,
    /// Whether plain words may be what is looked for.
    words_count: bool,
}

impl Cut {
    /// For what a policy looks for.
    pub(super) fn of(config: &MaskingPolicyConfig) -> Self {
        let has_space = |word: &String| word.trim().contains(char::is_whitespace);
        let at_sentences = !config.custom.is_empty() || config.deny_words.iter().any(has_space);
        let words_count = !config.custom.is_empty() || !config.deny_words.is_empty();
        Self { at_sentences, words_count }
    }
}

/// The text that has not been given on, with its context before it.
#[derive(Default)]
pub(super) struct Phrases {
    text: String,
    /// Where the context begins.
    context: usize,
    /// Where the phrase begins.
    start: usize,
    /// Up to where words have been read.
    read: usize,
    /// Up to where there is no white space behind that.
    searched: usize,
    /// The word before that place.
    last: Option<Word>,
    /// Whether a private key has begun and not ended.
    in_pem: bool,
    /// Whether one has begun in this phrase.
    has_pem: bool,
    /// Whether a word of this phrase is more than a plain one.
    has_sign: bool,
    /// For how many characters a phrase that had more is still in the context.
    near_chars: usize,
}

#[derive(Clone, Copy)]
struct Word {
    /// Whether it is quiet and announces nothing.
    is_plain: bool,
    is_quiet: bool,
    ends_sentence: bool,
    /// Whether a private key begins in it, or ends.
    pem: Option<bool>,
}

/// A phrase.
pub(super) struct Phrase {
    /// Where it stands with its context.
    pub(super) whole: Range<usize>,
    /// Where the context ends, counted from its beginning.
    pub(super) start: usize,
    /// Whether there is nothing to be found: plain words, and no others near before them.
    is_plain: bool,
    /// Whether it was cut inside of a word, for its length.
    pub(super) is_broken: bool,
}

/// Where a phrase ends.
struct End {
    at: usize,
    is_broken: bool,
}

impl Phrase {
    /// Whether there may be something to be found.
    pub(super) fn is_to_be_looked_at(&self, cut: Cut) -> bool {
        cut.words_count || !self.is_plain
    }
}

impl Phrases {
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Whether there is something that was not given on.
    pub(super) fn holds(&self) -> bool {
        self.text.len() > self.start
    }

    /// A phrase with its context.
    pub(super) fn text(&self, phrase: &Phrase) -> &str {
        self.text.get(phrase.whole.clone()).unwrap_or_default()
    }

    /// Forgets what was given on, but for the context.
    pub(super) fn forget(&mut self) {
        let gone = std::mem::take(&mut self.context);
        self.text.drain(..gone);
        self.start -= gone;
        self.read -= gone;
        self.searched = self.searched.saturating_sub(gone);
    }

    /// The next phrase that is settled; at the end of the text everything is.
    pub(super) fn next(&mut self, cut: Cut, ends: bool) -> Option<Phrase> {
        let end = self.end(cut, ends).or_else(|| {
            let rest = End { at: self.text.len(), is_broken: false };
            (ends && self.holds()).then_some(rest)
        })?;
        Some(self.take(&end))
    }

    fn take(&mut self, end: &End) -> Phrase {
        let (whole, start) = (self.context..end.at, self.start - self.context);
        let has_sign = self.has_sign || end.is_broken;
        let is_plain = !has_sign && self.near_chars == 0;
        self.near_chars = if has_sign {
            CONTEXT_CHARS
        } else {
            let phrase = self.text.get(self.start..end.at).unwrap_or_default();
            self.near_chars.saturating_sub(phrase.chars().count())
        };
        self.context += context_start(self.text.get(whole.clone()).unwrap_or_default());
        (self.start, self.read, self.last) = (end.at, end.at, None);
        (self.in_pem, self.has_pem, self.has_sign) = (false, false, false);
        Phrase { whole, start, is_plain, is_broken: end.is_broken }
    }

    /// Reads word by word up to the end of the phrase.
    fn end(&mut self, cut: Cut, ends: bool) -> Option<End> {
        loop {
            let most = self.start + if self.has_pem { PEM_BYTES_MAX } else { PHRASE_BYTES_MAX };
            let rest = self.text.get(self.read..)?;
            let gap = rest.len() - rest.trim_start().len();
            let start = self.read + gap;
            let behind = rest.get(gap..)?;
            let Some(length) = self.word_length(start, ends) else {
                self.searched = self.text.len();
                return (self.text.len() > most).then(|| self.forced(start, most));
            };
            if start + length > most {
                return Some(self.forced(start, most));
            }
            if length == 0 {
                return None;
            }
            let line_ends = rest.get(..gap)?.contains('\n');
            let word = behind.get(..length).map(Word::of)?;
            if self.is_end(cut, word, line_ends) {
                return Some(End { at: start, is_broken: false });
            }
            self.in_pem = word.pem.unwrap_or(self.in_pem);
            self.has_pem |= self.in_pem;
            self.has_sign |= !word.is_plain;
            (self.read, self.last) = (start + length, Some(word));
        }
    }

    /// How long the word is that begins at a place; `None` when it may go on.
    fn word_length(&self, start: usize, ends: bool) -> Option<usize> {
        let from = self.searched.max(start);
        let found = self.text.get(from..)?.find(char::is_whitespace);
        found.or_else(|| ends.then(|| self.text.len() - from)).map(|length| from + length - start)
    }

    fn is_end(&self, cut: Cut, next: Word, line_ends: bool) -> bool {
        let Some(last) = self.last else { return false };
        let at_sentence = line_ends || last.ends_sentence;
        let is_quiet = if line_ends { next.is_quiet } else { last.is_quiet && next.is_quiet };
        !self.in_pem && is_quiet && (at_sentence || !cut.at_sentences)
    }

    /// Where a phrase ends that is too long: before its last word, or inside of its only
    /// one.
    fn forced(&self, start: usize, most: usize) -> End {
        if self.start < start && start <= most && self.last.is_some() {
            return End { at: start, is_broken: false };
        }
        let mut at = most.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        End { at, is_broken: true }
    }
}

impl Word {
    fn of(word: &str) -> Self {
        let bare = word.trim_start_matches(['(', '"', '\'', '“', '‘']);
        let bare = bare.trim_end_matches(['.', ',', '!', '?', ';', ')', '"', '\'', '”', '’', '…']);
        let ends_sentence = word.ends_with(['.', '!', '?', '…', '。']);
        let pem = (word.rfind("-----BEGIN"), word.rfind("-----END"));
        let pem = (pem != (None, None)).then_some(pem.0 > pem.1);
        let is_quiet = is_quiet(bare);
        let is_plain = is_quiet && !announces(bare);
        Self { is_plain, is_quiet, ends_sentence, pem }
    }
}

/// A word of letters alone that no value has in it.
fn is_quiet(word: &str) -> bool {
    let letters = |word: &str| word.chars().all(|c| c.is_alphabetic() || c == '\'' || c == '’');
    let is_spoken = || SPOKEN.iter().any(|spoken| word.eq_ignore_ascii_case(spoken));
    let is_number = || word.chars().all(|c| HANGUL_DIGITS.contains(c));
    let is_short = || word.chars().nth(QUIET_CHARS_MAX).is_none();
    !word.is_empty() && is_short() && letters(word) && !is_spoken() && !is_number()
}

fn announces(word: &str) -> bool {
    let word = word.to_lowercase();
    ANNOUNCING.iter().any(|it| word.contains(it))
}

/// Where the context for what follows begins: at a word.
fn context_start(text: &str) -> usize {
    let first = text.char_indices().rev().take(CONTEXT_CHARS).last();
    let start = first.map_or(0, |(at, _)| at);
    if start == 0 {
        return 0;
    }
    let context = text.get(start..).unwrap_or_default();
    start + context.find(char::is_whitespace).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrases(cut: Cut, text: &str) -> Vec<String> {
        let mut phrases = Phrases::default();
        phrases.push(text);
        let mut all = Vec::new();
        while let Some(phrase) = phrases.next(cut, true) {
            all.push(phrases.text(&phrase).split_at(phrase.start).1.to_owned());
        }
        assert!(!phrases.holds());
        assert_eq!(all.concat(), text);
        all
    }

    #[test]
    fn cuts_between_quiet_words() {
        for (text, expected) in [
            ("one two, (three) four.", &["one ", "two, ", "(three) ", "four."][..]),
            ("call 010 1234 5678 now or then", &["call 010 1234 5678 now ", "or ", "then"]),
            ("전화는 공일공 일이삼사 오육칠팔 입니다", &["전화는 공일공 일이삼사 오육칠팔 입니다"]),
            (
                "write kim at example dot com please now",
                &["write ", "kim at example dot com ", "please ", "now"],
            ),
            ("a: b", &["a: b"]),
            ("kim 010-1\nlee 010-2\n", &["kim 010-1\n", "lee 010-2\n"]),
            ("010-1234-\n5678", &["010-1234-\n5678"]),
            ("  ", &["  "]),
        ] {
            assert_eq!(phrases(Cut::default(), text), expected);
        }
    }

    #[test]
    fn cuts_at_sentences_where_values_have_spaces() {
        let cut = Cut { at_sentences: true, words_count: true };
        assert_eq!(
            phrases(cut, "one two. three four\nfive six"),
            ["one two. ", "three four\n", "five six"]
        );
    }

    #[test]
    fn policies_with_spaces_in_their_words_are_cut_at_sentences() {
        let words = |word: &str| MaskingPolicyConfig {
            deny_words: vec![word.to_owned()],
            ..MaskingPolicyConfig::default()
        };
        assert!(!Cut::of(&words("Bluefin")).at_sentences);
        assert!(Cut::of(&words("Project Bluefin")).at_sentences);
        let custom = [("any".to_owned(), ".".to_owned())].into();
        assert!(Cut::of(&MaskingPolicyConfig { custom, ..words("x") }).at_sentences);
    }

    #[test]
    fn plain_words_are_not_looked_at() {
        let looked_at = |text: &str, cut| {
            let mut phrases = Phrases::default();
            phrases.push(text);
            let all: Vec<_> = std::iter::from_fn(|| phrases.next(cut, true)).collect();
            let looked_at = all.iter().filter(|phrase| phrase.is_to_be_looked_at(cut));
            let own = |phrase: &Phrase| phrases.text(phrase).split_at(phrase.start).1.to_owned();
            looked_at.map(own).collect::<String>()
        };
        for (text, expected) in [
            ("one two three", ""),
            ("one two 3", "two 3"),
            ("the Password is apple", "Password is apple"),
            ("비밀번호는 사과 입니다", "비밀번호는 사과 입니다"),
        ] {
            assert_eq!(looked_at(text, Cut::default()), expected);
        }
        let words = |count| format!("1 {}", "word ".repeat(count));
        assert_eq!(looked_at(&words(20), Cut::default()), words(14));
        let cut = Cut { at_sentences: false, words_count: true };
        assert_eq!(looked_at("one two", cut), "one two");
    }

    #[test]
    fn a_private_key_is_one_phrase() {
        let key = format!(
            "-----BEGIN PRIVATE KEY-----\n{}-----END PRIVATE KEY-----",
            "word\n".repeat(1000)
        );
        let all = phrases(Cut::default(), &format!("is\n{key} so it is"));
        assert_eq!(all[..2], ["is\n".to_owned() + &key + " so ", "it ".to_owned()]);
    }

    #[test]
    fn a_phrase_is_no_longer_than_the_bound() {
        for text in ["1 ".repeat(5000), "가1".repeat(5000), "x".repeat(10_000), " ".repeat(9000)] {
            for phrase in phrases(Cut::default(), &text) {
                assert!(phrase.len() <= PHRASE_BYTES_MAX);
            }
        }
    }

    #[test]
    fn prose_is_held_back_by_a_word() {
        let mut phrases = Phrases::default();
        phrases.push("one two thr");
        let phrase = phrases.next(Cut::default(), false).unwrap();
        assert_eq!(phrases.text(&phrase), "one ");
        assert!(phrases.next(Cut::default(), false).is_none());
        assert_eq!(phrases.text.split_at(phrases.start).1, "two thr");
    }
}
