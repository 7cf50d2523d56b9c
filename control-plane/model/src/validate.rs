//! What only shows across sections: names that must exist, things of which
//! there must be no two, addresses that are in each other's way.

use crate::catalogue::{Catalogue, Names};
use crate::document::{Cursor, Document, Fields, alternatives};
use crate::ids::{
    CredentialId, LimitsName, OrganisationName, PolicyName, PoolName, RoleName, SanGlob, TenantName,
};
use crate::secret::Secret;
use crate::tenant::KeyDigest;
use crate::tree::Node;
use crate::{Auth, Config, Control, Gateway, Limits, Masking, Organisation, Pool, Role, Tenant};
use crate::{ids, schema::Section};
use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;

/// The version of the format that is read.
const VERSION: &str = "1";

/// Names that others refer to. One that is declared counts even when what it
/// stands for is wrong: that is a problem of its own and only one.
#[derive(Default)]
pub(crate) struct Declared {
    pools: BTreeSet<PoolName>,
    roles: BTreeSet<RoleName>,
    tenants: BTreeSet<TenantName>,
    policies: BTreeSet<PolicyName>,
    limits: BTreeSet<LimitsName>,
    organisations: BTreeSet<OrganisationName>,
    /// What callers can ask for.
    pub names: Names,
    /// Whether callers are asked for certificates.
    pub client_certificates: bool,
}

impl Declared {
    /// The pool that `text` names.
    ///
    /// # Errors
    /// When there is none; follows the quoted name.
    pub fn pool(&self, text: &str) -> Result<PoolName, Unknown<'_, PoolName>> {
        known("pool", &self.pools, text)
    }

    /// The role that `text` names.
    ///
    /// # Errors
    /// When there is none; follows the quoted name.
    pub fn role(&self, text: &str) -> Result<RoleName, Unknown<'_, RoleName>> {
        known("role", &self.roles, text)
    }

    /// The tenant that `text` names.
    ///
    /// # Errors
    /// When there is none; follows the quoted name.
    pub fn tenant(&self, text: &str) -> Result<TenantName, Unknown<'_, TenantName>> {
        known("tenant", &self.tenants, text)
    }

    /// The masking policy that the field `masking` names, where there is one.
    pub fn masking(&self, fields: &Fields<'_, '_>) -> Option<PolicyName> {
        let field = fields.get("masking")?;
        field.parse(|text| known("masking policy", &self.policies, text))
    }

    /// What the field `limits` names, where there is one.
    pub fn limits(&self, fields: &Fields<'_, '_>) -> Option<LimitsName> {
        fields.get("limits")?.parse(|text| known("set of limits", &self.limits, text))
    }

    /// The organisation that the field `organisation` names, where there is one.
    pub fn organisation(&self, fields: &Fields<'_, '_>) -> Option<OrganisationName> {
        let field = fields.get("organisation")?;
        field.parse(|text| known("organisation", &self.organisations, text))
    }
}

fn known<'d, N>(kind: &'static str, names: &'d BTreeSet<N>, text: &str) -> Result<N, Unknown<'d, N>>
where
    N: Ord + Clone + Borrow<str>,
{
    names.get(text).cloned().ok_or_else(|| Unknown { kind, names, text: text.to_owned() })
}

/// A name that nothing has. What may have been meant is looked for when it is
/// shown: there may be many names, and many that are not among them.
pub(crate) struct Unknown<'d, N> {
    kind: &'static str,
    names: &'d BTreeSet<N>,
    text: String,
}

impl<N: AsRef<str>> fmt::Display for Unknown<'_, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.names.iter().map(AsRef::as_ref);
        write!(f, "is no {};{}", self.kind, alternatives(&self.text, names))
    }
}

/// Credentials that were read, with the place of each: two that are the same would be
/// one with two owners.
#[derive(Default)]
pub(crate) struct CredentialsSeen {
    ids: BTreeMap<String, String>,
    digests: BTreeMap<KeyDigest, String>,
    credentials: BTreeMap<CredentialId, String>,
    secrets: BTreeMap<String, String>,
    certificates: BTreeMap<SanGlob, String>,
}

impl CredentialsSeen {
    pub fn id(&mut self, cursor: &Cursor<'_>, id: String) {
        if let Some(first) = self.ids.insert(id, cursor.path.clone()) {
            cursor.report(format!("makes the same key id as {first}; give it another name"));
        }
    }

    pub fn digest(&mut self, cursor: &Cursor<'_>, digest: KeyDigest) {
        if let Some(first) = self.digests.insert(digest, cursor.path.clone()) {
            cursor.report(format!("is the same as {first}; a key has one holder"));
        }
    }

    pub fn credential(&mut self, cursor: &Cursor<'_>, id: &CredentialId) {
        if let Some(first) = self.credentials.insert(id.clone(), cursor.path.clone()) {
            cursor.report(format!("is the same as {first}; give it another id"));
        }
    }

    /// The secret alone binds the id to a signature: with one secret the signature of
    /// one credential would be good for the other.
    pub fn secret(&mut self, cursor: &Cursor<'_>, secret: &Secret) {
        if let Some(first) = self.secrets.insert(secret.reveal().to_owned(), cursor.path.clone()) {
            cursor.report(format!("is the same as {first}; give each credential its own"));
        }
    }

