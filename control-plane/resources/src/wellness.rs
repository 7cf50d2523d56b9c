//! When a server gets no requests: what it says of itself, and what its answers say.

use crate::well_known::{boolean, duration, number};
use envoy_types::pb::envoy::config::cluster::v3::OutlierDetection;
use envoy_types::pb::envoy::config::core::v3::{
    HealthCheck,
    health_check::{HealthChecker, HttpHealthCheck},
};
use envoy_types::pb::envoy::r#type::v3::CodecClientType;
use plan::{Ejection, HealthPlan, Protocol};
use std::time::Duration;

/// Longest time a server that goes on failing is passed over.
const EJECTION_MAX: Duration = Duration::from_secs(8);

/// How often Envoy looks for ejections that are over.
const EJECTION_SWEEP: Duration = Duration::from_secs(1);

/// Most of a pool's servers, in percent, that may be passed over at once: the
/// only server of a pool never is, unless somebody answers in its place.
const EJECTED_PERCENT_MAX: u32 = 50;

/// Failed health checks in a row after which a server gets no more requests.
const UNHEALTHY_AFTER: u32 = 2;

/// Servers of a pool among which error rates are held against the threshold.
const ERROR_RATE_SERVERS_MIN: u32 = 2;

/// Requests to one server within a sweep from which on its error rate says
/// something.
const ERROR_RATE_REQUESTS_MIN: u32 = 5;

/// What a health check calls a server that has no name.
const HEALTH_CHECK_HOST: &str = "engine";

/// How the servers are asked, in the protocol that they speak.
pub(crate) fn health_check(plan: &HealthPlan, protocol: Protocol) -> HealthCheck {
    HealthCheck {
        timeout: duration(plan.timeout),
        interval: duration(plan.interval),
        // Envoy asks a cluster without traffic once a minute, if not told otherwise.
        no_traffic_interval: duration(plan.interval),
        no_traffic_healthy_interval: duration(plan.interval),
        unhealthy_interval: duration(plan.unhealthy_interval),
        unhealthy_edge_interval: duration(plan.unhealthy_interval),
        unhealthy_threshold: number(UNHEALTHY_AFTER),
        healthy_threshold: number(1),
        health_checker: Some(HealthChecker::HttpHealthCheck(HttpHealthCheck {
            host: HEALTH_CHECK_HOST.to_owned(),
            path: plan.path.clone(),
            codec_client_type: codec(protocol).into(),
            ..HttpHealthCheck::default()
        })),
        ..HealthCheck::default()
    }
}

const fn codec(protocol: Protocol) -> CodecClientType {
    match protocol {
        Protocol::Http1 => CodecClientType::Http1,
        Protocol::Http2 => CodecClientType::Http2,
    }
}

/// Passes over a server that cannot be reached, or whose answers are mostly
/// failures, whatever it says of its own health (vLLM calls itself well while it
/// refuses everything before its end). In a row only gateway errors count: one
/// caller's strange request, answered by 500, must not take a server from the
/// others. A connection that is refused is one (503), and a time-out (504): counted apart
/// from answers, Envoy would take every connection that is made for a success, and a server
/// that takes connections and is silent would never be passed over (seen on 1.40).
pub(crate) fn ejection(ejection: &Ejection) -> OutlierDetection {
    OutlierDetection {
        interval: duration(EJECTION_SWEEP),
        base_ejection_time: duration(ejection.base),
        max_ejection_time: duration(EJECTION_MAX.max(ejection.base)),
        max_ejection_percent: number(EJECTED_PERCENT_MAX),
        // A health check that passes would end the ejection at once.
        successful_active_health_check_uneject_host: boolean(false),
        consecutive_gateway_failure: number(ejection.failures),
        enforcing_consecutive_gateway_failure: number(100),
        enforcing_consecutive_5xx: number(0),
        enforcing_success_rate: number(0),
        failure_percentage_threshold: number(ejection.error_percent.into()),
        failure_percentage_minimum_hosts: number(ERROR_RATE_SERVERS_MIN),
        failure_percentage_request_volume: number(ERROR_RATE_REQUESTS_MIN),
        enforcing_failure_percentage: number(100),
        ..OutlierDetection::default()
    }
}
