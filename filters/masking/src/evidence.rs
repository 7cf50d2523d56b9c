//! Words that make a value likely, or unlikely.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// How far from a value its words may stand, in characters.
pub const WINDOW_CHARS: usize = 40;

/// A list of words; built when it is first needed. ASCII letters are compared without
/// case, and a word that begins or ends with one does so at a word's edge. Hangul may
/// stand anywhere.
pub struct Words {
    words: &'static [&'static str],
    automaton: LazyLock<Option<AhoCorasick>, fn() -> Option<AhoCorasick>>,
}

impl Words {
    /// A list. `build` is written by [`words!`].
    pub const fn new(words: &'static [&'static str], build: fn() -> Option<AhoCorasick>) -> Self {
        Self { words, automaton: LazyLock::new(build) }
    }

    /// Whether one of the words stands in a text.
    #[must_use]
    pub fn stand_in(&self, text: &str) -> bool {
        let Some(automaton) = &*self.automaton else { return false };
        let mut found = automaton.find_overlapping_iter(text);
        found.any(|hit| is_at_edges(text.as_bytes(), hit.start(), hit.end()))
    }

    /// The words themselves.
    #[must_use]
    pub fn words(&self) -> &'static [&'static str] {
        self.words
    }
}

/// The automaton of a list of words.
#[must_use]
pub fn automaton(words: &[&str]) -> Option<AhoCorasick> {
    AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok()
}

/// A list of evidence words: `words!(NAME = ["…", …])`.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident = [$($word:literal),* $(,)?]) => {
        $(#[$doc])*
        static $name: $crate::evidence::Words = {
            const LIST: &[&str] = &[$($word),*];
            $crate::evidence::Words::new(LIST, || $crate::evidence::automaton(LIST))
        };
    };
}
pub(crate) use words;

fn is_at_edges(text: &[u8], start: usize, end: usize) -> bool {
    let is_letter =
        |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_alphabetic);
    let begins = !(is_letter(Some(start)) && is_letter(start.checked_sub(1)));
    let ends = !(is_letter(end.checked_sub(1)) && is_letter(Some(end)));
    begins && ends
}
