//! Made-up certificates, and clients that look at them.

use integration::{Failure, Result, Tollgate};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    SanType,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

/// Clients of a load, at once.
const CLIENTS: usize = 4;

/// A certificate and its key, both in PEM.
#[derive(Clone)]
pub struct Pair {
    pub cert: String,
    pub key: String,
}

impl Pair {
    /// The certificate in DER.
    pub fn leaf(&self) -> Vec<u8> {
        CertificateDer::from_pem_slice(self.cert.as_bytes()).unwrap().to_vec()
    }
}

/// One that signed itself.
pub fn pair(name: &str) -> Pair {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    Pair { cert: made.cert.pem(), key: made.signing_key.serialize_pem() }
}

/// Whoever signs others.
pub struct Authority {
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Whoever has the name of its issuer counts as signed by itself.
        params.distinguished_name.push(DnType::CommonName, "a made-up authority");
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { pem, issuer: Issuer::new(params, key) }
    }

    pub fn sign(&self, name: &str) -> Pair {
        self.signed(CertificateParams::new(vec![name.to_owned()]).unwrap())
    }

    /// One for whoever has these names.
    pub fn sign_named(&self, names: Vec<SanType>) -> Pair {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.signed(params)
    }

    fn signed(&self, params: CertificateParams) -> Pair {
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap().pem();
        Pair { cert, key: key.serialize_pem() }
    }
}

/// What a handshake showed.
pub struct Shown {
    pub leaf: Vec<u8>,
    pub protocol: Option<String>,
}

/// Makes a handshake with `https://ADDRESS`, and believes whatever is shown.
pub async fn handshake(url: &str, protocols: &[&str]) -> Result<Shown> {
    let mut config = believing(Vec::new(), None);
    config.alpn_protocols = protocols.iter().map(|it| it.as_bytes().to_vec()).collect();
    let address = url.trim_start_matches("https://");
    let wire = TcpStream::connect(address).await?;
    let host = ServerName::try_from("127.0.0.1")?;
    let wire = TlsConnector::from(Arc::new(config)).connect(host, wire).await?;
    let shown = wire.get_ref().1;
    let leaf = shown.peer_certificates().and_then(|chain| chain.first());
    let leaf = leaf.ok_or_else(|| Failure::new("no certificate was shown"))?.to_vec();
    let protocol = shown.alpn_protocol().map(|it| String::from_utf8_lossy(it).into_owned());
    Ok(Shown { leaf, protocol })
}

/// A client that makes a handshake anew for each request, and takes these
/// certificates alone.
pub fn trusting(pairs: &[&Pair]) -> reqwest::Client {
    client(believing(pairs.iter().map(|pair| pair.leaf()).collect(), None))
}

/// A client that takes any certificate and shows `own`.
pub fn showing(own: Option<&Pair>) -> reqwest::Client {
    client(believing(Vec::new(), own))
}

fn client(config: ClientConfig) -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
    let client = client.timeout(Duration::from_secs(60)).tls_backend_preconfigured(config);
    client.build().expect("an HTTP client")
}

fn believing(leaves: Vec<Vec<u8>>, own: Option<&Pair>) -> ClientConfig {
    let provider = Arc::new(ring::default_provider());
    let verifier = Only { leaves, provider: Arc::clone(&provider) };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    match own {
        None => config.with_no_client_auth(),
        Some(own) => {
            let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap();
            config.with_client_auth_cert(vec![own.leaf().into()], key).unwrap()
        }
    }
}

/// Takes these certificates alone; none: whatever is shown.
#[derive(Debug)]
struct Only {
    leaves: Vec<Vec<u8>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Only {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, Error> {
        if self.leaves.is_empty() || self.leaves.iter().any(|one| one == leaf.as_ref()) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(Error::General("a certificate of somebody else".to_owned()))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, leaf, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, leaf, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn ask(client: &reqwest::Client, url: &str, key: &str, model: &str) -> reqwest::RequestBuilder {
    let messages = json!([{"role": "user", "content": "hello"}]);
    let body = json!({"model": model, "messages": messages, "stream": model == "long"});
    client.post(format!("{url}/v1/chat/completions")).bearer_auth(key).json(&body)
}

/// The status of one chat, read to its end.
pub async fn chat(client: &reqwest::Client, gate: &Tollgate, key: &str) -> Result<u16> {
    let answer = ask(client, gate.url(), key, "tiny").send().await?;
    let status = answer.status().as_u16();
    answer.bytes().await?;
    Ok(status)
}

/// The whole text of a stream of the model `long`.
pub async fn stream(client: reqwest::Client, url: String, key: String) -> Result<String> {
    Ok(ask(&client, &url, &key, "long").send().await?.text().await?)
}

/// Chats that go on until they are stopped, a handshake each.
pub struct RunningChats {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Vec<std::result::Result<u16, String>>>>,
}

pub fn load(gate: &Tollgate, key: &str, trusted: &[&Pair]) -> RunningChats {
    let stop = Arc::new(AtomicBool::new(false));
    let one = |_| {
        let (client, stop) = (trusting(trusted), Arc::clone(&stop));
        let (url, key) = (gate.url().to_owned(), key.to_owned());
        tokio::spawn(async move {
            let mut outcomes = Vec::new();
            while !stop.load(Relaxed) {
                let answer = ask(&client, &url, &key, "tiny").send().await;
                outcomes.push(match answer {
                    Ok(answer) => {
                        let status = answer.status().as_u16();
                        answer.bytes().await.map(|_| status).map_err(|error| format!("{error:?}"))
                    }
                    Err(error) => Err(format!("{error:?}")),
                });
            }
            outcomes
        })
    };
    RunningChats { clients: (0..CLIENTS).map(one).collect(), stop }
}

impl RunningChats {
    /// Every outcome: the status, or what broke.
    pub async fn stop(self) -> Result<Vec<std::result::Result<u16, String>>> {
        self.stop.store(true, Relaxed);
        let mut outcomes = Vec::new();
        for client in self.clients {
            outcomes.extend(client.await?);
        }
        Ok(outcomes)
    }
}
