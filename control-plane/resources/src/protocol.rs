//! What is spoken to servers, and through which filters.

use crate::well_known::duration;
use envoy_types::pb::envoy::config::core::v3::{
    Http1ProtocolOptions, Http2ProtocolOptions, HttpProtocolOptions,
};
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::HttpFilter;
use envoy_types::pb::envoy::extensions::upstreams::http::v3 as upstream;
use envoy_types::pb::google::protobuf::Any;
use envoy_types::util::pack_any;
use plan::Protocol;
use std::time::Duration;
use upstream::http_protocol_options::{
    ExplicitHttpConfig, UpstreamProtocolOptions, explicit_http_config::ProtocolConfig,
};

/// Where a cluster has it.
pub(crate) const OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// An idle connection to an engine is closed by us, before the engine does it
/// (uvicorn, which most are served by, after 5 s): a request that is sent
/// while the other side closes is lost.
const ENGINE_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// One protocol and no other; without TLS HTTP/2 is spoken by prior knowledge.
pub(crate) fn options(protocol: Protocol, filters: Vec<HttpFilter>) -> (String, Any) {
    let explicit = match protocol {
        Protocol::Http1 => ProtocolConfig::HttpProtocolOptions(Http1ProtocolOptions::default()),
        Protocol::Http2 => ProtocolConfig::Http2ProtocolOptions(Http2ProtocolOptions::default()),
    };
    let options = upstream::HttpProtocolOptions {
        common_http_protocol_options: Some(HttpProtocolOptions {
            idle_timeout: duration(ENGINE_IDLE_TIMEOUT),
            ..HttpProtocolOptions::default()
        }),
        upstream_protocol_options: Some(UpstreamProtocolOptions::ExplicitHttpConfig(
            ExplicitHttpConfig { protocol_config: Some(explicit) },
        )),
        http_filters: filters,
        ..upstream::HttpProtocolOptions::default()
    };
    (OPTIONS.to_owned(), pack_any(options))
}
