//! Small messages that stand everywhere in Envoy's, written in short.

use crate::TranslateError;
use envoy_types::pb::envoy::config::core::v3::{
    Address, AggregatedConfigSource, ApiVersion, ConfigSource, HeaderValue, HeaderValueOption,
    SocketAddress, address, config_source::ConfigSourceSpecifier,
    header_value_option::HeaderAppendAction, socket_address::PortSpecifier,
};
use envoy_types::pb::google::protobuf::{BoolValue, Duration, UInt32Value};
use std::net::SocketAddr;
use std::path::Path;

pub(crate) fn duration(from: std::time::Duration) -> Option<Duration> {
    Some(Duration {
        seconds: i64::try_from(from.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(from.subsec_nanos()).unwrap_or(0),
    })
}

pub(crate) const fn boolean(value: bool) -> Option<BoolValue> {
    Some(BoolValue { value })
}

pub(crate) const fn number(value: u32) -> Option<UInt32Value> {
    Some(UInt32Value { value })
}

pub(crate) fn text(path: &Path) -> Result<String, TranslateError> {
    path.to_str().map(str::to_owned).ok_or_else(|| TranslateError::PathNotText(path.to_owned()))
}

pub(crate) fn address(of: SocketAddr) -> Address {
    host_and_port(of.ip().to_string(), of.port())
}

pub(crate) fn host_and_port(host: String, port: u16) -> Address {
    Address {
        address: Some(address::Address::SocketAddress(SocketAddress {
            address: host,
            port_specifier: Some(PortSpecifier::PortValue(port.into())),
            ..SocketAddress::default()
        })),
    }
}

/// The one stream that everything comes over. A resource that must not be
/// missing is waited for without end: a listener without its routes or its
/// filter is not opened.
pub(crate) fn over_ads(must_be_there: bool) -> ConfigSource {
    ConfigSource {
        resource_api_version: ApiVersion::V3.into(),
        initial_fetch_timeout: must_be_there.then(Duration::default),
        config_source_specifier: Some(ConfigSourceSpecifier::Ads(AggregatedConfigSource {})),
        ..ConfigSource::default()
    }
}

pub(crate) fn header(name: &str, value: &str, action: HeaderAppendAction) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(HeaderValue {
            key: name.to_owned(),
            value: value.to_owned(),
            ..HeaderValue::default()
        }),
        append_action: action.into(),
        ..HeaderValueOption::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_their_fraction() {
        let written = duration(std::time::Duration::from_millis(1_500)).unwrap();
        assert_eq!((written.seconds, written.nanos), (1, 500_000_000));
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_no_text_is_an_error() {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"/a/\xff"));
        assert!(matches!(text(path), Err(TranslateError::PathNotText(_))));
    }

    #[test]
    fn only_what_must_be_there_is_waited_for_without_end() {
        assert_eq!(over_ads(true).initial_fetch_timeout, Some(Duration::default()));
        assert_eq!(over_ads(false).initial_fetch_timeout, None);
    }
}
