//! The names of the objects that are open, to find those that stand there twice.

use super::Str;

/// Up to so many names, each is compared with each; beyond, they are sorted.
const COMPARED_MAX: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Kept {
    hash: u64,
    /// Where the name's opening quote stands.
    at: usize,
}

/// Names of all open objects, the innermost's last.
///
/// Kept as 64-bit hashes of what they say: 500,000 different names of one object
/// are taken for a duplicate once in 100 million bodies, and who makes such names
/// on purpose has only his own body refused. Sorting instead of a table: no names
/// that anybody could choose make it slower than `n log n`.
#[derive(Default)]
pub(crate) struct Names {
    kept: Vec<Kept>,
}

impl Names {
    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    pub(super) fn keep(&mut self, name: Str<'_>, at: usize) {
        if name.is_escaped() {
            self.keep_said(&name.unescaped(), at);
        } else {
            self.keep_said(name.raw(), at);
        }
    }

    /// Keeps what a name says, or what it counts as.
    pub(crate) fn keep_said(&mut self, said: &str, at: usize) {
        self.kept.push(Kept { hash: hash(said.as_bytes()), at });
    }

    /// Forgets the names from the `first` on, which are one object's, and says
    /// where the first one stands that stood there before.
    pub(crate) fn close(&mut self, first: usize) -> Option<usize> {
        let own = self.kept.get_mut(first..)?;
        let again = if own.len() <= COMPARED_MAX { among_few(own) } else { among_many(own) };
        self.kept.truncate(first);
        again
    }
}

fn among_few(names: &[Kept]) -> Option<usize> {
    let seen = |index: usize, name: &Kept| names.iter().take(index).any(|n| n.hash == name.hash);
    let again = names.iter().enumerate().find(|(index, name)| seen(*index, name));
    again.map(|(_, name)| name.at)
}

fn among_many(names: &mut [Kept]) -> Option<usize> {
    names.sort_unstable();
    let again = names.windows(2).filter_map(|pair| match pair {
        [before, name] if before.hash == name.hash => Some(name.at),
        _ => None,
    });
    again.min()
}

/// A hash for names that nobody chose to collide. Every step can be undone, so
/// names of equal length up to eight bytes never do.
fn hash(name: &[u8]) -> u64 {
    const START: u64 = 0x9E37_79B9_7F4A_7C15;
    let (words, rest) = name.as_chunks::<8>();
    let last = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let state = START ^ name.len() as u64;
    let state = words.iter().fold(state, |state, word| mix(state ^ u64::from_le_bytes(*word)));
    mix(mix(state ^ last))
}

fn mix(state: u64) -> u64 {
    const FACTOR: u64 = 0xD6E8_FEB8_6659_FD93;
    let product = state.wrapping_mul(FACTOR);
    product ^ (product >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn again(names: &[&str]) -> Option<usize> {
        let mut kept = Names::default();
        for (at, name) in names.iter().enumerate() {
            kept.keep(Str::plain(name).unwrap(), at);
        }
        kept.close(0)
    }

    #[test]
    fn the_first_that_stood_before() {
        for (names, expected) in [
            (vec![], None),
            (vec!["a", "b"], None),
            (vec!["a", "b", "b", "a"], Some(2)),
            (vec!["", "a", ""], Some(2)),
            (vec!["12345678", "12345678\u{1F600}", "123456789", "12345678"], Some(3)),
        ] {
            assert_eq!(again(&names), expected, "{names:?}");
        }
    }

    #[test]
    fn each_object_has_its_own() {
        let mut kept = Names::default();
        kept.keep(Str::plain("a").unwrap(), 0);
        let first = kept.len();
        kept.keep(Str::plain("a").unwrap(), 1);
        assert_eq!(kept.close(first), None);
        kept.keep(Str::plain("b").unwrap(), 2);
        assert_eq!(kept.close(0), None);
        assert_eq!((kept.len(), kept.close(0)), (0, None));
    }

    #[test]
    fn many_names_of_one_form_are_all_different() {
        let texts: Vec<_> = (0..200_000).map(|n| format!("name{n}")).collect();
        let names: Vec<&str> = texts.iter().map(String::as_str).collect();
        assert_eq!(again(&names), None);
    }

    proptest! {
        #[test]
        fn agrees_with_a_set(names in proptest::collection::vec("[a-e]{0,3}", 0..40)) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let mut set = HashSet::new();
            prop_assert_eq!(again(&names), names.iter().position(|name| !set.insert(*name)));
        }
    }
}
