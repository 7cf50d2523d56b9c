//! What the names in a list stand for, and when to ask again. Pure: questions go
//! out and answers come in at given times.

use crate::Target;
use crate::backoff::Backoff;
use crate::dns::{Answer, QUESTION_MAX};
use crate::error::Error;
use crate::pace;
use crate::source::Zones;
use model::{Endpoint, Host};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::time::Instant;

/// When a question is taken for lost: longer than asking for A and then AAAA
/// records can take.
const LOST: Duration = QUESTION_MAX.saturating_mul(3);

/// The names of a list.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: BTreeMap<String, Known>,
}

#[derive(Debug)]
struct Known {
    /// Of the last good answer.
    addresses: Option<Vec<IpAddr>>,
    /// Why the last question was not answered.
    error: Option<String>,
    /// Questions in a row that brought no address.
    backoff: Backoff,
    /// When to ask; while a question is out, when it is lost.
    due: Instant,
}

/// What a list stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resolved {
    /// Sorted, each address once.
    pub(crate) targets: Vec<Target>,
    /// Why some are missing or old.
    pub(crate) error: Option<String>,
}

impl Names {
    /// Asks for the names in `endpoints` from now on, and for no others.
    pub(crate) fn want(&mut self, endpoints: &[Endpoint], now: Instant) {
        let wanted: BTreeSet<&str> = endpoints.iter().filter_map(name).collect();
        self.known.retain(|name, _| wanted.contains(name.as_str()));
        for name in wanted {
            self.known.entry(name.to_owned()).or_insert_with(|| Known {
                addresses: None,
                error: None,
                backoff: Backoff::default(),
                due: now,
            });
        }
    }

    /// Up to `room` names to ask for now.
    pub(crate) fn take_due(&mut self, room: usize, now: Instant) -> Vec<String> {
        let due = self.known.iter_mut().filter(|(_, known)| known.due <= now).take(room);
        due.map(|(name, known)| {
            known.due = now + LOST;
            name.clone()
        })
        .collect()
    }

    /// When a name is due next.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.known.values().map(|known| known.due).min()
    }

    /// Takes an answer. A failed question keeps the last addresses.
    pub(crate) fn answered(
        &mut self,
        name: &str,
        answer: Result<Answer<IpAddr>, Error>,
        now: Instant,
    ) {
        let Some(known) = self.known.get_mut(name) else { return };
        let answered = answer.as_ref().ok().filter(|answer| !answer.values.is_empty());
        let ttl = answered.map(|answer| answer.ttl);
        known.due = now + pace::until_next(ttl, &mut known.backoff);
        match answer {
            Ok(answer) => (known.addresses, known.error) = (Some(answer.values), None),
            Err(error) => known.error = Some(error.to_string()),
        }
    }

    /// What `endpoints` stand for; `None` while a name was asked for and not yet
    /// answered, so that an endpoint is not taken away before its successor is
    /// known.
    pub(crate) fn resolve(&self, endpoints: &[Endpoint], zones: &Zones) -> Option<Resolved> {
        let unanswered = |known: &Known| known.addresses.is_none() && known.error.is_none();
        if self.known.values().any(unanswered) {
            return None;
        }
        let mut targets = BTreeMap::new();
        for target in endpoints.iter().flat_map(|endpoint| self.targets(endpoint, zones)) {
            targets.entry(target.address).or_insert(target);
        }
        Some(Resolved { targets: targets.into_values().collect(), error: self.error() })
    }

    fn targets(&self, endpoint: &Endpoint, zones: &Zones) -> Vec<Target> {
        let target = |ip: IpAddr, hostname| Target {
            address: SocketAddr::new(ip, endpoint.port),
            hostname,
            tls: endpoint.tls,
            zone: zones.get(endpoint).cloned(),
        };
        match &endpoint.host {
            Host::Ip(ip) => vec![target(*ip, None)],
            Host::Name(name) => {
                let known = self.known.get(name).and_then(|known| known.addresses.as_deref());
                let hostname = Some(name.trim_end_matches('.').to_owned());
                let ips = known.unwrap_or_default().iter();
                ips.map(|ip| target(*ip, hostname.clone())).collect()
            }
        }
    }

    /// The first name's error, and how many more there are.
    fn error(&self) -> Option<String> {
        let mut errors = self.known.values().filter_map(|known| known.error.as_deref());
        let first = errors.next()?.to_owned();
        match errors.count() {
            0 => Some(first),
            more => Some(format!("{first}; and {more} more")),
        }
    }
}

fn name(endpoint: &Endpoint) -> Option<&str> {
    match &endpoint.host {
        Host::Name(name) => Some(name),
        Host::Ip(_) => None,
    }
}

#[cfg(test)]
mod tests;
