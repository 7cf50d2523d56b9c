//! `pools.NAME.discover`: where the endpoints of a pool are asked for.

use crate::document::{Cursor, Fields};
use crate::endpoint::{self, Endpoint, Host};
use crate::ids::ConsulName;
use crate::schema::Section;
use crate::secret::Secret;
use crate::units;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a source that suddenly reports no endpoint at all is not believed, by
/// default and at all.
const HOLD_EMPTY_DEFAULT: Duration = Duration::from_secs(30);
pub(crate) const HOLD_EMPTY_BOUNDS: RangeInclusive<Duration> =
    Duration::ZERO..=Duration::from_secs(86_400);

/// Whether endpoints without a scheme are spoken to over TLS.
pub(crate) const SCHEMES: &[(&str, bool)] = &[("http", false), ("https", true)];

/// The agent of Consul on this machine.
const CONSUL: &str = "http://127.0.0.1:8500";

/// Longest label of the DNS, and so name in Kubernetes (RFC 1035, section 2.3.4).
const LABEL_BYTES_MAX: usize = 63;

/// Where the endpoints of a pool come from, when they are not written down.
#[derive(Clone, PartialEq, Eq)]
pub struct Discovery {
    /// Who is asked.
    pub source: Source,
    /// Whether endpoints that come without a scheme are spoken to over TLS.
    pub tls: bool,
    /// How long the last endpoints are kept after the source said that there
    /// are none; zero believes it at once.
    pub hold_empty: Duration,
}

/// Who is asked for endpoints.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// An environment variable of the control plane: URLs or `HOST:PORT`, with
    /// commas or white space between them. Read once, at the start.
    Env(String),
    /// A file: a JSON or YAML list of URLs or `HOST:PORT`, or Envoy's own EDS
    /// file (`resources:` with `ClusterLoadAssignment`). Absolute; watched.
    File(PathBuf),
    /// A name in the DNS.
    Dns(Dns),
    /// The `EndpointSlice`s of a service in Kubernetes.
    Kubernetes(Kubernetes),
    /// The healthy instances of a service in Consul.
    Consul(Consul),
}

/// A name in the DNS: A and AAAA records with a port, or SRV records without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    /// The name, in lower case.
    pub name: String,
    /// The port of every address; `None`: the name has SRV records.
    pub port: Option<u16>,
    /// Who is asked; `None`: the servers of the system (`/etc/resolv.conf`).
    pub server: Option<SocketAddr>,
}

/// A service in Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kubernetes {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub service: String,
    /// Name or number of the port; `None`: the slice's only one.
    pub port: Option<String>,
    /// Base URL of an API server that needs no credentials, such as
    /// `http://127.0.0.1:8001` of `kubectl proxy`; `None`: the service account of
    /// the pod, else the kubeconfig of the user.
    pub api: Option<String>,
}

/// A service in Consul.
#[derive(Clone, PartialEq, Eq)]
pub struct Consul {
    /// Its name.
    pub service: String,
    /// Base URL of the agent.
    pub address: String,
    /// Only instances with this tag.
    pub tag: Option<String>,
    /// Another data centre than the agent's.
    pub datacenter: Option<String>,
    /// An ACL token.
    pub token: Option<Secret>,
}

/// The sources; exactly one of them stands in `discover`.
pub(crate) const SOURCES: [&str; 5] = ["env", "file", "dns", "kubernetes", "consul"];

impl Discovery {
    /// The discovery, or nothing when its source is wrong.
    pub(crate) fn read(cursor: &Cursor<'_>, base: &Path) -> Option<Discovery> {
        let fields = cursor.fields(Section::Discover);
        let [env, file, dns, kubernetes, consul] = SOURCES.map(|name| fields.get(name));
        one_source(&fields, [&env, &file, &dns, &kubernetes, &consul]);
        let scheme = fields.get("scheme");
        let tls = scheme.and_then(|field| field.choose(SCHEMES));
        let hold_empty = fields.value("hold_empty", HOLD_EMPTY_DEFAULT, |text| {
            units::duration(text, HOLD_EMPTY_BOUNDS)
        });
        fields.close();
        // Each is read, so that all that is wrong is said.
        let env = env.and_then(|field| field.parse(variable)).map(Source::Env);
        let file = file.and_then(|field| field.parse(|text| units::path(text, base)));
        let dns = dns.as_ref().and_then(Dns::read).map(Source::Dns);
        let kubernetes = kubernetes.as_ref().and_then(Kubernetes::read).map(Source::Kubernetes);
        let consul = consul.as_ref().and_then(Consul::read).map(Source::Consul);
        let source = env.or(file.map(Source::File)).or(dns).or(kubernetes).or(consul)?;
        Some(Discovery { source, tls: tls.unwrap_or_default(), hold_empty })
    }
}

