//! What one Envoy wants of one type, what it has of it, and what is on the way.
//!
//! A value without a network and without a clock. The rules are those of the
//! xDS protocol ("Incremental xDS" in Envoy's documentation) and of Envoy's
//! and other servers' bug reports, quoted where they apply.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use envoy_types::pb::envoy::service::discovery::v3::DeltaDiscoveryRequest;

use crate::resource::{Resource, ResourceMap, ResourceType};

const WILDCARD: &str = "*";
/// Longest error text kept of a NACK, in bytes: enough for Envoy's, and a bound.
const NACK_TEXT_BYTES_MAX: usize = 4096;

/// A response that Envoy refused.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Nack {
    /// Names and versions of the resources in the response.
    pub resources: BTreeMap<String, String>,
    /// Envoy's own words, cut at 4096 bytes.
    pub error: String,
    /// When, in milliseconds of the session's clock (Unix time in the server).
    pub at_ms: u64,
}

/// The state of one type for one Envoy, for people to read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TypeStatus {
    /// Whether all resources of the type are wanted.
    pub wildcard: bool,
    /// How many are wanted by name.
    pub names: usize,
    /// How many resources Envoy is known to have.
    pub acked: usize,
    /// The snapshot version of the last response that Envoy accepted.
    pub version: Option<String>,
    /// Whether a response waits for its acknowledgement.
    pub in_flight: bool,
    /// Refused resources that rest until their bytes change, by name.
    pub refused: BTreeMap<String, Nack>,
    /// The last refusal on this stream, mended or not.
    pub last_nack: Option<Nack>,
}

/// A response on the way. `resources` are names with versions.
#[derive(Clone, Debug)]
struct InFlight {
    nonce: String,
    snapshot: String,
    resources: BTreeMap<String, String>,
    removed: BTreeSet<String>,
    sent_at_ms: u64,
}

/// What a response to an earlier response said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// Not about the response in flight: a plain request, or a stale nonce.
    Nothing,
    Ack,
    Nack(Nack),
}

/// What to send next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Push {
    pub resources: Vec<Arc<Resource>>,
    pub removed: BTreeSet<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    kind: ResourceType,
    wildcard: bool,
    names: BTreeSet<String>,
    /// What Envoy has: acknowledged, or declared when it connected.
    known: BTreeMap<String, String>,
    /// Names to answer whatever version Envoy has.
    owed: BTreeSet<String>,
    /// An answer is due even if there is nothing to put into it.
    owes_answer: bool,
    in_flight: Option<InFlight>,
    refused: BTreeMap<String, Nack>,
    /// Parts of a refused response, each to be sent by itself; the last first.
    suspects: Vec<BTreeSet<String>>,
    last_nack: Option<Nack>,
    acked_snapshot: Option<String>,
    /// Since when nothing uses these gone names any more, in milliseconds.
    pub(crate) unused_since: BTreeMap<String, u64>,
}

impl Subscription {
    /// The first request of a type on a stream. Without names it is the legacy
    /// wildcard; `initial_resource_versions` say what a reconnected Envoy has.
    pub(crate) fn open(kind: ResourceType, request: &DeltaDiscoveryRequest) -> Self {
        let legacy = request.resource_names_subscribe.is_empty() && kind.has_legacy_wildcard();
        let mut this = Self {
            kind,
            wildcard: legacy,
            names: BTreeSet::new(),
            known: BTreeMap::new(),
            owed: BTreeSet::new(),
            owes_answer: legacy,
            in_flight: None,
            refused: BTreeMap::new(),
            suspects: Vec::new(),
            last_nack: None,
            acked_snapshot: None,
            unused_since: BTreeMap::new(),
        };
        this.change_names(request);
        let declared = request.initial_resource_versions.iter();
        this.known = declared
            .filter(|(name, _)| this.wants(name))
            .map(|(name, version)| (name.clone(), version.clone()))
            .collect();
        this
    }

    pub(crate) fn wants(&self, name: &str) -> bool {
        self.wildcard || self.names.contains(name)
    }

