//! `tenants` and `roles`: who is billed, and what they may use.

use crate::document::Cursor;
use crate::ids::{KeyName, ModelGlob, RoleName, TenantName, UserName};
use crate::schema::Section;
use crate::units;
use crate::validate::{Declared, KeysSeen};
use std::fmt;

/// What a role may do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Role {
    /// Patterns over model names; none means nothing.
    pub models: Vec<ModelGlob>,
}

/// SHA-256 of a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// 64 hexadecimal digits in lower case.
impl fmt::Display for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A key that stands in the configuration, by its digest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Its name, one of its kind in the tenant.
    pub name: KeyName,
    /// Its digest, one of its kind in the configuration.
    pub sha256: KeyDigest,
    /// Roles, all of which exist; none means all that the tenant has.
    pub roles: Vec<RoleName>,
    /// The user it was made for.
    pub user: Option<UserName>,
    /// Unix time in seconds from which it is refused.
    pub expires_at_s: Option<u64>,
}

impl Key {
    /// The id under which usage records and reports know the key:
    /// `yaml:TENANT/NAME`, one of its kind in the configuration.
    #[must_use]
    pub fn id(&self, tenant: &TenantName) -> String {
        format!("yaml:{tenant}/{}", self.name)
    }
}

/// Who is billed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tenant {
    /// Patterns over model names.
    pub models: Vec<ModelGlob>,
    /// Keys of the configuration; those of the database are not here.
    pub keys: Vec<Key>,
}

impl Role {
    pub(crate) fn read(cursor: &Cursor<'_>) -> Option<Role> {
        let fields = cursor.fields(Section::Role);
        let models = fields.require("models", "a list of patterns such as [\"qwen-*\"]");
        fields.close();
        Some(Role { models: models?.parse_items(ModelGlob::parse) })
    }
}

impl Tenant {
    pub(crate) fn read(
        name: &TenantName,
        cursor: &Cursor<'_>,
        declared: &Declared,
        seen: &mut KeysSeen,
    ) -> Tenant {
        let fields = cursor.fields(Section::Tenant);
        let models = match fields.get("models") {
            Some(models) => models.parse_items(ModelGlob::parse),
            None => ModelGlob::parse("*").into_iter().collect(),
        };
        let keys = fields.get("keys").and_then(|keys| keys.items()).unwrap_or_default();
        fields.close();
        let keys = keys.iter().filter_map(|key| Key::read(name, key, declared, seen)).collect();
        Tenant { models, keys }
    }
}

impl Key {
    fn read(
        tenant: &TenantName,
        cursor: &Cursor<'_>,
        declared: &Declared,
        seen: &mut KeysSeen,
    ) -> Option<Key> {
        let fields = cursor.fields(Section::Key);
        let name = fields.require("name", "a name of its own in the tenant");
        let sha256 = fields.require("sha256", "the SHA-256 of the key in hexadecimal");
        let roles = fields.get("roles").map(|roles| roles_of(&roles, declared)).unwrap_or_default();
        let user = fields.get("user").and_then(|user| user.parse(UserName::parse));
        let expires_at_s =
            fields.get("expires").and_then(|expires| expires.parse(units::unix_seconds));
        fields.close();
        let (name, sha256) = (name?, sha256?);
        let digest = sha256.parse_unquoted(KeyDigest::parse);
        let name_text = name.parse(KeyName::parse);
        let key = Key { name: name_text?, sha256: digest?, roles, user, expires_at_s };
        seen.id(&name, key.id(tenant));
        seen.digest(&sha256, key.sha256);
        Some(key)
    }
}

/// A list of no roles would look like a key that may do nothing and be one that
/// may do everything.
fn roles_of(cursor: &Cursor<'_>, declared: &Declared) -> Vec<RoleName> {
    let Some(items) = cursor.items() else { return Vec::new() };
    if items.is_empty() {
        cursor.report("is empty; name a role, or remove it to allow all that the tenant has");
    }
    items.iter().filter_map(|item| item.parse(|text| declared.role(text))).collect()
}

impl KeyDigest {
    /// A digest from 64 hexadecimal digits in either case.
    fn parse(text: &str) -> Result<Self, &'static str> {
        let wrong = "is not a SHA-256; write the 64 hexadecimal digits of the key's digest, \
            never the key";
        let nibbles: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
        let nibbles = nibbles.filter(|nibbles| nibbles.len() == 64).ok_or(wrong)?;
        let bytes: Vec<u8> = nibbles.chunks(2).filter_map(byte).collect();
        <[u8; 32]>::try_from(bytes).map(KeyDigest).map_err(|_| wrong)
    }
}

/// Two digits of 16 as a byte; nothing where one is missing.
fn byte(nibbles: &[u32]) -> Option<u8> {
    match nibbles {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests() {
        let upper = "0A".repeat(32);
        assert_eq!(KeyDigest::parse(&upper).unwrap().to_string(), "0a".repeat(32));
        assert_eq!(KeyDigest::parse(&upper).unwrap().bytes(), &[10; 32]);
        let key = format!("tg_{}", "A".repeat(61));
        for text in [
            "",
            "00",
            &upper.replacen('A', "", 1),
            &format!("{upper}0"),
            &format!("{upper}00"),
            &key,
        ] {
            assert!(KeyDigest::parse(text).is_err(), "{text}");
        }
    }
}
