//! Where a request on a route goes, how often it may be tried, and how long it may take.

use super::Way;
use crate::well_known::{boolean, duration};
use crate::{attempts, chains};
use contract::limits::ATTEMPTS_MAX;
use contract::names::{HOLDING_CLUSTER, POOL_HEADER};
use envoy_types::pb::envoy::config::route::v3::{
    RouteAction,
    route_action::{
        ClusterNotFoundResponseCode, ClusterSpecifier, HostRewriteSpecifier, RequestMirrorPolicy,
    },
};
use plan::Plan;
use std::time::Duration;

/// What is done with requests that go this way.
///
/// An answer that is streamed may take for ever, but not be silent: the limit is that of an
/// attempt. The whole exchange may be silent for as long as all attempts together, and one
/// more for a client that does not read. An answer that comes whole is silent until it
/// does: its limit is the time-out that the filter sets by header.
pub(super) fn of(way: Way<'_>, plan: &Plan) -> RouteAction {
    let silent_for = way.streamed.then_some(plan.listener.stream_idle_timeout);
    let exchanges = u32::try_from(ATTEMPTS_MAX).unwrap_or(u32::MAX).saturating_add(1);
    let idle = silent_for.unwrap_or_default().saturating_mul(exchanges);
    RouteAction {
        cluster_specifier: Some(target(way, plan)),
        retry_policy: Some(attempts::policy(&plan.retry, silent_for, way.chained)),
        request_mirror_policies: way.copied_to().map(copy).into_iter().collect(),
        cluster_not_found_response_code: ClusterNotFoundResponseCode::ServiceUnavailable.into(),
        // Engines behind a name are asked by it; those behind an address see the client's Host.
        host_rewrite_specifier: boolean(true).map(HostRewriteSpecifier::AutoHostRewrite),
        idle_timeout: duration(idle),
        ..no_timeout()
    }
}

/// The cluster that has no servers.
pub(super) fn holding(idle: Duration) -> RouteAction {
    let to = ClusterSpecifier::Cluster(HOLDING_CLUSTER.to_owned());
    RouteAction { cluster_specifier: Some(to), idle_timeout: duration(idle), ..no_timeout() }
}

fn target(way: Way<'_>, plan: &Plan) -> ClusterSpecifier {
    match way.chained {
        true => chains::specifier(plan.pools.iter().map(|pool| pool.cluster.as_str())),
        false => ClusterSpecifier::ClusterHeader(POOL_HEADER.to_owned()),
    }
}

/// A copy has the same `Host`, and its answer goes nowhere.
fn copy(cluster: &str) -> RequestMirrorPolicy {
    RequestMirrorPolicy {
        cluster: cluster.to_owned(),
        trace_sampled: boolean(false),
        disable_shadow_host_suffix_append: true,
        ..RequestMirrorPolicy::default()
    }
}

fn no_timeout() -> RouteAction {
    RouteAction {
        timeout: duration(Duration::ZERO),
        idle_timeout: duration(Duration::ZERO),
        ..RouteAction::default()
    }
}