/// Reports a second source, or that there is none.
fn one_source(fields: &Fields<'_, '_>, sources: [&Option<Cursor<'_>>; 5]) {
    let mut given = sources.into_iter().flatten();
    if given.next().is_none() {
        fields.report("names no source; give one of env, file, dns, kubernetes, consul");
    }
    for another in given {
        another.report_field("is a second source; give one of env, file, dns, kubernetes, consul");
    }
}

impl Dns {
    /// `NAME:PORT` or `NAME` in short, or a map.
    fn read(cursor: &Cursor<'_>) -> Option<Dns> {
        if cursor.is_scalar() {
            return cursor.parse(dns);
        }
        let fields = cursor.fields(Section::Dns);
        let name = fields.require("name", "a name in the DNS");
        let port = fields.get("port").map(|field| field.parse(units::port));
        let server = fields.get("server").map(|field| field.parse(server));
        fields.close();
        let name = name?.parse(|text| dns_name(text).ok_or(NOT_A_NAME))?;
        let port = port.map_or(Some(None), |port| port.map(Some))?;
        Some(Dns { name, port, server: server.flatten() })
    }
}

const NOT_A_NAME: &str = "is not a name in the DNS; write one such as llama.gpu.svc, and \
    addresses into `endpoints`";

fn dns(text: &str) -> Result<Dns, &'static str> {
    let wrong = "is not a name in the DNS; write NAME:PORT, or NAME for one with SRV records, and \
        addresses into `endpoints`";
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(units::port(port).map_err(|_| wrong)?)),
        None => (text, None),
    };
    Ok(Dns { name: dns_name(name).ok_or(wrong)?, port, server: None })
}

/// A name in lower case; the dot at the end of an absolute one stays.
fn dns_name(text: &str) -> Option<String> {
    match endpoint::host(text.strip_suffix('.').unwrap_or(text))? {
        Host::Name(_) => Some(text.to_ascii_lowercase()),
        Host::Ip(_) => None,
    }
}

fn server(text: &str) -> Result<SocketAddr, &'static str> {
    let address = text.parse().ok().filter(|address: &SocketAddr| address.port() > 0);
    address.ok_or("is not the address of a DNS server; write IP:PORT, such as 127.0.0.1:53")
}

fn variable(text: &str) -> Result<String, &'static str> {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let named = plain && !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_digit());
    named.then(|| text.to_owned()).ok_or(
        "is not the name of an environment variable; write it without ${}, such as LLAMA_ENDPOINTS",
    )
}

impl Kubernetes {
    fn read(cursor: &Cursor<'_>) -> Option<Kubernetes> {
        let fields = cursor.fields(Section::Kubernetes);
        let namespace = fields.require("namespace", "the namespace of the service");
        let service = fields.require("service", "the name of the service");
        let label = |field: Cursor<'_>| field.parse(label);
        let (namespace, service) = (namespace.and_then(label), service.and_then(label));
        let port = fields.get("port").and_then(|field| field.parse(service_port));
        let api = fields.get("api").and_then(|field| field.parse_unquoted(base_url));
        fields.close();
        Some(Kubernetes { namespace: namespace?, service: service?, port, api })
    }
}

/// What namespaces and services are called (RFC 1123, section 2.1).
fn label(text: &str) -> Result<String, &'static str> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let named = (1..=LABEL_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain);
    let named = named && !text.starts_with('-') && !text.ends_with('-');
    named.then(|| text.to_owned()).ok_or(
        "is not a name in Kubernetes; allowed: 1 to 63 lower-case letters, digits and -, no - at \
         either end",
    )
}

/// The name of a port is a label as well; its number is from 1 to 65535.
fn service_port(text: &str) -> Result<String, &'static str> {
    let number = text.bytes().all(|byte| byte.is_ascii_digit());
    let known = if number { units::port(text).is_ok() } else { label(text).is_ok() };
    known
        .then(|| text.to_owned())
        .ok_or("is not a port; write its name or a number from 1 to 65535")
}

/// A URL without a path; its port stands there.
fn base_url(text: &str) -> Result<String, String> {
    let url = Endpoint::parse(text.strip_suffix('/').unwrap_or(text));
    url.map(|url| url.to_string()).map_err(|error| error.replace("an endpoint", "a base URL"))
}

impl Consul {
    fn read(cursor: &Cursor<'_>) -> Option<Consul> {
        let fields = cursor.fields(Section::Consul);
        let name = |field: Cursor<'_>| field.parse(ConsulName::parse).map(String::from);
        let service = fields.require("service", "the name of the service").and_then(name);
        let address = fields.get("address").and_then(|field| field.parse_unquoted(base_url));
        let tag = fields.get("tag").and_then(name);
        let datacenter = fields.get("datacenter").and_then(name);
        let token = fields.get("token").and_then(|field| field.parse_unquoted(units::token));
        fields.close();
        let address = address.unwrap_or_else(|| CONSUL.to_owned());
        Some(Consul { service: service?, address, tag, datacenter, token })
    }
}
