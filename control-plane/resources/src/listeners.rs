//! The listener: where callers come in. Constant but for its address, the idle
//! time-out and the usage interval; a changed listener drains its connections.

use crate::names::ENVOY_HEADER_PREFIX;
use crate::upstream_filters::named;
use crate::well_known::{address, boolean, duration, header, number, over_ads};
use crate::{TranslateError, access_log, local_replies, metadata, tokens, turned_away};
use contract::names::{
    CLIENT_REQUEST_ID_HEADER, GATEWAY, JWT, OWN_HEADER_PREFIX, REQUEST_ID_HEADER, STEERING_HEADERS,
};
use envoy_types::pb::envoy::config::common::mutation_rules::v3::{
    HeaderMutation,
    header_mutation::{Action, RemoveOnMatch},
};
use envoy_types::pb::envoy::config::core::v3::{
    ExtensionConfigSource, Http1ProtocolOptions, Http2ProtocolOptions, HttpProtocolOptions,
    TransportSocket, TypedExtensionConfig, header_value_option::HeaderAppendAction,
    http_protocol_options::HeadersWithUnderscoresAction,
};
use envoy_types::pb::envoy::config::listener::v3::{Filter, FilterChain, Listener, filter};
use envoy_types::pb::envoy::extensions::filters::http::router::v3::Router;
use envoy_types::pb::envoy::extensions::filters::http::wasm::v3::Wasm;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3 as hcm;
use envoy_types::pb::envoy::extensions::http::early_header_mutation::header_mutation::v3 as early;
use envoy_types::pb::envoy::extensions::request_id::uuid::v3::UuidRequestIdConfig;
use envoy_types::pb::envoy::r#type::matcher::v3::{StringMatcher, string_matcher::MatchPattern};
use envoy_types::util::pack_any;
use hcm::http_connection_manager::{
    CodecType, ForwardClientCertDetails, InternalAddressConfig, PathWithEscapedSlashesAction,
    RouteSpecifier, ServerHeaderTransformation,
};
use plan::ListenerPlan;
use prost::Name;
use std::path::Path;
use std::time::Duration;

/// What callers read in `server`: not which engine answers, nor what proxy.
const SERVER_NAME: &str = "tollgate";

/// How long a TLS handshake may take; Envoy by itself has no bound for it.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the headers of a request may take to arrive.
const HEADERS_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest headers of a request, in KiB, all together: a JWT has room.
const HEADERS_KIB_MAX: u32 = 64;

/// Headers of one request: what an SDK sends is some twenty.
const HEADERS_MAX: u32 = 100;

/// Requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 256;

/// Bytes that Envoy holds for one connection of a caller before it stops
/// reading, above what the routes allow a body.
const CONNECTION_BUFFER_BYTES: u32 = 256 * 1024;

/// The one listener; `tls`: what callers speak to it through.
pub(crate) fn gateway(
    plan: &ListenerPlan,
    spool_file: &Path,
    tls: Option<TransportSocket>,
) -> Result<Listener, TranslateError> {
    let manager = connection_manager(plan, spool_file)?;
    Ok(Listener {
        name: GATEWAY.to_owned(),
        address: Some(address(plan.address)),
        per_connection_buffer_limit_bytes: number(CONNECTION_BUFFER_BYTES),
        filter_chains: vec![FilterChain {
            filters: vec![Filter {
                name: "envoy.filters.network.http_connection_manager".to_owned(),
                config_type: Some(filter::ConfigType::TypedConfig(pack_any(manager))),
            }],
            transport_socket: tls,
            transport_socket_connect_timeout: duration(HANDSHAKE_TIMEOUT),
            ..FilterChain::default()
        }],
        ..Listener::default()
    })
}

fn connection_manager(
    plan: &ListenerPlan,
    spool_file: &Path,
) -> Result<hcm::HttpConnectionManager, TranslateError> {
    let request_hygiene = request_hygiene();
    Ok(hcm::HttpConnectionManager {
        stat_prefix: GATEWAY.to_owned(),
        codec_type: CodecType::Auto.into(),
        common_http_protocol_options: Some(http()),
        http_protocol_options: Some(http1()),
        http_filters: filters(),
        http2_protocol_options: Some(http2()),
        server_name: SERVER_NAME.to_owned(),
        server_header_transformation: ServerHeaderTransformation::Overwrite.into(),
        max_request_headers_kb: number(HEADERS_KIB_MAX),
        // The routes say how long a stream may be silent: an answer that comes whole is.
        stream_idle_timeout: duration(Duration::ZERO),
        request_headers_timeout: duration(HEADERS_TIMEOUT),
        access_log: vec![access_log::spool(spool_file)?],
        access_log_options: Some(access_log::options(plan.usage_interval)),
        local_reply_config: Some(local_replies::all()),
        route_specifier: Some(RouteSpecifier::Rds(hcm::Rds {
            config_source: Some(over_ads(true)),
            route_config_name: GATEWAY.to_owned(),
        })),
        ..request_hygiene
    })
}

