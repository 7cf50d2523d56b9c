//! Who signs the certificates of callers, and of engines.

use super::{CertificateError, SecretResource, chain, inline};
use envoy_types::pb::envoy::config::core::v3::DataSource;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::{
    CertificateValidationContext, Secret, secret,
};

/// Name of the secret that holds the authorities of callers' certificates.
pub const GATEWAY_CLIENT_CA: &str = "gateway-client-ca";

/// Certificates, one of which must have signed that of the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorities {
    pem: Vec<u8>,
}

/// Who signs the certificates of callers.
pub type ClientCa = Authorities;

/// Who signs the certificates of a pool's engines.
pub type EngineCa = Authorities;

impl Authorities {
    /// Takes one or more certificates in PEM.
    ///
    /// # Errors
    /// When there is none, or one of them cannot be read.
    pub fn parse(pem: &[u8]) -> Result<Authorities, CertificateError> {
        chain(pem)?;
        Ok(Authorities { pem: pem.to_vec() })
    }

    /// The certificates, as a message of Envoy's has them.
    pub(crate) fn inlined(&self) -> Option<DataSource> {
        inline(&self.pem)
    }
}

/// The authorities as SDS has them. Whether a certificate is over is for Envoy to
/// say at each handshake.
pub(super) fn callers(authority: &Authorities) -> SecretResource {
    SecretResource(Secret {
        name: GATEWAY_CLIENT_CA.to_owned(),
        r#type: Some(secret::Type::ValidationContext(CertificateValidationContext {
            trusted_ca: authority.inlined(),
            ..CertificateValidationContext::default()
        })),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::generate_simple_self_signed;

    fn authority() -> String {
        generate_simple_self_signed(vec!["authority.example".to_owned()]).unwrap().cert.pem()
    }

    #[test]
    fn every_authority_must_be_readable() {
        let (one, other) = (authority(), authority());
        let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(ClientCa::parse(format!("{one}{other}").as_bytes()).is_ok());
        let why =
            |pem: &str| ClientCa::parse(pem.as_bytes()).map(drop).map_err(|why| why.to_string());
        assert_eq!(why(""), Err("the certificate cannot be read: there is none in PEM".to_owned()));
        let second = why(&format!("{one}{junk}")).unwrap_err();
        assert!(second.starts_with("certificate 2 of the chain cannot be read: "), "{second}");
    }

    #[test]
    fn the_secret_has_all_authorities() {
        let pem = format!("{}{}", authority(), authority());
        let secret = callers(&ClientCa::parse(pem.as_bytes()).unwrap());
        assert_eq!(secret.name(), GATEWAY_CLIENT_CA);
        let Some(secret::Type::ValidationContext(told)) = &secret.reveal().r#type else {
            panic!("no authorities")
        };
        assert_eq!(told.trusted_ca, inline(pem.as_bytes()));
    }
}
