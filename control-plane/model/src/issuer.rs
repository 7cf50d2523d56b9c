//! `auth.jwt`: who may issue tokens, how they are verified, and what they may say.

use crate::document::{Cursor, Fields};
use crate::endpoint::{Endpoint, Host};
use crate::ids::{Audience, ClaimName, IssuerName, RoleName, TenantName};
use crate::schema::Section;
use crate::tenant::roles_of;
use crate::units;
use crate::validate::Declared;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How old the keys of an issuer may be, by default and at all.
const REFRESH_DEFAULT: Duration = Duration::from_secs(60);
pub(crate) const REFRESH_BOUNDS: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(86_400);

/// An issuer of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// Its name, exactly as in the claim `iss`.
    pub issuer: IssuerName,
    /// Audiences of which a token must name one; none: it may be meant for anybody.
    pub audiences: Vec<Audience>,
    /// Where its public keys are.
    pub jwks: Jwks,
    /// How old keys from a URL may be before they are fetched again.
    pub refresh: Duration,
    /// Which claims say who is calling.
    pub claims: Claims,
    /// Tenants that it may name; at least one, each of which exists.
    pub tenants: Vec<TenantName>,
    /// Roles that it may give, all of which exist. None: its callers may do all that
    /// the tenant may, and [`Claims::roles`] is `None`.
    pub roles: Vec<RoleName>,
}

/// Where the public keys of an issuer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Jwks {
    /// A file, the configuration's folder before relative ones; watched.
    File(PathBuf),
    /// A URL that Envoy asks.
    Url(JwksUrl),
}

/// Where Envoy asks for the keys of an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwksUrl {
    /// Whether it is spoken to over TLS.
    pub tls: bool,
    /// Its address or name.
    pub host: Host,
    /// Its port, never 0.
    pub port: u16,
    /// What is asked for there; begins with `/`.
    pub path_and_query: String,
    /// The URL as it was written.
    pub text: String,
}

/// The claims that say who is calling: names, or paths with dots (`realm_access.roles`);
/// a claim with the whole name wins over the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The tenant; `None`: the only one that the issuer may name.
    pub tenant: Option<ClaimName>,
    /// The user.
    pub user: ClaimName,
    /// The roles; `None`: every token has all that the issuer may give.
    pub roles: Option<ClaimName>,
}

/// Where each issuer stands.
pub(crate) type IssuersSeen = BTreeMap<IssuerName, String>;

impl Issuer {
    pub(crate) fn read(
        cursor: &Cursor<'_>,
        base: &Path,
        declared: &Declared,
        seen: &mut IssuersSeen,
    ) -> Option<Issuer> {
        let fields = cursor.fields(Section::Issuer);
        let issuer = fields.require("issuer", "what its tokens have in the claim `iss`");
        let issuer = issuer.and_then(|field| name(&field, seen));
        let audiences = fields.get("audiences").as_ref().map(audiences).unwrap_or_default();
        let jwks = fields.require("jwks", "its public keys, file:PATH or https://URL");
        let jwks = jwks.and_then(|field| field.parse_unquoted(|text| Jwks::parse(text, base)));
        let refresh = refresh(&fields, jwks.as_ref());
        let claims = fields.get("claims").as_ref().map(Claims::read).unwrap_or_default();
        let tenants = fields.require("tenants", "the tenants that its tokens may be of");
        let several = tenants.as_ref().and_then(Cursor::items).is_some_and(|all| all.len() > 1);
        let tenants = tenants.as_ref().map(|field| tenants_of(field, declared));
        let roles = fields.get("roles").map(|roles| roles_of(&roles, declared, NO_ROLES));
        say_all(cursor, several);
        fields.close();
        let (issuer, jwks, tenants) = (issuer?, jwks?, tenants?);
        let roles = roles.unwrap_or_default();
        Some(Issuer { issuer, audiences, jwks, refresh, claims, tenants, roles })
    }
}

/// What is said of an issuer that may give no role.
const NO_ROLES: &str =
    "is empty; name a role, or remove it to allow all that the tenant of a token has";

fn name(field: &Cursor<'_>, seen: &mut IssuersSeen) -> Option<IssuerName> {
    let name = field.parse(IssuerName::parse)?;
    if let Some(first) = seen.insert(name.clone(), field.path.clone()) {
        field.report(format_args!("is the same as {first}; an issuer stands here once"));
    }
    Some(name)
}

/// A list of no audiences would look like nobody's and be everybody's.
fn audiences(field: &Cursor<'_>) -> Vec<Audience> {
    if field.items().is_some_and(|items| items.is_empty()) {
        field.report(
            "is empty; name an audience, or remove it to take tokens that are meant for \
            anybody",
        );
    }
    field.parse_items(Audience::parse)
}

