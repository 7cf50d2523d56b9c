//! Fast ways over JSON bytes that nobody needs to look at.

use memchr::memchr2;

/// How many bytes of `rest` belong to a JSON string that is already open, its
/// closing quote included, and whether that quote was there.
///
/// `escaped` carries a backslash that was the last byte of the bytes before.
pub(crate) fn end_of_text(rest: &[u8], escaped: &mut bool) -> (usize, bool) {
    let mut at = usize::from(std::mem::take(escaped));
    if at > rest.len() {
        *escaped = true;
        return (0, false);
    }
    while let Some(found) = rest.get(at..).and_then(|tail| memchr2(b'"', b'\\', tail)) {
        at += found + 1;
        if rest.get(at - 1) == Some(&b'"') {
            return (at, true);
        }
        if at == rest.len() {
            *escaped = true;
            return (at, false);
        }
        at += 1;
    }
    (rest.len(), false)
}

/// Where the next of `"`, `{`, `}`, `[` and `]` is.
///
/// Eight bytes at a time: long arrays of numbers (embeddings) are most of what
/// passes here.
pub(crate) fn next_structural(rest: &[u8]) -> Option<(usize, u8)> {
    let (words, _) = rest.as_chunks::<8>();
    let mut at = 0;
    for word in words {
        if may_be_structural(u64::from_le_bytes(*word))
            && let Some(found) = first_structural(word)
        {
            return Some((at + found.0, found.1));
        }
        at += 8;
    }
    let (offset, byte) = first_structural(rest.get(at..)?)?;
    Some((at + offset, byte))
}

fn first_structural(bytes: &[u8]) -> Option<(usize, u8)> {
    let found = |(_, b): &(usize, u8)| matches!(b, b'"' | b'{' | b'}' | b'[' | b']');
    bytes.iter().copied().enumerate().find(found)
}

/// Whether one of eight bytes may be structural. The four brackets are the same
/// byte (0x7F) once the bits that tell them apart are set; `Y`, `_`, `y` and DEL
/// become it too and cost a second look.
fn may_be_structural(word: u64) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let brackets = (word | (0x26 * EACH)) ^ (0x7F * EACH);
    let quotes = word ^ (0x22 * EACH);
    has_zero_byte(brackets) | has_zero_byte(quotes)
}

fn has_zero_byte(word: u64) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    word.wrapping_sub(EACH) & !word & (0x80 * EACH) != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ends_text_at_the_first_quote_that_is_not_escaped() {
        for (rest, end, closed) in [
            (r#"abc" tail"#, 4, true),
            (r#"a\"b\\" tail"#, 7, true),
            (r#"a\"b"#, 4, false),
            ("", 0, false),
            (r#"""#, 1, true),
        ] {
            let mut escaped = false;
            assert_eq!(end_of_text(rest.as_bytes(), &mut escaped), (end, closed), "{rest}");
            assert!(!escaped, "{rest}");
        }
    }

    #[test]
    fn carries_a_backslash_over_a_cut() {
        let mut escaped = false;
        assert_eq!(end_of_text(br"ab\", &mut escaped), (3, false));
        assert!(escaped);
        assert_eq!(end_of_text(b"", &mut escaped), (0, false));
        assert!(escaped);
        assert_eq!(end_of_text(br#"" more""#, &mut escaped), (7, true));
    }

    #[test]
    fn finds_each_structural_byte_at_every_place() {
        for byte in *b"\"{}[]" {
            for place in 0..40 {
                let mut bytes = vec![b'y'; 40];
                bytes[place] = byte;
                assert_eq!(next_structural(&bytes), Some((place, byte)));
            }
        }
        assert_eq!(next_structural(&[b'_'; 40]), None);
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_search(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let plain = bytes.iter().position(|b| b"\"{}[]".contains(b));
            prop_assert_eq!(next_structural(&bytes).map(|(at, _)| at), plain);
        }
    }
}
