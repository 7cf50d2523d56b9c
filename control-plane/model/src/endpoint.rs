//! Where an inference server listens.

use std::fmt;
use std::net::IpAddr;

/// The host of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// An address.
    Ip(IpAddr),
    /// A name that Envoy resolves, in lower case.
    Name(String),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Ip(ip) => ip.fmt(f),
            Host::Name(name) => f.write_str(name),
        }
    }
}

/// One inference server, `http://HOST:PORT` or `https://HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// Whether it is spoken to over TLS.
    pub tls: bool,
    /// Its address or name.
    pub host: Host,
    /// Its port, never 0.
    pub port: u16,
}

/// Longest host name (RFC 1035, section 2.3.4).
const HOST_BYTES_MAX: usize = 253;

/// Longest URL with a path; it travels in Envoy's configuration and in a request line.
const URL_BYTES_MAX: usize = 2_048;

/// Longest label of a host name (RFC 1035, section 2.3.4).
const LABEL_BYTES_MAX: usize = 63;

impl Endpoint {
    /// An endpoint as it is written; a URL without a port has its scheme's.
    ///
    /// # Errors
    /// Says what is wrong; quotes nothing, because a URL may hold a password.
    pub fn parse(text: &str) -> Result<Endpoint, String> {
        let (scheme, authority) = text.split_once("://").ok_or_else(not_a_url)?;
        let (tls, default_port) = match scheme {
            "http" => (false, 80),
            "https" => (true, 443),
            _ => return Err(not_a_url()),
        };
        if authority.contains('@') {
            return Err("holds a user; credentials do not belong into an address".to_owned());
        }
        if authority.contains(['/', '?', '#']) {
            return Err("has a path or query; write http://HOST:PORT alone".to_owned());
        }
        let (host, port) = host_and_port(authority, default_port).ok_or_else(not_a_url)?;
        Ok(Endpoint { tls, host, port })
    }
}

impl Endpoint {
    /// A URL with a path: where it leads, and what is asked for there, which begins with
    /// `/`. A URL without a port has its scheme's.
    ///
    /// # Errors
    /// A user in it; everything else is said in the words `wrong`.
    pub(crate) fn parse_url(text: &str, wrong: &str) -> Result<(Endpoint, String), String> {
        let (_, rest) = text.split_once("://").ok_or(wrong)?;
        let path =
            rest.find(['/', '?', '#']).and_then(|start| rest.get(start..)).unwrap_or_default();
        let origin = text.strip_suffix(path).ok_or(wrong)?;
        let at =
            Endpoint::parse(origin).map_err(|error| match error.starts_with("holds a user") {
                true => error,
                false => wrong.to_owned(),
            })?;
        let graphic = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        if !graphic || text.len() > URL_BYTES_MAX {
            return Err(wrong.to_owned());
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok((at, format!("{slash}{path}")))
    }

    /// Host and port, as a cluster is named by them.
    #[must_use]
    pub fn host_and_port(&self) -> String {
        match &self.host {
            Host::Ip(IpAddr::V6(ip)) => format!("[{ip}]:{}", self.port),
            host => format!("{host}:{}", self.port),
        }
    }

    /// What a request to it has in `Host`: no port where it is the scheme's own
    /// (RFC 9110, section 4.2.3).
    #[must_use]
    pub fn authority(&self) -> String {
        let whole = self.host_and_port();
        let own = if self.tls { ":443" } else { ":80" };
        whole.strip_suffix(own).map_or_else(|| whole.clone(), str::to_owned)
    }
}

/// The URL, without a path.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.host_and_port())
    }
}

fn not_a_url() -> String {
    "is not an endpoint; write http://HOST:PORT or https://HOST:PORT".to_owned()
}

/// A host and its port, which cannot be left out: `HOST:PORT`.
pub(crate) fn host_and_required_port(text: &str) -> Option<(Host, u16)> {
    let after_host = text.rsplit(']').next().unwrap_or_default();
    host_and_port(text, 0).filter(|(_, port)| *port > 0 && after_host.contains(':'))
}

