//! Who the control plane is on its port, and whom it believes: read from files,
//! and read anew when they change.

use crate::error::Failure;
use crate::files;
use discovery::file_events::FileEvents;
use model::XdsTls;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

/// What is spoken after the handshake: gRPC needs it.
const PROTOCOL: &[u8] = b"h2";

/// The identity in force. Clones share it.
#[derive(Clone)]
pub struct Identity {
    tls: XdsTls,
    begun_with: Arc<Texts>,
    current: Arc<RwLock<Arc<ServerConfig>>>,
}

/// The contents of the files. It holds a secret and therefore has no `Debug`.
#[derive(PartialEq, Eq)]
struct Texts {
    cert: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl Identity {
    /// As the files have it now.
    pub fn read(tls: &XdsTls) -> Result<Self, Failure> {
        let texts = Texts::read(tls).map_err(Failure::Refused)?;
        let current = Arc::new(RwLock::new(texts.config().map_err(Failure::Refused)?));
        Ok(Identity { tls: tls.clone(), begun_with: Arc::new(texts), current })
    }

    /// For the next handshake.
    pub fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Watches the files for ever. Connections that were made stay.
    pub async fn watch(self) {
        let tls = &self.tls;
        let all = [Some(&tls.cert), Some(&tls.key), tls.client_ca.as_ref()];
        let mut events = FileEvents::of(all.into_iter().flatten().map(|path| path.as_path()));
        let mut seen = None;
        loop {
            let found = Texts::read(tls);
            let is_known = match &seen {
                None => found.as_ref().ok() == Some(&*self.begun_with),
                Some(seen) => *seen == found,
            };
            if !is_known {
                self.take(&found);
            }
            seen = Some(found);
            events.next().await;
        }
    }

    fn take(&self, found: &Result<Texts, String>) {
        match found.as_ref().map_err(String::clone).and_then(Texts::config) {
            Ok(config) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = config;
                tracing::info!("the certificate of control.xds.tls was read anew");
            }
            Err(why) => tracing::warn!("{why}; the last good certificate stays"),
        }
    }
}

impl Texts {
    fn read(tls: &XdsTls) -> Result<Texts, String> {
        let file = |field: &str, path: &Path| {
            let told = |why| format!("control.xds.tls.{field}: {}: {why}", path.display());
            files::read_small(path).map_err(told)
        };
        let client_ca = tls.client_ca.as_deref().map(|path| file("client_ca", path)).transpose()?;
        Ok(Texts { cert: file("cert", &tls.cert)?, key: file("key", &tls.key)?, client_ca })
    }

    fn config(&self) -> Result<Arc<ServerConfig>, String> {
        resources::secrets::Certificate::parse(&self.cert, &self.key)
            .map_err(|why| format!("control.xds.tls: {why}"))?;
        let provider = Arc::new(ring::default_provider());
        let versions = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|why| why.to_string())?;
        let builder = match &self.client_ca {
            Some(pem) => versions.with_client_cert_verifier(verifier(pem)?),
            None => versions.with_no_client_auth(),
        };
        let chain =
            certificates(&self.cert).map_err(|why| format!("control.xds.tls.cert: {why}"))?;
        // The words of the parser could quote the key.
        let key = PrivateKeyDer::from_pem_slice(&self.key);
        let key = key.map_err(|_| "control.xds.tls.key: cannot be read".to_owned())?;
        let config = builder.with_single_cert(chain, key);
        let mut config = config.map_err(|why| format!("control.xds.tls: {why}"))?;
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(Arc::new(config))
    }
}

fn verifier(pem: &[u8]) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let told = |why: String| format!("control.xds.tls.client_ca: {why}");
    let mut roots = RootCertStore::empty();
    for root in certificates(pem).map_err(told)? {
        roots.add(root).map_err(|why| told(why.to_string()))?;
    }
    let provider = Arc::new(ring::default_provider());
    let built = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
    built.map_err(|why| told(why.to_string()))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    all.ok().filter(|all| !all.is_empty()).ok_or_else(|| "has no certificate in PEM".to_owned())
}
