//! Which label stands nearest to a value: the key of a field, the heading of a column,
//! the word before it in a sentence.
//!
//! Labels of other numbers (orders, parcels, corporations...) are read as well: of two
//! labels the nearer one tells what the value is.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::detectors::headings::Headings;
use crate::detectors::lexicon::LEXICON;
use crate::evidence::WINDOW_CHARS;
use crate::scene::{Scene, is_first};

/// What a label says of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// Resident or foreigner registration.
    Resident,
    /// Corporation registration, which has the shape of a resident's.
    Corporation,
    /// Business registration.
    Business,
    /// Driver's licence.
    Licence,
    /// Passport.
    Passport,
    /// A bank account.
    Account,
    /// A bank's full name.
    Bank,
    /// A word that names a bank only when an account follows at once.
    BankShort,
    /// The post office: a bank and a carrier.
    Post,
    /// Money goes somewhere: an account may follow.
    Transfer,
    /// `account` alone: a bank's, a user's, a cloud's.
    AnyAccount,
    /// Telephone, fax.
    Phone,
    /// A birth.
    Birth,
    /// Some other date.
    Date,
    /// A patient's number.
    Patient,
    /// A registration number of whatever is spoken of.
    Registration,
    /// A number that is nobody's: order, parcel, card...
    Other,
    /// A word that begins like a label and is none: who ordered is not what.
    Silent,
}

/// A label and what stands between it and its value.
#[derive(Clone, Copy)]
pub struct Near<'t> {
    /// What it says.
    pub label: Label,
    /// What stands between.
    pub gap: &'t str,
    /// Whether it asks for the value in somebody's line, and another one answers.
    pub asks: bool,
}

impl Near<'_> {
    /// How far off it is, in characters.
    pub fn chars(&self) -> usize {
        self.gap.chars().count()
    }

    /// Whether it is one of these labels, at most so many characters off.
    pub fn is(&self, labels: &[Label], chars_max: usize) -> bool {
        labels.contains(&self.label) && self.chars() <= chars_max && !self.asks
    }
}

impl Near<'_> {
    /// Whether it is one of these labels and says that the value is another number's: a
    /// cell further on is not.
    pub fn claims(&self, labels: &[Label], chars_max: usize) -> bool {
        self.is(labels, chars_max) && !self.gap.contains([',', ';'])
    }
}

/// What stands nearest before each run of digits, as far as somebody asked: several
/// detectors ask for the same places.
#[derive(Default)]
pub struct Nearest(RefCell<Vec<Option<Option<Seen>>>>);

/// A label, and how many bytes stand between it and its value.
#[derive(Clone, Copy)]
struct Seen {
    label: Label,
    gap: u8,
    asks: bool,
}

impl Nearest {
    fn before<'t>(&self, scene: &Scene<'t>, at: usize) -> Option<Near<'t>> {
        let Ok(run) = scene.digits().binary_search_by_key(&at, |run| run.start) else {
            return nearest(scene.text(), at);
        };
        let mut seen = self.0.borrow_mut();
        if seen.is_empty() {
            seen.resize(scene.digits().len(), None);
        }
        let place = seen.get_mut(run)?;
        if let Some(seen) = place {
            return seen.map(|seen| seen.near(scene, at));
        }
        let near = nearest(scene.text(), at);
        *place = Some(near.map(Seen::of));
        near
    }
}

impl Seen {
    /// Gaps have [`WINDOW_CHARS`] at most.
    fn of(near: Near<'_>) -> Self {
        let gap = u8::try_from(near.gap.len()).unwrap_or(u8::MAX);
        Self { label: near.label, gap, asks: near.asks }
    }

    fn near<'t>(self, scene: &Scene<'t>, at: usize) -> Near<'t> {
        let gap = scene.slice(at.saturating_sub(self.gap.into())..at);
        Near { label: self.label, gap, asks: self.asks }
    }
}

/// The labels of a text's values, asked for in the order of the text.
pub struct Labels<'s, 't> {
    scene: &'s Scene<'t>,
    headings: Headings<'t>,
}

impl<'s, 't> Labels<'s, 't> {
    /// Of a text.
    pub fn of(scene: &'s Scene<'t>) -> Self {
        Self { scene, headings: Headings::of(scene.text()) }
    }

