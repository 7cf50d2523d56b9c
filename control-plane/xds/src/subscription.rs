//! What one Envoy wants of one type, what it has of it, and what is on the way.
//!
//! A value without a network and without a clock. The rules are those of the
//! xDS protocol ("Incremental xDS" and "State of the World" in Envoy's
//! documentation) and of Envoy's and other servers' bug reports, quoted where
//! they apply. Names and resources are shared with the snapshot: an entry costs
//! a pointer or two.

mod outgoing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ask::{Ask, Names, Protocol, WILDCARD};
use crate::had::{Differences, Had};
use crate::resource::{Resource, ResourceType, Version};
use crate::snapshot::TypeSet;
use crate::status::{Counts, Nack};

/// About how much goes into one response, in bytes. The rest follows the
/// acknowledgement, so that a thousand Envoys that start at once, or never
/// read, do not take a thousand times the memory of a whole snapshot.
const RESPONSE_BYTES: usize = 32 << 10;
/// After so many new names it is worth building their trees anew.
const COMPACT_FROM: usize = 256;
/// From so many refusals on, each keeps only the beginning of its text.
const WORDY_REFUSALS_MAX: usize = 32;

/// A response on the way.
#[derive(Clone, Debug)]
struct InFlight {
    snapshot: Arc<str>,
    resources: Vec<Arc<Resource>>,
    removed: Vec<Arc<str>>,
    /// The set it was made of.
    set: Option<Version>,
    sent_at_ms: u64,
}

#[derive(Clone, Debug)]
struct Refusal {
    version: Version,
    nack: Arc<Nack>,
}

/// What a request said of the response before it.
#[derive(Clone, Debug)]
pub(crate) enum Settled {
    /// Nothing: a plain request, or a stale nonce.
    Nothing,
    Ack,
    Nack(Arc<Nack>),
}

#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    kind: ResourceType,
    protocol: Protocol,
    wildcard: bool,
    /// Something was asked for by name once: no legacy wildcard after that.
    named_once: bool,
    names: BTreeSet<Arc<str>>,
    /// What Envoy has: acknowledged, or declared when it connected.
    known: BTreeSet<Had>,
    /// State of the world after a reconnect: Envoy has something, and nothing
    /// says what. A full state that left a name out would take it away.
    unsure: bool,
    /// What is not as it shall be in the set of version `looked_at`.
    differ: Differences,
    looked_at: Option<Version>,
    /// Names of which that has to be found out anew.
    recheck: Vec<Arc<str>>,
    /// How many names and resources came since the trees were built.
    grown: usize,
    /// Names to answer whatever version Envoy has.
    owed: BTreeSet<Arc<str>>,
    /// An answer is due even if there is nothing to put into it.
    owes_answer: bool,
    /// Of the last response; empty before the first.
    nonce: String,
    in_flight: Option<InFlight>,
    refused: BTreeMap<Arc<str>, Refusal>,
    /// Parts of a refused response, each to be sent by itself; the last first.
    suspects: Vec<Vec<Arc<str>>>,
    /// What was in a refused response beside others and is not known: Envoy may have taken it.
    doubtful: BTreeSet<Arc<str>>,
    last_nack: Option<Arc<Nack>>,
    acked_snapshot: Option<Arc<str>>,
    counts: Counts,
    /// Since when nothing uses these gone names any more, in milliseconds.
    pub(crate) unused_since: BTreeMap<Arc<str>, u64>,
}

impl Subscription {
    /// The first request of a type on a stream. Without names it is the legacy
    /// wildcard; `initial_resource_versions` say what a reconnected Envoy has.
    pub(crate) fn open(protocol: Protocol, ask: &Ask, set: &TypeSet) -> Self {
        let mut this = Self::empty(protocol, ask.kind);
        match &ask.names {
            Names::Change { subscribe, unsubscribe, declared } => {
                this.wildcard = subscribe.is_empty() && ask.kind.has_legacy_wildcard();
                this.owes_answer = this.wildcard;
                this.change_names(subscribe, unsubscribe, set);
                for (name, version) in declared {
                    this.declare(name, version, set);
                }
            }
            Names::All { names, has_some } => {
                this.set_names(names, set);
                this.unsure = *has_some && this.is_full_state();
                this.owes_answer = this.wildcard || !names.is_empty();
            }
        }
        this
    }

    fn empty(protocol: Protocol, kind: ResourceType) -> Self {
        Self {
            kind,
            protocol,
            wildcard: false,
            named_once: false,
            names: BTreeSet::new(),
            known: BTreeSet::new(),
            unsure: false,
            differ: Differences::default(),
            looked_at: None,
            recheck: Vec::new(),
            grown: 0,
            owed: BTreeSet::new(),
            owes_answer: false,
            nonce: String::new(),
            in_flight: None,
            refused: BTreeMap::new(),
            suspects: Vec::new(),
            doubtful: BTreeSet::new(),
            last_nack: None,
            acked_snapshot: None,
            counts: Counts::default(),
            unused_since: BTreeMap::new(),
        }
    }

