//! Whether the gateway would serve a request: asked as a caller would ask it, and
//! over TLS believed only with a certificate that it was given by us.

use crate::error::Failure;
use crate::listen::reachable;
use crate::tasks::materials::Materials;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long the gateway may take to say that it is well.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Where the gateway is asked. Clones ask the same one.
#[derive(Clone)]
pub struct GatewayHealth {
    http: reqwest::Client,
    address: SocketAddr,
    materials: Materials,
}

impl GatewayHealth {
    /// Asks at `address`, over TLS while there is a certificate.
    pub fn of(address: SocketAddr, materials: Materials) -> Result<Self, Failure> {
        let tls = tls(materials.clone()).map_err(Failure::internal)?;
        // A neighbour on this machine: no proxy of the environment is meant.
        let http = reqwest::Client::builder().no_proxy().tls_backend_preconfigured(tls).build();
        let address = reachable(address);
        Ok(GatewayHealth { http: http.map_err(Failure::internal)?, address, materials })
    }

    /// What callers connect to.
    pub fn url(&self) -> String {
        let scheme = if self.materials.has_certificate() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Whether it would serve a request.
    pub async fn is_well(&self) -> bool {
        let url = format!("{}/healthz", self.url());
        let asked = self.http.get(url).timeout(TIMEOUT).send().await;
        asked.is_ok_and(|answer| answer.status().as_u16() == 200)
    }
}

fn tls(materials: Materials) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = OnlyOurs { materials, provider: Arc::clone(&provider) };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

/// Believes the certificates that our Envoys are given, whoever signed them and
/// whatever names they have, and no other.
struct OnlyOurs {
    materials: Materials,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for OnlyOurs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnlyOurs")
    }
}

impl ServerCertVerifier for OnlyOurs {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.materials.may_be_shown(leaf) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, leaf, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, leaf, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
