//! `tenants` and `roles`: who is billed, and what they may use.

use crate::budget::Budget;
use crate::catalogue::aliases_of_tenant;
use crate::credential::HmacCredential;
use crate::document::{Cursor, Fields};
use crate::ids::{
    KeyName, LimitsName, ModelGlob, ModelName, OrganisationName, PolicyName, RoleName, SanGlob,
    TenantName, UserName,
};
use crate::rules::Rules;
use crate::schema::Section;
use crate::units;
use crate::users::Users;
use crate::validate::{CredentialsSeen, Declared};
use std::collections::BTreeMap;
use std::fmt;

/// What a role may do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Role {
    /// What it allows, and what it denies whatever other roles allow.
    pub rules: Rules,
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
    /// Patterns over model names beside the roles; none means no further bound.
    pub models: Vec<ModelGlob>,
    /// The user it was made for.
    pub user: Option<UserName>,
    /// Unix time in seconds from which it is refused.
    pub expires_at_s: Option<u64>,
    /// The masking policy of its requests; it exists.
    pub masking: Option<PolicyName>,
    /// The limits of the key itself; they exist.
    pub limits: Option<LimitsName>,
    /// What the key may spend.
    pub budget: Option<Budget>,
}

impl Key {
    /// The id under which usage records and reports know the key:
    /// `yaml:TENANT/NAME`, one of its kind in the configuration.
    #[must_use]
    pub fn id(&self, tenant: &TenantName) -> String {
        format!("yaml:{tenant}/{}", self.name)
    }
}

/// Who is billed. It may hold secrets and therefore has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Tenant {
    /// What the tenant may use: the outer bound for its keys, users and tokens.
    pub may: Rules,
    /// Patterns over the names in client certificates; none where the gateway asks for
    /// no certificate.
    pub mtls: Vec<SanGlob>,
    /// What holds for its users.
    pub users: Users,
    /// Keys of the configuration; those of the database are not here.
    pub keys: Vec<Key>,
    /// Who may sign requests.
    pub hmac: Vec<HmacCredential>,
    /// The masking policy of its requests, where neither the credential nor the model
    /// names one; it exists.
    pub masking: Option<PolicyName>,
    /// The organisation it is of; it exists.
    pub organisation: Option<OrganisationName>,
    /// The limits of all its requests together; they exist.
    pub limits: Option<LimitsName>,
    /// What all its requests together may spend.
    pub budget: Option<Budget>,
    /// What its callers call models, as [`crate::Config::aliases`]; such a name hides the
    /// model that has it.
    pub aliases: BTreeMap<ModelName, ModelName>,
}

impl Role {
    pub(crate) fn read(cursor: &Cursor<'_>) -> Option<Role> {
        let fields = cursor.fields(Section::Role);
        let rules = Rules::of_role(&fields);
        fields.close();
        Some(Role { rules: rules? })
    }
}

impl Tenant {
    pub(crate) fn read(
        name: &TenantName,
        cursor: &Cursor<'_>,
        declared: &Declared,
        seen: &mut CredentialsSeen,
    ) -> Tenant {
        let fields = cursor.fields(Section::Tenant);
        let may = Rules::of_tenant(&fields);
        let mtls = fields.get("mtls").as_ref().map(|mtls| certificates(mtls, declared, seen));
        let users = fields.get("users").as_ref().map(|users| Users::read(users, declared));
        let masking = declared.masking(&fields);
        let organisation = declared.organisation(&fields);
        let (limits, budget) = (declared.limits(&fields), Budget::of(&fields));
        let aliases = fields.get("aliases").map(|all| aliases_of_tenant(&all, declared));
        let [keys, hmac] = ["keys", "hmac"].map(|list| items(&fields, list));
        fields.close();
        let keys = keys.iter().filter_map(|key| Key::read(name, key, declared, seen)).collect();
        let signer = |item| HmacCredential::read(item, declared, seen);
        let hmac = hmac.iter().filter_map(signer).collect();
        let (mtls, users) = (mtls.unwrap_or_default(), users.unwrap_or_default());
        let aliases = aliases.unwrap_or_default();
        Tenant { may, mtls, users, keys, hmac, masking, organisation, limits, budget, aliases }
    }
}

/// The items of a list that may be left out.
fn items<'a>(fields: &Fields<'_, 'a>, list: &'static str) -> Vec<Cursor<'a>> {
    fields.get(list).and_then(|list| list.items()).unwrap_or_default()
}

fn certificates(
    cursor: &Cursor<'_>,
    declared: &Declared,
    seen: &mut CredentialsSeen,
) -> Vec<SanGlob> {
    let items = cursor.items().unwrap_or_default();
    if !items.is_empty() && !declared.client_certificates {
        cursor.report_field(
            "needs `gateway.tls.client_ca`; without it nobody is asked for a certificate",
        );
    }
    let pattern = |item: &Cursor<'_>| {
        let pattern = item.parse(SanGlob::parse)?;
        seen.certificate(item, &pattern);
        Some(pattern)
    };
    items.iter().filter_map(pattern).collect()
}

impl Key {
    fn read(
        tenant: &TenantName,
        cursor: &Cursor<'_>,
        declared: &Declared,
        seen: &mut CredentialsSeen,
    ) -> Option<Key> {
        let fields = cursor.fields(Section::Key);
        let name = fields.require("name", "a name of its own in the tenant");
        let sha256 = fields.require("sha256", "the SHA-256 of the key in hexadecimal");
        let roles = fields.get("roles").map(|roles| roles_of(&roles, declared, NO_ROLES));
        let models = fields.get("models").as_ref().map(models);
        let user = fields.get("user").and_then(|user| user.parse(UserName::parse));
        let expires_at_s =
            fields.get("expires").and_then(|expires| expires.parse(units::unix_seconds));
        let masking = declared.masking(&fields);
        let (limits, budget) = (declared.limits(&fields), Budget::of(&fields));
        fields.close();
        let (name, sha256) = (name?, sha256?);
        let digest = sha256.parse_unquoted(KeyDigest::parse);
        let name_text = name.parse(KeyName::parse);
        let (roles, models) = (roles.unwrap_or_default(), models.unwrap_or_default());
        let key = Key {
            name: name_text?,
            sha256: digest?,
            roles,
            models,
            user,
            expires_at_s,
            masking,
            limits,
            budget,
        };
        seen.id(&name, key.id(tenant));
        seen.digest(&sha256, key.sha256);
        Some(key)
    }
}

/// What is said of a credential with no role.
pub(crate) const NO_ROLES: &str =
    "is empty; name a role, or remove it to allow all that the tenant has";

/// Roles that exist. A list of none would look like one who may do nothing and be one
/// who may do everything: it is refused with the words `none`.
pub(crate) fn roles_of(cursor: &Cursor<'_>, declared: &Declared, none: &str) -> Vec<RoleName> {
    let Some(items) = cursor.items() else { return Vec::new() };
    if items.is_empty() {
        cursor.report(none);
    }
    items.iter().filter_map(|item| item.parse(|text| declared.role(text))).collect()
}

/// Like the roles: no pattern would look like no model and be all.
fn models(cursor: &Cursor<'_>) -> Vec<ModelGlob> {
    if cursor.items().is_some_and(|items| items.is_empty()) {
        cursor.report("is empty; name a model, or remove it to allow all that the roles do");
    }
    cursor.parse_items(ModelGlob::parse)
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
