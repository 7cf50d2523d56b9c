//! The way from an Envoy to the control plane, for xDS and for the calls of the
//! role `sync`: one cluster of the bootstrap, whatever port it leads to.

use crate::TranslateError;
use crate::well_known::text;
use contract::names::CONTROL_CLUSTER;
use serde_json::{Map, Value, json};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// Name of the secret that holds the bearer token, within the bootstrap.
const TOKEN: &str = "control-token";

/// The control plane's port, as an Envoy sees it. It may hold a secret and
/// therefore has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ControlPort {
    /// Where it is.
    pub address: ControlAddress,
    /// How the two know each other; `None`: in clear.
    pub tls: Option<ControlTls>,
    /// What every request carries; `None`: the port asks for none.
    pub token: Option<ControlToken>,
}

/// Where the control plane listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlAddress {
    /// A Unix socket: absolute.
    Pipe(PathBuf),
    /// An address.
    Socket(SocketAddr),
    /// A name, which Envoy resolves, and a port.
    Name(String, u16),
}

/// Files on the machine of the Envoy, absolute; it reads them when it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlTls {
    /// Who may have signed the control plane's certificate, which must also be
    /// of the host of [`ControlPort::address`].
    pub ca: PathBuf,
    /// What Envoy shows: its chain and its key.
    pub own: Option<(PathBuf, PathBuf)>,
}

/// The bearer token. It holds a secret and therefore has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub enum ControlToken {
    /// The token itself: who can read the bootstrap has it.
    Inline(String),
    /// A file on the machine of the Envoy that holds `Bearer TOKEN` and no line
    /// end; read when it starts.
    File(PathBuf),
}

impl ControlPort {
    /// A port that asks for nothing.
    pub fn open(address: SocketAddr) -> ControlPort {
        ControlPort { address: ControlAddress::Socket(address), tls: None, token: None }
    }
}

/// The cluster. The keep-alive finds a control plane that is gone without a word.
pub(crate) fn cluster(port: &ControlPort) -> Result<Value, TranslateError> {
    let mut options = json!({
        "@type": type_url("envoy.extensions.upstreams.http.v3.HttpProtocolOptions"),
        "explicit_http_config": { "http2_protocol_options": {
            "connection_keepalive": { "interval": "10s", "timeout": "5s" },
        }},
    });
    if port.token.is_some() {
        put(&mut options, "http_filters", json!([injector(), codec()]));
    }
    let discovery = match port.address {
        ControlAddress::Name(..) => "STRICT_DNS",
        ControlAddress::Pipe(_) | ControlAddress::Socket(_) => "STATIC",
    };
    let mut cluster = json!({
        "name": CONTROL_CLUSTER,
        "type": discovery,
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": CONTROL_CLUSTER,
            "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address(&port.address)? } }] }],
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options,
        },
    });
    if let Some(tls) = &port.tls {
        put(&mut cluster, "transport_socket", transport_socket(tls, &port.address)?);
    }
    Ok(cluster)
}

/// What the cluster needs beside it: the token, which Envoy keeps out of its
/// dumps only where it is a secret by name.
pub(crate) fn secrets(port: &ControlPort) -> Result<Option<Value>, TranslateError> {
    let Some(token) = &port.token else { return Ok(None) };
    let source = match token {
        ControlToken::Inline(token) => json!({ "inline_string": format!("Bearer {token}") }),
        ControlToken::File(path) => json!({ "filename": text(path)? }),
    };
    Ok(Some(json!([{ "name": TOKEN, "generic_secret": { "secret": source } }])))
}

/// Puts the token on every request of the cluster: on the xDS stream and on the
/// calls of the module alike, which see nothing of it.
fn injector() -> Value {
    json!({
        "name": "envoy.filters.http.credential_injector",
        "typed_config": {
            "@type": type_url("envoy.extensions.filters.http.credential_injector.v3.CredentialInjector"),
            "overwrite": true,
            "credential": {
                "name": "envoy.http.injected_credentials.generic",
                "typed_config": {
                    "@type": type_url("envoy.extensions.http.injected_credentials.generic.v3.Generic"),
                    "credential": { "name": TOKEN },
                    "header": "authorization",
                },
            },
        },
    })
}

fn codec() -> Value {
    json!({
        "name": "envoy.filters.http.upstream_codec",
        "typed_config": {
            "@type": type_url("envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"),
        },
    })
}

fn transport_socket(tls: &ControlTls, to: &ControlAddress) -> Result<Value, TranslateError> {
    let mut validation = json!({ "trusted_ca": { "filename": text(&tls.ca)? } });
    if let Some((kind, name)) = alternative_name(to) {
        let matcher = json!({ "san_type": kind, "matcher": { "exact": name } });
        put(&mut validation, "match_typed_subject_alt_names", json!([matcher]));
    }
    let mut common = json!({
        "tls_params": { "tls_minimum_protocol_version": "TLSv1_2" },
        "alpn_protocols": ["h2"],
        "validation_context": validation,
    });
    if let Some((chain, key)) = &tls.own {
        let pair = json!({
            "certificate_chain": { "filename": text(chain)? },
            "private_key": { "filename": text(key)? },
        });
        put(&mut common, "tls_certificates", json!([pair]));
    }
    let mut context = json!({
        "@type": type_url("envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"),
        "common_tls_context": common,
    });
    if let ControlAddress::Name(host, _) = to {
        put(&mut context, "sni", json!(host));
    }
    Ok(json!({ "name": "envoy.transport_sockets.tls", "typed_config": context }))
}

