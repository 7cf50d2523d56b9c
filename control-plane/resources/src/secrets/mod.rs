//! SDS: the certificate that callers are shown, who signs theirs, and the credentials
//! of pools.

mod authority;
mod credential;
mod downstream;

use authority::callers;
pub use authority::{Authorities, ClientCa, EngineCa, GATEWAY_CLIENT_CA};
pub use credential::Credential;
pub(crate) use credential::{asked_for as credential_asked_for, injector};
pub(crate) use downstream::{asked_for, downstream};

use crate::{Material, TranslateError};
use envoy_types::pb::envoy::config::core::v3::{DataSource, data_source::Specifier};
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::{
    Secret, TlsCertificate, secret,
};
use plan::Plan;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use std::fmt;

/// Every secret: the listener's, then those of the pools.
pub(crate) fn all(plan: &Plan, material: &Material) -> Result<Vec<SecretResource>, TranslateError> {
    let of_pools = credential::of_pools(&plan.pools, material)?;
    Ok(downstream::all(&plan.listener, material).into_iter().chain(of_pools).collect())
}

/// Name of the secret that the gateway's listener asks for.
pub const GATEWAY_CERTIFICATE: &str = "gateway-certificate";

/// A chain of certificates and the private key of its first, which fit together.
/// It holds a secret and therefore has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    chain_pem: Vec<u8>,
    key_pem: Vec<u8>,
    leaf: Vec<u8>,
}

/// Why a chain and a key are no certificate. Says nothing of the key's content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The text with the certificates is no PEM, or has none.
    #[error("the certificate cannot be read: {0}")]
    Chain(String),
    /// One of the certificates is not X.509 of version 3.
    #[error("certificate {place} of the chain cannot be read: {why}")]
    Link {
        /// Which, from 1.
        place: usize,
        /// What the parser said.
        why: String,
    },
    /// The text with the key is no PEM, or has no private key without a password.
    #[error("the key cannot be read: {0}")]
    Key(String),
    /// The key belongs to another certificate.
    #[error("the certificate and the key do not belong together")]
    Mismatch,
}

impl Certificate {
    /// Takes a chain in PEM, the leaf first, and its private key in PEM (PKCS #8,
    /// PKCS #1 or SEC 1; RSA, ECDSA or Ed25519).
    ///
    /// # Errors
    /// When one of them cannot be read, or they do not fit.
    pub fn parse(chain_pem: &[u8], key_pem: &[u8]) -> Result<Certificate, CertificateError> {
        let chain = chain(chain_pem)?;
        let key = PrivateKeyDer::from_pem_slice(key_pem);
        let key = key.map_err(|why| CertificateError::Key(words(&why)))?;
        let signing = rustls::crypto::ring::sign::any_supported_type(&key);
        let signing = signing.map_err(|_| CertificateError::Key("of an unknown kind".into()))?;
        let leaf = chain.first().map(|leaf| leaf.to_vec()).unwrap_or_default();
        let pair = CertifiedKey::new(chain, signing);
        pair.keys_match().map_err(|_| CertificateError::Mismatch)?;
        Ok(Certificate { chain_pem: chain_pem.to_vec(), key_pem: key_pem.to_vec(), leaf })
    }

    /// The first certificate of the chain, in DER: what a handshake shows.
    #[must_use]
    pub fn leaf(&self) -> &[u8] {
        &self.leaf
    }
}

fn chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = chain.map_err(|why| CertificateError::Chain(words(&why)))?;
    if chain.is_empty() {
        return Err(CertificateError::Chain(words(&pem::Error::NoItemsFound)));
    }
    for (at, one) in chain.iter().enumerate() {
        let readable = ParsedCertificate::try_from(one);
        readable.map_err(|why| CertificateError::Link { place: at + 1, why: why.to_string() })?;
    }
    Ok(chain)
}

/// The library's words quote the line that it stumbled over, which may be a
/// part of a key.
fn words(why: &pem::Error) -> String {
    match why {
        pem::Error::NoItemsFound => "there is none in PEM".to_owned(),
        pem::Error::MissingSectionEnd { .. } => "its end is missing".to_owned(),
        _ => "not PEM".to_owned(),
    }
}

