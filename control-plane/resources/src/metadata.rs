//! What the filter says by header, and Envoy wants to read as metadata: a Wasm filter can set
//! headers, but no metadata (Envoy 1.40).

use crate::upstream_filters::named;
use contract::names::{
    CHAIN_HEADER, CHAIN_KEY, CHAIN_METADATA, PICK_HEADER, PICK_KEY, PICK_METADATA,
    SHADOW_BODY_HEADER, SHADOW_KEY, SHADOW_METADATA,
};
use envoy_types::pb::envoy::config::core::v3::{
    DataSource, SubstitutionFormatString, data_source::Specifier,
    substitution_format_string::Format,
};
use envoy_types::pb::envoy::extensions::filters::common::set_filter_state::v3::{
    FilterStateValue, filter_state_value,
};
use envoy_types::pb::envoy::extensions::filters::http::header_to_metadata::v3::{
    Config as HeaderToMetadata,
    config::{KeyValuePair, Rule, ValueEncode, ValueType},
};
use envoy_types::pb::envoy::extensions::filters::http::set_filter_state::v3::Config as SetFilterState;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::HttpFilter;
use envoy_types::util::pack_any;

/// The filters behind the gateway's own. They are the same for an Envoy that cannot send a
/// request from pool to pool: the filter in front of them may learn that it can before the
/// listener does.
pub(crate) fn filters() -> Vec<HttpFilter> {
    let rules = HeaderToMetadata {
        request_rules: vec![chain_rule(), pick_rule(), shadow_rule()],
        ..HeaderToMetadata::default()
    };
    vec![named("envoy.filters.http.header_to_metadata", pack_any(rules)), look_again()]
}

fn chain_rule() -> Rule {
    let value = KeyValuePair {
        r#type: ValueType::ProtobufValue.into(),
        encode: ValueEncode::Base64.into(),
        ..to(CHAIN_METADATA, CHAIN_KEY)
    };
    rule(CHAIN_HEADER, value)
}

fn pick_rule() -> Rule {
    rule(PICK_HEADER, to(PICK_METADATA, PICK_KEY))
}

fn shadow_rule() -> Rule {
    rule(SHADOW_BODY_HEADER, to(SHADOW_METADATA, SHADOW_KEY))
}

fn rule(header: &str, value: KeyValuePair) -> Rule {
    Rule {
        header: header.to_owned(),
        on_header_present: Some(value),
        remove: true,
        ..Rule::default()
    }
}

fn to(namespace: &str, key: &str) -> KeyValuePair {
    KeyValuePair {
        metadata_namespace: namespace.to_owned(),
        key: key.to_owned(),
        r#type: ValueType::String.into(),
        ..KeyValuePair::default()
    }
}

/// Lets the router choose its route by the metadata, which alone does not make it look
/// again. The filter has to set something to be taken: a key that Envoy knows, which
/// nothing reads.
fn look_again() -> HttpFilter {
    let word = DataSource {
        specifier: Some(Specifier::InlineString("chain".to_owned())),
        ..DataSource::default()
    };
    let format = SubstitutionFormatString {
        format: Some(Format::TextFormatSource(word)),
        ..SubstitutionFormatString::default()
    };
    let set = FilterStateValue {
        key: Some(filter_state_value::Key::ObjectKey("envoy.string".to_owned())),
        value: Some(filter_state_value::Value::FormatString(format)),
        ..FilterStateValue::default()
    };
    let filter = SetFilterState { on_request_headers: vec![set], clear_route_cache: true };
    named("envoy.filters.http.set_filter_state", pack_any(filter))
}

#[cfg(test)]
mod tests {
    use super::*;
    use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::http_filter::ConfigType;

    fn removed(filter: &HttpFilter) -> Vec<String> {
        let Some(ConfigType::TypedConfig(any)) = &filter.config_type else { panic!("no config") };
        let config: HeaderToMetadata = prost::Message::decode(&*any.value).unwrap();
        config.request_rules.iter().filter(|rule| rule.remove).map(|r| r.header.clone()).collect()
    }

    #[test]
    fn no_header_that_becomes_metadata_stays() {
        let with = filters();
        assert_eq!(removed(&with[0]), [CHAIN_HEADER, PICK_HEADER, SHADOW_BODY_HEADER]);
        assert_eq!(with.len(), 2);
    }
}
