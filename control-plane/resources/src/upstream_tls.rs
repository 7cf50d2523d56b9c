//! TLS towards servers of others: engines, and where issuers keep their keys.

use envoy_types::pb::envoy::config::core::v3::{
    DataSource, TransportSocket, data_source, transport_socket,
};
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::{
    CertificateValidationContext, CommonTlsContext, SubjectAltNameMatcher, UpstreamTlsContext,
    common_tls_context::ValidationContextType, subject_alt_name_matcher::SanType,
};
use envoy_types::pb::envoy::r#type::matcher::v3::{StringMatcher, string_matcher::MatchPattern};
use envoy_types::util::pack_any;

/// Where the roots lie that the machine trusts (Debian and its kin, Alpine,
/// Fedora). Envoy has no other way to ask for them: its `system_root_certs` is
/// not implemented.
const TRUSTED_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// TLS by the roots of the machine. The certificate has to be of the server's name,
/// which is asked for, and of one of `names`, if there are any.
pub(crate) fn socket(names: Vec<SubjectAltNameMatcher>) -> TransportSocket {
    let roots = CertificateValidationContext {
        trusted_ca: Some(DataSource {
            specifier: Some(data_source::Specifier::Filename(TRUSTED_ROOTS.to_owned())),
            ..DataSource::default()
        }),
        match_typed_subject_alt_names: names,
        ..CertificateValidationContext::default()
    };
    let context = UpstreamTlsContext {
        common_tls_context: Some(CommonTlsContext {
            alpn_protocols: vec!["http/1.1".to_owned()],
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
