//! What is believed of what a source says.
//!
//! A source that suddenly reports no endpoint at all is more often broken than
//! right, so it is doubted for a while. An endpoint that left gets no new request
//! and keeps its place until its running ones had time to end.

use crate::Target;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// An endpoint of a pool, as it is pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Where it listens.
    pub target: Target,
    /// Whether it left: no new request goes there, running ones end in peace.
    pub draining: bool,
}

/// The endpoints of one pool over time. Times are milliseconds of one clock; one
/// that steps back only makes things last longer.
#[derive(Clone, Debug)]
pub struct Membership {
    hold_empty_ms: u64,
    drain_ms: u64,
    places: BTreeMap<SocketAddr, Place>,
    doubted_since_ms: Option<u64>,
}

#[derive(Clone, Debug)]
struct Place {
    target: Target,
    /// `None`: it is a member; else it is draining until then.
    drained_ms: Option<u64>,
}

impl Membership {
    /// No endpoint yet. `hold_empty`: how long a source that reports none is not
    /// believed; `drain`: how long one that left keeps its place. Zero is at once.
    #[must_use]
    pub fn new(hold_empty: Duration, drain: Duration) -> Membership {
        Membership {
            hold_empty_ms: millis(hold_empty),
            drain_ms: millis(drain),
            places: BTreeMap::new(),
            doubted_since_ms: None,
        }
    }

    /// Other times than those of [`new`](Self::new), from now on: who drains
    /// already keeps the time that he was given.
    pub fn set(&mut self, hold_empty: Duration, drain: Duration) {
        self.hold_empty_ms = millis(hold_empty);
        self.drain_ms = millis(drain);
    }

    /// The source that said that there is none cannot be asked now: what it said
    /// is doubted for another while.
    pub fn doubt_again(&mut self, now_ms: u64) {
        if let Some(since_ms) = &mut self.doubted_since_ms {
            *since_ms = now_ms;
        }
    }

    /// Envoy is to find the servers by itself: nobody has a place here.
    pub fn forget_all(&mut self) {
        self.places.clear();
        self.doubted_since_ms = None;
    }

    /// Another source is asked: nobody doubts what it has not said.
    pub fn forget_doubt(&mut self) {
        self.doubted_since_ms = None;
    }

    /// Takes what the source found: what is missing drains, what came back is a
    /// member again. Of several targets with one address the first counts.
    pub fn found(&mut self, targets: &[Target], now_ms: u64) {
        if targets.is_empty() && self.has_active() && self.hold_empty_ms > 0 {
            self.doubted_since_ms.get_or_insert(now_ms);
        } else {
            self.believe(targets, now_ms);
        }
        self.tick(now_ms);
    }

    /// Does what is due; says whether [`members`](Self::members) changed.
    pub fn tick(&mut self, now_ms: u64) -> bool {
        let believed = self.doubt_ends_ms().is_some_and(|end| end <= now_ms);
        if believed {
            self.believe(&[], now_ms);
        }
        let before = self.places.len();
        self.places.retain(|_, place| place.drained_ms.is_none_or(|end| end > now_ms));
        believed || self.places.len() != before
    }

    /// Everybody who has a place, by address.
    #[must_use]
    pub fn members(&self) -> Vec<Member> {
        let member = |place: &Place| Member {
            target: place.target.clone(),
            draining: place.drained_ms.is_some(),
        };
        self.places.values().map(member).collect()
    }

    /// Whether a server has a place and did not leave.
    #[must_use]
    pub fn has(&self, address: SocketAddr) -> bool {
        self.places.get(&address).is_some_and(|place| place.drained_ms.is_none())
    }

    /// When [`tick`](Self::tick) has something to do next.
    #[must_use]
    pub fn next_deadline_ms(&self) -> Option<u64> {
        let drains = self.places.values().filter_map(|place| place.drained_ms);
        drains.chain(self.doubt_ends_ms()).min()
    }

    /// Since when the source says that there is no endpoint and is not believed.
    #[must_use]
    pub fn doubted_since_ms(&self) -> Option<u64> {
        self.doubted_since_ms
    }

    fn has_active(&self) -> bool {
        self.places.values().any(|place| place.drained_ms.is_none())
    }

    fn doubt_ends_ms(&self) -> Option<u64> {
        self.doubted_since_ms.map(|since| since.saturating_add(self.hold_empty_ms))
    }

    fn believe(&mut self, targets: &[Target], now_ms: u64) {
        self.doubted_since_ms = None;
        let mut present = BTreeMap::new();
        for target in targets {
            present.entry(target.address).or_insert(target);
        }
        let drained_ms = now_ms.saturating_add(self.drain_ms);
        for (address, place) in &mut self.places {
            if !present.contains_key(address) {
                place.drained_ms.get_or_insert(drained_ms);
            }
        }
        for (address, target) in present {
            self.places.insert(address, Place { target: target.clone(), drained_ms: None });
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
