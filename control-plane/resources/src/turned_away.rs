//! Tells the control plane of attempts that an engine has turned away with a word on when to
//! come again: of each attempt, not only of the one that the caller sees the end of.

use crate::access_log::cel;
use crate::well_known::{duration, number};
use contract::names::{CONTROL_CLUSTER, TURNED_AWAY};
use envoy_types::pb::envoy::config::accesslog::v3::{
    AccessLog, AccessLogFilter, AndFilter, ComparisonFilter, OrFilter, StatusCodeFilter,
    access_log::ConfigType, access_log_filter::FilterSpecifier, comparison_filter::Op,
};
use envoy_types::pb::envoy::config::core::v3::{
    ApiVersion, GrpcService, RuntimeUInt32,
    grpc_service::{EnvoyGrpc, TargetSpecifier},
};
use envoy_types::pb::envoy::extensions::access_loggers::grpc::v3::{
    CommonGrpcAccessLogConfig, HttpGrpcAccessLogConfig,
};
use envoy_types::util::pack_any;
use std::time::Duration;

/// Statuses that say that there is no room now ([`contract::refusal::retry_after_s`]).
const STATUSES: [u32; 2] = [429, 503];

/// The header that says when there may be.
const RETRY_AFTER: &str = "retry-after";

/// How often Envoy looks for lines that wait to be sent: never needed, because each is sent at
/// once.
const LOOKED_FOR: Duration = Duration::from_secs(3_600);

/// The logger of the router's attempts.
pub(crate) fn log() -> AccessLog {
    let service = EnvoyGrpc { cluster_name: CONTROL_CLUSTER.to_owned(), ..EnvoyGrpc::default() };
    let common = CommonGrpcAccessLogConfig {
        log_name: TURNED_AWAY.to_owned(),
        grpc_service: Some(GrpcService {
            target_specifier: Some(TargetSpecifier::EnvoyGrpc(service)),
            ..GrpcService::default()
        }),
        transport_api_version: ApiVersion::V3.into(),
        buffer_flush_interval: duration(LOOKED_FOR),
        buffer_size_bytes: number(0),
        ..CommonGrpcAccessLogConfig::default()
    };
    let log = HttpGrpcAccessLogConfig {
        common_config: Some(common),
        additional_response_headers_to_log: vec![RETRY_AFTER.to_owned()],
        ..HttpGrpcAccessLogConfig::default()
    };
    let no_room = FilterSpecifier::OrFilter(OrFilter { filters: STATUSES.map(status).to_vec() });
    let later = cel(&format!("'{RETRY_AFTER}' in response.headers"));
    let both = FilterSpecifier::AndFilter(AndFilter { filters: vec![filter(no_room), later] });
    AccessLog {
        name: TURNED_AWAY.to_owned(),
        filter: Some(filter(both)),
        config_type: Some(ConfigType::TypedConfig(pack_any(log))),
    }
}

fn status(status: u32) -> AccessLogFilter {
    let value =
        RuntimeUInt32 { default_value: status, runtime_key: format!("{TURNED_AWAY}_{status}") };
    let comparison = ComparisonFilter { op: Op::Eq.into(), value: Some(value) };
    filter(FilterSpecifier::StatusCodeFilter(StatusCodeFilter { comparison: Some(comparison) }))
}

const fn filter(specifier: FilterSpecifier) -> AccessLogFilter {
    AccessLogFilter { filter_specifier: Some(specifier) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::refusal::retry_after_s;

    /// The statuses that a filter of the log is about.
    fn statuses(filter: &AccessLogFilter) -> Vec<u32> {
        match filter.filter_specifier.as_ref().unwrap() {
            FilterSpecifier::AndFilter(AndFilter { filters })
            | FilterSpecifier::OrFilter(OrFilter { filters }) => {
                filters.iter().flat_map(statuses).collect()
            }
            FilterSpecifier::StatusCodeFilter(StatusCodeFilter { comparison }) => {
                comparison.iter().filter_map(|it| Some(it.value.as_ref()?.default_value)).collect()
            }
            _ => Vec::new(),
        }
    }

    #[test]
    fn what_is_told_is_what_is_understood() {
        let understood = |status: &u32| {
            let status = u16::try_from(*status).unwrap();
            retry_after_s(status, "1").is_some()
        };
        let told = statuses(&log().filter.unwrap());
        // The third is said by nobody but who answers in the place of servers.
        assert_eq!((200..600).filter(understood).collect::<Vec<_>>(), [421, 429, 503]);
        assert_eq!(told, STATUSES);
        assert!(told.iter().all(understood));
    }
}
