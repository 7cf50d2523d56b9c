//! From a key's entry to a caller.

use contract::keyring::KeyEntry;
use contract::refusal::{Code, Refusal};

/// Somebody who may ask: the holder of a valid key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The tenant that is billed.
    pub tenant: String,
    /// The key's id.
    pub key: String,
    /// The user the key was made for.
    pub user: Option<String>,
    /// Roles; none means all that the tenant has.
    pub roles: Vec<String>,
}

/// The caller that holds a key.
///
/// # Errors
/// `invalid_api_key` without an entry, `key_expired` from the second of expiry on.
pub fn authenticate(entry: Option<KeyEntry>, now_s: u64) -> Result<Caller, Refusal> {
    let entry =
        entry.ok_or_else(|| Refusal::new(Code::InvalidApiKey, "This API key is not valid."))?;
    if entry.expires_at_s.is_some_and(|expires_at_s| now_s >= expires_at_s) {
        return Err(Refusal::new(Code::KeyExpired, "This API key has expired."));
    }
    Ok(Caller { tenant: entry.tenant, key: entry.id, user: entry.user, roles: entry.roles })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(expires_at_s: Option<u64>) -> Option<KeyEntry> {
        Some(KeyEntry {
            id: "key_1".into(),
            tenant: "acme".into(),
            user: None,
            roles: vec![],
            expires_at_s,
        })
    }

    #[test]
    fn expiry_and_absence() {
        let code = |entry, now_s| authenticate(entry, now_s).map_err(|refusal| refusal.code);
        assert_eq!(code(entry(None), u64::MAX).unwrap().key, "key_1");
        assert_eq!(code(entry(Some(100)), 99).unwrap().tenant, "acme");
        assert_eq!(code(entry(Some(100)), 100), Err(Code::KeyExpired));
        assert_eq!(code(None, 0), Err(Code::InvalidApiKey));
    }
}
