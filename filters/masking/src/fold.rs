//! A text as detectors read it: tricks of typography undone, with the way back to the
//! places in the text itself.

use std::borrow::Cow;
use std::ops::Range;

use map::Map;

mod addresses;
mod broken;
mod characters;
mod escapes;
pub mod letters;
mod map;
mod numbers;
mod phrases;
mod spoken;

/// A folded text. Offsets are in bytes.
pub struct Folded<'t> {
    text: Cow<'t, str>,
    /// From characters to the text itself.
    characters: Map,
    /// From phrases to characters.
    phrases: Map,
}

impl<'t> Folded<'t> {
    /// Folds a text; without anything to fold nothing is copied.
    #[must_use]
    pub fn of(text: &'t str) -> Self {
        let (read, characters) = characters::read(text);
        match phrases::read(&read) {
            None => Self { text: read, characters, phrases: Map::default() },
            Some((text, phrases)) => Self { text: Cow::Owned(text), characters, phrases },
        }
    }

    /// The folded text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether anything was folded.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        matches!(self.text, Cow::Owned(_))
    }

    /// The place in the text itself of a place in the folded one: whole characters,
    /// escapes and entities.
    #[must_use]
    pub fn original(&self, span: Range<usize>) -> Range<usize> {
        self.characters.original(self.phrases.original(span))
    }
}

#[cfg(test)]
#[path = "fold/tests.rs"]
mod tests;