/// Of whom the control plane's certificate has to be.
fn alternative_name(of: &ControlAddress) -> Option<(&'static str, String)> {
    match of {
        ControlAddress::Pipe(_) => None,
        ControlAddress::Socket(address) => Some(("IP_ADDRESS", address.ip().to_string())),
        ControlAddress::Name(host, _) => match host.parse::<IpAddr>() {
            Ok(ip) => Some(("IP_ADDRESS", ip.to_string())),
            Err(_) => Some(("DNS", host.clone())),
        },
    }
}

fn address(of: &ControlAddress) -> Result<Value, TranslateError> {
    Ok(match of {
        ControlAddress::Pipe(path) => json!({ "pipe": { "path": text(path)? } }),
        ControlAddress::Socket(address) => {
            socket_address(&address.ip().to_string(), address.port())
        }
        ControlAddress::Name(host, port) => socket_address(host, *port),
    })
}

pub(crate) fn socket_address(host: &str, port: u16) -> Value {
    json!({ "socket_address": { "address": host, "port_value": port } })
}

pub(crate) fn type_url(message: &str) -> String {
    format!("type.googleapis.com/{message}")
}

/// Puts a field into what was just written as an object.
pub(crate) fn put(object: &mut Value, field: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(field.to_owned(), value);
    } else {
        *object = Value::Object(Map::from_iter([(field.to_owned(), value)]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &str = "/typed_extension_protocol_options/\
                           envoy.extensions.upstreams.http.v3.HttpProtocolOptions/http_filters";

    fn port(address: ControlAddress) -> ControlPort {
        let own = Some(("/e.pem".into(), "/e-key.pem".into()));
        ControlPort {
            address,
            tls: Some(ControlTls { ca: "/ca.pem".into(), own }),
            token: Some(ControlToken::Inline("made-up".to_owned())),
        }
    }

    fn endpoint(cluster: &Value) -> &Value {
        cluster.pointer("/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address").unwrap()
    }

    #[test]
    fn an_open_port_is_an_address_and_nothing_else() {
        let open = ControlPort::open("127.0.0.1:18000".parse().unwrap());
        let cluster = cluster(&open).unwrap();
        assert_eq!(endpoint(&cluster)["socket_address"]["port_value"], 18000);
        assert_eq!(cluster.get("transport_socket"), None);
        assert_eq!(cluster.pointer(OPTIONS), None);
        assert_eq!(secrets(&open).unwrap(), None);
    }

    #[test]
    fn a_unix_socket_is_a_pipe() {
        let mut port = port(ControlAddress::Pipe("/d/xds.sock".into()));
        port.tls = None;
        let cluster = cluster(&port).unwrap();
        assert_eq!(endpoint(&cluster)["pipe"]["path"], "/d/xds.sock");
        assert_eq!(cluster["type"], "STATIC");
    }

    #[test]
    fn the_certificate_must_be_of_the_host_that_is_dialled() {
        let table = [
            (
                ControlAddress::Name("control.example".into(), 1),
                "STRICT_DNS",
                "DNS",
                "control.example",
            ),
            (ControlAddress::Socket("[::1]:1".parse().unwrap()), "STATIC", "IP_ADDRESS", "::1"),
        ];
        for (address, discovery, kind, name) in table {
            let cluster = cluster(&port(address)).unwrap();
            let context = &cluster["transport_socket"]["typed_config"];
            let validation = &context["common_tls_context"]["validation_context"];
            let matcher = &validation["match_typed_subject_alt_names"][0];
            assert_eq!(cluster["type"], discovery);
            assert_eq!(
                (&matcher["san_type"], &matcher["matcher"]["exact"]),
                (&json!(kind), &json!(name))
            );
            assert_eq!(validation["trusted_ca"]["filename"], "/ca.pem");
            let sni = (kind == "DNS").then(|| json!(name));
            assert_eq!(context.get("sni"), sni.as_ref());
        }
    }

    #[test]
    fn the_token_stands_in_the_secret_alone() {
        let mut port = port(ControlAddress::Name("control.example".into(), 1));
        assert!(!cluster(&port).unwrap().to_string().contains("made-up"));
        let told = secrets(&port).unwrap().unwrap();
        assert_eq!(told[0]["generic_secret"]["secret"]["inline_string"], "Bearer made-up");
        port.token = Some(ControlToken::File("/etc/token".into()));
        let told = secrets(&port).unwrap().unwrap();
        assert_eq!(told[0]["generic_secret"]["secret"]["filename"], "/etc/token");
    }
}