    /// The label of the value that begins at a place: in its own cell or sentence, else
    /// at the head of its column, else the nearest one before.
    pub fn before(&mut self, at: usize) -> Option<Near<'t>> {
        let near = self.scene.nearest().before(self.scene, at);
        if near.is_some_and(|near| is_next_to(near.gap)) {
            return near;
        }
        match self.headings.heading(at) {
            Some(heading) => {
                let end = heading.len();
                let label = nearest(heading, end).map(|near| Near { gap: "", ..near });
                label.or(near.filter(|near| !near.gap.contains('\n')))
            }
            None => near,
        }
    }

    /// The first label behind a place, at most so many characters off.
    /// With where it ends.
    pub fn behind(&self, at: usize, chars_max: usize) -> Option<(Near<'t>, usize)> {
        let window = behind(self.scene.text(), at, chars_max + LABEL_CHARS_MAX);
        let (label, span) = first(window)?;
        let gap = window.get(..span.start)?;
        let near = Near { label, gap, asks: false };
        (near.chars() <= chars_max).then_some((near, at + span.end))
    }

    /// Whether a label stands right behind a value and has no other value behind it.
    pub fn labelled_behind(&self, end: usize, label: Label) -> bool {
        let Some((near, label_end)) = self.behind(end, BEHIND_CHARS) else { return false };
        let rest = self.scene.text().get(label_end..).unwrap_or_default();
        let rest = rest.trim_start_matches([' ', ')']);
        let is_last = rest.is_empty() || rest.starts_with([',', '.', '\n', '|', ';', '/']);
        let gap = near.gap.trim_matches([' ', '(', '.']);
        near.label == label && gap.is_empty() && is_last
    }

    /// Whether one of these labels stands within so many characters of a span, in its
    /// line.
    pub fn around(&self, span: &Range<usize>, labels: &[Label], chars_max: usize) -> bool {
        let text = self.scene.text();
        let says = |window: &str| hits(window).any(|(label, _)| labels.contains(&label));
        let head = before(text, span.start, chars_max).rsplit('\n').next();
        let tail = behind(text, span.end, chars_max).split('\n').next();
        head.is_some_and(says) || tail.is_some_and(says)
    }
}

/// Characters of the longest label that is looked for behind a value.
const LABEL_CHARS_MAX: usize = 12;

/// Words at the end of labels.
const TAILS: &[&str] = &["no", "number", "num", "id", "code", "번호", "값", "자리", "앞자리"];

/// Characters between a value and the label behind it.
const BEHIND_CHARS: usize = 3;

/// Digits between label and value from which on they are a value of their own.
const FOREIGN_DIGITS: usize = 4;

/// Whether a label stands in its value's cell, in the one before it, or ends in a colon.
fn is_next_to(gap: &str) -> bool {
    let is_within_cell = |c: char| !matches!(c, '\n' | '\t' | '|' | ',' | ';');
    let is_mark = |c: char| !c.is_alphanumeric() && (c != '\n' || gap.contains([':', '=']));
    gap.chars().all(is_within_cell) || gap.chars().all(is_mark)
}

fn nearest(text: &str, at: usize) -> Option<Near<'_>> {
    let window = before(text, at, WINDOW_CHARS + LABEL_CHARS_MAX);
    let (label, span) = hits(window).last()?;
    let gap = window.get(span.end..)?;
    let digits = gap.bytes().filter(u8::is_ascii_digit).count();
    if digits >= FOREIGN_DIGITS || gap.chars().count() > WINDOW_CHARS {
        return None;
    }
    let asks = asks(gap)?;
    if !asks && ends_sentence(gap) {
        return None;
    }
    Some(Near { label, gap, asks })
}

/// Whether a sentence ends in a gap: a stop behind a word, not behind `no.`
fn ends_sentence(gap: &str) -> bool {
    gap.match_indices(['.', '?', '!']).any(|(at, stop)| {
        let (head, rest) =
            (gap.get(..at).unwrap_or_default(), gap.get(at + 1..).unwrap_or_default());
        let word = head.rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
        let is_word = word.len() >= 3 && !TAILS.iter().any(|tail| word.eq_ignore_ascii_case(tail));
        rest.starts_with(' ') && (is_word || stop != ".")
    })
}

/// Whether a label and its value are in two lines because one asks for it and another
/// answers; `None` where they have nothing to do with each other.
fn asks(gap: &str) -> Option<bool> {
    let Some((line, next)) = gap.rsplit_once('\n') else { return Some(false) };
    let has_words = |text: &str| {
        let words = text.trim_matches(|c: char| !c.is_alphanumeric());
        let words = words.trim_start_matches(|c: char| c.is_ascii_digit());
        !words.is_empty() && !TAILS.iter().any(|tail| words.eq_ignore_ascii_case(tail))
    };
    let is_label = !has_words(line) || line.trim_end().ends_with(':');
    if is_label && !has_words(next) {
        return Some(false);
    }
    let asked = ["?", ".", "세요", "까요"].iter().any(|end| line.trim_end().ends_with(end));
    let answers = next.trim_end().ends_with([':', '>', ']']) && !line.contains('\n');
    (asked && answers).then_some(true)
}

