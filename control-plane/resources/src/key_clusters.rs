//! The clusters that Envoy fetches the keys of issuers from.

use crate::clusters::by_dns;
use crate::endpoints::assignment;
use crate::protocol;
use crate::upstream_tls::{self, certified};
use crate::well_known::{boolean, duration, number};
use envoy_types::pb::envoy::config::cluster::v3::{
    CircuitBreakers, Cluster, circuit_breakers::Thresholds, cluster::ClusterDiscoveryType,
};
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::{
    SubjectAltNameMatcher, subject_alt_name_matcher::SanType,
};
use plan::{Endpoints, Host, IssuerPlan, Jwks, JwksUrl, Named, Protocol};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a connection to such a server may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Fetches at once, beyond which they fail. As long as Envoy has no keys, every
/// request with a token begins some: the issuer must not be flooded with them.
const FETCHES_MAX: u32 = 8;

/// The cluster of a URL: one for each server.
pub(crate) fn name(url: &JwksUrl) -> String {
    match url.host {
        Host::Ip(std::net::IpAddr::V6(ip)) => format!("jwks/[{ip}]:{}", url.port),
        ref host => format!("jwks/{host}:{}", url.port),
    }
}

/// The clusters of all URLs, in the order of their names. One server that is asked in
/// clear and over TLS at one port has two of the same name, which
/// [`crate::consistency::check`] refuses.
pub(crate) fn all(issuers: &[IssuerPlan]) -> Vec<Cluster> {
    let urls = issuers.iter().filter_map(|issuer| match &issuer.jwks {
        Jwks::Url(url) => Some(url),
        Jwks::File(_) => None,
    });
    let servers: BTreeMap<_, _> = urls.map(|url| ((name(url), url.tls), url)).collect();
    servers.into_values().map(cluster).collect()
}

fn cluster(url: &JwksUrl) -> Cluster {
    Cluster {
        circuit_breakers: Some(circuit_breakers()),
        ..beside_engines(name(url), &url.host, url.port, url.tls)
    }
}

/// A server that is no engine and is asked over HTTP by Envoy itself.
pub(crate) fn beside_engines(name: String, host: &Host, port: u16, tls: bool) -> Cluster {
    let server = Named { host: host.clone(), port, weight: None, priority: 0 };
    let server = Endpoints::Names(vec![server]);
    Cluster {
        cluster_discovery_type: Some(ClusterDiscoveryType::ClusterType(by_dns())),
        load_assignment: Some(assignment(&name, &server, None)),
        name,
        connect_timeout: duration(CONNECT_TIMEOUT),
        typed_extension_protocol_options: [protocol::options(Protocol::Http1, Vec::new())].into(),
        // Nobody who calls with a key has to wait for a name service that is silent.
        wait_for_warm_on_init: boolean(false),
        transport_socket: tls.then(|| upstream_tls::socket(names_in_certificate(host))),
        ..Cluster::default()
    }
}

/// A name Envoy holds against the certificate by itself, an address it does not.
fn names_in_certificate(host: &Host) -> Vec<SubjectAltNameMatcher> {
    match host {
        Host::Ip(ip) => vec![certified(SanType::IpAddress, ip.to_string())],
        Host::Name(_) => Vec::new(),
    }
}

fn circuit_breakers() -> CircuitBreakers {
    CircuitBreakers {
        thresholds: vec![Thresholds {
            max_connections: number(FETCHES_MAX),
            max_pending_requests: number(FETCHES_MAX),
            max_requests: number(FETCHES_MAX),
            ..Thresholds::default()
        }],
        ..CircuitBreakers::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use envoy_types::pb::envoy::r#type::matcher::v3::string_matcher::MatchPattern;

    fn names(host: &str) -> Vec<Option<MatchPattern>> {
        let host = host.parse().map_or_else(|_| Host::Name(host.to_owned()), Host::Ip);
        let names = names_in_certificate(&host).into_iter();
        names.map(|one| one.matcher.and_then(|name| name.match_pattern)).collect()
    }

    #[test]
    fn a_certificate_has_to_be_of_the_address() {
        let exact = |name: &str| vec![Some(MatchPattern::Exact(name.to_owned()))];
        assert_eq!(names("192.0.2.1"), exact("192.0.2.1"));
        assert_eq!(names("2001:db8::1"), exact("2001:db8::1"));
        assert_eq!(names("id.example"), []);
    }
}
