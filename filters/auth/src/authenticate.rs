//! From what was checked to a caller.

use contract::keyring::{HmacEntry, KeyEntry};
use contract::limits::NAME_BYTES_MAX;
use contract::refusal::{Code, Refusal};

/// Somebody who may ask: the holder of a credential that was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The tenant that is billed.
    pub tenant: String,
    /// What records name the credential by: the id of a key or of a signer,
    /// `jwt:ISSUER` or `mtls:NAME`; at most [`NAME_BYTES_MAX`] bytes for those two.
    pub key: String,
    /// The user that the credential speaks for.
    pub user: Option<String>,
    /// Roles that the credential gives.
    pub roles: Roles,
    /// Globs over model names beside the roles; none means no further bound.
    pub models: Vec<String>,
    /// The masking policy that the credential names.
    pub masking: Option<String>,
    /// The limits that the credential names for itself.
    pub limits: Option<String>,
    /// Whether the credential has a budget of its own.
    pub budget: bool,
    /// How the caller was told from others.
    pub means: Means,
}

/// Roles of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roles {
    /// No bound: all that the tenant has.
    All,
    /// What one of these allows and none of them denies; none of them allows nothing.
    Of(Vec<String>),
}

/// How a caller was told from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Means {
    /// An API key.
    Key,
    /// A signature under the request.
    Hmac,
    /// A token of an issuer.
    Jwt,
    /// A client certificate alone.
    Certificate,
}

impl Means {
    /// Every means.
    pub const ALL: [Means; 4] = [Means::Key, Means::Hmac, Means::Jwt, Means::Certificate];

    /// Its name in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Means::Key => "key",
            Means::Hmac => "hmac",
            Means::Jwt => "jwt",
            Means::Certificate => "certificate",
        }
    }
}

impl Roles {
    /// The roles that the keyring names; it writes none where there is no bound.
    fn of_keyring(names: Vec<String>) -> Roles {
        if names.is_empty() { Roles::All } else { Roles::Of(names) }
    }

    /// The roles by name; none where there is no bound.
    pub(crate) fn names(&self) -> &[String] {
        match self {
            Roles::All => &[],
            Roles::Of(names) => names,
        }
    }
}

/// What the holder of no valid key is told, whatever is wrong with it.
pub(crate) fn invalid_key() -> Refusal {
    Refusal::new(Code::InvalidApiKey, "This API key is not valid.")
}

/// The caller that holds a key.
///
/// # Errors
/// `invalid_api_key` without an entry, `key_expired` from the second of expiry on.
pub fn authenticate(entry: Option<KeyEntry>, now_s: u64) -> Result<Caller, Refusal> {
    let entry = entry.ok_or_else(invalid_key)?;
    if entry.expires_at_s.is_some_and(|expires_at_s| now_s >= expires_at_s) {
        return Err(Refusal::new(Code::KeyExpired, "This API key has expired."));
    }
    Ok(Caller {
        tenant: entry.tenant,
        key: entry.id,
        user: entry.user,
        roles: Roles::of_keyring(entry.roles),
        models: entry.models,
        masking: entry.masking,
        limits: entry.limits,
        budget: entry.budget,
        means: Means::Key,
    })
}

/// The caller whose signature was found good.
impl From<HmacEntry> for Caller {
    fn from(entry: HmacEntry) -> Caller {
        Caller {
            tenant: entry.tenant,
            key: entry.id,
            user: entry.user,
            roles: Roles::of_keyring(entry.roles),
            models: Vec::new(),
            masking: entry.masking,
            limits: None,
            budget: false,
            means: Means::Hmac,
        }
    }
}

/// `PREFIX:NAME` for records, cut where a name may not be longer.
pub(crate) fn key_of(prefix: &str, name: &str) -> String {
    let mut key = format!("{prefix}:{name}");
    key.truncate(key.floor_char_boundary(NAME_BYTES_MAX));
    key
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
            models: vec![],
            masking: None,
            limits: None,
            budget: false,
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

    #[test]
    fn a_key_is_what_its_entry_says() {
        let full = KeyEntry {
            user: Some("ann".into()),
            roles: vec!["batch".into()],
            models: vec!["qwen-*".into()],
            masking: Some("strict".into()),
            limits: Some("standard".into()),
            budget: true,
            ..entry(None).unwrap()
        };
        let expected = Caller {
            tenant: "acme".into(),
            key: "key_1".into(),
            user: Some("ann".into()),
            roles: Roles::Of(vec!["batch".into()]),
            models: vec!["qwen-*".into()],
            masking: Some("strict".into()),
            limits: Some("standard".into()),
            budget: true,
            means: Means::Key,
        };
        assert_eq!(authenticate(Some(full), 0), Ok(expected));
        assert_eq!(authenticate(entry(None), 0).unwrap().roles, Roles::All);
    }

    #[test]
    fn a_signer_is_what_its_entry_says() {
        let signer = |roles: Vec<String>| {
            Caller::from(HmacEntry {
                id: "partner-1".into(),
                secret: "made up for this test".into(),
                tenant: "acme".into(),
                user: Some("ann".into()),
                roles,
                masking: Some("strict".into()),
            })
        };
        let expected = Caller {
            tenant: "acme".into(),
            key: "partner-1".into(),
            user: Some("ann".into()),
            roles: Roles::Of(vec!["batch".into()]),
            models: vec![],
            masking: Some("strict".into()),
            limits: None,
            budget: false,
            means: Means::Hmac,
        };
        assert_eq!(signer(vec!["batch".into()]), expected);
        assert_eq!(signer(vec![]).roles, Roles::All);
    }

    #[test]
    fn names_are_cut_between_characters() {
        assert_eq!(key_of("jwt", "https://login.example"), "jwt:https://login.example");
        assert_eq!(key_of("jwt", &"a".repeat(300)).len(), NAME_BYTES_MAX);
        assert_eq!(key_of("jwt", &"한".repeat(100)), format!("jwt:{}", "한".repeat(84)));
        assert_eq!(key_of("mtls", &"é".repeat(200)).len(), NAME_BYTES_MAX - 1);
    }
}
