//! The keyed tags of values: the same value has the same tag in every message, turn and
//! worker, and nobody without the key can look a guessed value up.

use contract::masking::PiiType;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroize;

/// Characters of a tag.
pub const TAG_CHARS_MIN: usize = 6;

/// Most characters of a tag: as many as a digest has bytes. Tags grow by
/// [`TAG_CHARS_STEP`] while they are taken.
pub const TAG_CHARS_MAX: usize = 32;

/// How much longer the next tag of a value is: a letter and a digit.
pub const TAG_CHARS_STEP: usize = 2;

type HmacSha256 = Hmac<Sha256>;

/// What the tags of a tenant are made with. Not to be logged: no `Debug`.
pub struct TagKey([u8; 32]);

impl TagKey {
    /// The key of a tenant: HMAC-SHA256 (RFC 2104) of `tenant NAME` with the gateways'
    /// masking key, so that no tenant can tell another's values by their tags.
    #[must_use]
    pub fn for_tenant(masking_key: &[u8], tenant: &str) -> Self {
        Self(digest(masking_key, &[b"tenant ", tenant.as_bytes()]))
    }

    /// The longest tag of a value; shorter ones are its beginnings. Letters stand at even
    /// places and digits at odd ones: no detector takes that for anything.
    pub(crate) fn tag(&self, of: PiiType, value: &str) -> [u8; TAG_CHARS_MAX] {
        let mut tag = digest(&self.0, &[of.as_str().as_bytes(), b"\0", value.as_bytes()]);
        for (place, byte) in tag.iter_mut().enumerate() {
            *byte = if place % 2 == 0 { b'a' + *byte % 26 } else { b'0' + *byte % 10 };
        }
        tag
    }
}

impl Drop for TagKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

fn digest(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of every length: the other arm is never taken.
    let Ok(mut mac) = HmacSha256::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// How many bytes at the beginning of a text could be a tag: letters and digits by turns,
/// in any case, up to something that is neither; `None` when that is no tag.
pub(crate) fn tag_at_start(text: &[u8]) -> Option<usize> {
    let chars = text.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let tag = text.get(..chars)?;
    let turns = |(place, byte): (usize, &u8)| (place % 2 == 0) == byte.is_ascii_alphabetic();
    let fits = (TAG_CHARS_MIN..=TAG_CHARS_MAX).contains(&chars) && chars % TAG_CHARS_STEP == 0;
    (fits && tag.iter().enumerate().all(turns)).then_some(chars)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tag(key: &[u8], tenant: &str, of: PiiType, value: &str) -> String {
        let tag = TagKey::for_tenant(key, tenant).tag(of, value);
        String::from_utf8(tag.to_vec()).unwrap()
    }

    #[test]
    fn key_tenant_type_and_value_decide() {
        let one = tag(b"key", "acme", PiiType::Email, "kim@example.com");
        assert_eq!(one, tag(b"key", "acme", PiiType::Email, "kim@example.com"));
        for other in [
            tag(b"kez", "acme", PiiType::Email, "kim@example.com"),
            tag(b"key", "acmf", PiiType::Email, "kim@example.com"),
            tag(b"key", "acme", PiiType::Phone, "kim@example.com"),
            tag(b"key", "acme", PiiType::Email, "kim@example.org"),
        ] {
            assert_ne!(one, other);
        }
    }

    /// Tags are part of what other gateways and later versions must say the same way.
    #[test]
    fn tags_stay_what_they_are() {
        let tag = tag(&[7; 32], "acme", PiiType::Email, "kim@example.com");
        assert_eq!(tag.split_at(TAG_CHARS_MIN).0, "g0a1g1");
    }

    #[test]
    fn knows_tags() {
        for (text, chars) in [
            ("k3x9q2", Some(6)),
            ("K3x9Q2]", Some(6)),
            ("k3x9q2a1 k3", Some(8)),
            ("k3x9q2가", Some(6)),
            ("k3x9q2a", None),
            ("k3x9", None),
            ("3k9x2q", None),
            ("kkx9q2", None),
            ("", None),
        ] {
            assert_eq!(tag_at_start(text.as_bytes()), chars, "{text}");
        }
    }

    proptest! {
        #[test]
        fn letters_and_digits_take_turns(key: Vec<u8>, tenant: String, value: String) {
            let tag = tag(&key, &tenant, PiiType::Phone, &value);
            prop_assert_eq!(tag_at_start(tag.as_bytes()), Some(TAG_CHARS_MAX));
            prop_assert!(!tag.bytes().any(|byte| byte.is_ascii_uppercase()));
        }
    }
}
