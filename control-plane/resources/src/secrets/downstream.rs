//! TLS of the gateway's listener.

use super::{GATEWAY_CERTIFICATE, GATEWAY_CLIENT_CA, SecretResource, callers, gateway};
use crate::well_known::{boolean, over_ads};
use crate::{Material, TranslateError};
use envoy_types::pb::envoy::config::core::v3::{TransportSocket, transport_socket::ConfigType};
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::{
    CommonTlsContext, DownstreamTlsContext, SdsSecretConfig, TlsParameters,
    common_tls_context::ValidationContextType, downstream_tls_context::SessionTicketKeysType,
    tls_parameters::TlsProtocol,
};
use envoy_types::pb::google::protobuf::Any;
use envoy_types::util::pack_any;
use plan::ListenerPlan;

/// What the listener speaks after the handshake, the better first.
const PROTOCOLS: [&str; 2] = ["h2", "http/1.1"];

/// What callers speak to the listener through; `None`: they come in clear.
pub(crate) fn downstream(
    listener: &ListenerPlan,
    material: &Material,
) -> Result<Option<TransportSocket>, TranslateError> {
    let lacks = |what: &str| Err(TranslateError::NotRead(what.to_owned()));
    match (&material.certificate, &material.client_ca) {
        (None, _) if listener.client_certificates => lacks("the certificate of gateway.tls"),
        (_, None) if listener.client_certificates => lacks("gateway.tls.client_ca"),
        (None, _) => Ok(None),
        (Some(_), _) => Ok(Some(transport_socket(listener.client_certificates))),
    }
}

/// What the listener asks for by name.
pub(super) fn all(listener: &ListenerPlan, material: &Material) -> Vec<SecretResource> {
    let authority = material.client_ca.as_ref().filter(|_| listener.client_certificates);
    let certificate = material.certificate.as_ref();
    certificate.map(gateway).into_iter().chain(authority.map(callers)).collect()
}

/// The secrets are named and not contained: a new one is another secret and the same
/// listener, so that no connection is drained.
fn transport_socket(client_certificates: bool) -> TransportSocket {
    let context = DownstreamTlsContext {
        common_tls_context: Some(CommonTlsContext {
            tls_params: Some(TlsParameters {
                tls_minimum_protocol_version: TlsProtocol::TlSv12.into(),
                tls_maximum_protocol_version: TlsProtocol::TlSv13.into(),
                ..TlsParameters::default()
            }),
            tls_certificate_sds_secret_configs: vec![by_sds(GATEWAY_CERTIFICATE)],
            alpn_protocols: PROTOCOLS.map(str::to_owned).to_vec(),
            ..CommonTlsContext::default()
        }),
        ..DownstreamTlsContext::default()
    };
    let context = if client_certificates { asking_for_certificates(context) } else { context };
    TransportSocket {
        name: "envoy.transport_sockets.tls".to_owned(),
        config_type: Some(ConfigType::TypedConfig(pack_any(context))),
    }
}

/// A caller may show a certificate or none. One that no authority of ours has signed,
/// or that is over, ends the handshake. Sessions are not resumed: Envoy would take the
/// certificate of the first handshake without looking at it again.
fn asking_for_certificates(context: DownstreamTlsContext) -> DownstreamTlsContext {
    let authorities =
        ValidationContextType::ValidationContextSdsSecretConfig(by_sds(GATEWAY_CLIENT_CA));
    DownstreamTlsContext {
        common_tls_context: context.common_tls_context.map(|common| CommonTlsContext {
            validation_context_type: Some(authorities),
            ..common
        }),
        require_client_certificate: boolean(false),
        disable_stateful_session_resumption: true,
        session_ticket_keys_type: Some(SessionTicketKeysType::DisableStatelessSessionResumption(
            true,
        )),
        ..context
    }
}

fn by_sds(name: &str) -> SdsSecretConfig {
    SdsSecretConfig { name: name.to_owned(), sds_config: Some(over_ads(true)) }
}

/// The secrets that a transport socket for callers asks for by name.
pub(crate) fn asked_for(
    from: &str,
    socket: &TransportSocket,
) -> Result<Vec<String>, TranslateError> {
    let Some(ConfigType::TypedConfig(any)) = &socket.config_type else { return Ok(Vec::new()) };
    let context = unpack(from, any)?.common_tls_context.unwrap_or_default();
    let authorities = match context.validation_context_type {
        Some(ValidationContextType::ValidationContextSdsSecretConfig(one)) => Some(one),
        _ => None,
    };
    let all = context.tls_certificate_sds_secret_configs.into_iter().chain(authorities);
    Ok(all.map(|one| one.name).collect())
}

fn unpack(from: &str, any: &Any) -> Result<DownstreamTlsContext, TranslateError> {
    prost::Message::decode(any.value.as_slice()).map_err(|why: prost::DecodeError| {
        TranslateError::Unreadable { what: format!("TLS of {from}"), why: why.to_string() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(client_certificates: bool) -> Vec<String> {
        asked_for("the listener gateway", &transport_socket(client_certificates)).unwrap()
    }

    #[test]
    fn the_listener_asks_for_the_secrets_by_their_names() {
        assert_eq!(names(false), [GATEWAY_CERTIFICATE]);
        assert_eq!(names(true), [GATEWAY_CERTIFICATE, GATEWAY_CLIENT_CA]);
    }

    #[test]
    fn a_session_is_not_resumed_where_certificates_count() {
        let Some(ConfigType::TypedConfig(any)) = transport_socket(true).config_type else {
            panic!("no configuration")
        };
        let context = unpack("the listener gateway", &any).unwrap();
        assert!(context.disable_stateful_session_resumption);
        let never = SessionTicketKeysType::DisableStatelessSessionResumption(true);
        assert_eq!(context.session_ticket_keys_type, Some(never));
        assert_eq!(context.require_client_certificate, boolean(false));
    }
}