    pub fn certificate(&mut self, cursor: &Cursor<'_>, pattern: &SanGlob) {
        if let Some(first) = self.certificates.insert(pattern.clone(), cursor.path.clone()) {
            cursor.report(format!("is the same as {first}; a certificate has one tenant"));
        }
    }
}

/// Reads the whole document; the result counts only when no problem was found.
pub(crate) fn config<'a>(document: &'a Document<'a>, tree: &'a Node) -> Config {
    let root = document.root(tree);
    let fields = root.fields(Section::Root);
    version(&fields);
    let gateway = Gateway::read(fields.get("gateway").as_ref(), document.base);
    let control = Control::read(fields.get("control").as_ref(), document.base);
    addresses(&fields, &gateway, &control);
    let (pools, pool_names) = section(&fields, "pools", ids::PoolName::parse, |_, cursor| {
        Pool::read(cursor, document.base, gateway.zone.is_some())
    });
    let (roles, role_names) =
        section(&fields, "roles", ids::RoleName::parse, |_, cursor| Role::read(cursor));
    let (limits, limits_names) =
        section(&fields, "limits", ids::LimitsName::parse, |_, cursor| Some(Limits::read(cursor)));
    let (organisations, organisation_names) =
        section(&fields, "organisations", ids::OrganisationName::parse, |_, cursor| {
            Some(Organisation::read(cursor))
        });
    let masking = fields.get("masking").as_ref().map(Masking::read).unwrap_or_default();
    let client_certificates = root.has(&["gateway", "tls", "client_ca"]);
    let mut declared = Declared {
        pools: pool_names,
        roles: role_names,
        tenants: tenant_names(&fields),
        policies: masking.policies.keys().cloned().collect(),
        limits: limits_names,
        organisations: organisation_names,
        names: Names::default(),
        client_certificates,
    };
    let models = fields.get("models");
    let models = models.map(|models| Catalogue::read(&models, &declared)).unwrap_or_default();
    let Catalogue { models, families, names } = models;
    declared.names = names;
    let mut seen = CredentialsSeen::default();
    let (tenants, _) = section(&fields, "tenants", ids::TenantName::parse, |name, cursor| {
        Some(Tenant::read(name, cursor, &declared, &mut seen))
    });
    let auth = Auth::read(fields.get("auth").as_ref(), document.base, &declared);
    fields.close();
    Config {
        gateway,
        control,
        pools,
        models,
        families,
        aliases: declared.names.aliases,
        roles,
        limits,
        organisations,
        tenants,
        auth,
        masking,
    }
}

/// The names of all tenants, before any of them is read: rules of models ask for them.
fn tenant_names(fields: &Fields<'_, '_>) -> BTreeSet<TenantName> {
    fields.names_in("tenants").filter_map(|name| TenantName::parse(name).ok()).collect()
}

fn version(fields: &Fields<'_, '_>) {
    if let Some(version) = fields.require("version", "write `version: 1`") {
        version.parse(|text| match text {
            VERSION => Ok(()),
            _ => Err("is not a version of this format; allowed: 1"),
        });
    }
}

/// A map of things by their names, and the names of all, the wrong ones too.
fn section<N: Ord + Clone, T>(
    fields: &Fields<'_, '_>,
    field: &'static str,
    parse: impl Fn(&str) -> Result<N, ids::NameError>,
    mut read: impl FnMut(&N, &Cursor<'_>) -> Option<T>,
) -> (BTreeMap<N, T>, BTreeSet<N>) {
    let named = fields.get(field).map(|cursor| cursor.named(parse)).unwrap_or_default();
    let mut things = BTreeMap::new();
    let mut names = BTreeSet::new();
    for (name, cursor) in named {
        if let Some(thing) = read(&name, &cursor) {
            things.insert(name.clone(), thing);
        }
        names.insert(name);
    }
    (things, names)
}

/// No two of the addresses may be in each other's way.
fn addresses(fields: &Fields<'_, '_>, gateway: &Gateway, control: &Control) {
    let mut all = vec![
        ("gateway", "gateway.listen", gateway.listen),
        ("control", "control.admin", control.admin),
    ];
    all.extend(control.xds.tcp().map(|address| ("control", "control.xds", address)));
    all.push(("control", "control.envoy_admin", control.envoy_admin));
    for (index, (section, path, address)) in all.iter().enumerate() {
        for (earlier_section, earlier, other) in all.iter().take(index) {
            if collide(*address, *other) {
                let message = format!("`{path}` takes the port of `{earlier}`; give it another");
                match fields.get(section).or_else(|| fields.get(earlier_section)) {
                    Some(place) => place.report_field(message),
                    None => fields.report(&message),
                }
            }
        }
    }
}

fn collide(a: SocketAddr, b: SocketAddr) -> bool {
    let every = a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && (a.ip() == b.ip() || every)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_each_others_way() {
        let table = [
            ("127.0.0.1:1", "127.0.0.1:1", true),
            ("0.0.0.0:1", "127.0.0.1:1", true),
            ("[::]:1", "127.0.0.1:1", true),
            ("127.0.0.1:0", "127.0.0.1:0", false),
            ("127.0.0.1:1", "127.0.0.1:2", false),
            ("127.0.0.1:1", "127.0.0.2:1", false),
        ];
        for (a, b, expected) in table {
            assert_eq!(collide(a.parse().unwrap(), b.parse().unwrap()), expected, "{a} {b}");
        }
    }
}