fn host_and_port(authority: &str, default_port: u16) -> Option<(Host, u16)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (ip, rest) = rest.split_once(']')?;
        let host = Host::Ip(IpAddr::V6(ip.parse().ok()?));
        return Some((host, port(rest.strip_prefix(':'), default_port)?))
            .filter(|_| rest.is_empty() || rest.starts_with(':'));
    }
    match authority.split_once(':') {
        Some((name, digits)) => Some((host(name)?, port(Some(digits), default_port)?)),
        None => Some((host(authority)?, default_port)),
    }
}

fn port(digits: Option<&str>, default: u16) -> Option<u16> {
    let Some(digits) = digits else { return Some(default) };
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|&port| plain && port > 0)
}

pub(crate) fn host(text: &str) -> Option<Host> {
    if let Ok(ip) = text.parse() {
        return Some(Host::Ip(IpAddr::V4(ip)));
    }
    let labels = text.len() <= HOST_BYTES_MAX && text.split('.').all(is_label);
    let last = text.rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|byte| byte.is_ascii_digit());
    (labels && !numeric).then(|| Host::Name(text.to_ascii_lowercase()))
}

fn is_label(label: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=LABEL_BYTES_MAX).contains(&label.len())
        && label.bytes().all(plain)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints() {
        let table = [
            ("http://10.0.0.11:8000", Some("http://10.0.0.11:8000")),
            ("https://llama.gpu.svc:8443", Some("https://llama.gpu.svc:8443")),
            ("http://LocalHost:1", Some("http://localhost:1")),
            ("http://[::1]:8000", Some("http://[::1]:8000")),
            ("https://[fd00::1]", Some("https://[fd00::1]:443")),
            ("http://engine", Some("http://engine:80")),
            ("http://my_pod-1:8000", Some("http://my_pod-1:8000")),
            ("10.0.0.11:8000", None),
            ("ftp://host:21", None),
            ("http://", None),
            ("http://:8000", None),
            ("http://host:", None),
            ("http://host:0", None),
            ("http://host:65536", None),
            ("http://host:+80", None),
            ("http://10.0.0.300:80", None),
            ("http://[::1", None),
            ("http://[::1]8000", None),
            ("http://ho st:80", None),
            ("http://-host:80", None),
            ("http://host:80/", None),
            ("http://host:80/v1", None),
            ("http://host:80?x=1", None),
            ("http://a:b@host:80", None),
        ];
        for (text, expected) in table {
            let parsed = Endpoint::parse(text).ok().map(|endpoint| endpoint.to_string());
            assert_eq!(parsed.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_port_that_must_be_there() {
        let table = [
            ("Control.example:1", Some(("control.example", 1))),
            ("10.0.0.1:80", Some(("10.0.0.1", 80))),
            ("[::1]:80", Some(("::1", 80))),
            ("[::1]", None),
            ("10.0.0.1", None),
            ("a:0", None),
            ("a:", None),
            ("", None),
        ];
        for (text, expected) in table {
            let found = host_and_required_port(text).map(|(host, port)| (host.to_string(), port));
            assert_eq!(found, expected.map(|(host, port)| (host.to_owned(), port)), "{text}");
        }
    }

    #[test]
    fn hosts_of_requests() {
        let table = [
            ("http://a:80", "a:80", "a"),
            ("http://a:443", "a:443", "a:443"),
            ("https://a", "a:443", "a"),
            ("http://[::1]:8080", "[::1]:8080", "[::1]:8080"),
            ("http://[::1]", "[::1]:80", "[::1]"),
            ("https://192.0.2.1:80", "192.0.2.1:80", "192.0.2.1:80"),
        ];
        for (text, whole, authority) in table {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!((&*endpoint.host_and_port(), &*endpoint.authority()), (whole, authority));
        }
    }

    #[test]
    fn a_password_is_not_quoted() {
        let error = Endpoint::parse("http://me:hunter2@host:80").unwrap_err();
        assert_eq!(error, "holds a user; credentials do not belong into an address");
    }
}
