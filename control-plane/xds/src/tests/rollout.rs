//! Canaries first, by hand of the test: no network and no clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::envoy::{Contents, snapshot};
use crate::ResourceType::{Cluster, Endpoints, Route, Secret};
use crate::canary::{Refused, Report, Set, Stages};
use crate::{ResourceType, Rollout, Snapshot};

const SOAK_MS: u64 = 10_000;

struct World {
    stages: Stages,
    now_ms: u64,
}

impl World {
    /// Everybody has the first contents, and these canaries are connected.
    fn new(first: Contents, canaries: &[&str]) -> Self {
        let mut world = Self { stages: Stages::new(Some(SOAK_MS)), now_ms: 1_000 };
        world.publish(first);
        for (stream, node) in (1..).zip(canaries) {
            world.stages.connect(stream, node, "", world.now_ms);
        }
        world
    }

    fn publish(&mut self, contents: Contents) -> bool {
        self.publish_all(&[("", contents)])
    }

    fn publish_all(&mut self, variants: &[(&str, Contents)]) -> bool {
        let variants = variants.iter();
        let set: Set = variants.map(|(v, c)| ((*v).to_owned(), Arc::new(snapshot(c)))).collect();
        self.stages.publish(set, self.now_ms)
    }

    fn pass(&mut self, ms: u64) -> bool {
        self.now_ms += ms;
        self.stages.tick(self.now_ms)
    }

    fn first(&self) -> &Snapshot {
        self.stages.served(true, "").unwrap()
    }

    fn rest(&self) -> &Snapshot {
        self.stages.served(false, "").unwrap()
    }

    /// The canary of this stream accepted all that it is served.
    fn accept(&mut self, stream: u64) -> bool {
        let tried = Some(self.first().guarded_version());
        self.stages.report(stream, Report { tried, refused: vec![] }, self.now_ms)
    }

    fn refuse(&mut self, stream: u64, kind: ResourceType, name: &str) {
        let version = self.first().get(kind, name).unwrap().version;
        let error = "made-up refusal".to_owned();
        let refused = vec![Refused { kind, name: name.into(), version, error }];
        let tried = Some(self.first().guarded_version());
        self.stages.report(stream, Report { tried, refused }, self.now_ms);
    }

    fn old_a(&self) -> Vec<u8> {
        snapshot(OLD).get(Cluster, "a").unwrap().body.value.clone()
    }

    fn rest_has(&self, contents: Contents) -> bool {
        self.rest().version() == snapshot(contents).version()
    }
}

const OLD: Contents = &[(Cluster, "a", "1"), (Endpoints, "a", "1"), (Secret, "s", "1")];
const NEW: Contents = &[(Cluster, "a", "2"), (Endpoints, "a", "1"), (Secret, "s", "1")];

#[test]
fn without_a_canary_group_everybody_gets_everything_at_once() {
    let mut stages = Stages::new(None);
    let set = |contents| BTreeMap::from([(String::new(), Arc::new(snapshot(contents)))]);
    assert!(stages.publish(set(OLD), 0));
    assert!(stages.publish(set(NEW), 0));
    assert!(!stages.publish(set(NEW), 0), "nothing new wakes nobody");
    assert_eq!(stages.served(false, "").unwrap().version(), snapshot(NEW).version());
    assert_eq!(*stages.state(), Rollout::Idle { untried: false });
}

#[test]
fn the_others_get_a_change_when_all_canaries_have_it_and_it_has_soaked() {
    let mut world = World::new(OLD, &["one", "two"]);
    assert!(world.publish(NEW));
    assert_eq!(world.first().version(), snapshot(NEW).version());
    assert!(world.rest_has(OLD));
    world.accept(1);
    let waits_for = vec!["two".to_owned()];
    let expected = Rollout::Soaking { since_ms: 1_000, waits_for, until_ms: None };
    assert_eq!(*world.stages.state(), expected);
    assert!(!world.pass(10 * SOAK_MS), "one canary has not said a word");
    world.accept(2);
    assert_eq!(world.stages.deadline_ms(), Some(world.now_ms + SOAK_MS));
    assert!(!world.pass(SOAK_MS - 1));
    assert!(world.rest_has(OLD));
    assert!(world.pass(1));
    assert!(world.rest_has(NEW));
    assert_eq!(*world.stages.state(), Rollout::Idle { untried: false });
    assert_eq!(world.stages.deadline_ms(), None);
}

#[test]
fn a_refusal_stops_the_push_and_a_later_publish_starts_again() {
    let mut world = World::new(OLD, &["one", "two"]);
    world.publish(NEW);
    world.accept(2);
    world.refuse(1, Cluster, "a");
    let Rollout::Stopped { node, kind, resource, error, at_ms } = world.stages.state() else {
        panic!("not stopped: {:?}", world.stages.state())
    };
    assert_eq!((node.as_str(), *kind, resource.as_str()), ("one", Cluster, "a"));
    assert_eq!((error.as_str(), *at_ms), ("made-up refusal", 1_000));
    world.accept(1);
    assert!(!world.pass(10 * SOAK_MS), "stopped is stopped");
    assert!(world.rest_has(OLD));
    const MENDED: Contents = &[(Cluster, "a", "3")];
    world.publish(MENDED);
    world.accept(1);
    world.accept(2);
    assert!(world.pass(SOAK_MS));
    assert!(world.rest_has(MENDED));
}

#[test]
fn a_refusal_while_it_soaks_stops_it_too() {
    let mut world = World::new(OLD, &["one"]);
    world.publish(NEW);
    world.accept(1);
    world.pass(SOAK_MS - 1);
    world.refuse(1, Cluster, "a");
    assert!(!world.pass(SOAK_MS));
    assert!(world.rest_has(OLD));
}

