//! Who gets a change first, and when the others do.
//!
//! A value without a network; the time is an argument, in milliseconds.
//!
//! Clusters, listeners, routes and extension configurations go to the canaries;
//! to the others when every canary that is connected accepted all of it and a
//! soak time passed without a refusal. A canary that leaves begins the soak
//! anew: the change may be why it left. Endpoints and secrets of what the
//! others have reach everybody at once, also while a change is stopped.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::resource::{ResourceType, Version};
use crate::snapshot::Snapshot;

/// Snapshots by variant.
pub(crate) type Set = BTreeMap<String, Arc<Snapshot>>;

/// Which Envoys get a change before the others, and how long before.
#[derive(Clone)]
pub struct Canary {
    /// Whether the Envoy with this `node.id` is one.
    pub nodes: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    /// From the last acknowledgement to the release, in milliseconds.
    pub soak_ms: u64,
}

impl fmt::Debug for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canary").field("soak_ms", &self.soak_ms).finish_non_exhaustive()
    }
}

/// How far the last change got. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Rollout {
    /// It is for everybody.
    Idle {
        /// It went to all at once, because no canary was connected.
        untried: bool,
    },
    /// Only the canaries have it.
    Soaking {
        /// When it was published.
        since_ms: u64,
        /// Canaries, by node id, that have not acknowledged all of it. Empty
        /// without an end: all canaries went away; it waits for one, or for the
        /// next change.
        waits_for: Vec<String>,
        /// When the others get it, if nothing is refused until then.
        until_ms: Option<u64>,
    },
    /// A canary refused a part of it; the others keep what they have until
    /// another change is published.
    Stopped {
        /// `node.id` of that canary.
        node: String,
        /// Type of what it refused.
        kind: ResourceType,
        /// Name of what it refused.
        resource: String,
        /// Envoy's words.
        error: String,
        /// When it refused.
        at_ms: u64,
    },
}

/// What a canary refuses to take.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub kind: ResourceType,
    pub name: Arc<str>,
    pub version: Version,
    pub error: String,
}

/// What a canary says of itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// The guarded version of the snapshot that it accepted or refused whole.
    pub tried: Option<Version>,
    pub refused: Vec<Refused>,
}

#[derive(Debug)]
struct Bird {
    node: String,
    variant: String,
    report: Report,
}

/// What canaries have, what the others have, and how far a change got.
#[derive(Debug)]
pub(crate) struct Stages {
    /// `None`: there is no canary group.
    soak_ms: Option<u64>,
    first: Set,
    rest: Set,
    canaries: BTreeMap<u64, Bird>,
    state: Rollout,
}

impl Stages {
    pub(crate) fn new(soak_ms: Option<u64>) -> Self {
        Self {
            soak_ms,
            first: Set::new(),
            rest: Set::new(),
            canaries: BTreeMap::new(),
            state: Rollout::Idle { untried: false },
        }
    }

    pub(crate) fn state(&self) -> &Rollout {
        &self.state
    }

    /// What was published last, by variant.
    pub(crate) fn published(&self) -> &Set {
        &self.first
    }

    /// What an Envoy shall have.
    pub(crate) fn served(&self, canary: bool, variant: &str) -> Option<&Arc<Snapshot>> {
        if canary { self.first.get(variant) } else { self.rest.get(variant) }
    }

    /// Another set is to be rolled out. Returns whether anybody gets anything.
    ///
    /// The first of all goes to everybody: what they had is not known here. So does
    /// what nobody is there to try, unless a change is on trial or was refused: the
    /// canaries may be gone because of it, and it is part of every later one.
    pub(crate) fn publish(&mut self, set: Set, now_ms: u64) -> bool {
        let set = keep_same(&self.first, set);
        let before = (self.first.clone(), self.rest.clone());
        if self.soak_ms.is_none() || !differ(&self.rest, &set) {
            self.release(set, false);
        } else if self.canaries.is_empty() && matches!(self.state, Rollout::Idle { .. }) {
            self.release(set, true);
        } else {
            self.try_first(set, now_ms);
        }
        !is_same(&before.0, &self.first) || !is_same(&before.1, &self.rest)
    }

    fn release(&mut self, set: Set, untried: bool) {
        self.rest = keep_same(&self.rest, set.clone());
        self.first = set;
        self.state = Rollout::Idle { untried };
    }

    /// Whether `set` asks canaries to try nothing but what they already do.
    fn goes_on(&self, set: &Set) -> bool {
        !matches!(self.state, Rollout::Idle { .. }) && !differ(&self.first, set)
    }

    fn try_first(&mut self, set: Set, now_ms: u64) {
        let goes_on = self.goes_on(&set);
        let waiting = set.iter().map(|(variant, new)| {
            let old = self.rest.get(variant);
            (variant.clone(), old.map_or_else(|| new.clone(), |old| with_parts_of(old, new)))
        });
        self.rest = waiting.collect();
        self.first = set;
        if !goes_on {
            self.state = Rollout::Soaking { since_ms: now_ms, waits_for: vec![], until_ms: None };
            self.judge(now_ms);
        }
    }

