//! The access log that is the usage spool.
//!
//! Only a request whose caller is known is written: the filter keeps who asked
//! in filter state, and a line without it would have nobody to be billed. Two
//! more reasons make this a rule. Refused credentials must not be able to fill
//! the disk. And Envoy refuses some requests (an escaped slash in the path, no
//! Host) before it has replaced the client's `x-request-id` by its own: such a
//! line would carry an id that the client chose, perhaps that of another
//! request of his that is still running.

use crate::TranslateError;
use crate::well_known::{duration, text};
use contract::names::WHO_PROPERTY;
use contract::spool::FORMAT;
use envoy_types::pb::envoy::config::accesslog::v3::{
    AccessLog, AccessLogFilter, ExtensionFilter, access_log, access_log_filter::FilterSpecifier,
    extension_filter,
};
use envoy_types::pb::envoy::extensions::access_loggers::filters::cel::v3::ExpressionFilter;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::http_connection_manager::HcmAccessLogOptions;
use envoy_types::pb::google::protobuf::{Any, Value, value::Kind};
use envoy_types::util::pack_any;
use prost::Message;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

const FILE_ACCESS_LOG: &str =
    "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog";

/// `FileAccessLog` with the fields that are used. Declared here, because the map
/// of the generated `Struct` has no order: its bytes, and with them the
/// listener's version, would change with every translation.
#[derive(Clone, PartialEq, Message)]
struct FileAccessLog {
    #[prost(string, tag = "1")]
    path: String,
    #[prost(message, optional, tag = "5")]
    log_format: Option<Format>,
}

/// `envoy.config.core.v3.SubstitutionFormatString` with its JSON format alone.
#[derive(Clone, PartialEq, Message)]
struct Format {
    #[prost(message, optional, tag = "2")]
    json_format: Option<OrderedStruct>,
}

/// `google.protobuf.Struct`, its fields in the order of their names.
#[derive(Clone, PartialEq, Message)]
struct OrderedStruct {
    #[prost(btree_map = "string, message", tag = "1")]
    fields: BTreeMap<String, Value>,
}

/// The logger that writes [`contract::spool::Line`]s to `file`.
pub(crate) fn spool(file: &Path) -> Result<AccessLog, TranslateError> {
    let log = FileAccessLog {
        path: text(file)?,
        log_format: Some(Format { json_format: Some(format()) }),
    };
    Ok(AccessLog {
        name: "spool".to_owned(),
        filter: Some(cel(&format!("'wasm.{WHO_PROPERTY}' in filter_state"))),
        config_type: Some(access_log::ConfigType::TypedConfig(Any {
            type_url: FILE_ACCESS_LOG.to_owned(),
            value: log.encode_to_vec(),
        })),
    })
}

/// When lines are written beside the one at the end: every `interval` while a
/// request runs. Not when it arrives: nobody knows then who asks.
pub(crate) fn options(interval: Duration) -> HcmAccessLogOptions {
    HcmAccessLogOptions {
        access_log_flush_interval: duration(interval),
        ..HcmAccessLogOptions::default()
    }
}

fn format() -> OrderedStruct {
    let value = |operator: &str| Value { kind: Some(Kind::StringValue(operator.to_owned())) };
    OrderedStruct {
        fields: FORMAT
            .iter()
            .map(|(name, operator)| ((*name).to_owned(), value(operator)))
            .collect(),
    }
}

/// A condition in CEL over Envoy's attributes.
pub(crate) fn cel(expression: &str) -> AccessLogFilter {
    let filter = ExpressionFilter { expression: expression.to_owned(), ..Default::default() };
    AccessLogFilter {
        filter_specifier: Some(FilterSpecifier::ExtensionFilter(ExtensionFilter {
            name: "envoy.access_loggers.extension_filters.cel".to_owned(),
            config_type: Some(extension_filter::ConfigType::TypedConfig(pack_any(filter))),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use envoy_types::pb::envoy::extensions::access_loggers::file::v3 as generated;

    fn written() -> Vec<u8> {
        match spool(Path::new("/spool/usage.jsonl")).unwrap().config_type.unwrap() {
            access_log::ConfigType::TypedConfig(any) => any.value,
        }
    }

    #[test]
    fn the_declared_messages_are_envoys() {
        let read = generated::FileAccessLog::decode(written().as_slice()).unwrap();
        assert_eq!(read.path, "/spool/usage.jsonl");
        let Some(generated::file_access_log::AccessLogFormat::LogFormat(format)) =
            read.access_log_format
        else {
            panic!("no format");
        };
        let Some(envoy_types::pb::envoy::config::core::v3::substitution_format_string::Format::JsonFormat(json)) =
            format.format
        else {
            panic!("no JSON");
        };
        assert_eq!(json.fields.len(), FORMAT.len());
        let id = json.fields["id"].kind.clone();
        assert_eq!(id, Some(Kind::StringValue("%REQ(X-REQUEST-ID)%".to_owned())));
    }

    #[test]
    fn the_same_bytes_every_time() {
        assert!((0..20).all(|_| written() == written()));
    }
}
