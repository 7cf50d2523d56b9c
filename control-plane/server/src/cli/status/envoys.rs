//! The Envoys: what they have, what they refuse, what is odd about them.

use crate::cli::table::{self, plain};
use crate::cli::when;
use admin::{EnvoyStatus, Rollout};

const COLUMNS: [&str; 7] = ["ENVOY", "VERSION", "CONNECTED", "CANARY", "HAS", "CURRENT", "REFUSED"];

/// A row each.
pub fn table(envoys: &[EnvoyStatus]) -> String {
    let mut table = table::new(&COLUMNS, &["REFUSED"]);
    for envoy in envoys {
        table.add_row([
            plain(&envoy.node),
            table::or_nothing(Some(plain(&envoy.envoy_version)).filter(|it| !it.is_empty())),
            table::yes_or_no(envoy.is_connected()),
            table::or_nothing(Some(table::yes_or_no(true)).filter(|_| envoy.canary)),
            table::or_nothing(envoy.converged_to.as_ref()),
            table::yes_or_no(envoy.converged),
            envoy.refused().to_string(),
        ]);
    }
    table::text(&table)
}

/// What an operator should look at, a line each.
pub fn warnings(envoys: &[EnvoyStatus]) -> Vec<String> {
    envoys.iter().flat_map(|envoy| oddities(envoy).into_iter().chain(nacks(envoy))).collect()
}

fn oddities(envoy: &EnvoyStatus) -> Vec<String> {
    let node = plain(&envoy.node);
    let mut lines = Vec::new();
    if let Some(why) = envoy.unsupported.as_ref().filter(|_| envoy.is_connected()) {
        lines.push(format!("UNSUPPORTED {node}: {}", plain(why)));
    }
    if envoy.duplicate {
        lines.push(format!("DUPLICATE {node}: several Envoys are connected under this id"));
    }
    lines
}

fn nacks(envoy: &EnvoyStatus) -> impl Iterator<Item = String> + '_ {
    envoy.types.iter().flat_map(move |(kind, state)| {
        state.refused.iter().map(move |(name, nack)| {
            let (at, error) = (when(nack.at_ms), plain(&nack.error));
            format!("NACK {at} {}: {kind} {}: {error}", plain(&envoy.node), plain(name))
        })
    })
}

/// How far the last change has got; nothing where that goes without saying.
pub fn rollout(rollout: &Rollout) -> Option<String> {
    match rollout {
        Rollout::Idle { untried: false } => None,
        Rollout::Idle { untried: true } => {
            Some("untried: no canary was connected, everybody got it at once".to_owned())
        }
        Rollout::Soaking { since_ms, waits_for, until_ms } => {
            let next = match until_ms {
                Some(at) => format!("for everybody at {}", when(*at)),
                None if waits_for.is_empty() => "waits for a canary to connect".to_owned(),
                None => format!("waits for {}", plain(&waits_for.join(", "))),
            };
            Some(format!("canaries only, since {}; {next}", when(*since_ms)))
        }
        Rollout::Stopped { node, kind, resource, error, at_ms } => {
            let refused = format!("{node} refused {kind} {resource}: {error}");
            Some(format!("STOPPED at {}: {}", when(*at_ms), plain(&refused)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use admin::{Refusal, TypeStatus};
    use std::collections::BTreeMap;

    fn refusing() -> EnvoyStatus {
        let nack =
            Refusal { error: "no such\n\x1b[31mthing".into(), at_ms: 1_500, ..Refusal::default() };
        let state = TypeStatus {
            refused: BTreeMap::from([("pool/a".to_owned(), nack)]),
            ..TypeStatus::default()
        };
        EnvoyStatus {
            node: "gateway".into(),
            envoy_version: "1.40.0".into(),
            converged_to: Some("s1".into()),
            types: BTreeMap::from([("cluster".to_owned(), state)]),
            ..EnvoyStatus::default()
        }
    }

    #[test]
    fn a_refusal_is_one_line_with_its_time_and_without_control_characters() {
        let lines = warnings(&[refusing()]);
        assert_eq!(
            lines,
            ["NACK 1970-01-01T00:00:01.500Z gateway: cluster pool/a: no such  [31mthing"]
        );
    }

    #[test]
    fn rows_say_who_has_what_is_in_force() {
        let gone =
            EnvoyStatus { node: "b".into(), disconnected_at_ms: Some(1), ..EnvoyStatus::default() };
        let canary = EnvoyStatus { canary: true, converged: true, ..refusing() };
        let text = table(&[canary, gone]);
        let rows: Vec<Vec<_>> = text.lines().map(|row| row.split_whitespace().collect()).collect();
        assert_eq!(rows[0], COLUMNS);
        assert_eq!(rows[1], ["gateway", "1.40.0", "yes", "yes", "s1", "yes", "1"]);
        assert_eq!(rows[2], ["b", "-", "no", "-", "-", "no", "0"]);
    }

    #[test]
    fn unsupported_and_doubled_envoys_are_named() {
        let odd = EnvoyStatus {
            node: "a".into(),
            unsupported: Some("too old".into()),
            duplicate: true,
            ..EnvoyStatus::default()
        };
        let said =
            ["UNSUPPORTED a: too old", "DUPLICATE a: several Envoys are connected under this id"];
        assert_eq!(warnings(std::slice::from_ref(&odd)), said);
        let gone = EnvoyStatus { disconnected_at_ms: Some(1), duplicate: false, ..odd };
        assert!(warnings(&[gone]).is_empty());
    }

    #[test]
    fn how_far_a_change_has_got() {
        let soaking = |waits_for: &[&str], until_ms| Rollout::Soaking {
            since_ms: 2_000,
            waits_for: waits_for.iter().map(ToString::to_string).collect(),
            until_ms,
        };
        let since = "canaries only, since 1970-01-01T00:00:02.000Z; ";
        let stopped = Rollout::Stopped {
            node: "canary-1".into(),
            kind: "cluster".into(),
            resource: "pool/a".into(),
            error: "no\nsuch".into(),
            at_ms: 2_000,
        };
        let table = [
            (soaking(&["a", "b"], None), format!("{since}waits for a, b")),
            (soaking(&[], None), format!("{since}waits for a canary to connect")),
            (
                soaking(&[], Some(3_000)),
                format!("{since}for everybody at 1970-01-01T00:00:03.000Z"),
            ),
            (
                stopped,
                "STOPPED at 1970-01-01T00:00:02.000Z: canary-1 refused cluster pool/a: no such"
                    .to_owned(),
            ),
        ];
        for (state, said) in table {
            assert_eq!(rollout(&state), Some(said));
        }
        assert_eq!(rollout(&Rollout::Idle { untried: false }), None);
        assert!(rollout(&Rollout::Idle { untried: true }).unwrap().starts_with("untried"));
    }
}
