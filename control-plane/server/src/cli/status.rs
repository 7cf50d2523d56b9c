//! `tollgate status`.

mod envoys;
mod pools;

use super::client::Client;
use super::{say, say_json, table};
use crate::args::{self, Format};
use crate::error::Failure;
use admin::{ChainsStatus, ConfigStatus, SpoolStatus, Status, Supervised};

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
    parts.push(envoys::table(&status.envoys));
    parts.push(envoys::warnings(&status.envoys).join("\n"));
    parts.push(pools::sources(&status.pools));
    parts.push(pools::balancing(&status.pools));
    parts.push(pools::endpoints(&status.pools));
    if !status.rollouts.is_empty() {
        parts.push(super::rollout::as_table(&status.rollouts));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}

fn head(status: &Status) -> String {
    let mut lines = vec![
        format!("tollgate   {}", status.version),
        format!("gateway    {}", table::or_nothing(status.gateway)),
        format!("config     {}", config(&status.config)),
    ];
    lines.extend(status.supervised.as_ref().map(|own| format!("envoy      {}", envoy(own))));
    lines.push(format!("fallbacks  {}", chains(&status.chains)));
    let rollout = status.rollout.as_ref().and_then(envoys::rollout);
    lines.extend(rollout.map(|it| format!("rollout    {it}")));
    lines.extend(status.ledger.as_ref().map(usage));
    let database = Some(&status.database).filter(|place| !place.is_empty());
    lines.extend(database.map(|place| format!("ledger     {}", table::plain(place))));
    lines.extend(status.spool.as_ref().map(|space| format!("spool      {}", spool(space))));
    lines.join("\n")
}

fn chains(chains: &ChainsStatus) -> String {
    let off = |why: &String| format!("PASSED OVER: {}", table::plain(why));
    chains.why.as_ref().map_or_else(|| "on".to_owned(), off)
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

fn spool(space: &SpoolStatus) -> String {
    const MIB: u64 = 1024 * 1024;
    let free = space.free_bytes.map(|bytes| format!("{} MiB free", bytes / MIB));
    let free = free.unwrap_or_else(|| "free space not known".to_owned());
    if space.full { format!("NEARLY FULL, {free}: billable requests are refused") } else { free }
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

#[cfg(test)]
mod tests {
    use super::*;
    use admin::{EndpointStatus, EnvoyStatus, PoolStatus, RefusedConfig, Rollout};

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
    fn a_full_spool_is_told() {
        let space = SpoolStatus { free_bytes: Some(5 * 1024 * 1024), full: false };
        assert_eq!(spool(&space), "5 MiB free");
        let full = SpoolStatus { full: true, ..space };
        assert_eq!(spool(&full), "NEARLY FULL, 5 MiB free: billable requests are refused");
        assert_eq!(spool(&SpoolStatus::default()), "free space not known");
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
            envoys: vec![EnvoyStatus { node: "gateway".into(), ..EnvoyStatus::default() }],
            rollout: Some(Rollout::Idle { untried: true }),
            pools: vec![PoolStatus {
                name: "a".into(),
                endpoints: vec![EndpointStatus {
                    address: "127.0.0.1:9".into(),
                    ..EndpointStatus::default()
                }],
                ..PoolStatus::default()
            }],
            ..Status::default()
        };
        let text = text(&status);
        for part in [
            "a.yaml:3:1: speed: is unknown",
            "at the next start: control.xds",
            "rollout    untried",
            "\n\nENVOY",
            "\n\nPOOL  SOURCE",
            "\n\nPOOL  ENDPOINT",
            "127.0.0.1:9",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn parts_without_a_word_leave_no_gap() {
        let text = text(&Status::default());
        assert!(!text.contains("\n\n\n"), "{text}");
    }
}
