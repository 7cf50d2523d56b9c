//! `GET /metrics`: the [`Status`] as OpenMetrics text, which Prometheus reads.
//!
//! How many series there are is bounded whatever the peers say of themselves: see
//! [`envoys::ENVOYS_MAX`] and [`pools::ENDPOINTS_MAX`]; what is left out is counted.
//! No text of an error is ever a label.

mod access;
mod envoys;
mod family;
mod money;
mod pools;
#[cfg(test)]
mod tests;

use crate::api::Admin;
use crate::overview::{ConfigStatus, Status};
use crate::problem::Problem;
use crate::rollout::Rollout;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use family::Family;
use ledger::Counts;
use prometheus_client::registry::Unit;

/// What the answer is written in.
const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /metrics`
pub async fn metrics(State(admin): State<Admin>) -> Result<Response, Problem> {
    let mut families = families(&admin.overview.status().await);
    families.extend(money::budgets(&money::standings(&admin).await));
    families.extend(access::families(&access::Figures::of(&admin).await));
    let text = family::exposition(families).map_err(|error| Problem::internal(&error))?;
    Ok(([(CONTENT_TYPE, MEDIA_TYPE)], text).into_response())
}

fn families(status: &Status) -> Vec<Family> {
    let (envoys, envoys_left_out) = envoys::shown(&status.envoys);
    let (endpoints, endpoints_left_out) = pools::shown(&status.pools);
    let build = Family::info("build", "Version of Tollgate.");
    let mut families = vec![build.with([("version", &status.version)], true)];
    families.extend(config(&status.config));
    families.extend(envoys::families(status, &envoys));
    families.extend(status.rollout.as_ref().map(rollout));
    families.extend(pools::families(&status.pools, &endpoints));
    families.extend(status.ledger.iter().flat_map(ledger));
    families.extend(money::gateways(status));
    families.push(
        Family::gauge("metrics_left_out", "Envoys and endpoints that have no series here.")
            .with([("of", "envoys")], envoys_left_out)
            .with([("of", "endpoints")], endpoints_left_out),
    );
    families
}

fn config(config: &ConfigStatus) -> Vec<Family> {
    let loaded = |at: &str| at.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond);
    let loaded = loaded(&config.loaded_at).and_then(|at_ms| u64::try_from(at_ms).ok());
    let snapshot = config.snapshot.as_deref().unwrap_or_default();
    vec![
        Family::info("config", "The configuration in force.")
            .with([("version", &config.version), ("snapshot", snapshot)], true),
        Family::gauge("config_loaded_timestamp", "Since when it is in force.")
            .in_unit(Unit::Seconds)
            .with([], loaded.map(seconds)),
        Family::gauge("config_refused", "Whether what stands in the file now cannot be used.")
            .with([], config.refused.is_some()),
        Family::gauge("config_pending_restart", "Changed settings that wait for the next start.")
            .with([], config.pending_restart.len()),
    ]
}

fn ledger(ledger: &ledger::Status) -> Vec<Family> {
    let counter = |name, help, of: fn(&Counts) -> u64| {
        Family::counter(name, help).with([], of(&ledger.counts))
    };
    vec![
        Family::gauge("ledger_lag", "Usage in the spool that is not in the ledger.")
            .in_unit(Unit::Bytes)
            .with([], ledger.lag_bytes),
        counter("ledger_lines", "Lines of the usage spool that were read.", |c| c.lines),
        counter("ledger_malformed_lines", "Lines that cannot be read.", |c| c.malformed),
        counter("ledger_torn_lines", "Lines that a dead gateway did not finish.", |c| c.torn),
        counter("ledger_unpriced_records", "Records at no cost: their prices are unknown.", |c| {
            c.unpriced
        }),
        counter("ledger_recovered_requests", "Ends found in a dead gateway's journal.", |c| {
            c.recovered
        }),
        counter("ledger_lost_requests", "Requests posted as lost with their gateway.", |c| c.lost),
        counter("ledger_conflicts", "Ends of requests that were posted as lost before.", |c| {
            c.conflicts
        }),
        counter("ledger_spool_restarts", "Times that the reading had to begin anew.", |c| {
            c.restarts
        }),
    ]
}

fn rollout(rollout: &Rollout) -> Family {
    let mut family = Family::gauge("xds_rollout", "How far the last change has got, 1 is so.");
    for state in Rollout::STATES {
        family.set([("state", state)], rollout.state() == state);
    }
    family
}

/// Unix milliseconds as the seconds of a metric.
fn seconds(at_ms: u64) -> f64 {
    at_ms as f64 / 1_000.0
}