    pub(crate) fn connect(&mut self, stream: u64, node: &str, variant: &str, now_ms: u64) {
        let (node, variant) = (node.to_owned(), variant.to_owned());
        self.canaries.insert(stream, Bird { node, variant, report: Report::default() });
        self.judge(now_ms);
    }

    /// Returns whether the others get the change now; so do the next two.
    pub(crate) fn report(&mut self, stream: u64, report: Report, now_ms: u64) -> bool {
        if let Some(canary) = self.canaries.get_mut(&stream) {
            canary.report = report;
        }
        self.judge(now_ms)
    }

    pub(crate) fn disconnect(&mut self, stream: u64, now_ms: u64) -> bool {
        let known = self.canaries.remove(&stream).is_some();
        if let Rollout::Soaking { until_ms, .. } = &mut self.state
            && known
        {
            *until_ms = None;
        }
        self.judge(now_ms)
    }

    pub(crate) fn tick(&mut self, now_ms: u64) -> bool {
        self.judge(now_ms)
    }

    /// When [`Stages::tick`] wants to be called.
    pub(crate) fn deadline_ms(&self) -> Option<u64> {
        match &self.state {
            Rollout::Soaking { until_ms, .. } => *until_ms,
            Rollout::Idle { .. } | Rollout::Stopped { .. } => None,
        }
    }

    fn judge(&mut self, now_ms: u64) -> bool {
        let Rollout::Soaking { since_ms, until_ms, .. } = self.state else { return false };
        if let Some((node, refused)) = self.refusal() {
            self.state = Rollout::Stopped {
                node: node.to_owned(),
                kind: refused.kind,
                resource: refused.name.to_string(),
                error: refused.error.clone(),
                at_ms: now_ms,
            };
            return false;
        }
        let waits_for = self.untried();
        let soaks = waits_for.is_empty() && !self.canaries.is_empty();
        let soak_ms = self.soak_ms.unwrap_or_default();
        let until_ms = soaks.then(|| until_ms.unwrap_or(now_ms.saturating_add(soak_ms)));
        let done = until_ms.is_some_and(|until_ms| until_ms <= now_ms);
        self.state = Rollout::Soaking { since_ms, waits_for, until_ms };
        if done {
            self.release(self.first.clone(), false);
        }
        done
    }

    /// A refusal of what the others do not have: this change brought it.
    fn refusal(&self) -> Option<(&str, &Refused)> {
        let is_new = |variant: &str, refused: &Refused| {
            let is_in = |set: &Set| {
                let found = set.get(variant).and_then(|s| s.get(refused.kind, &refused.name));
                found.is_some_and(|resource| resource.version == refused.version)
            };
            is_in(&self.first) && !is_in(&self.rest)
        };
        self.canaries.values().find_map(|canary| {
            let mut refused = canary.report.refused.iter();
            let new = refused.find(|refused| is_new(&canary.variant, refused))?;
            Some((canary.node.as_str(), new))
        })
    }

    fn untried(&self) -> Vec<String> {
        let has_tried = |canary: &&Bird| {
            let asked = self.first.get(&canary.variant).map(|s| s.guarded_version());
            canary.report.tried.is_some() && canary.report.tried == asked
        };
        let waits = self.canaries.values().filter(|canary| !has_tried(canary));
        waits.map(|canary| canary.node.clone()).collect()
    }
}

/// Whether there is anything for a canary to try: a variant that nobody had
/// yet goes to those who wait for it.
fn differ(old: &Set, new: &Set) -> bool {
    new.iter().any(|(variant, new)| {
        old.get(variant).is_some_and(|old| old.guarded_version() != new.guarded_version())
    })
}

fn with_parts_of(old: &Arc<Snapshot>, new: &Snapshot) -> Arc<Snapshot> {
    let composed = old.with_parts_of(new);
    if composed.version() == old.version() { old.clone() } else { Arc::new(composed) }
}

/// `new` with the snapshots of `old` where they are the same, so that nobody
/// is woken for them.
fn keep_same(old: &Set, new: Set) -> Set {
    let same = |variant: &String, new: &Arc<Snapshot>| {
        old.get(variant).filter(|old| old.version() == new.version()).cloned()
    };
    new.into_iter().map(|(v, new)| (v.clone(), same(&v, &new).unwrap_or(new))).collect()
}

fn is_same(a: &Set, b: &Set) -> bool {
    let same = |(variant, snapshot): (&String, &Arc<Snapshot>)| {
        b.get(variant).is_some_and(|other| Arc::ptr_eq(snapshot, other))
    };
    a.len() == b.len() && a.iter().all(same)
}
