//! From a client certificate to a tenant.
//!
//! Envoy has verified the certificate against `gateway.tls.client_ca`; here its
//! names are compared with the patterns that tenants have. A pattern with a colon is
//! one over URIs, one without over DNS names, and stars alone take both: so no end
//! of a URI can pass for a DNS name.

use crate::authenticate::{Caller, Means, Roles, key_of};
use contract::glob::{Glob, any};
use contract::policy::TenantConfig;
use contract::refusal::{Code, Refusal};
use std::collections::BTreeMap;

/// The names (subject alternative names, RFC 5280 §4.2.1.6) of a verified client
/// certificate, as Envoy tells them: the first of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Certificate<'a> {
    /// `connection.uri_san_peer_certificate`
    pub uri: Option<&'a str>,
    /// `connection.dns_san_peer_certificate`
    pub dns: Option<&'a str>,
}

/// Which names are whose.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    tenants: Vec<Names>,
}

/// The patterns of one tenant.
#[derive(Clone, Debug)]
struct Names {
    tenant: String,
    uris: Vec<Glob>,
    dns: Vec<Glob>,
}

impl Certificates {
    /// Compiles the patterns of all tenants that have some.
    #[must_use]
    pub fn compile(tenants: &BTreeMap<String, TenantConfig>) -> Certificates {
        let with_names = tenants.iter().filter(|(_, config)| !config.mtls.is_empty());
        let compiled = with_names.map(|(tenant, config)| Names::compile(tenant, &config.mtls));
        Certificates { tenants: compiled.collect() }
    }

    /// The caller whose certificate is all that it shows.
    ///
    /// # Errors
    /// `missing_credentials` when the certificate is of no tenant, `forbidden` when it
    /// is of more than one.
    pub fn caller(&self, certificate: &Certificate<'_>) -> Result<Caller, Refusal> {
        let mut matches = self.matches(certificate);
        let (tenant, name) = matches.next().ok_or_else(of_nobody)?;
        if matches.next().is_some() {
            return Err(of_several());
        }
        Ok(Caller {
            tenant: tenant.to_owned(),
            key: key_of("mtls", name),
            user: None,
            roles: Roles::All,
            models: Vec::new(),
            masking: None,
            limits: None,
            budget: false,
            means: Means::Certificate,
        })
    }

    /// Whether the certificate may stand beside the caller's own credential.
    ///
    /// # Errors
    /// `forbidden` when it is not of the caller's tenant.
    pub fn check(&self, certificate: &Certificate<'_>, caller: &Caller) -> Result<(), Refusal> {
        if self.matches(certificate).any(|(tenant, _)| tenant == caller.tenant) {
            return Ok(());
        }
        Err(of_another())
    }

    /// The tenants whose certificate it is, each with the name that says so.
    fn matches<'a>(
        &'a self,
        certificate: &Certificate<'a>,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let uri = certificate.uri.filter(|uri| is_uri(uri));
        let dns = certificate.dns.filter(|dns| is_dns(dns));
        let dns = dns.map(|dns| (dns, dns.to_ascii_lowercase()));
        self.tenants.iter().filter_map(move |names| {
            let by_uri = uri.filter(|uri| any(&names.uris, uri));
            let by_dns = || dns.as_ref().filter(|(_, lower)| any(&names.dns, lower));
            let name = by_uri.or_else(|| by_dns().map(|(dns, _)| *dns))?;
            Some((names.tenant.as_str(), name))
        })
    }
}

impl Names {
    fn compile(tenant: &str, patterns: &[String]) -> Names {
        let (uris, dns): (Vec<_>, Vec<_>) = patterns.iter().partition(|p| p.contains(':'));
        let stars = dns.iter().copied().filter(|pattern| is_stars(pattern));
        Names {
            tenant: tenant.to_owned(),
            uris: uris.iter().copied().chain(stars).map(|p| Glob::new(p)).collect(),
            // DNS names are compared without case (RFC 4343).
            dns: dns.iter().map(|p| Glob::new(&p.to_ascii_lowercase())).collect(),
        }
    }
}

fn is_stars(pattern: &str) -> bool {
    pattern.bytes().all(|byte| byte == b'*')
}

/// An absolute URI, as RFC 5280 demands, that can stand in a record.
fn is_uri(name: &str) -> bool {
    name.contains(':') && !name.chars().any(char::is_control)
}

fn is_dns(name: &str) -> bool {
    !name.is_empty() && !name.contains(':') && !name.chars().any(char::is_control)
}

fn of_nobody() -> Refusal {
    Refusal::new(
        Code::MissingCredentials,
        "The client certificate is of no tenant, and there is no other credential.",
    )
}

fn of_several() -> Refusal {
    Refusal::new(
        Code::Forbidden,
        "The client certificate is of more than one tenant; send a credential of one of them.",
    )
}

fn of_another() -> Refusal {
    Refusal::new(
        Code::Forbidden,
        "The client certificate is not of the tenant that the credential belongs to.",
    )
}

#[cfg(test)]
mod tests;
