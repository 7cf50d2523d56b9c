//! Runs the tables: each row is a rule, and a script that shows it kept.

use super::envoy::{Contents, Envoy, snapshot, subscribe, unsubscribe};
use super::{session_rows, subscription_rows};
use crate::{Protocol, ResourceType};

/// What happens, or is seen, next. Names are separated by blanks.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Another snapshot is in force.
    Publish(Contents<'static>),
    /// Envoy asks for these names as well.
    Ask(ResourceType, &'static str),
    /// Envoy gives these names up.
    Leave(ResourceType, &'static str),
    /// The same as `Ask`, with a nonce that was never sent.
    Stale(ResourceType, &'static str),
    /// Envoy sends its last request of the type once more.
    Repeat(ResourceType),
    /// Envoy answers the response in flight: refuses what is bad.
    Answer(ResourceType),
    /// Envoy answers all there is and all that comes of it.
    Settle,
    /// Time goes by, in milliseconds.
    Pass(u64),
    /// The stream breaks, and Envoy asks for these types in this order.
    Reconnect(&'static [ResourceType]),
    /// These responses, and no others, came since the last time: type, names,
    /// and `-` before a name that is taken away.
    Sends(&'static [(ResourceType, &'static str)]),
    /// Envoy runs on this content.
    Has(ResourceType, &'static str, &'static str),
    /// Envoy runs without it.
    HasNot(ResourceType, &'static str),
}

pub struct Row {
    /// Where the rule comes from.
    pub rule: &'static str,
    /// What it demands.
    pub says: &'static str,
    pub protocols: &'static [Protocol],
    pub steps: &'static [Step],
}

pub const DELTA: &[Protocol] = &[Protocol::Delta];
pub const SOTW: &[Protocol] = &[Protocol::Sotw];
pub const BOTH: &[Protocol] = &[Protocol::Delta, Protocol::Sotw];

fn run(row: &Row, protocol: Protocol) {
    let mut envoy = Envoy::of(protocol);
    let mut contents: Contents = &[];
    for (place, step) in row.steps.iter().enumerate() {
        let at = format!("{} · {} · {protocol:?} · step {place}: {step:?}", row.rule, row.says);
        if let Step::Publish(published) = step {
            contents = published;
        }
        take(&mut envoy, *step, contents, &at);
    }
    assert!(envoy.log.is_empty(), "{} · {protocol:?}: unseen {:?}", row.says, envoy.log);
}

fn take(envoy: &mut Envoy, step: Step, contents: Contents, at: &str) {
    let snapshot = snapshot(contents);
    let words = |names: &'static str| names.split_whitespace().collect::<Vec<_>>();
    match step {
        Step::Publish(_) => drop(envoy.change(&snapshot)),
        Step::Ask(kind, names) => drop(envoy.send(&subscribe(kind, &words(names)), &snapshot)),
        Step::Leave(kind, names) => drop(envoy.send(&unsubscribe(kind, &words(names)), &snapshot)),
        Step::Stale(kind, names) => {
            let mut change = subscribe(kind, &words(names));
            change.nonce = Some("999".into());
            envoy.send(&change, &snapshot);
        }
        Step::Repeat(kind) => drop(envoy.send(&subscribe(kind, &[]), &snapshot)),
        Step::Answer(kind) => {
            let place = envoy.inbox.iter().position(|m| m.kind == kind).expect(at);
            envoy.answer(place, &snapshot);
        }
        Step::Settle => envoy.settle(&snapshot),
        Step::Pass(ms) => drop(envoy.pass(ms, &snapshot)),
        Step::Reconnect(order) => envoy.reconnect(order, &snapshot),
        Step::Sends(expected) => {
            let log = std::mem::take(&mut envoy.log);
            let sent: Vec<_> = log.iter().map(|(kind, names)| (*kind, names.as_str())).collect();
            assert_eq!(sent, expected, "{at}");
        }
        Step::Has(kind, name, content) => {
            let has = envoy.has.get(&(kind, name.to_owned()));
            assert_eq!(has.map(String::as_str), Some(content), "{at}");
        }
        Step::HasNot(kind, name) => {
            assert_eq!(envoy.has.get(&(kind, name.to_owned())), None, "{at}");
        }
    }
}

fn run_all(rows: &[Row]) {
    for row in rows {
        row.protocols.iter().for_each(|protocol| run(row, *protocol));
    }
}

#[test]
fn every_rule_of_a_subscription_is_kept() {
    run_all(subscription_rows::ROWS);
}

#[test]
fn every_rule_of_a_session_is_kept() {
    run_all(session_rows::ROWS);
}

#[test]
fn the_tables_cover_all_thirteen_rules() {
    let rows = subscription_rows::ROWS.iter().chain(session_rows::ROWS);
    let cited: Vec<&str> = rows.map(|row| row.rule).collect();
    for number in 1..=13 {
        let found = cited.iter().any(|rule| rule.starts_with(&format!("rule {number}:")));
        assert!(found, "no row cites rule {number}");
    }
}
