//! What a request has that looks like the core of a placeholder: as `[EMAIL_k3x9q2]`
//! from an older answer, or quoted from a page about this gateway. No value gets a tag
//! that stands there already, so these come back as they were.

use contract::masking::PiiType;
use memchr::memchr_iter;

use crate::tag::tag_at_start;

/// Marks that a type's name may have before it ends, at most: the letters of the longest
/// name and a backslash for every `_`.
const NAME_BYTES_MAX: usize = 32;

/// Adds the digest of every core in a text, in all the spellings that a restorer takes
/// for one and some more.
pub(crate) fn collect(text: &str, joint: &str, literals: &mut Vec<u64>) {
    let bytes = text.as_bytes();
    let (Some(first), joint) = (joint.bytes().next(), joint.as_bytes()) else { return };
    for at in memchr_iter(first, bytes) {
        let behind = bytes.get(at..).and_then(|rest| behind_joint(rest, joint));
        let Some(rest) = behind else { continue };
        let Some(tag) = tag_at_start(rest).and_then(|chars| rest.get(..chars)) else { continue };
        let name = name_before(bytes.get(..at).unwrap_or_default());
        for of in PiiType::ALL.iter().filter(|of| ends_with_reversed(&name, of.as_str())) {
            literals.push(digest(&[of.as_str().as_bytes(), tag]));
        }
    }
}

/// The digest of a type's core with a tag.
pub(crate) fn digest_of(of: PiiType, tag: &[u8]) -> u64 {
    digest(&[of.as_str().as_bytes(), tag])
}

/// What stands behind the joint at the beginning: every byte of it may have backslashes
/// before it, and white space may follow.
fn behind_joint<'t>(text: &'t [u8], joint: &[u8]) -> Option<&'t [u8]> {
    let mut rest = text;
    for byte in joint {
        rest = without(rest, |byte| byte == b'\\').strip_prefix(&[*byte])?;
    }
    Some(without(rest, |byte| byte == b' '))
}

fn without(text: &[u8], drop: impl Fn(u8) -> bool) -> &[u8] {
    let from = text.iter().position(|byte| !drop(*byte)).unwrap_or(text.len());
    text.get(from..).unwrap_or_default()
}

/// The bytes before the joint from the last one on, without backslashes and white space,
/// in capitals.
fn name_before(text: &[u8]) -> Vec<u8> {
    let last = text.iter().rev().take(NAME_BYTES_MAX);
    last.filter(|byte| !matches!(byte, b'\\' | b' ')).map(u8::to_ascii_uppercase).collect()
}

fn ends_with_reversed(reversed: &[u8], name: &str) -> bool {
    let mut bytes = reversed.iter();
    name.bytes().rev().all(|byte| bytes.next() == Some(&byte))
}

/// FNV-1a over small letters. Two cores with one digest make a tag longer than it need
/// be, nothing else: it has not to be a keyed one.
fn digest(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().copied().flatten();
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str, joint: &str) -> usize {
        let mut literals = Vec::new();
        collect(text, joint, &mut literals);
        literals.len()
    }

    #[test]
    fn finds_every_spelling_of_a_core() {
        let expected = digest_of(PiiType::KrRrn, b"k3x9q2");
        for text in [
            "[KR_RRN_k3x9q2]",
            "KR_RRN_k3x9q2",
            "see kr_rrn_K3X9Q2.",
            "[KR\\_RRN\\_k3x9q2\\]",
            "[KR\\\\_RRN\\\\_k3x9q2]",
            "[ KR_RRN _ k3x9q2 ]",
            "가KR_RRN_k3x9q2가",
        ] {
            let mut literals = Vec::new();
            collect(text, "_", &mut literals);
            assert_eq!(literals, [expected], "{text}");
        }
    }

    #[test]
    fn finds_nothing_else() {
        for text in
            ["", "_", "[EMAIL]", "[EMAIL_x]", "snake_case_name", "NAME_k3x9q2", "EMAIL_k3x9"]
        {
            assert_eq!(count(text, "_"), 0, "{text}");
        }
    }

    #[test]
    fn knows_longer_joints() {
        assert_eq!(count("[EMAIL::k3x9q2] [EMAIL:k3x9q2]", "::"), 1);
        assert_eq!(count("[EMAIL:\\:k3x9q2]", "::"), 1);
    }
}
