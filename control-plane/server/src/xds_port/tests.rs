//! The port as a whole: what gets through, and what does not.

use super::*;
use axum::Router;
use axum::routing::get;
use model::{EnvoyIdentity, Secret, XdsTls};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, sleep, timeout};

const SOON: Duration = Duration::from_secs(5);

/// Whoever signs.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate of this machine, and its key.
    fn sign(&self) -> (String, String) {
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

/// A folder with what a port with TLS needs.
struct Files {
    folder: tempfile::TempDir,
    authority: Authority,
}

impl Files {
    fn new() -> Files {
        let folder = tempfile::tempdir().unwrap();
        let files = Files { folder, authority: Authority::new() };
        files.put("ca.pem", &files.authority.pem);
        files.put_pair(&files.authority.sign());
        files
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn put_pair(&self, (cert, key): &(String, String)) {
        self.put("c.pem", cert);
        self.put("k.pem", key);
    }

    fn tls(&self, client_ca: bool) -> Option<XdsTls> {
        let at = |name: &str| self.folder.path().join(name);
        let client_ca = client_ca.then(|| at("ca.pem"));
        Some(XdsTls { cert: at("c.pem"), key: at("k.pem"), client_ca })
    }
}

fn port(listen: XdsListen, tls: Option<XdsTls>, token: Option<&str>) -> XdsPort {
    let token = token.map(|token| Secret::new(token.to_owned()));
    XdsPort { listen, connect: None, tls, token, envoy: EnvoyIdentity::default() }
}

fn any_port() -> XdsListen {
    XdsListen::Tcp("127.0.0.1:0".parse().unwrap())
}

async fn served(port: &XdsPort) -> SocketAddr {
    let opened = open(port, None).await.unwrap();
    let address = opened.opened.tcp().unwrap();
    opened.serve(Router::new().route("/", get(async || "served")));
    address
}

/// A client that believes `authority` and shows `own`.
fn client(authority: &Authority, own: Option<&(String, String)>) -> reqwest::Client {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config =
        config.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let config = match own {
        None => config.with_no_client_auth(),
        Some((cert, key)) => {
            let cert = CertificateDer::from_pem_slice(cert.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            config.with_client_auth_cert(vec![cert], key).unwrap()
        }
    };
    reqwest::Client::builder().no_proxy().tls_backend_preconfigured(config).build().unwrap()
}

/// What is answered; `None`: nothing, the connection fails.
async fn answer(
    client: &reqwest::Client,
    url: String,
    token: Option<&str>,
) -> Option<(u16, String)> {
    let request = client.get(url).timeout(SOON);
    let request = token.into_iter().fold(request, |request, token| request.bearer_auth(token));
    let answer = request.send().await.ok()?;
    Some((answer.status().as_u16(), answer.text().await.ok()?))
}

#[tokio::test]
async fn without_the_token_nothing_is_served() {
    let authority = Authority::new();
    let address = served(&port(any_port(), None, Some("made-up"))).await;
    let client = client(&authority, None);
    let ask = async |path: &str, token| {
        answer(&client, format!("http://{address}{path}"), token).await.unwrap()
    };
    assert_eq!(ask("/", Some("made-up")).await, (200, "served".to_owned()));
    let refused = (401, "the token of control.xds is missing or wrong".to_owned());
    for (path, token) in [("/", None), ("/", Some("other")), ("/nowhere", None)] {
        assert_eq!(ask(path, token).await, refused);
    }
}

#[tokio::test]
async fn only_who_is_signed_by_the_right_one_gets_in() {
    let (files, other) = (Files::new(), Authority::new());
    let address = served(&port(any_port(), files.tls(true), None)).await;
    let url = || format!("https://{address}/");
    let (own, foreign) = (files.authority.sign(), other.sign());
    let right = client(&files.authority, Some(&own));
    assert_eq!(answer(&right, url(), None).await, Some((200, "served".to_owned())));
    assert_eq!(answer(&client(&files.authority, None), url(), None).await, None);
    assert_eq!(answer(&client(&files.authority, Some(&foreign)), url(), None).await, None);
    assert_eq!(answer(&client(&other, Some(&own)), url(), None).await, None, "not our server");
    assert_eq!(answer(&right, format!("http://{address}/"), None).await, None, "in clear");
}

#[tokio::test]
async fn silent_handshakes_keep_nobody_waiting() {
    let files = Files::new();
    let address = served(&port(any_port(), files.tls(false), Some("made-up"))).await;
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let begun = Instant::now();
    let client = client(&files.authority, None);
    let served = answer(&client, format!("https://{address}/"), Some("made-up")).await;
    assert_eq!(served, Some((200, "served".to_owned())));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let oldest = timeout(SOON, silent[0].read_u8()).await.unwrap();
    assert!(oldest.is_err(), "the oldest is given up");
}

#[tokio::test]
async fn the_certificate_is_replaced_when_the_pair_fits() {
    let files = Files::new();
    let address = served(&port(any_port(), files.tls(false), None)).await;
    let next = Authority::new();
    let believes = async |authority: &Authority| {
        answer(&client(authority, None), format!("https://{address}/"), None).await.is_some()
    };
    sleep(Duration::from_millis(50)).await;
    let (cert, key) = next.sign();
    files.put("c.pem", &cert);
    sleep(Duration::from_secs(1)).await;
    assert!(believes(&files.authority).await && !believes(&next).await, "half of a pair");
    files.put("k.pem", &key);
    let deadline = Instant::now() + SOON;
    while !believes(&next).await {
        assert!(Instant::now() < deadline, "the new certificate is not shown");
        sleep(Duration::from_millis(50)).await;
    }
    assert!(!believes(&files.authority).await);
}

#[tokio::test]
async fn a_pair_that_does_not_fit_is_refused_at_the_start() {
    let files = Files::new();
    files.put("k.pem", &files.authority.sign().1);
    let why = open(&port(any_port(), files.tls(false), None), None).await.err().unwrap();
    let told = "control.xds.tls: the certificate and the key do not belong together";
    assert_eq!(why.to_string(), told);
    files.put_pair(&files.authority.sign());
    files.put("ca.pem", "nothing");
    let why = open(&port(any_port(), files.tls(true), None), None).await.err().unwrap();
    assert_eq!(why.to_string(), "control.xds.tls.client_ca: has no certificate in PEM");
}

#[tokio::test]
async fn a_unix_socket_serves() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xds.sock");
    let opened = open(&port(XdsListen::Unix(path.clone()), None, None), None).await.unwrap();
    assert_eq!(opened.opened.to_string(), format!("unix:{}", path.display()));
    opened.serve(Router::new().route("/", get(async || "served")));
    let mut stream = UnixStream::connect(&path).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("served"), "{answer}");
}

#[test]
fn an_envoy_is_told_where_and_how() {
    let opened = Opened::Tcp("0.0.0.0:18000".parse().unwrap());
    let mut port = port(any_port(), None, Some("made-up"));
    let dialled = as_dialled(&port, &opened, None).ok().unwrap();
    assert_eq!(dialled.address, ControlAddress::Socket("127.0.0.1:18000".parse().unwrap()));
    assert!(dialled.token == Some(ControlToken::Inline("made-up".to_owned())));
    let dialled = as_dialled(&port, &opened, Some(Path::new("/etc/token"))).ok().unwrap();
    assert!(dialled.token == Some(ControlToken::File("/etc/token".into())));
    port.token = None;
    port.connect = Some((Host::Name("control.example".to_owned()), 18000));
    let dialled = as_dialled(&port, &opened, None).ok().unwrap();
    assert_eq!(dialled.address, ControlAddress::Name("control.example".to_owned(), 18000));
    assert_eq!(as_dialled(&port, &opened, Some(Path::new("/t"))).err().unwrap().exit_code(), 2);
}

#[test]
fn an_envoy_that_could_not_get_in_is_not_started() {
    let opened = Opened::Tcp("127.0.0.1:18000".parse().unwrap());
    let files = Files::new();
    let mut port = port(any_port(), files.tls(true), None);
    let why = |port: &XdsPort| as_dialled(port, &opened, None).err().map(|why| why.to_string());
    assert!(why(&port).unwrap().starts_with("control.xds.envoy.ca is not set: "));
    port.envoy.ca = Some("/etc/ca.pem".into());
    assert!(why(&port).unwrap().starts_with("control.xds.envoy.cert is not set: "));
    port.envoy.cert = Some("/etc/e.pem".into());
    port.envoy.key = Some("/etc/e-key.pem".into());
    assert_eq!(why(&port), None);
}
