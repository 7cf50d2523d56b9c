//! The user of a request, as it stands in records.

use auth::Caller;
use contract::refusal::Refusal;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// What a user begins with who is kept as a digest.
const DIGEST_PREFIX: &str = "digest:";

/// Bytes of the digest: 64 bits tell the users of a tenant apart.
const DIGEST_BYTES: usize = 8;

/// The user of a request: the credential's; otherwise, where the configuration says that it
/// counts, what the body says. One that looks like personal data is kept as a digest by
/// `key`, so that it stays the same user and stands nowhere.
///
/// # Errors
/// `control_unavailable` where a digest is needed and the key has not arrived.
pub fn recorded_user(
    caller: &Caller,
    from_body: Option<&str>,
    key: Option<&[u8]>,
) -> Result<Option<String>, Refusal> {
    let (None, Some(user)) = (&caller.user, from_body) else { return Ok(caller.user.clone()) };
    if masking::scan(user).is_empty() && !user.contains('@') {
        return Ok(Some(user.to_owned()));
    }
    let key = key.ok_or_else(super::unavailable)?;
    Ok(Some(digest(key, &caller.tenant, user)))
}

/// Tenants do not learn from each other's records whether they have a user in common.
fn digest(key: &[u8], tenant: &str, user: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return DIGEST_PREFIX.to_owned() };
    for part in ["user", tenant, user] {
        mac.update(part.as_bytes());
        mac.update(&[0]);
    }
    let digest = mac.finalize().into_bytes();
    let digits: Vec<u8> = digest.iter().copied().take(DIGEST_BYTES).collect();
    format!("{DIGEST_PREFIX}{}", hex::encode(digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth::authenticate::Means;
    use auth::{Caller, Roles};
    use contract::refusal::Code;

    fn caller(tenant: &str, user: Option<&str>) -> Caller {
        Caller {
            tenant: tenant.to_owned(),
            key: "k".to_owned(),
            user: user.map(str::to_owned),
            roles: Roles::All,
            models: vec![],
            masking: None,
            limits: None,
            budget: false,
            means: Means::Key,
        }
    }

    #[test]
    fn the_credentials_user_wins_and_stays() {
        let ann = caller("acme", Some("ann@example.com"));
        let user = recorded_user(&ann, Some("bob"), None);
        assert_eq!(user.unwrap().as_deref(), Some("ann@example.com"));
        let user = recorded_user(&caller("acme", None), Some("team-7"), None);
        assert_eq!(user.unwrap().as_deref(), Some("team-7"));
        assert_eq!(recorded_user(&caller("acme", None), None, None), Ok(None));
    }

    #[test]
    fn what_looks_like_personal_data_is_a_digest() {
        let of = |tenant, user| {
            recorded_user(&caller(tenant, None), Some(user), Some(b"made up")).unwrap().unwrap()
        };
        let mail = of("acme", "ann@example.com");
        assert!(mail.starts_with("digest:") && mail.len() == 23, "{mail}");
        assert_eq!(mail, of("acme", "ann@example.com"));
        assert_ne!(mail, of("zoo", "ann@example.com"));
        assert_ne!(mail, of("acme", "bob@example.com"));
        assert!(of("acme", "010-1234-5678").starts_with("digest:"));
        let refused = recorded_user(&caller("acme", None), Some("ann@example.com"), None);
        assert_eq!(refused.unwrap_err().code, Code::ControlUnavailable);
    }
}