    pub(crate) fn wants_by_name(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    pub(crate) fn knows(&self, name: &str) -> bool {
        self.known.contains_key(name)
    }

    pub(crate) fn is_owed(&self, name: &str) -> bool {
        self.owed.contains(name)
    }

    pub(crate) fn has(&self, resource: &Resource) -> bool {
        self.known.get(&resource.name) == Some(&resource.version)
    }

    /// When the response in flight was sent, in milliseconds.
    pub(crate) fn in_flight_since_ms(&self) -> Option<u64> {
        self.in_flight.as_ref().map(|flight| flight.sent_at_ms)
    }

    /// `name` must be sent again even if Envoy has it.
    pub(crate) fn owe(&mut self, name: &str) {
        self.owed.insert(name.to_owned());
    }

    /// Takes in names, whatever the nonce says (envoy#16659: a stale nonce
    /// must not lose a subscription).
    pub(crate) fn change_names(&mut self, request: &DeltaDiscoveryRequest) {
        for name in &request.resource_names_unsubscribe {
            self.unsubscribe(name);
        }
        for name in &request.resource_names_subscribe {
            self.subscribe(name);
        }
    }

    /// A name asked for is answered though its version is known: the client
    /// may have forgotten it (envoy#22418, go-control-plane#585).
    fn subscribe(&mut self, name: &str) {
        if name == WILDCARD {
            self.owes_answer |= !self.wildcard;
            self.wildcard = true;
        } else {
            self.names.insert(name.to_owned());
            self.owe(name);
        }
    }

    fn unsubscribe(&mut self, name: &str) {
        if name == WILDCARD {
            self.wildcard = false;
        } else if self.names.remove(name) && self.wildcard {
            // Still wanted through the wildcard; the protocol asks the server
            // to say what became of it.
            return self.owe(name);
        }
        let (names, wildcard) = (&self.names, self.wildcard);
        let wanted = |name: &String| wildcard || names.contains(name);
        self.known.retain(|name, _| wanted(name));
        self.owed.retain(wanted);
        self.refused.retain(|name, _| wanted(name));
        self.unused_since.retain(|name, _| wanted(name));
    }

    /// Takes in the ACK or NACK of the response in flight.
    pub(crate) fn settle(&mut self, request: &DeltaDiscoveryRequest, now_ms: u64) -> Settled {
        let answers = |flight: &mut InFlight| flight.nonce == request.response_nonce;
        let Some(flight) = self.in_flight.take_if(answers) else { return Settled::Nothing };
        match &request.error_detail {
            None => self.ack(flight),
            Some(error) => {
                let nack = Nack {
                    resources: flight.resources.clone(),
                    error: cut(&error.message),
                    at_ms: now_ms,
                };
                self.nack(flight, nack)
            }
        }
    }

    /// Does not touch names: they may have changed since the response was sent
    /// (go-control-plane#615).
    fn ack(&mut self, flight: InFlight) -> Settled {
        for (name, version) in flight.resources {
            self.refused.remove(&name);
            if self.wants(&name) {
                self.known.insert(name, version);
            }
        }
        self.forget(&flight.removed);
        self.acked_snapshot = Some(flight.snapshot);
        Settled::Ack
    }

    /// One refused resource rests. Several are halved: Envoy may have taken
    /// some and not others, and only the bad one should stay behind. So no
    /// response goes out twice and a resource comes back at most log2(n) times.
    fn nack(&mut self, flight: InFlight, nack: Nack) -> Settled {
        self.last_nack = Some(nack.clone());
        let names: Vec<String> = flight.resources.into_keys().collect();
        match names.as_slice() {
            [] => self.forget(&flight.removed), // a refused removal is not repeated
            [name] if self.wants(name) => {
                self.refused.insert(name.clone(), nack.clone());
            }
            [_] => {}
            several => {
                let (first, second) = several.split_at(several.len() / 2);
                self.suspects.push(second.iter().cloned().collect());
                self.suspects.push(first.iter().cloned().collect());
                self.owe_wanted(several);
            }
        }
        if !names.is_empty() {
            // Envoy may not have taken the removals of a refused response.
            self.owe_wanted(&flight.removed);
        }
        Settled::Nack(nack)
    }

    fn owe_wanted<'a>(&mut self, names: impl IntoIterator<Item = &'a String>) {
        for name in names {
            if self.wants(name) {
                self.owe(name);
            }
        }
    }

    fn forget(&mut self, removed: &BTreeSet<String>) {
        for name in removed {
            self.known.remove(name);
            self.refused.remove(name);
            self.unused_since.remove(name);
        }
    }

