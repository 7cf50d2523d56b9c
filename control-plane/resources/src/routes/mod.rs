//! The route configuration: which cluster a request goes to, and how long it may
//! take. The filter decides all of it by headers, so that the routes change only with the
//! set of pools, and not with models, weights or servers.

mod action;
mod when;

use crate::names::{EXTERNAL_ADDRESS_HEADER, HOLDING_ROUTE, INTERNAL_HEADER};
use contract::limits::BODY_SLACK_BYTES;
use contract::names::{
    CHAIN_HEADER, GATEWAY, PICK_HEADER, POOL_HEADER, SHADOW_BODY_HEADER, SHADOW_HEADER,
    STREAM_HEADER,
};
use contract::policy::GatewayConfig;
use envoy_types::pb::envoy::config::route::v3::{
    Route, RouteAction, RouteConfiguration, RouteMatch, VirtualHost, route::Action,
};
use envoy_types::pb::google::protobuf::UInt64Value;
use plan::{IssuerPlan, Plan};
use std::collections::BTreeSet;

/// How a request leaves the gateway: one route each.
#[derive(Clone, Copy)]
struct Way<'a> {
    /// To several pools, one after the other, or to one.
    chained: bool,
    /// The answer is a stream.
    streamed: bool,
    /// Who gets a copy.
    copy: Copy<'a>,
}

impl<'a> Way<'a> {
    fn copied_to(self) -> Option<&'a str> {
        if let Copy::To(cluster) = self.copy { Some(cluster) } else { None }
    }
}

/// Who gets a copy of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Copy<'a> {
    /// Nobody is named.
    Unnamed,
    /// The cluster that is named.
    To(&'a str),
    /// Nobody, whoever is named: the filter may know a pool that is gone. No caller is
    /// refused for the sake of a copy.
    Nobody,
}

/// Routes of the gateway, in the order in which they are tried.
pub(crate) fn gateway(plan: &Plan) -> RouteConfiguration {
    let shadows = shadows(&plan.filter);
    let ways = ways(plan.filter.chains, &shadows);
    let on_their_way =
        ways.into_iter().map(|way| route(&name(way), when::is(way), action::of(way, plan)));
    RouteConfiguration {
        name: GATEWAY.to_owned(),
        virtual_hosts: vec![VirtualHost {
            name: GATEWAY.to_owned(),
            domains: vec!["*".to_owned()],
            routes: on_their_way.chain([holding(plan)]).collect(),
            request_headers_to_remove: not_for_engines(&plan.issuers),
            request_body_buffer_limit: Some(UInt64Value {
                value: plan.listener.max_body_bytes.saturating_add(BODY_SLACK_BYTES),
            }),
            ..VirtualHost::default()
        }],
        ..RouteConfiguration::default()
    }
}

/// The clusters that get copies. Each needs routes of its own: Envoy reads the header of
/// `cluster_header` for copies when the body has ended, when everything that is not for
/// engines has been removed (seen on Envoy 1.40).
fn shadows(filter: &GatewayConfig) -> BTreeSet<&str> {
    let families = filter.families.iter().map(|family| &family.model);
    let shadows = filter.models.values().chain(families).filter_map(|model| model.shadow.as_ref());
    let pools = shadows.filter_map(|shadow| filter.pools.get(&shadow.pool));
    pools.map(|pool| pool.cluster.as_str()).collect()
}

/// Those without a copy first: what most requests are costs no more when there are copies.
/// Those that make none of what names one stand last.
fn ways<'a>(chains: bool, shadows: &BTreeSet<&'a str>) -> Vec<Way<'a>> {
    let named = shadows.iter().copied().map(Copy::To);
    let unnamed = (!shadows.is_empty()).then_some(Copy::Unnamed);
    let targets = unnamed.into_iter().chain(named).chain([Copy::Nobody]);
    let reaches: &[bool] = if chains { &[false, true] } else { &[false] };
    let forms = reaches.iter().flat_map(|chained| [(*chained, true), (*chained, false)]);
    let forms: Vec<_> = forms.collect();
    targets
        .flat_map(|copy| {
            let forms = forms.iter();
            forms.map(move |&(chained, streamed)| Way { chained, streamed, copy })
        })
        .collect()
}

fn name(way: Way<'_>) -> String {
    let reach = if way.chained { "chain-" } else { "" };
    let form = if way.streamed { "streamed" } else { "whole" };
    let copy = match way.copy {
        Copy::Unnamed => ", no copy".to_owned(),
        Copy::To(cluster) => format!(", copied to {cluster}"),
        Copy::Nobody => String::new(),
    };
    format!("{reach}{form}{copy}")
}

/// What a request is on until the filter has named its pool. It has a cluster,
/// because only a route with one carries the limit of the body, and the idle
/// time-out ends an upload that has stopped.
fn holding(plan: &Plan) -> Route {
    route(HOLDING_ROUTE, RouteMatch::default(), action::holding(plan.listener.stream_idle_timeout))
}

/// What the gateway's parts tell each other about a request, and who is calling.
fn not_for_engines(issuers: &[IssuerPlan]) -> Vec<String> {
    let fixed = [
        POOL_HEADER,
        CHAIN_HEADER,
        PICK_HEADER,
        SHADOW_HEADER,
        SHADOW_BODY_HEADER,
        STREAM_HEADER,
        EXTERNAL_ADDRESS_HEADER,
        INTERNAL_HEADER,
    ];
    let payloads = issuers.iter().map(|issuer| issuer.payload_header.clone());
    fixed.map(str::to_owned).into_iter().chain(payloads).collect()
}

fn route(name: &str, when: RouteMatch, action: RouteAction) -> Route {
    Route {
        name: name.to_owned(),
        r#match: Some(when::every_path(when)),
        action: Some(Action::Route(action)),
        ..Route::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(chains: bool, shadows: &[&str]) -> Vec<String> {
        let shadows = shadows.iter().copied().collect();
        ways(chains, &shadows).into_iter().map(name).collect()
    }

    #[test]
    fn there_are_as_many_routes_as_ways() {
        assert_eq!(names(false, &[]), ["streamed", "whole"]);
        assert_eq!(names(true, &[]), ["streamed", "whole", "chain-streamed", "chain-whole"]);
        let copied = names(true, &["pool/b"]);
        assert_eq!(copied[..2], ["streamed, no copy", "whole, no copy"]);
        assert_eq!(copied[4..6], ["streamed, copied to pool/b", "whole, copied to pool/b"]);
        assert_eq!(copied[8..], names(true, &[]));
    }
}
