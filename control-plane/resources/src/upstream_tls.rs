//! TLS towards servers of others: engines, and where issuers keep their keys.

use crate::secrets::Authorities;
use envoy_types::pb::envoy::config::core::v3::{
    DataSource, TransportSocket, data_source, transport_socket,
};
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::{
    CertificateValidationContext, CommonTlsContext, SubjectAltNameMatcher, UpstreamTlsContext,
    common_tls_context::ValidationContextType, subject_alt_name_matcher::SanType,
};
use envoy_types::pb::envoy::r#type::matcher::v3::{StringMatcher, string_matcher::MatchPattern};
use envoy_types::util::pack_any;

/// HTTP/1.1, as TLS calls it (RFC 7301).
pub(crate) const HTTP1: &str = "http/1.1";

/// HTTP/2, as TLS calls it (RFC 9113, section 3.2).
pub(crate) const HTTP2: &str = "h2";

/// Where the roots lie that the machine trusts (Debian and its kin, Alpine,
/// Fedora). Envoy has no other way to ask for them: its `system_root_certs` is
/// not implemented.
const TRUSTED_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What the other side is asked for.
pub(crate) struct Asked<'a> {
    /// Who must have signed its certificate; `None`: somebody whom the machine trusts.
    pub(crate) authorities: Option<&'a Authorities>,
    /// One of which the certificate has to be, beside the server's own name; none: any.
    pub(crate) names: Vec<SubjectAltNameMatcher>,
    /// What is spoken after the handshake, in the words of TLS.
    pub(crate) protocol: &'static str,
}

/// TLS with HTTP/1.1 by the roots of the machine. The certificate has to be of the server's
/// name, which is asked for, and of one of `names`, if there are any.
pub(crate) fn socket(names: Vec<SubjectAltNameMatcher>) -> TransportSocket {
    asking(Asked { authorities: None, names, protocol: HTTP1 })
}

/// TLS in which the other side has to show what is asked for.
pub(crate) fn asking(asked: Asked<'_>) -> TransportSocket {
    let of_the_machine = || DataSource {
        specifier: Some(data_source::Specifier::Filename(TRUSTED_ROOTS.to_owned())),
        ..DataSource::default()
    };
    let own = asked.authorities.and_then(Authorities::inlined);
    let roots = CertificateValidationContext {
        trusted_ca: Some(own.unwrap_or_else(of_the_machine)),
        match_typed_subject_alt_names: asked.names,
        ..CertificateValidationContext::default()
    };
    let context = UpstreamTlsContext {
        common_tls_context: Some(CommonTlsContext {
            alpn_protocols: vec![asked.protocol.to_owned()],
            validation_context_type: Some(ValidationContextType::ValidationContext(roots)),
            ..CommonTlsContext::default()
        }),
        auto_host_sni: true,
        auto_sni_san_validation: true,
        ..UpstreamTlsContext::default()
    };
    TransportSocket {
        name: "envoy.transport_sockets.tls".to_owned(),
        config_type: Some(transport_socket::ConfigType::TypedConfig(pack_any(context))),
    }
}

/// A certificate that is of `name`.
pub(crate) fn certified(kind: SanType, name: String) -> SubjectAltNameMatcher {
    SubjectAltNameMatcher {
        san_type: kind.into(),
        matcher: Some(StringMatcher {
            match_pattern: Some(MatchPattern::Exact(name)),
            ..StringMatcher::default()
        }),
        ..SubjectAltNameMatcher::default()
    }
}