#[test]
fn endpoints_and_secrets_reach_everybody_at_once_also_while_stopped() {
    let mut world = World::new(OLD, &["one"]);
    world.publish(NEW);
    world.refuse(1, Cluster, "a");
    let moved: Contents = &[
        (Cluster, "a", "2"),
        (Cluster, "new", "1"),
        (Endpoints, "a", "2"),
        (Endpoints, "new", "1"),
        (Secret, "s", "2"),
    ];
    assert!(world.publish(&[moved[0], moved[2], moved[4]]));
    assert!(world.rest_has(&[(Cluster, "a", "1"), (Endpoints, "a", "2"), (Secret, "s", "2")]));
    assert!(matches!(world.stages.state(), Rollout::Stopped { .. }), "nothing new to try");
    world.publish(moved);
    assert!(world.rest_has(&[(Cluster, "a", "1"), (Endpoints, "a", "2"), (Secret, "s", "2")]));
    assert!(matches!(world.stages.state(), Rollout::Stopped { .. }), "the bad one is still in it");
}

#[test]
fn endpoints_alone_need_no_canary_and_do_not_restart_a_soak() {
    let mut world = World::new(OLD, &["one"]);
    let moved: Contents = &[(Cluster, "a", "1"), (Endpoints, "a", "2")];
    world.publish(moved);
    assert!(world.rest_has(moved));
    assert_eq!(*world.stages.state(), Rollout::Idle { untried: false });
    world.publish(NEW);
    world.accept(1);
    world.pass(SOAK_MS - 1);
    world.publish(&[(Cluster, "a", "2"), (Endpoints, "a", "3"), (Secret, "s", "1")]);
    assert!(world.pass(1), "the soak went on");
}

#[test]
fn without_a_connected_canary_it_goes_to_all_and_says_so() {
    let mut world = World::new(OLD, &[]);
    world.publish(NEW);
    assert!(world.rest_has(NEW));
    assert_eq!(*world.stages.state(), Rollout::Idle { untried: true });
}

#[test]
fn a_canary_that_leaves_begins_the_soak_anew_and_the_last_one_ends_it() {
    let mut world = World::new(OLD, &["one", "two"]);
    world.publish(NEW);
    world.accept(1);
    world.accept(2);
    world.pass(SOAK_MS - 1);
    world.stages.disconnect(2, world.now_ms);
    assert!(!world.pass(SOAK_MS - 1));
    world.stages.disconnect(1, world.now_ms);
    assert!(!world.pass(10 * SOAK_MS), "it may be the change that killed them");
    assert!(world.rest_has(OLD));
    world.stages.connect(3, "one", "", world.now_ms);
    world.accept(3);
    assert!(world.pass(SOAK_MS));
    assert!(world.rest_has(NEW));
}

#[test]
fn an_edit_after_the_last_canary_left_does_not_set_free_what_was_on_trial() {
    const MORE: Contents = &[(Cluster, "a", "2"), (Cluster, "b", "1"), (Endpoints, "a", "1")];
    for refused in [false, true] {
        let mut world = World::new(OLD, &["one"]);
        world.publish(NEW);
        if refused {
            world.refuse(1, Cluster, "a");
        }
        world.stages.disconnect(1, world.now_ms);
        world.publish(MORE);
        assert!(!world.pass(10 * SOAK_MS));
        assert_eq!(world.rest().get(Cluster, "a").unwrap().body.value, world.old_a());
        world.stages.connect(2, "one", "", world.now_ms);
        world.accept(2);
        assert!(world.pass(SOAK_MS) && world.rest_has(MORE));
    }
}

#[test]
fn back_to_what_the_others_have_needs_no_soak() {
    let mut world = World::new(OLD, &["one"]);
    world.publish(NEW);
    world.refuse(1, Cluster, "a");
    world.publish(OLD);
    assert_eq!(*world.stages.state(), Rollout::Idle { untried: false });
    assert_eq!(world.first().version(), world.rest().version());
}

#[test]
fn what_a_canary_refused_before_does_not_stop_the_next_change() {
    const ODD: Contents = &[(Cluster, "a", "1"), (Route, "odd", "1")];
    let mut world = World::new(ODD, &["one"]);
    world.publish(&[(Cluster, "a", "2"), (Route, "odd", "1")]);
    world.refuse(1, Route, "odd");
    assert!(world.pass(SOAK_MS), "the others have it, and this change did not bring it");
}

#[test]
fn a_report_on_an_older_snapshot_says_nothing() {
    let mut world = World::new(OLD, &["one"]);
    let old = Report { tried: Some(world.first().guarded_version()), refused: vec![] };
    world.publish(NEW);
    world.stages.report(1, old, world.now_ms);
    assert!(!world.pass(10 * SOAK_MS));
}

#[test]
fn each_variant_waits_with_its_own_and_a_new_one_waits_for_nobody() {
    let mut world = World::new(OLD, &["one"]);
    world.publish_all(&[("", NEW), ("1.36", NEW)]);
    assert!(world.rest_has(OLD));
    let fresh = world.stages.served(false, "1.36").unwrap();
    assert_eq!(fresh.version(), snapshot(NEW).version());
    assert!(world.stages.served(false, "1.30").is_none());
    assert!(world.stages.served(true, "1.36").is_some());
    world.accept(1);
    assert!(world.pass(SOAK_MS));
    assert!(world.rest_has(NEW));
}
