//! The form of an API key: `tg_`, 43 URL-safe characters (256 random bits) and
//! 6 characters of CRC-32 over what stands before them, in base 62.
//!
//! The checksum lets a secret scanner find keys without false alarms, and lets a
//! mistyped key be refused without asking anybody.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// What every key of Tollgate begins with.
pub const PREFIX: &str = "tg_";

/// Characters of a key in all.
pub const KEY_CHARS: usize = PREFIX.len() + RANDOM_CHARS + CHECKSUM_CHARS;

const RANDOM_CHARS: usize = 43;
const CHECKSUM_CHARS: usize = 6;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The SHA-256 of a key: all that is ever stored of it.
pub type Digest = [u8; 32];

/// The key that `random` stands for.
#[must_use]
pub fn generate(random: &[u8; 32]) -> String {
    let mut key = String::with_capacity(KEY_CHARS);
    key.push_str(PREFIX);
    URL_SAFE_NO_PAD.encode_string(random, &mut key);
    let sum = checksum(&key);
    key.push_str(&sum);
    key
}

/// Whether a text that begins like a key of Tollgate is one: length and
/// checksum. A text with another beginning is somebody else's key and passes.
#[must_use]
pub fn may_be_a_key(text: &str) -> bool {
    !text.starts_with(PREFIX) || is_well_formed(text)
}

/// Whether `text` has the form of a key of Tollgate.
#[must_use]
pub fn is_well_formed(text: &str) -> bool {
    let Some((body, sum)) = text.split_at_checked(KEY_CHARS - CHECKSUM_CHARS) else {
        return false;
    };
    body.starts_with(PREFIX) && sum.len() == CHECKSUM_CHARS && checksum(body) == sum
}

/// The digest by which a key is found.
#[must_use]
pub fn digest(key: &str) -> Digest {
    Sha256::digest(key.as_bytes()).into()
}

fn checksum(body: &str) -> String {
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut digits = [b'0'; CHECKSUM_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62.get(rest as usize % BASE62.len()).copied().unwrap_or(b'0');
        rest /= 62;
    }
    digits.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_form_that_scanners_look_for() {
        let key = generate(&[0xA5; 32]);
        assert_eq!(key.len(), KEY_CHARS);
        assert_eq!(key.len(), 3 + 43 + 6);
        assert!(key.starts_with("tg_paWlpaWl"));
        assert!(is_well_formed(&key));
        assert_ne!(generate(&[0; 32]), key);
    }

    #[test]
    fn one_wrong_character_anywhere_is_noticed() {
        let key = generate(&[7; 32]);
        for at in 0..key.len() {
            let mut bytes = key.clone().into_bytes();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            let mistyped = String::from_utf8(bytes).unwrap();
            assert!(!is_well_formed(&mistyped), "position {at}");
        }
    }

    #[test]
    fn what_is_no_key() {
        let key = generate(&[7; 32]);
        let longer = format!("{key}0");
        for text in [
            "",
            "tg_",
            "sk-abc",
            key.get(..51).unwrap(),
            &longer,
            "tg_한국어한국어한국어한국어한국어한국어",
        ] {
            assert!(!is_well_formed(text), "{text}");
        }
        assert!(may_be_a_key("sk-abc"));
        assert!(!may_be_a_key("tg_abc"));
    }

    #[test]
    fn the_digest_is_sha_256() {
        let hex = hex::encode(digest("abc"));
        assert_eq!(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