    fn declare(&mut self, name: &str, version: &str, set: &TypeSet) {
        if !self.wants(name) {
            return;
        }
        let version = Version::declared(version);
        let same = set.all.get(name).filter(|r| r.version == version).cloned();
        let had = same.unwrap_or_else(|| Arc::new(Resource::declared(name, version)));
        self.known.replace(Had(had));
    }

    /// Whether each response holds everything of the type.
    fn is_full_state(&self) -> bool {
        self.protocol == Protocol::Sotw && self.kind.has_legacy_wildcard()
    }

    pub(crate) fn wants(&self, name: &str) -> bool {
        self.wildcard || self.names.contains(name)
    }

    pub(crate) fn wants_by_name(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    pub(crate) fn knows(&self, name: &str) -> bool {
        self.known.contains(name)
    }

    pub(crate) fn is_owed(&self, name: &str) -> bool {
        self.owed.contains(name)
    }

    fn has(&self, resource: &Resource) -> bool {
        self.known.get(&*resource.name).is_some_and(|had| had.0.version == resource.version)
    }

    /// How many names this Envoy makes the server remember.
    pub(crate) fn size(&self) -> usize {
        self.names.len() + self.known.len()
    }

    /// When the response in flight was sent, in milliseconds.
    pub(crate) fn in_flight_since_ms(&self) -> Option<u64> {
        self.in_flight.as_ref().map(|flight| flight.sent_at_ms)
    }

    /// `name` must be sent again even if Envoy has it.
    pub(crate) fn owe(&mut self, name: Arc<str>) {
        self.owed.insert(name);
    }

    /// Takes in a request after the first. Returns what it said of the last
    /// response.
    pub(crate) fn take(&mut self, ask: &Ask, set: &TypeSet, now_ms: u64) -> Settled {
        match &ask.names {
            // A stale nonce must not lose a subscription (envoy#16659).
            Names::Change { subscribe, unsubscribe, .. } => {
                let settled = self.settle(ask, now_ms);
                self.change_names(subscribe, unsubscribe, set);
                settled
            }
            // Here every request names all, so a stale one says nothing that
            // the next does not: it is passed over (envoy#10363).
            Names::All { .. } if self.is_stale(&ask.nonce) => Settled::Nothing,
            Names::All { names, .. } => {
                let settled = self.settle(ask, now_ms);
                let same = !self.set_names(names, set);
                if same && ask.error.is_none() && matches!(settled, Settled::Nothing) {
                    self.owe_again();
                }
                settled
            }
        }
    }

    fn is_stale(&self, nonce: &str) -> bool {
        let from_before_the_first = nonce.is_empty() && self.in_flight.is_none();
        self.nonce != nonce && !from_before_the_first
    }

    /// The same names again, behind a response that was settled before: Envoy
    /// repeats itself after a cluster changed, and keeps it warming until it is
    /// answered. What it refused is not sent in a loop.
    fn owe_again(&mut self) {
        if !self.is_full_state() {
            let again = self.names.iter().filter(|name| !self.refused.contains_key(*name));
            self.owed.extend(again.cloned());
        }
    }

    fn change_names(&mut self, subscribe: &[String], unsubscribe: &[String], set: &TypeSet) {
        for name in unsubscribe {
            self.unsubscribe(name);
        }
        for name in subscribe {
            self.subscribe(name, set);
        }
    }

    /// State of the world: returns whether the names differ from before. None
    /// at all means all for listeners and clusters, until some were named.
    fn set_names(&mut self, names: &[String], set: &TypeSet) -> bool {
        self.named_once |= !names.is_empty();
        let legacy = self.kind.has_legacy_wildcard() && !self.named_once;
        let wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let wildcard = legacy || wanted.contains(WILDCARD);
        let left = self.names.iter().filter(|name| !wanted.contains(&***name));
        let left: Vec<Arc<str>> = left.cloned().collect();
        let is_new = |name: &&&str| **name != WILDCARD && !self.names.contains(**name);
        let new: Vec<&str> = wanted.iter().filter(is_new).copied().collect();
        let differs = wildcard != self.wildcard || !left.is_empty() || !new.is_empty();
        // What stays wanted in another way is not forgotten: new names first.
        new.iter().for_each(|name| self.subscribe(name, set));
        match (self.wildcard, wildcard) {
            (false, true) => self.subscribe(WILDCARD, set),
            (true, false) => self.unsubscribe(WILDCARD),
            _ => {}
        }
        left.iter().for_each(|name| self.unsubscribe(name));
        differs
    }

    /// A name asked for is answered though its version is known: the client
    /// may have forgotten it (envoy#22418, go-control-plane#585).
    fn subscribe(&mut self, name: &str, set: &TypeSet) {
        if name == WILDCARD {
            self.owes_answer |= !self.wildcard;
            self.wildcard = true;
            self.looked_at = None;
            return;
        }
        let shared = set.all.get_key_value(name).map(|(name, _)| name.clone());
        let name = shared.unwrap_or_else(|| name.into());
        self.grown += usize::from(self.names.insert(name.clone()));
        self.recheck.push(name.clone());
        self.owe(name);
    }

    fn unsubscribe(&mut self, name: &str) {
        if name == WILDCARD {
            self.wildcard = false;
            self.looked_at = None;
            let names = &self.names;
            self.known.retain(|had| names.contains(&had.0.name));
            self.owed.retain(|name| names.contains(name));
            self.refused.retain(|name, _| names.contains(name));
            self.doubtful.retain(|name| names.contains(name));
            self.unused_since.retain(|name, _| names.contains(name));
            return;
        }
        let Some(name) = self.names.take(name) else { return };
        if !self.wildcard {
            self.owed.remove(&name);
            self.forget(&name);
            self.recheck.push(name);
        } else if self.protocol == Protocol::Delta {
            // Still wanted through the wildcard; the protocol asks the server
            // to say what became of it.
            self.owe(name);
        }
    }

    /// Takes in the ACK or NACK of the response in flight.
    fn settle(&mut self, ask: &Ask, now_ms: u64) -> Settled {
        if self.nonce != ask.nonce {
            return Settled::Nothing;
        }
        let Some(flight) = self.in_flight.take() else { return Settled::Nothing };
        // Meanwhile another version may have come into force, or the one before.
        self.recheck.extend(flight.resources.iter().map(|r| r.name.clone()));
        self.recheck.extend(flight.removed.iter().cloned());
        match &ask.error {
            None => self.ack(flight),
            Some(error) => {
                let mut nack = Nack::new(&flight.resources, error, now_ms);
                if self.refused.len() >= WORDY_REFUSALS_MAX {
                    nack.shorten();
                }
                self.nack(flight, Arc::new(nack))
            }
        }
    }

    /// Does not touch names: they may have changed since the response was sent
    /// (go-control-plane#615).
    fn ack(&mut self, flight: InFlight) -> Settled {
        for resource in flight.resources {
            self.refused.remove(&resource.name);
            self.doubtful.remove(&resource.name);
            if self.wants(&resource.name) {
                self.grown += usize::from(self.known.replace(Had(resource)).is_none());
            }
        }
        flight.removed.iter().for_each(|name| self.forget(name));
        self.acked_snapshot = Some(flight.snapshot);
        self.unsure = false;
        self.counts.acks += 1;
        Settled::Ack
    }

    /// One refused resource rests. Several are halved: Envoy may have taken
    /// some and not others, and only the bad one should stay behind. So no
    /// response goes out twice and a resource comes back at most log2(n) times.
    fn nack(&mut self, flight: InFlight, nack: Arc<Nack>) -> Settled {
        self.counts.nacks += 1;
        self.last_nack = Some(nack.clone());
        let rests = self.unsure || flight.resources.len() <= 1;
        if self.unsure && flight.set != self.looked_at {
            self.looked_at = None; // it is another whole by now
        }
        if flight.resources.is_empty() {
            // A refused removal is not repeated.
            flight.removed.iter().for_each(|name| self.forget(name));
        } else {
            // Envoy may not have taken the removals of a refused response.
            self.owe_wanted(flight.removed);
        }
        if rests {
            for resource in &flight.resources {
                if !self.wants(&resource.name) {
                    continue;
                }
                let refusal = Refusal { version: resource.version, nack: nack.clone() };
                self.refused.insert(resource.name.clone(), refusal);
            }
        } else {
            self.halve(flight.resources.iter().map(|r| r.name.clone()).collect());
        }
        Settled::Nack(nack)
    }

    fn halve(&mut self, names: Vec<Arc<str>>) {
        // In state of the world the next response takes away what it does not hold.
        if self.protocol == Protocol::Delta {
            let unknown = names.iter().filter(|name| self.wants(name) && !self.knows(name));
            let unknown: Vec<Arc<str>> = unknown.cloned().collect();
            self.doubtful.extend(unknown);
        }
        let (first, second) = names.split_at(names.len() / 2);
        self.suspects.push(second.to_vec());
        self.suspects.push(first.to_vec());
        self.owe_wanted(names);
    }

    fn owe_wanted(&mut self, names: Vec<Arc<str>>) {
        for name in names {
            if self.wants(&name) {
                self.owe(name);
            }
        }
    }

    fn forget(&mut self, name: &Arc<str>) {
        self.known.remove(&**name);
        self.refused.remove(name);
        self.doubtful.remove(name);
        self.unused_since.remove(name);
    }
}
