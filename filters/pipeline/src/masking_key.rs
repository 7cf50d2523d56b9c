//! The key of the placeholders' tags, as it stands in shared data: `sync` notes it,
//! workers read it.

use contract::keyring::MaskingKey;

/// Where it stands.
pub const MASKING_KEY_NAME: &str = "masking";

/// As it stands there.
#[must_use]
pub fn encode(key: &MaskingKey) -> Vec<u8> {
    // Plain data: there is nothing in it that JSON cannot say.
    serde_json::to_vec(key).unwrap_or_default()
}

/// Reads what [`encode`] wrote; `None` for anything else.
#[must_use]
pub fn decode(stored: &[u8]) -> Option<MaskingKey> {
    serde_json::from_slice(stored).ok()
}

/// The bytes of a key; `None` where it is none.
#[must_use]
pub fn bytes(key: &MaskingKey) -> Option<Vec<u8>> {
    hex::decode(&key.key).ok().filter(|bytes| !bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back() {
        let key = MaskingKey { version: "1".into(), key: "00ff".into() };
        assert_eq!(decode(&encode(&key)), Some(key.clone()));
        assert_eq!(bytes(&key), Some(vec![0, 255]));
        assert_eq!(decode(b"{broken"), None);
        assert!(!format!("{key:?}").contains("00ff"));
    }

    #[test]
    fn no_key_is_none() {
        for no_key in ["", "0", "xy"] {
            let key = MaskingKey { version: "1".into(), key: no_key.into() };
            assert_eq!(bytes(&key), None, "{no_key}");
        }
    }
}
