//! What this gateway has put in the place of a value is not masked again:
//! `[TYPE_TAG]`, where TAG has letters at even and digits at odd places.

use memchr::memchr_iter;

use contract::masking::PiiType;

use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

/// The least characters of a tag.
const TAG_CHARS_MIN: usize = 6;
/// Longer ones are not made.
const TAG_CHARS_MAX: usize = 64;

/// Keeps the place of every placeholder.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    for open in memchr_iter(b'[', scene.bytes()) {
        if let Some(end) = end_of_placeholder(scene.bytes(), open) {
            found.innocent(open..end, Level::Certain);
        }
    }
}

fn end_of_placeholder(bytes: &[u8], open: usize) -> Option<usize> {
    let start = open + 1;
    let rest = bytes.get(start..)?;
    if !rest.first()?.is_ascii_uppercase() {
        return None;
    }
    let named = PiiType::ALL.iter().filter_map(|of| {
        let behind = rest.strip_prefix(of.as_str().as_bytes())?.strip_prefix(b"_")?;
        let tag = tag_chars(behind);
        let ends = behind.get(tag) == Some(&b']');
        let fits = (TAG_CHARS_MIN..=TAG_CHARS_MAX).contains(&tag);
        (ends && fits).then_some(start + of.as_str().len() + 1 + tag + 1)
    });
    named.max()
}

fn tag_chars(bytes: &[u8]) -> usize {
    let alternates = |(index, byte): &(usize, &u8)| {
        if index % 2 == 0 { byte.is_ascii_alphabetic() } else { byte.is_ascii_digit() }
    };
    bytes.iter().take(TAG_CHARS_MAX + 1).enumerate().take_while(alternates).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placeholders(text: &str) -> Vec<&str> {
        let mut found = Candidates::default();
        find(&Scene::of(text), &mut found);
        found.0.into_iter().map(|candidate| &text[candidate.span]).collect()
    }

    #[test]
    fn placeholders_keep_their_place() {
        for text in
            ["[EMAIL_k3x9q2]", "[KR_RRN_k3x9q2m4]", "[SECRET_a1b2c3]", "[US_SSN_a1b2c3d4e5]"]
        {
            assert_eq!(placeholders(&format!("비밀번호: {text}로")), [text]);
        }
    }

    #[test]
    fn other_brackets_are_none() {
        for text in [
            "[EMAIL]",
            "[EMAIL_k3x9]",
            "[EMAIL_kx39q2]",
            "[MAIL_k3x9q2]",
            "[EMAIL_k3x9q2",
            "[",
            "[E",
        ] {
            assert_eq!(placeholders(text), [""; 0], "{text}");
        }
    }
}
