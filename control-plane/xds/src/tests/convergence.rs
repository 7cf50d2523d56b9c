//! Whatever happens in whatever order, a session brings Envoy to the snapshot
//! and is silent then.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::envoy::{BAD, Envoy, SETTINGS, body, subscribe, unsubscribe};
use crate::{Protocol, ResourceType, Snapshot};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// How often the same may be refused: once, or, where all that stands is told
/// with each half of a refused response, once a halving.
const TIMES_MAX: [usize; 2] = [1, 3];

/// Names, versions and contents of a response.
type Sent = Vec<(String, String, String)>;
type Place = (ResourceType, &'static str);

fn user() -> impl Strategy<Value = Place> {
    let kinds = [ResourceType::Listener, ResourceType::Route, ResourceType::ExtensionConfig];
    (prop::sample::select(kinds.to_vec()), prop::sample::select(NAMES.to_vec()))
}

fn part() -> impl Strategy<Value = Place> {
    let kinds = [ResourceType::Cluster, ResourceType::Endpoints, ResourceType::Secret];
    (prop::sample::select(kinds.to_vec()), prop::sample::select(NAMES.to_vec()))
}

/// What may happen next.
#[derive(Clone, Debug)]
enum Event {
    Subscribe(ResourceType, &'static str),
    Unsubscribe(ResourceType, &'static str),
    /// Answer one of the unanswered responses, by ACK or NACK as it deserves.
    Answer(prop::sample::Index),
    Put(ResourceType, &'static str, &'static str),
    Remove(ResourceType, &'static str),
    Reconnect(Vec<ResourceType>),
    Pass(u64),
}

fn kind() -> impl Strategy<Value = ResourceType> {
    prop::sample::select(ResourceType::ALL.to_vec())
}

fn event() -> impl Strategy<Value = Event> {
    let name = || prop::sample::select(NAMES.to_vec());
    let wanted = prop::sample::select(vec!["a", "b", "c", "d", "*"]);
    let content = prop::sample::select(vec!["1", "2", "3", "bad 1", "bad 2"]);
    let order = Just(ResourceType::ALL.to_vec()).prop_shuffle();
    prop_oneof![
        3 => (kind(), wanted.clone()).prop_map(|(k, n)| Event::Subscribe(k, n)),
        1 => (kind(), wanted).prop_map(|(k, n)| Event::Unsubscribe(k, n)),
        6 => any::<prop::sample::Index>().prop_map(Event::Answer),
        4 => (kind(), name(), content).prop_map(|(k, n, c)| Event::Put(k, n, c)),
        2 => (kind(), name()).prop_map(|(k, n)| Event::Remove(k, n)),
        1 => order.prop_map(Event::Reconnect),
        1 => (0_u64..20_000).prop_map(Event::Pass),
    ]
}

/// An Envoy, what is published, and what it refused since something about it
/// changed: names and versions of each refused response, by type.
struct World {
    envoy: Envoy,
    contents: BTreeMap<(ResourceType, &'static str), &'static str>,
    refused: BTreeMap<ResourceType, BTreeMap<Sent, usize>>,
    /// What was declared: the first of each pair needs the second.
    needs: Vec<(Place, Place)>,
    /// Types whose names were asked for, or given up, behind an unanswered
    /// response: that asks for one more answer.
    asked_behind: BTreeSet<ResourceType>,
}

impl World {
    fn new(protocol: Protocol, needs: Vec<(Place, Place)>) -> Self {
        Self {
            envoy: Envoy::of(protocol),
            needs,
            contents: BTreeMap::new(),
            refused: BTreeMap::new(),
            asked_behind: BTreeSet::new(),
        }
    }

    fn snapshot(&self) -> Snapshot {
        let mut builder = Snapshot::builder();
        for ((kind, name), content) in &self.contents {
            builder.put(*kind, name, &body(name, content));
        }
        for (user, used) in &self.needs {
            builder.needs(*user, *used);
        }
        builder.build()
    }

    fn happen(&mut self, event: Event) {
        let before = self.snapshot();
        match event {
            Event::Subscribe(kind, name) => {
                self.asks(kind);
                self.envoy.send(&subscribe(kind, &[name]), &before);
            }
            Event::Unsubscribe(kind, name) => {
                self.asks(kind);
                self.envoy.send(&unsubscribe(kind, &[name]), &before);
            }
            Event::Answer(place) if !self.envoy.inbox.is_empty() => {
                self.answer(place.index(self.envoy.inbox.len()), &before);
            }
            Event::Answer(_) => {}
            Event::Put(kind, name, content) => {
                self.contents.insert((kind, name), content);
                self.publish();
            }
            Event::Remove(kind, name) => {
                self.contents.remove(&(kind, name));
                self.publish();
            }
            Event::Reconnect(order) => {
                self.refused.clear();
                self.asked_behind.clear();
                self.envoy.reconnect(&order, &before);
            }
            Event::Pass(ms) => drop(self.envoy.pass(ms, &before)),
        }
    }

    fn asks(&mut self, kind: ResourceType) {
        self.refused.remove(&kind);
        if self.envoy.inbox.iter().any(|message| message.kind == kind) {
            self.asked_behind.insert(kind);
        }
    }

    fn publish(&mut self) {
        self.refused.clear();
        let snapshot = self.snapshot();
        self.envoy.change(&snapshot);
    }

    /// A response that was refused does not come again while nothing changed;
    /// endpoints may, behind a cluster that is sent again.
    fn answer(&mut self, place: usize, snapshot: &Snapshot) {
        let message = &self.envoy.inbox[place];
        let kind = message.kind;
        let full = self.envoy.protocol == Protocol::Sotw && kind.has_legacy_wildcard();
        if message.is_bad() && kind != ResourceType::Endpoints {
            let refused = self.refused.entry(kind).or_default();
            let times = refused.entry(message.resources.clone()).or_default();
            *times += 1;
            assert!(*times <= TIMES_MAX[usize::from(full)], "a refused response came again");
        }
        if self.asked_behind.remove(&kind) {
            self.refused.remove(&kind);
        }
        self.envoy.answer(place, snapshot);
    }

    /// Answers everything and lets all waiting times pass.
    fn rest(&mut self) -> Snapshot {
        let snapshot = self.snapshot();
        for _ in 0..20 {
            self.envoy.settle(&snapshot);
            let Some(at_ms) = self.envoy.session.next_deadline_ms() else { break };
            assert!(at_ms > self.envoy.now_ms, "a deadline in the past would spin");
            let wait_ms = at_ms - self.envoy.now_ms;
            self.envoy.pass(wait_ms, &snapshot);
        }
        snapshot
    }

    fn wanted(&self, kind: ResourceType, name: &str) -> bool {
        let wants = self.envoy.wants.get(&kind);
        wants.is_some_and(|wants| wants.wants(name))
    }

    /// Every good resource that is wanted is there, at its last content.
    fn assert_has_all_that_is_good(&self) {
        for ((kind, name), content) in &self.contents {
            let held = self.waits_for_a_part(*kind, name);
            if self.wanted(*kind, name) && !content.starts_with(BAD) && !held {
                let has = self.envoy.has.get(&(*kind, (*name).to_owned()));
                assert_eq!(has.map(String::as_str), Some(*content), "{kind:?} {name}");
            }
        }
    }

    /// It needs a part that exists, is wanted, and is refused.
    fn waits_for_a_part(&self, kind: ResourceType, name: &str) -> bool {
        let mut parts = self.needs.iter().filter(|(user, _)| *user == (kind, name));
        parts.any(|(_, (kind, name))| {
            let content = self.contents.get(&(*kind, *name));
            let bad = content.is_some_and(|content| content.starts_with(BAD));
            bad && self.wanted(*kind, name)
        })
    }

    /// Nothing is there that is gone, but for extension configurations, and
    /// for parts while a user is refused.
    fn assert_has_nothing_gone(&self) {
        let refuses = self.contents.iter().any(|((kind, name), content)| {
            let kept = content.starts_with(BAD) || self.waits_for_a_part(*kind, name);
            *kind >= ResourceType::Listener && self.wanted(*kind, name) && kept
        });
        for (kind, name) in self.envoy.has.keys() {
            let part = *kind < ResourceType::Listener;
            let sotw = self.envoy.protocol == Protocol::Sotw && !kind.has_legacy_wildcard();
            let may_stay = *kind == ResourceType::ExtensionConfig || sotw || (part && refuses);
            let gone = !self.contents.keys().any(|(k, n)| k == kind && n == name);
            assert!(may_stay || !gone, "{kind:?} {name} is gone but still there");
        }
    }

    fn assert_silent(&mut self, snapshot: &Snapshot) {
        assert_eq!(self.envoy.session.next_deadline_ms(), None);
        assert_eq!(self.envoy.change(snapshot), 0);
        assert_eq!(self.envoy.pass(10 * SETTINGS.patience_ms, snapshot), 0);
    }

    fn assert_converged_exactly_if_all_is_accepted(&self, snapshot: &Snapshot) {
        let all = self
            .contents
            .iter()
            .all(|((kind, name), content)| self.wanted(*kind, name) && !content.starts_with(BAD));
        assert_eq!(self.envoy.session.converged(snapshot), all);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_interleaving_converges_and_is_silent_then(
        protocol in prop::sample::select(vec![Protocol::Delta, Protocol::Sotw]),
        needs in prop::collection::vec((user(), part()), 0..4),
        events in prop::collection::vec(event(), 1..80),
    ) {
        let mut world = World::new(protocol, needs);
        for event in events {
            world.happen(event);
        }
        let snapshot = world.rest();
        world.assert_has_all_that_is_good();
        world.assert_has_nothing_gone();
        world.assert_converged_exactly_if_all_is_accepted(&snapshot);
        world.assert_silent(&snapshot);
    }
}
