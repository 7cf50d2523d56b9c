//! A filter of Envoy's own in the place of the gateway's: what a request says in `said-…`
//! becomes the header by which the gateway's filter would say it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::names::{
    ATTEMPT_TIMEOUT_HEADER, CHAIN_HEADER, GATEWAY, PICK_HEADER, POOL_HEADER, RETRIES_HEADER,
    SHADOW_HEADER, STREAM_HEADER,
};
use envoy_types::pb::envoy::config::core::v3::{DataSource, data_source::Specifier};
use envoy_types::pb::envoy::extensions::filters::http::lua::v3::Lua;
use envoy_types::pb::google::protobuf::{ListValue, Struct, Value, value::Kind};
use envoy_types::util::pack_any;
use prost::Message;
use resources::EnvoyResources;

const HEADERS: [(&str, &str); 7] = [
    ("pool", POOL_HEADER),
    ("chain", CHAIN_HEADER),
    ("pick", PICK_HEADER),
    ("shadow", SHADOW_HEADER),
    ("stream", STREAM_HEADER),
    ("retries", RETRIES_HEADER),
    ("attempt-timeout", ATTEMPT_TIMEOUT_HEADER),
];

/// Puts it there. As the gateway's filter does by writing a header, it lets Envoy choose the
/// route anew.
pub fn put(all: &mut EnvoyResources) {
    let moves = HEADERS.map(|(said, header)| {
        format!(
            "value = headers:get('said-{said}')\n\
             if value then headers:replace('{header}', value) end\n\
             headers:remove('said-{said}')\n"
        )
    });
    let code = format!(
        "function envoy_on_request(handle)\n\
         local headers = handle:headers()\nlocal value\n{}handle:clearRouteCache()\nend\n",
        moves.concat()
    );
    let source =
        DataSource { specifier: Some(Specifier::InlineString(code)), ..DataSource::default() };
    let config = Lua { default_source_code: Some(source), ..Lua::default() };
    let gateway = all.extensions.iter_mut().find(|one| one.name == GATEWAY).unwrap();
    gateway.typed_config = Some(pack_any(config));
}

/// A line of the request.
pub fn said(what: &str, value: &str) -> String {
    format!("said-{what}: {value}\r\n")
}

/// The line with the clusters of all attempts.
pub fn chain(clusters: &[&str]) -> String {
    let text = |text: &str| Value { kind: Some(Kind::StringValue(text.to_owned())) };
    let group = |name: &&str| {
        let fields = [("name".to_owned(), text(name))].into();
        Value { kind: Some(Kind::StructValue(Struct { fields })) }
    };
    let values = clusters.iter().map(group).collect();
    let list = Value { kind: Some(Kind::ListValue(ListValue { values })) };
    said("chain", &STANDARD.encode(list.encode_to_vec()))
}
