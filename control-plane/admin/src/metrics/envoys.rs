//! The Envoys, and what of the configuration they have.

use super::family::Family;
use crate::envoy::{EnvoyStatus, TypeStatus};
use crate::overview::Status;
use prometheus_client::registry::Unit;

/// Most Envoys that have series of their own; connected ones come first.
pub const ENVOYS_MAX: usize = 1_000;
/// Longest node id that becomes a label, in bytes: it is what a peer says of itself.
pub const NODE_BYTES_MAX: usize = 256;

/// The Envoys that have series of their own, and how many have none.
pub fn shown(envoys: &[EnvoyStatus]) -> (Vec<&EnvoyStatus>, usize) {
    let mut shown: Vec<_> = envoys.iter().filter(|one| one.node.len() <= NODE_BYTES_MAX).collect();
    shown.sort_by_key(|one| (!one.is_connected(), &one.node));
    shown.truncate(ENVOYS_MAX);
    let left_out = envoys.len() - shown.len();
    (shown, left_out)
}

/// Everything about `envoys`, which are those of `status` that are shown.
pub fn families(status: &Status, envoys: &[&EnvoyStatus]) -> Vec<Family> {
    let connected = status.envoys.iter().filter(|one| one.is_connected()).count();
    let all = Family::gauge("envoys_connected", "Envoys with an open xDS stream.");
    let mut families = vec![all.with([], connected)];
    families.extend(supervised(status));
    families.extend(each(envoys));
    families.extend(resources(envoys));
    families.extend(messages(envoys));
    families
}

fn supervised(status: &Status) -> Vec<Family> {
    let Some(own) = &status.supervised else { return Vec::new() };
    vec![
        Family::gauge("envoy_running", "Whether the Envoy that Tollgate keeps alive runs.")
            .with([], own.pid.is_some()),
        Family::counter("envoy_restarts", "Starts of that Envoy after it had died.")
            .with([], own.restarts),
    ]
}

fn each(envoys: &[&EnvoyStatus]) -> Vec<Family> {
    let mut info = Family::info("envoy", "What the Envoy says of itself.");
    for envoy in envoys {
        info.set(
            [
                ("node", &envoy.node),
                ("version", &envoy.envoy_version),
                ("protocol", &envoy.protocol),
                ("canary", if envoy.canary { "true" } else { "false" }),
            ],
            true,
        );
    }
    let connected = Family::gauge("envoy_connected", "Whether the Envoy has an open xDS stream.");
    let supported =
        Family::gauge("envoy_supported", "Whether the Envoy is one that the product supports.");
    let duplicate =
        Family::gauge("envoy_duplicate", "Whether another Envoy is connected under the same id.");
    let converged = Family::gauge(
        "xds_converged",
        "Whether the Envoy acknowledged all of the resources in force for it.",
    );
    vec![
        info,
        by_node(connected, envoys, EnvoyStatus::is_connected),
        by_node(supported, envoys, |envoy| envoy.unsupported.is_none()),
        by_node(duplicate, envoys, |envoy| envoy.duplicate),
        by_node(converged, envoys, |envoy| envoy.converged),
    ]
}

fn by_node(
    mut family: Family,
    envoys: &[&EnvoyStatus],
    is_so: impl Fn(&EnvoyStatus) -> bool,
) -> Family {
    for envoy in envoys {
        family.set([("node", &envoy.node)], is_so(envoy));
    }
    family
}

fn resources(envoys: &[&EnvoyStatus]) -> Vec<Family> {
    let had = Family::gauge("xds_resources", "Resources that the Envoy has.");
    let refused = Family::gauge(
        "xds_refused_resources",
        "Resources that the Envoy refuses, keeping an older version.",
    );
    let nacked =
        Family::gauge("xds_last_nack_timestamp", "When the Envoy last refused a response.")
            .in_unit(Unit::Seconds);
    vec![
        by_type(had, envoys, |state| Some(state.acked as f64)),
        by_type(refused, envoys, |state| Some(state.refused.len() as f64)),
        by_type(nacked, envoys, |state| Some(super::seconds(state.last_nack.as_ref()?.at_ms))),
    ]
}

fn by_type(
    mut family: Family,
    envoys: &[&EnvoyStatus],
    value: impl Fn(&TypeStatus) -> Option<f64>,
) -> Family {
    for envoy in envoys {
        for (kind, state) in &envoy.types {
            family.set([("node", &envoy.node), ("type", kind)], value(state));
        }
    }
    family
}

fn messages(envoys: &[&EnvoyStatus]) -> Vec<Family> {
    let mut sent = Family::counter("xds_responses", "Responses sent to the Envoy.");
    let mut accepted = Family::counter("xds_acks", "Responses that the Envoy accepted.");
    let mut refused = Family::counter("xds_nacks", "Responses that the Envoy refused.");
    for envoy in envoys {
        for (kind, counts) in &envoy.counts {
            let labels = [("node", envoy.node.as_str()), ("type", kind.as_str())];
            sent.set(labels, counts.responses);
            accepted.set(labels, counts.acks);
            refused.set(labels, counts.nacks);
        }
    }
    vec![sent, accepted, refused]
}