/// What is made of a request before anything looks at it: nobody is trusted,
/// every path has one spelling, the id is ours.
fn request_hygiene() -> hcm::HttpConnectionManager {
    hcm::HttpConnectionManager {
        use_remote_address: boolean(true),
        // Nobody in front of the gateway vouches for a caller's certificate.
        forward_client_cert_details: ForwardClientCertDetails::Sanitize.into(),
        internal_address_config: Some(InternalAddressConfig::default()),
        normalize_path: boolean(true),
        merge_slashes: true,
        path_with_escaped_slashes_action: PathWithEscapedSlashesAction::RejectRequest.into(),
        early_header_mutation_extensions: vec![early_mutations()],
        generate_request_id: boolean(true),
        always_set_request_id_in_response: true,
        request_id_extension: Some(hcm::RequestIdExtension {
            typed_config: Some(pack_any(UuidRequestIdConfig {
                pack_trace_reason: boolean(false),
                use_request_id_for_trace_sampling: boolean(false),
            })),
        }),
        ..hcm::HttpConnectionManager::default()
    }
}

/// The client's request id moves to a header of its own, and what only Envoy or
/// the filter may say is removed.
fn early_mutations() -> TypedExtensionConfig {
    let client_id = format!("%REQ({REQUEST_ID_HEADER})%");
    let own = [
        Action::Append(header(
            CLIENT_REQUEST_ID_HEADER,
            &client_id,
            HeaderAppendAction::AddIfAbsent,
        )),
        Action::Remove(REQUEST_ID_HEADER.to_owned()),
        remove_prefix(OWN_HEADER_PREFIX),
        remove_prefix(ENVOY_HEADER_PREFIX),
    ];
    let steering = STEERING_HEADERS.map(|name| Action::Remove(name.to_owned()));
    let all = own.into_iter().chain(steering);
    let mutations = early::HeaderMutation {
        mutations: all.map(|action| HeaderMutation { action: Some(action) }).collect(),
    };
    TypedExtensionConfig {
        name: "envoy.http.early_header_mutation.header_mutation".to_owned(),
        typed_config: Some(pack_any(mutations)),
    }
}

fn remove_prefix(prefix: &str) -> Action {
    Action::RemoveOnMatch(RemoveOnMatch {
        key_matcher: Some(StringMatcher {
            match_pattern: Some(MatchPattern::Prefix(prefix.to_owned())),
            ..StringMatcher::default()
        }),
    })
}

/// `x_api_key` and `x-api-key` are one name to servers behind WSGI or CGI, and two to
/// us: names with an underscore are dropped. To refuse them would tell a client of
/// HTTP/2 nothing but a reset.
fn http() -> HttpProtocolOptions {
    HttpProtocolOptions {
        max_headers_count: number(HEADERS_MAX),
        headers_with_underscores_action: HeadersWithUnderscoresAction::DropHeader.into(),
        ..HttpProtocolOptions::default()
    }
}

/// As strict as Envoy is by itself: no length beside chunks, no trailers, no HTTP/1.0,
/// no methods of the client's own making. An offer to go over to TLS on the open port
/// (Apache's HTTP client makes one with each request) is passed over, which RFC 9110,
/// section 7.8, allows; any other upgrade is refused.
fn http1() -> Http1ProtocolOptions {
    Http1ProtocolOptions {
        ignore_http_11_upgrade: vec![StringMatcher {
            match_pattern: Some(MatchPattern::Prefix("TLS/".to_owned())),
            ignore_case: true,
        }],
        ..Http1ProtocolOptions::default()
    }
}

fn http2() -> Http2ProtocolOptions {
    Http2ProtocolOptions {
        max_concurrent_streams: number(STREAMS_MAX),
        ..Http2ProtocolOptions::default()
    }
}

/// The filters of every request, in their order.
fn filters() -> Vec<hcm::HttpFilter> {
    let own = [discovered(JWT, tokens::TYPE_URL.to_owned()), discovered(GATEWAY, Wasm::type_url())];
    own.into_iter().chain(metadata::filters()).chain([router()]).collect()
}

/// A filter that comes by ECDS: its configuration changes without a new listener.
/// There is no default: a listener without the filter is not opened.
fn discovered(name: &str, type_url: String) -> hcm::HttpFilter {
    hcm::HttpFilter {
        name: name.to_owned(),
        config_type: Some(hcm::http_filter::ConfigType::ConfigDiscovery(ExtensionConfigSource {
            config_source: Some(over_ads(true)),
            type_urls: vec![type_url],
            ..ExtensionConfigSource::default()
        })),
        ..hcm::HttpFilter::default()
    }
}

fn router() -> hcm::HttpFilter {
    let router = Router {
        suppress_envoy_headers: true,
        upstream_log: vec![turned_away::log()],
        ..Router::default()
    };
    named("envoy.filters.http.router", pack_any(router))
}