fn first(window: &str) -> Option<(Label, Range<usize>)> {
    hits(window).next()
}

fn hits(window: &str) -> impl Iterator<Item = (Label, Range<usize>)> {
    let found = AUTOMATON.as_ref().map(|automaton| automaton.find_iter(window));
    found.into_iter().flatten().filter_map(|hit| {
        let label = LABEL_OF.get(hit.pattern().as_usize())?;
        is_word(window.as_bytes(), hit.start(), hit.end()).then(|| (*label, hit.range()))
    })
}

static LABEL_OF: LazyLock<Vec<Label>> = LazyLock::new(|| {
    LEXICON.iter().flat_map(|(label, words)| words.iter().map(|_| *label)).collect()
});

static AUTOMATON: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostLongest)
        .build(LEXICON.iter().flat_map(|(_, words)| words.iter()))
        .ok()
});

/// Whether Latin words begin and end where a word does: `phone` in `user_phone` and
/// `homePhone`, not in `phonetic`.
fn is_word(text: &[u8], start: usize, end: usize) -> bool {
    let at = |at: Option<usize>| at.and_then(|at| text.get(at)).copied().unwrap_or_default();
    let (before, head) = (at(start.checked_sub(1)), at(Some(start)));
    let (tail, behind) = (at(end.checked_sub(1)), at(Some(end)));
    let apart = |left: u8, right: u8| {
        let letters = left.is_ascii_alphabetic() && right.is_ascii_alphabetic();
        !letters || (left.is_ascii_lowercase() && right.is_ascii_uppercase())
    };
    // Two letters are a word only by themselves: `KB`, not in base64.
    let is_short = end - start <= 2 && head.is_ascii_alphabetic();
    let is_lone = !before.is_ascii_alphanumeric() && !behind.is_ascii_alphanumeric();
    apart(before, head) && apart(tail, behind) && (!is_short || is_lone)
}

fn before(text: &str, at: usize, chars: usize) -> &str {
    let head = text.get(..at).unwrap_or_default();
    let firsts = head.bytes().enumerate().rev().filter(|(_, byte)| is_first(*byte));
    let start = firsts.take(chars).last().map_or(at, |(start, _)| start);
    text.get(start..at).unwrap_or_default()
}

fn behind(text: &str, at: usize, chars: usize) -> &str {
    let tail = text.get(at..).unwrap_or_default();
    let mut firsts = tail.bytes().enumerate().filter(|(_, byte)| is_first(*byte));
    let end = firsts.nth(chars).map_or(tail.len(), |(end, _)| end);
    tail.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Label, Labels, is_word};
    use crate::scene::Scene;

    fn label(text: &str) -> Option<Label> {
        let at = text.find('@').unwrap();
        Labels::of(&Scene::of(text)).before(at).map(|near| near.label)
    }

    #[test]
    fn the_nearest_label_counts() {
        for (text, of) in [
            ("법인등록번호 110111-1, 주민등록번호: @", Some(Label::Resident)),
            ("주민등록번호 없음, 법인등록번호: @", Some(Label::Corporation)),
            ("사업자등록번호 @", Some(Label::Business)),
            ("\"phoneNumber\": \"@", Some(Label::Phone)),
            ("user_phone=@", Some(Label::Phone)),
            ("phonetic @", None),
            ("연락처 010-1234-5678, 그리고 @", None),
        ] {
            assert_eq!(label(text), of, "{text}");
        }
    }

    #[test]
    fn a_column_has_the_label_at_its_head() {
        let table = "이름,생년월일,연락처\n홍길동,@,1\n";
        assert_eq!(label(table), Some(Label::Birth));
        assert_eq!(label("이름,비고,연락처\n홍길동,@,1\n"), None);
        assert_eq!(label("| 항목 | 값 |\n|---|---|\n| 여권번호 | @ |\n"), Some(Label::Passport));
    }

    #[test]
    fn latin_words_end_where_words_do() {
        assert!(is_word(b"homePhone", 4, 9));
        assert!(!is_word(b"phonetic", 0, 5));
        assert!(!is_word(b"hotel", 2, 5));
        assert!(!is_word(b"PqBxsKb", 5, 7));
        assert!(is_word(b"(KB)", 1, 3));
    }
}
