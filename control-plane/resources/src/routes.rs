//! The route configuration: which cluster a request goes to, and how long it may
//! take. The filter decides both by headers, so that the routes never change
//! with the pools.

use crate::names::{EXTERNAL_ADDRESS_HEADER, HOLDING_ROUTE, INTERNAL_HEADER};
use crate::well_known::{boolean, duration};
use contract::limits::BODY_SLACK_BYTES;
use contract::names::{GATEWAY, HOLDING_CLUSTER, POOL_HEADER, STREAM_HEADER};
use envoy_types::pb::envoy::config::route::v3::{
    HeaderMatcher, Route, RouteAction, RouteConfiguration, RouteMatch, VirtualHost,
    header_matcher::HeaderMatchSpecifier,
    route::Action,
    route_action::{ClusterNotFoundResponseCode, ClusterSpecifier, HostRewriteSpecifier},
    route_match::PathSpecifier,
};
use envoy_types::pb::google::protobuf::UInt64Value;
use plan::{IssuerPlan, ListenerPlan};
use std::time::Duration;

/// Routes of the gateway, in the order in which they are tried.
pub(crate) fn gateway(listener: &ListenerPlan, issuers: &[IssuerPlan]) -> RouteConfiguration {
    RouteConfiguration {
        name: GATEWAY.to_owned(),
        virtual_hosts: vec![VirtualHost {
            name: GATEWAY.to_owned(),
            domains: vec!["*".to_owned()],
            routes: vec![
                holding(listener.stream_idle_timeout),
                streamed(listener.stream_idle_timeout),
                whole(),
            ],
            request_headers_to_remove: not_for_engines(issuers),
            request_body_buffer_limit: Some(UInt64Value {
                value: listener.max_body_bytes.saturating_add(BODY_SLACK_BYTES),
            }),
            ..VirtualHost::default()
        }],
        ..RouteConfiguration::default()
    }
}

/// What the gateway's parts tell each other about a request, and who is calling.
fn not_for_engines(issuers: &[IssuerPlan]) -> Vec<String> {
    let fixed = [POOL_HEADER, STREAM_HEADER, EXTERNAL_ADDRESS_HEADER, INTERNAL_HEADER];
    let payloads = issuers.iter().map(|issuer| issuer.payload_header.clone());
    fixed.map(str::to_owned).into_iter().chain(payloads).collect()
}

/// What a request is on until the filter has named its pool. It has a cluster,
/// because only a route with one carries the limit of the body, and the idle
/// time-out ends an upload that has stopped.
fn holding(idle: Duration) -> Route {
    let to = ClusterSpecifier::Cluster(HOLDING_CLUSTER.to_owned());
    route(
        HOLDING_ROUTE,
        present(POOL_HEADER, true),
        RouteAction { cluster_specifier: Some(to), idle_timeout: duration(idle), ..no_timeout() },
    )
}

/// An answer that is streamed may take for ever, but not be silent.
fn streamed(idle: Duration) -> Route {
    route(
        "streamed",
        present(STREAM_HEADER, false),
        RouteAction { idle_timeout: duration(idle), ..to_the_pool() },
    )
}

/// An answer that comes whole is silent until it does: its limit is the time-out
/// that the filter sets by header.
fn whole() -> Route {
    route("whole", present(POOL_HEADER, false), to_the_pool())
}

fn to_the_pool() -> RouteAction {
    RouteAction {
        cluster_specifier: Some(ClusterSpecifier::ClusterHeader(POOL_HEADER.to_owned())),
        cluster_not_found_response_code: ClusterNotFoundResponseCode::ServiceUnavailable.into(),
        // Engines behind a name are asked by it; those behind an address see the client's Host.
        host_rewrite_specifier: boolean(true).map(HostRewriteSpecifier::AutoHostRewrite),
        ..no_timeout()
    }
}

fn no_timeout() -> RouteAction {
    RouteAction {
        timeout: duration(Duration::ZERO),
        idle_timeout: duration(Duration::ZERO),
        ..RouteAction::default()
    }
}

fn route(name: &str, when: HeaderMatcher, action: RouteAction) -> Route {
    Route {
        name: name.to_owned(),
        r#match: Some(RouteMatch {
            path_specifier: Some(PathSpecifier::Prefix("/".to_owned())),
            headers: vec![when],
            ..RouteMatch::default()
        }),
        action: Some(Action::Route(action)),
        ..Route::default()
    }
}

fn present(name: &str, inverted: bool) -> HeaderMatcher {
    HeaderMatcher {
        name: name.to_owned(),
        invert_match: inverted,
        header_match_specifier: Some(HeaderMatchSpecifier::PresentMatch(true)),
        ..HeaderMatcher::default()
    }
}
