//! `tenants.NAME.hmac`: who may sign requests.

use crate::document::Cursor;
use crate::ids::{CredentialId, PolicyName, RoleName, UserName};
use crate::schema::Section;
use crate::secret::Secret;
use crate::tenant::{NO_ROLES, roles_of};
use crate::validate::{CredentialsSeen, Declared};
use std::ops::RangeInclusive;

/// How long a secret is, in bytes. A shorter one is guessed from a single request that was
/// overheard; a good one has 32 random bytes, and the documentation says so.
const SECRET_BYTES: RangeInclusive<usize> = 8..=1024;

/// A credential by which requests are signed. It holds a secret and therefore has no
/// `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct HmacCredential {
    /// Its id, one of its kind in the configuration.
    pub id: CredentialId,
    /// The secret, whose bytes are the key of the HMAC: 8 to 1024 visible ASCII
    /// characters. No two credentials have the same: it binds the id to a signature.
    pub secret: Secret,
    /// Roles, all of which exist; none means all that the tenant has.
    pub roles: Vec<RoleName>,
    /// The user it was made for.
    pub user: Option<UserName>,
    /// The masking policy of its requests; it exists.
    pub masking: Option<PolicyName>,
}

impl HmacCredential {
    pub(crate) fn read(
        cursor: &Cursor<'_>,
        declared: &Declared,
        seen: &mut CredentialsSeen,
    ) -> Option<HmacCredential> {
        let fields = cursor.fields(Section::Credential);
        let id = fields.require("id", "a name of its own among all tenants");
        let secret = fields.require("secret", "8 to 1024 characters, such as ${PARTNER_SECRET}");
        let roles = fields.get("roles");
        let roles = roles.map(|roles| roles_of(&roles, declared, NO_ROLES)).unwrap_or_default();
        let user = fields.get("user").and_then(|user| user.parse(UserName::parse));
        let masking = declared.masking(&fields);
        fields.close();
        let id = id.and_then(|field| {
            let id = field.parse(CredentialId::parse)?;
            seen.credential(&field, &id);
            Some(id)
        });
        let secret = secret.and_then(|field| {
            let secret = field.parse_unquoted(secret_of)?;
            seen.secret(&field, &secret);
            Some(secret)
        });
        Some(HmacCredential { id: id?, secret: secret?, roles, user, masking })
    }
}

fn secret_of(text: &str) -> Result<Secret, String> {
    if SECRET_BYTES.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Secret::new(text.to_owned()));
    }
    Err(format!(
        "is not a secret to sign by; allowed: {} to {} visible ASCII characters without spaces",
        SECRET_BYTES.start(),
        SECRET_BYTES.end()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_to_sign_by() {
        let of = |bytes: usize| "x".repeat(bytes);
        let table = [
            (of(7), false),
            (of(8), true),
            (of(1024), true),
            (of(1025), false),
            ("!~".repeat(8), true),
            (format!("{} {}", of(8), of(8)), false),
            ("한".repeat(8), false),
        ];
        for (text, good) in table {
            assert_eq!(secret_of(&text).is_ok(), good, "{text}");
        }
    }
}
