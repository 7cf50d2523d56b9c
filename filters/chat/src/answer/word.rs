//! Short strings and numbers of an answer, at whatever cuts they come.

use std::borrow::Cow;

use crate::bounded::Bounded;

/// Longest member name, reason or id that is looked at, in bytes with its closing
/// quote; the longest name that matters is `incomplete_details` (with escapes: six
/// times that).
const WORD_BYTES_MAX: usize = 120;

/// Whether a name of no escapes, without its quotes, is short enough to matter.
pub(super) fn fits(name: &[u8]) -> bool {
    name.len() < WORD_BYTES_MAX
}

/// A word that a cut has left open.
#[derive(Default)]
pub(super) struct Word {
    begun: Bounded<WORD_BYTES_MAX>,
}

impl Word {
    pub(super) fn clear(&mut self) {
        self.begun.clear();
    }

    pub(super) fn push(&mut self, piece: &[u8]) {
        self.begun.push(piece);
    }

    /// What was collected of a number; empty where it is too long.
    pub(super) fn number(&self) -> &[u8] {
        self.begun.whole().unwrap_or_default()
    }

    /// What a string says that ends with `piece`, its closing quote included. `None`
    /// where it is too long to matter, or no JSON.
    pub(super) fn ended<'p>(&mut self, piece: &'p [u8]) -> Option<Cow<'p, [u8]>> {
        if self.begun.whole().is_some_and(<[u8]>::is_empty) && piece.len() <= WORD_BYTES_MAX {
            return said(piece);
        }
        self.begun.push(piece);
        said(self.begun.whole()?).map(|word| Cow::Owned(word.into_owned()))
    }
}

/// What a string says, from behind its opening quote.
fn said(quoted: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !quoted.contains(&b'\\') {
        return quoted.strip_suffix(b"\"").map(Cow::Borrowed);
    }
    let text: String = serde_json::from_slice(&[b"\"", quoted].concat()).ok()?;
    Some(Cow::Owned(text.into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Option<Vec<u8>> {
        let mut word = Word::default();
        let (last, before) = pieces.split_last().unwrap();
        before.iter().for_each(|piece| word.push(piece));
        word.ended(last).map(Cow::into_owned)
    }

    #[test]
    fn cuts_and_escapes_change_nothing() {
        let whole = br#"mod\u0065l""#;
        assert_eq!(read(&[whole]).as_deref(), Some(&b"model"[..]));
        for cut in 0..whole.len() {
            let (head, tail) = whole.split_at(cut);
            assert_eq!(read(&[head, tail]).as_deref(), Some(&b"model"[..]));
        }
        assert_eq!(read(&[br#"\ud800""#]), None);
    }

    #[test]
    fn what_is_too_long_says_nothing() {
        for (bytes, is_read) in [(WORD_BYTES_MAX - 1, true), (WORD_BYTES_MAX, false)] {
            let quoted = [vec![b'x'; bytes], vec![b'"']].concat();
            assert_eq!(read(&[&quoted]).is_some(), is_read);
            let (head, tail) = quoted.split_at(50);
            assert_eq!(read(&[head, tail]).is_some(), is_read);
        }
    }
}
