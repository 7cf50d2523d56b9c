//! `control` and `gateway` where they are more than scalars: TLS, the port for
//! Envoys, the canary.

use crate::load_tests::{accepted, check};
use crate::{Canary, EnvoyIdentity, Host, Tls, XdsListen, XdsPort, XdsTls};
use std::path::PathBuf;
use std::time::Duration;

fn control(rest: &str) -> crate::Control {
    accepted(&format!("version: 1\ncontrol: {{ {rest} }}\n")).control
}

fn etc(name: &str) -> PathBuf {
    PathBuf::from("/etc/tollgate").join(name)
}

#[test]
fn a_certificate_for_callers() {
    let tls = |rest: &str| {
        let text =
            format!("version: 1\ngateway: {{ tls: {{ cert: server.pem, key: /k.pem{rest} }} }}");
        accepted(&text).gateway.tls
    };
    let expected = Tls { cert: etc("server.pem"), key: "/k.pem".into(), client_ca: None };
    assert_eq!(tls(""), Some(expected.clone()));
    let client_ca = Some(etc("clients.pem"));
    assert_eq!(tls(", client_ca: clients.pem"), Some(Tls { client_ca, ..expected }));
}

#[test]
fn the_short_forms_of_the_port() {
    let table = [
        ("localhost:1", XdsListen::Tcp("127.0.0.1:1".parse().unwrap())),
        ("'[::1]:0'", XdsListen::Tcp("[::1]:0".parse().unwrap())),
        ("unix:x.sock", XdsListen::Unix(etc("x.sock"))),
        ("unix:/run/x.sock", XdsListen::Unix("/run/x.sock".into())),
    ];
    for (text, listen) in table {
        let port = control(&format!("xds: {text}")).xds;
        assert_eq!(port.listen, listen);
        assert!(port.tls.is_none() && port.token.is_none() && port.connect.is_none());
    }
    assert_eq!(control("xds: unix:x.sock").xds.tcp(), None);
    assert!(control("xds: {}").xds_given && !control("").xds_given);
    assert!(control("xds: {}").xds == XdsPort::loopback("127.0.0.1:18000".parse().unwrap()));
}

#[test]
fn the_whole_port() {
    let port = control(
        "xds: { listen: 0.0.0.0:18000, connect: Control.example:18001, token: '${TOKEN}', \
         tls: { cert: c.pem, key: k.pem, client_ca: ca.pem }, \
         envoy: { ca: /e/ca.pem, cert: /e/e.pem, key: /e/k.pem } }",
    )
    .xds;
    assert_eq!(port.tcp(), Some("0.0.0.0:18000".parse().unwrap()));
    assert_eq!(port.connect, Some((Host::Name("control.example".into()), 18_001)));
    let (cert, key) = (etc("c.pem"), etc("k.pem"));
    assert_eq!(port.tls, Some(XdsTls { cert, key, client_ca: Some(etc("ca.pem")) }));
    assert_eq!(port.token.as_ref().map(crate::Secret::reveal), Some("0123456789abcdef-secret"));
    let [ca, cert, key] = ["/e/ca.pem", "/e/e.pem", "/e/k.pem"].map(|path| Some(path.into()));
    assert_eq!(port.envoy, EnvoyIdentity { ca, cert, key });
}

