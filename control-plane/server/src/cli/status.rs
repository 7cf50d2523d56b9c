//! `tollgate status`.

use super::client::Client;
use super::{say, say_json, table};
use crate::args::{self, Format};
use crate::error::Failure;
use admin::{ConfigStatus, PoolStatus, Status, Supervised};
use serde_json::Value;

/// Prints what runs.
pub async fn run(wanted: &args::Status) -> Result<(), Failure> {
    let status: Status = Client::of(&wanted.target)?.get("status", &[]).await?;
    match wanted.format {
        Format::Json => say_json(&status),
        Format::Table => say(&text(&status)),
    }
}

fn text(status: &Status) -> String {
    let mut parts = vec![head(status)];
    if let Some(refused) = &status.config.refused {
        parts.push(format!("REFUSED at {}\n{}", refused.at, refused.problems.join("\n")));
    }
    parts.push(envoys(&status.envoys));
    parts.extend(Some(nacks(&status.envoys)).filter(|nacks| !nacks.is_empty()));
    parts.push(pools(&status.pools));
    parts.join("\n\n")
}

fn head(status: &Status) -> String {
    let mut lines = vec![
        format!("tollgate   {}", status.version),
        format!("gateway    {}", table::or_nothing(status.gateway)),
        format!("config     {}", config(&status.config)),
    ];
    lines.extend(status.supervised.as_ref().map(|own| format!("envoy      {}", envoy(own))));
    lines.extend(status.ledger.as_ref().map(usage));
    lines.join("\n")
}

fn usage(ledger: &ledger::Status) -> String {
    let (lag, counts) = (ledger.lag_bytes, &ledger.counts);
    let mut line = format!("usage      {} lines read, {lag} bytes to read", counts.lines);
    let (recovered, lost, nobodys) = (counts.recovered, counts.lost, counts.lost_anonymous);
    if recovered + lost + nobodys > 0 {
        let of_the_dead = format!("{recovered} recovered, {lost} cut, {nobodys} unknown");
        line.push_str("; of gateways that died: ");
        line.push_str(&of_the_dead);
    }
    line
}

fn config(config: &ConfigStatus) -> String {
    let mut text = format!("{} {} since {}", config.file, config.version, config.loaded_at);
    if !config.pending_restart.is_empty() {
        text.push_str("; at the next start: ");
        text.push_str(&config.pending_restart.join(", "));
    }
    text
}

fn envoy(own: &Supervised) -> String {
    let how = if own.adopted { "adopted" } else { "started" };
    match own.pid {
        Some(pid) => format!("pid {pid}, {how}, {} restarts", own.restarts),
        None => format!("not running, {} restarts", own.restarts),
    }
}

fn envoys(envoys: &[Value]) -> String {
    let mut table = table::new(&["ENVOY", "VERSION", "CONNECTED", "HAS"], &[]);
    for envoy in envoys {
        let word = |name| table::or_nothing(envoy.get(name).and_then(Value::as_str));
        let gone = envoy.get("disconnected_at_ms").is_some_and(|at| !at.is_null());
        let connected = if gone { "no" } else { "yes" }.to_owned();
        table.add_row([word("node"), word("envoy_version"), connected, word("converged_to")]);
    }
    table::text(&table)
}

/// What the Envoys refuse, a line each.
fn nacks(envoys: &[Value]) -> String {
    let mut lines = Vec::new();
    for envoy in envoys {
        let node = envoy.get("node").and_then(Value::as_str).unwrap_or_default();
        for (kind, state) in envoy.get("types").and_then(Value::as_object).into_iter().flatten() {
            for (name, nack) in
                state.get("refused").and_then(Value::as_object).into_iter().flatten()
            {
                let error = nack.get("error").and_then(Value::as_str).unwrap_or_default();
                lines.push(format!("NACK {node}: {kind} {name}: {error}"));
            }
        }
    }
    lines.join("\n")
}

fn pools(pools: &[PoolStatus]) -> String {
    let mut table = table::new(&["POOL", "MODEL", "ENDPOINT", "HEALTH", "ACTIVE"], &["ACTIVE"]);
    for pool in pools {
        for endpoint in &pool.endpoints {
            table.add_row([
                pool.name.clone(),
                pool.model.clone(),
                endpoint.address.clone(),
                table::or_nothing(endpoint.health.as_ref()),
                table::or_nothing(endpoint.active_requests),
            ]);
        }
    }
    table::text(&table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use admin::{EndpointStatus, RefusedConfig};
    use serde_json::json;

    #[test]
    fn what_dead_gateways_left_is_told_once_there_is_some() {
        let mut ledger = ledger::Status {
            position: ledger::Position { generation: 1, offset: 0 },
            lag_bytes: 7,
            counts: ledger::Counts { lines: 3, ..ledger::Counts::default() },
        };
        assert_eq!(usage(&ledger), "usage      3 lines read, 7 bytes to read");
        ledger.counts.recovered = 2;
        assert!(usage(&ledger).ends_with("; of gateways that died: 2 recovered, 0 cut, 0 unknown"));
    }

    #[test]
    fn what_was_refused_is_seen() {
        let status = Status {
            config: ConfigStatus {
                refused: Some(RefusedConfig {
                    at: "t".into(),
                    problems: vec!["a.yaml:3:1: speed: is unknown".into()],
                }),
                pending_restart: vec!["control.xds".into()],
                ..ConfigStatus::default()
            },
            envoys: vec![json!({
                "node": "gateway",
                "envoy_version": "1.40.0",
                "types": {"cluster": {"refused": {"pool/a": {"error": "no such thing"}}}},
            })],
            pools: vec![PoolStatus {
                name: "a".into(),
                model: "m".into(),
                endpoints: vec![EndpointStatus {
                    address: "127.0.0.1:9".into(),
                    ..EndpointStatus::default()
                }],
            }],
            ..Status::default()
        };
        let text = text(&status);
        for part in [
            "a.yaml:3:1: speed: is unknown",
            "at the next start: control.xds",
            "NACK gateway: cluster pool/a: no such thing",
            "127.0.0.1:9",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