/// How old keys may be. A file is watched: nothing of it grows old.
fn refresh(fields: &Fields<'_, '_>, jwks: Option<&Jwks>) -> Duration {
    let Some(field) = fields.get("refresh") else { return REFRESH_DEFAULT };
    if matches!(jwks, Some(Jwks::File(_))) {
        field.report_field("counts only where `jwks` is a URL; remove it, the file is watched");
    }
    field.parse(|text| units::duration(text, REFRESH_BOUNDS)).unwrap_or(REFRESH_DEFAULT)
}

fn tenants_of(field: &Cursor<'_>, declared: &Declared) -> Vec<TenantName> {
    if field.items().is_some_and(|items| items.is_empty()) {
        field.report("is empty; name at least one tenant");
    }
    field.parse_items(|text| declared.tenant(text))
}

/// Reports what tokens would have to say and cannot.
fn say_all(issuer: &Cursor<'_>, several_tenants: bool) {
    if several_tenants && !issuer.has(&["claims", "tenant"]) {
        issuer.report_field(
            "`claims.tenant` is missing; with more than one tenant a token has to name its own",
        );
    }
    if issuer.has(&["claims", "roles"]) && !issuer.has(&["roles"]) {
        issuer
            .report_field("`roles` is missing; name those that the claim `claims.roles` may give");
    }
}

impl Claims {
    fn read(cursor: &Cursor<'_>) -> Claims {
        let fields = cursor.fields(Section::Claims);
        let claim = |name| fields.get(name).and_then(|field| field.parse(ClaimName::parse));
        let (tenant, user, roles) = (claim("tenant"), claim("user"), claim("roles"));
        fields.close();
        Claims { tenant, user: user.unwrap_or_else(ClaimName::subject), roles }
    }
}

impl Default for Claims {
    fn default() -> Self {
        Claims { tenant: None, user: ClaimName::subject(), roles: None }
    }
}

impl Jwks {
    /// `file:PATH`, or a URL.
    fn parse(text: &str, base: &Path) -> Result<Jwks, String> {
        match text.strip_prefix("file:") {
            Some(path) => units::path(path, base).map(Jwks::File).map_err(str::to_owned),
            None => JwksUrl::parse(text).map(Jwks::Url),
        }
    }
}

impl JwksUrl {
    /// A URL with a path; one without a port has its scheme's.
    ///
    /// # Errors
    /// Says what is wrong; quotes nothing, because a URL may hold a password.
    fn parse(text: &str) -> Result<JwksUrl, String> {
        let wrong = "is not where keys are; write file:PATH or https://HOST/PATH";
        let (at, path_and_query) = Endpoint::parse_url(text, wrong)?;
        let Endpoint { tls, host, port } = at;
        Ok(JwksUrl { tls, host, port, path_and_query, text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_keys_are() {
        let table = [
            ("https://Login.example.com/jwks.json", Some("true login.example.com 443 /jwks.json")),
            ("http://10.0.0.1:8000/a?b=/c", Some("false 10.0.0.1 8000 /a?b=/c")),
            ("https://[::1]?k", Some("true ::1 443 /?k")),
            ("http://issuer", Some("false issuer 80 /")),
            ("http://issuer/a@b", Some("false issuer 80 /a@b")),
            ("ftp://issuer/a", None),
            ("https://", None),
            ("https:///a", None),
            ("https://issuer:0/a", None),
            ("https://issuer/a#b", None),
            ("https://issuer/a b", None),
            ("https://issuer/한", None),
            ("https://me:hunter2@issuer/a", None),
            ("jwks.json", None),
            ("", None),
        ];
        for (text, expected) in table {
            let url = JwksUrl::parse(text).ok();
            let shown = |url: JwksUrl| {
                assert_eq!(url.text, text);
                format!("{} {} {} {}", url.tls, url.host, url.port, url.path_and_query)
            };
            assert_eq!(url.map(shown).as_deref(), expected, "{text}");
        }
        let (most, long) = ("x".repeat(2_048 - 9), "x".repeat(2_048 - 8));
        assert!(JwksUrl::parse(&format!("http://a/{most}")).is_ok());
        assert!(JwksUrl::parse(&format!("http://a/{long}")).is_err());
    }

    #[test]
    fn files_of_keys() {
        let file = |text| Jwks::parse(text, Path::new("/etc"));
        assert_eq!(file("file:jwks.json"), Ok(Jwks::File("/etc/jwks.json".into())));
        assert_eq!(file("file:/k.json"), Ok(Jwks::File("/k.json".into())));
        assert_eq!(file("file:"), Err("is not a path".to_owned()));
    }
}
