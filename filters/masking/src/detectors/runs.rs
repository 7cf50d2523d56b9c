//! Long runs of an alphabet: where hashes, addresses and blobs begin to be looked for.

use std::ops::Range;

/// A set of bytes.
pub type Alphabet = fn(u8) -> bool;

/// `0-9A-Za-z`.
pub fn alnum(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// `0-9A-Fa-f`.
pub fn hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}

/// `0-9a-f`.
pub fn lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// `0-9A-Z`.
pub fn upper_alnum(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'A'..=b'Z')
}

/// The alphabet of RFC 4648 §5, without padding.
pub fn base64url(byte: u8) -> bool {
    alnum(byte) || matches!(byte, b'-' | b'_')
}

/// The alphabet of RFC 4648 §4, without padding.
pub fn base64(byte: u8) -> bool {
    alnum(byte) || matches!(byte, b'+' | b'/')
}

/// Just behind the run that begins at a place.
pub fn end_of_run(bytes: &[u8], start: usize, belongs: Alphabet) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.iter().position(|byte| !belongs(*byte)).unwrap_or(rest.len())
}

/// The same, but so many bytes at most are looked at: a run that is longer goes on there.
pub fn end_of_run_within(bytes: &[u8], start: usize, most: usize, belongs: Alphabet) -> usize {
    let least = bytes.len().min(start + most);
    end_of_run(bytes.get(..least).unwrap_or_default(), start, belongs)
}

/// Where the run that ends before a place begins, but not before `least`.
pub fn start_of_run(bytes: &[u8], end: usize, least: usize, belongs: Alphabet) -> usize {
    let before = bytes.get(least..end).unwrap_or_default();
    end - before.iter().rev().take_while(|byte| belongs(**byte)).count()
}

/// Behind the `=` that pad base64: two at most.
pub fn end_of_padding(bytes: &[u8], end: usize) -> usize {
    let rest = bytes.get(end..).unwrap_or_default();
    end + rest.iter().take(2).take_while(|byte| **byte == b'=').count()
}

/// The least characters of either half of a run that a line break splits.
const HALF_CHARS_MIN: usize = 4;

/// Behind the second half of a run that a line break splits at `first_end`.
pub fn end_over_break(bytes: &[u8], first_end: usize, belongs: Alphabet) -> Option<usize> {
    let second = match bytes.get(first_end..)? {
        [b'\n', ..] => first_end + 1,
        [b'\r', b'\n', ..] => first_end + 2,
        _ => return None,
    };
    let end = end_of_run(bytes, second, belongs);
    // A name of the next pair is none.
    let ends = |byte: u8| !alnum(byte) && !matches!(byte, b'_' | b'=' | b':');
    let behind = bytes.get(end_of_padding(bytes, end)).copied();
    let is_half =
        end >= second + HALF_CHARS_MIN && behind.is_none_or(ends) && bytes.get(end) != Some(&b':');
    is_half.then_some(end)
}

/// Every maximal run of at least `least` bytes, in order. A window of that length is read
/// from its end: it is given up at the first byte that does not belong, and the next one
/// begins behind that. Prose costs next to nothing.
pub fn long_runs(
    bytes: &[u8],
    least: usize,
    belongs: impl Fn(u8) -> bool + Copy,
) -> impl Iterator<Item = Range<usize>> {
    let mut free = 0;
    std::iter::from_fn(move || {
        loop {
            let window = bytes.get(free..free + least.max(1))?;
            if let Some(gap) = window.iter().rposition(|byte| !belongs(*byte)) {
                free += gap + 1;
                continue;
            }
            let start = free;
            let behind = bytes.get(start + window.len()..).unwrap_or_default();
            let more = behind.iter().take_while(|byte| belongs(**byte)).count();
            free = start + window.len() + more;
            return Some(start..free);
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one_by_one(bytes: &[u8], least: usize) -> Vec<Range<usize>> {
        let mut runs = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let end = end_of_run(bytes, at, hex);
            if end - at >= least {
                runs.push(at..end);
            }
            at = end.max(at + 1);
        }
        runs
    }

    proptest! {
        #[test]
        fn finds_what_a_walk_finds(text in "[a-g -]{0,80}", least in 1_usize..9) {
            let found: Vec<_> = long_runs(text.as_bytes(), least, hex).collect();
            prop_assert_eq!(found, one_by_one(text.as_bytes(), least));
        }
    }

    #[test]
    fn a_walk_has_a_bound() {
        let text = "A".repeat(1 << 20);
        assert_eq!(end_of_run_within(text.as_bytes(), 5, 17, upper_alnum), 22);
        assert_eq!(end_of_run_within(b"AB-CD", 0, 17, upper_alnum), 2);
        assert_eq!(end_of_run_within(b"AB", 9, 17, upper_alnum), 9);
    }

    #[test]
    fn runs_have_edges() {
        let text = b"x: abc==, abc===";
        assert_eq!(end_of_run(text, 3, base64), 6);
        assert_eq!(end_of_padding(text, 6), 8);
        assert_eq!(end_of_padding(text, 13), 15);
        assert_eq!(start_of_run(text, 6, 4, base64), 4);
        assert_eq!(start_of_run(text, 6, 0, base64), 3);
    }
}