#[test]
fn a_port_that_strangers_reach_asks_who_they_are() {
    let tls = "tls: { cert: c, key: k";
    for good in [
        "xds: { listen: 0.0.0.0:1, tls: { cert: c, key: k, client_ca: a } }",
        "xds: { listen: 0.0.0.0:1, token: t, tls: { cert: c, key: k } }",
        "xds: { listen: 127.0.0.1:1, token: t }",
        "xds: { listen: unix:x, token: t }",
    ] {
        control(good);
    }
    let needs = |place: &str, path: &str, lacks: &str| {
        format!(
            "2:{place}: control.{path}: `0.0.0.0:1` is not a loopback address and needs {lacks} \
             beside `listen`, so that only your Envoys are told of pools and keys"
        )
    };
    let (both, name) = ("`tls`, and `tls.client_ca` or `token`", "`tls.client_ca` or `token`");
    check(&[
        ("control: { xds: 0.0.0.0:1 }", &needs("17", "xds", both)),
        ("control: { xds: { listen: 0.0.0.0:1 } }", &needs("27", "xds.listen", both)),
        (
            &format!("control: {{ xds: {{ listen: 0.0.0.0:1, {tls} }} }} }}"),
            &needs("27", "xds.listen", name),
        ),
        ("control: { xds: { listen: 0.0.0.0:1, token: t } }", &needs("27", "xds.listen", "`tls`")),
        // What is there and wrong is one problem and not two.
        (
            "control: { xds: { listen: 0.0.0.0:1, tls: { cert: c } } }",
            "2:38: control.xds.tls: `key` is missing; the certificate's key, a PEM file",
        ),
    ]);
}

#[test]
fn what_is_wrong_with_the_port() {
    let long = format!("control: {{ xds: unix:/{} }}", "x".repeat(107));
    let cut = format!("unix:/{}", "x".repeat(74));
    check(&[
        (
            "control: { xds: here }",
            "2:17: control.xds: `here` is not an address to listen on; write IP:PORT, such as 127.0.0.1:8080; or unix:PATH",
        ),
        ("control: { xds: 'unix:' }", "2:17: control.xds: `unix:` is not a path"),
        (
            &long,
            &format!(
                "2:17: control.xds: `{cut}...` is too long for a Unix socket; allowed: 107 bytes with the configuration's folder"
            ),
        ),
        (
            "control: { xds: { connect: control.example } }",
            "2:28: control.xds.connect: `control.example` is not what Envoy can dial; write HOST:PORT, such as control.example:18000",
        ),
        (
            "control: { xds: { listen: unix:x, connect: c:1 } }",
            "2:35: control.xds.connect: makes no sense with a Unix socket, which is dialled by its path",
        ),
        (
            "control: { xds: { token: '${SHORT}' } }",
            "2:26: control.xds.token: the value is not a token; allowed: 1 to 1024 visible ASCII characters without spaces",
        ),
        (
            "control: { xds: { envoy: { ca: a } } }",
            "2:19: control.xds.envoy: needs `tls` beside it; without TLS nobody shows or asks for it",
        ),
        (
            "control: { xds: { tls: { cert: c, key: k }, envoy: { cert: a } } }",
            "2:45: control.xds.envoy: `cert` and `key` belong together; give both or neither",
        ),
        (
            "control: { xds: 127.0.0.1:8081 }",
            "2:1: control: `control.xds` takes the port of `control.admin`; give it another",
        ),
    ]);
}

#[test]
fn what_is_wrong_with_tls() {
    check(&[
        (
            "gateway: { tls: {} }",
            "2:12: gateway.tls: `cert` is missing; the certificate, a PEM file\n2:12: gateway.tls: `key` is missing; the certificate's key, a PEM file",
        ),
        (
            "gateway: { tls: { cert: c, key: k, client_ca: '' } }",
            "2:47: gateway.tls.client_ca: `` is not a path",
        ),
    ]);
}

#[test]
fn canaries() {
    let canary = control("canary: { nodes: ['canary-*', eu-1] }").canary;
    let Some(Canary { nodes, soak }) = canary else { panic!("no canary") };
    assert_eq!(soak, Duration::from_secs(10));
    let first = |id: &str| nodes.iter().any(|node| node.matches(id));
    assert!(first("canary-7") && first("eu-1") && !first("eu-2"));
    check(&[
        (
            "control: { canary: {} }",
            "2:12: control.canary: `nodes` is missing; a list of patterns such as [\"canary-*\"]",
        ),
        (
            "control: { canary: { nodes: [] } }",
            "2:29: control.canary.nodes: is empty; name a pattern, or remove `canary`",
        ),
        (
            "control: { canary: { nodes: [a], soak: 2h } }",
            "2:40: control.canary.soak: `2h` is out of range; allowed: 0s to 1h",
        ),
    ]);
}