/// A message of SDS. Its `Debug` shows the name alone.
#[derive(Clone, PartialEq)]
pub struct SecretResource(Secret);

impl SecretResource {
    /// The resource's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The message, for the one place that sends it.
    #[must_use]
    pub fn reveal(&self) -> &Secret {
        &self.0
    }
}

impl fmt::Debug for SecretResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SecretResource").field(&self.0.name).finish()
    }
}

/// The gateway's certificate as SDS has it.
fn gateway(certificate: &Certificate) -> SecretResource {
    SecretResource(Secret {
        name: GATEWAY_CERTIFICATE.to_owned(),
        r#type: Some(secret::Type::TlsCertificate(TlsCertificate {
            certificate_chain: inline(&certificate.chain_pem),
            private_key: inline(&certificate.key_pem),
            ..TlsCertificate::default()
        })),
    })
}

fn inline(bytes: &[u8]) -> Option<DataSource> {
    let specifier = Some(Specifier::InlineBytes(bytes.to_vec()));
    Some(DataSource { specifier, ..DataSource::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertifiedKey, generate_simple_self_signed};

    fn pair() -> (String, String) {
        let names = vec!["gateway.example".to_owned()];
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
        (cert.pem(), signing_key.serialize_pem())
    }

    fn half_of(text: &str) -> &str {
        text.split_at(text.len() / 2).0
    }

    fn why(chain: &str, key: &str) -> String {
        match Certificate::parse(chain.as_bytes(), key.as_bytes()) {
            Ok(_) => "it fits".to_owned(),
            Err(why) => why.to_string(),
        }
    }

    #[test]
    fn a_pair_fits_or_it_is_said_what_does_not() {
        let ((chain, key), (other, other_key)) = (pair(), pair());
        let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let half = half_of(&key);
        let table = [
            (chain.clone(), key.as_str(), "it fits"),
            (format!("{chain}{other}"), &key, "it fits"),
            (chain.clone(), &other_key, "the certificate and the key do not belong together"),
            (format!("{other}{chain}"), &key, "the certificate and the key do not belong together"),
            (String::new(), &key, "the certificate cannot be read: there is none in PEM"),
            (
                half_of(&chain).to_owned(),
                &key,
                "the certificate cannot be read: its end is missing",
            ),
            (chain.clone(), "", "the key cannot be read: there is none in PEM"),
            (chain.clone(), half, "the key cannot be read: its end is missing"),
            (chain.clone(), &chain, "the key cannot be read: there is none in PEM"),
        ];
        for (chain, key, expected) in table {
            assert_eq!(why(&chain, key), expected);
        }
        assert!(why(junk, &key).starts_with("certificate 1 of the chain cannot be read: "));
        let second = why(&format!("{chain}{junk}"), &key);
        assert!(second.starts_with("certificate 2 of the chain cannot be read: "), "{second}");
    }

    #[test]
    fn no_error_has_a_word_of_the_key() {
        let (chain, key) = pair();
        let secret = half_of(half_of(key.lines().nth(1).unwrap()));
        let broken = key.replace('\n', "\n!").replace("!-----", "-----");
        for wrong in [half_of(&key), &broken, &key.replace("PRIVATE", "PUBLIC")] {
            let told = why(&chain, wrong);
            assert!(!told.contains(secret) && told != "it fits", "{told}");
        }
    }

    #[test]
    fn the_secret_has_both_and_shows_its_name_alone() {
        let (chain, key) = pair();
        let certificate = Certificate::parse(chain.as_bytes(), key.as_bytes()).unwrap();
        let secret = gateway(&certificate);
        assert_eq!(format!("{secret:?}"), "SecretResource(\"gateway-certificate\")");
        let Some(secret::Type::TlsCertificate(told)) = &secret.reveal().r#type else {
            panic!("no certificate")
        };
        assert_eq!(told.certificate_chain, inline(chain.as_bytes()));
        assert_eq!(told.private_key, inline(key.as_bytes()));
    }
}
