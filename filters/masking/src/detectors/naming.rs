//! What a value is called right before it: `주문번호: 1234`, `"order_id":"1234"`,
//! `Order No. #1234`.
//!
//! This is narrower than a word in the window: only particles, marks and words like
//! `number` may stand between the noun and its value.

use std::ops::Range;

use memchr::memrchr;

use crate::scene::Scene;

/// How far a label may be from its value, in bytes, with what stands between.
const REACH_BYTES: usize = 64;

/// How far a token is looked for to each side, in bytes.
const TOKEN_BYTES_MAX: usize = 48;

/// Rounds of taking off marks, particles and tails before a value.
const TAILS_MAX: usize = 4;

/// Words between a noun and its value that make a name of a number out of the noun.
const TAILS: &[&str] = &[
    "number",
    "num",
    "no",
    "nr",
    "id",
    "ids",
    "code",
    "nbr",
    "key",
    "ref",
    "번호",
    "코드",
    "넘버",
    "아이디",
    "순번",
];

/// Words between a label and its value that say nothing.
const FILLS: &[&str] = &["is", "was", "are", "the", "for", "value", "값", "입니다"];

/// Particles that Korean labels end with.
const PARTICLES: &[&str] =
    &["는", "은", "이", "가", "을", "를", "의", "로", "도", "인", "와", "과"];

/// How a noun names a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Naming {
    /// The noun alone: `order 1234`.
    Noun,
    /// With a word that says that it is a number: `order no. 1234`.
    Number,
}

/// Whether one of the nouns names the value at a place, and how. ASCII nouns are
/// written small.
#[must_use]
pub fn named(scene: &Scene<'_>, at: usize, nouns: &[&str]) -> Option<Naming> {
    names(reach(scene, at), nouns)
}

/// Whether a text ends in one of the nouns, and how it names what follows.
#[must_use]
pub fn names(text: &str, nouns: &[&str]) -> Option<Naming> {
    let mut rest = text;
    let mut naming = Naming::Noun;
    for _ in 0..=TAILS_MAX {
        rest = without_marks(rest);
        if cut(rest, nouns).is_some() {
            return Some(naming);
        }
        let (less, is_tail) = without_tail(rest)?;
        if is_tail {
            naming = Naming::Number;
        }
        rest = less;
    }
    None
}

/// The letters, digits, `-` and `_` around a place in ASCII, without marks at the end.
#[must_use]
pub fn token_at(scene: &Scene<'_>, at: usize) -> Range<usize> {
    let belongs = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let from = at.saturating_sub(TOKEN_BYTES_MAX);
    let before = scene.bytes().get(from..at).unwrap_or_default();
    let start = at - before.iter().rev().take_while(belongs).count();
    let rest = scene.bytes().get(at..).unwrap_or_default();
    let mut end = at + rest.iter().take(TOKEN_BYTES_MAX).take_while(belongs).count();
    while end > start && matches!(scene.before(end), Some(b'-' | b'_')) {
        end -= 1;
    }
    start..end
}

/// The text right before a place: of its line, and of the line before where that has
/// a single cell.
fn reach<'t>(scene: &Scene<'t>, at: usize) -> &'t str {
    let mut start = at.saturating_sub(REACH_BYTES);
    while !scene.text().is_char_boundary(start) {
        start += 1;
    }
    let text = scene.slice(start..at);
    let Some(newline) = memrchr(b'\n', text.as_bytes()) else { return text };
    let above = text.as_bytes().get(..newline).unwrap_or_default();
    let is_table = above.iter().any(|byte| matches!(byte, b'\t' | b',' | b'|' | b';' | b'\n'));
    if is_table { text.get(newline + 1..).unwrap_or_default() } else { text }
}

fn without_marks(text: &str) -> &str {
    let is_mark = |c: char| {
        c.is_whitespace() || matches!(c, '(' | '[' | '<' | '{') || ":=#\"'`*|_-.>→\\".contains(c)
    };
    text.trim_end_matches(is_mark)
}

/// Takes off a particle, a tail or a word that says nothing; whether it was a tail.
fn without_tail(text: &str) -> Option<(&str, bool)> {
    let tail = cut(text, TAILS).map(|less| (less, true));
    let fill = || cut(text, FILLS).or_else(|| cut(text, PARTICLES)).map(|less| (less, false));
    tail.or_else(fill)
}

/// A text without the word of a list that it ends in. Most words are ruled out by their
/// last byte.
fn cut<'t>(text: &'t str, words: &[&str]) -> Option<&'t str> {
    let last = text.as_bytes().last()?.to_ascii_lowercase();
    if last.is_ascii() && !last.is_ascii_alphanumeric() {
        return None;
    }
    let mut likely = words.iter().filter(|word| word.as_bytes().last() == Some(&last));
    likely.find_map(|word| strip(text, word))
}

/// Takes a word off the end, without case and at a word's edge (`orderNo` has one).
fn strip<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let start = text.len().checked_sub(word.len())?;
    let (less, end) = (text.get(..start)?, text.get(start..)?);
    let begins = |byte: &u8| byte.is_ascii_alphabetic();
    let is_ascii = word.as_bytes().first().is_some_and(begins);
    let touches = is_ascii && less.as_bytes().last().is_some_and(begins);
    let hump = word.len() > 1
        && end.as_bytes().first().is_some_and(u8::is_ascii_uppercase)
        && less.as_bytes().last().is_some_and(u8::is_ascii_lowercase);
    (end.eq_ignore_ascii_case(word) && (!touches || hump)).then_some(less)
}

#[cfg(test)]
mod tests {
    use super::{Naming, named};
    use crate::scene::Scene;

    fn naming(before: &str) -> Option<Naming> {
        let text = format!("{before}1234");
        named(&Scene::of(&text), before.len(), &["order", "주문", "송장"])
    }

    #[test]
    fn a_label_may_have_tails_and_marks() {
        let numbers = [
            "주문번호: ",
            "주문 번호는 ",
            "주문번호 #",
            "\"order_id\": \"",
            "orderNo=",
            "Order No. #",
            "ORDER NUMBER is ",
            "**주문번호** ",
            "customerOrderId: ",
        ];
        for before in numbers {
            assert_eq!(naming(before), Some(Naming::Number), "{before}");
        }
        for before in ["order ", "주문은 ", "송장 ", "Order #", "송장\n"] {
            assert_eq!(naming(before), Some(Naming::Noun), "{before}");
        }
    }

    #[test]
    fn a_word_further_away_is_no_label() {
        for before in ["주문자 ", "reorder ", "주문번호 문의: ", "order by phone ", "", "번호 "]
        {
            assert_eq!(naming(before), None, "{before}");
        }
    }
}