    /// Names that Envoy has and the snapshot has not.
    pub(crate) fn gone<'a>(&'a self, all: &'a ResourceMap) -> impl Iterator<Item = &'a String> {
        self.known.keys().filter(|name| !all.contains_key(*name))
    }

    /// Whether Envoy has all that it wants, and nothing is on the way.
    /// Refused and held resources count as missing.
    pub(crate) fn is_settled(&self, all: &ResourceMap) -> bool {
        let missing = |r: &&Arc<Resource>| self.wants(&r.name) && !self.has(r);
        self.in_flight.is_none() && self.owed.is_empty() && !all.values().any(|r| missing(&r))
    }

    /// What to send now, leaving out what `held` says; `removable` are gone
    /// names that may be taken away. `None` while a response is in flight, or
    /// when there is nothing to say.
    pub(crate) fn next_push(
        &mut self,
        all: &ResourceMap,
        held: impl Fn(&Resource) -> bool,
        removable: BTreeSet<String>,
    ) -> Option<Push> {
        if self.in_flight.is_some() {
            return None;
        }
        let due = |this: &Self, r: &Resource| this.is_due(r) && !held(r);
        let resources = self.due_resources(all, due);
        let never_removed = self.kind == ResourceType::ExtensionConfig;
        let lost = |name: &&String| never_removed || !self.knows(name);
        let unknown = self.owed.iter().filter(|name| !all.contains_key(*name)).filter(lost);
        let mut push = Push { resources, removed: unknown.cloned().collect() };
        let owes_answer = self.owes_answer || !push.removed.is_empty();
        if never_removed {
            // Taking one away makes Envoy answer 500 (envoy#32823): the answer
            // to an unknown name is a response without it.
            self.owed.retain(|name| !push.removed.contains(name));
            push.removed.clear();
        }
        push.removed.extend(removable);
        let empty = push.resources.is_empty() && push.removed.is_empty();
        (!empty || owes_answer).then_some(push)
    }

    /// Everything that is due, or only one part of a refused response.
    fn due_resources(
        &mut self,
        all: &ResourceMap,
        due: impl Fn(&Self, &Resource) -> bool,
    ) -> Vec<Arc<Resource>> {
        while let Some(part) = self.suspects.pop() {
            let of_part = part.iter().filter_map(|name| all.get(name));
            let found: Vec<_> = of_part.filter(|r| due(self, r)).cloned().collect();
            if !found.is_empty() {
                return found;
            }
        }
        all.values().filter(|r| due(self, r)).cloned().collect()
    }

    fn is_due(&self, resource: &Resource) -> bool {
        if self.owed.contains(&resource.name) {
            return true;
        }
        self.wants(&resource.name)
            && !self.has(resource)
            && !self.refused.contains_key(&resource.name)
    }

    /// A refusal holds for the refused bytes alone: forgets those of others,
    /// and of names that are no more.
    pub(crate) fn refresh(&mut self, all: &ResourceMap) {
        self.refused.retain(|name, nack| {
            let version = all.get(name).map(|resource| &resource.version);
            version.is_some() && nack.resources.get(name) == version
        });
        self.unused_since.retain(|name, _| !all.contains_key(name));
    }

    /// Notes that `push` goes out under `nonce`.
    pub(crate) fn sent(&mut self, push: &Push, nonce: &str, snapshot: &str, now_ms: u64) {
        let names = push.resources.iter().map(|r| (r.name.clone(), r.version.clone()));
        let resources: BTreeMap<_, _> = names.collect();
        self.owed.retain(|name| !resources.contains_key(name) && !push.removed.contains(name));
        self.owes_answer = false;
        self.in_flight = Some(InFlight {
            nonce: nonce.to_owned(),
            snapshot: snapshot.to_owned(),
            resources,
            removed: push.removed.clone(),
            sent_at_ms: now_ms,
        });
    }

    pub(crate) fn status(&self) -> TypeStatus {
        TypeStatus {
            wildcard: self.wildcard,
            names: self.names.len(),
            acked: self.known.len(),
            version: self.acked_snapshot.clone(),
            in_flight: self.in_flight.is_some(),
            refused: self.refused.clone(),
            last_nack: self.last_nack.clone(),
        }
    }
}

fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(NACK_TEXT_BYTES_MAX);
    text.get(..end).unwrap_or_default().to_owned()
}
