//! Requests that go to the server that has served their like.

use super::*;
use crate::privacy::External;
use billing::table::Table as _;
use contract::fleet::Server;
use contract::masking::{MaskingConfig, MaskingPolicyConfig};
use contract::policy::{AffinityBounds, AffinityConfig, GatewayConfig};

/// So wide that load never decides.
const BOUNDS: AffinityBounds = AffinityBounds { bound_percent: 100_000, remember_s: 600 };

fn affine(affinity: AffinityConfig) -> GatewayConfig {
    let mut config = config();
    config.max_body_bytes = 1 << 20;
    let pool = config.pools.get_mut("big").unwrap();
    (pool.affinity, pool.context) = (affinity, 0);
    config
}

fn server(n: u32) -> String {
    format!("10.0.0.{n}:8000")
}

fn fleet(servers: u32) -> Fleet {
    let server = |n| Server { address: server(n), active: Some(1), weight: 1 };
    Fleet { version: 1, pools: [("big".to_owned(), (0..servers).map(server).collect())].into() }
}

/// A conversation of `turns` messages; each is long enough to be told from others.
fn conversation(whose: u32, turns: u32) -> String {
    let message = |turn: u32| {
        let content = format!("{whose} said {turn} {}", "and so on ".repeat(60));
        serde_json::json!({"role": if turn == 0 { "system" } else { "user" }, "content": content})
    };
    let messages: Vec<_> = (0..turns).map(message).collect();
    serde_json::json!({"model": "llama", "messages": messages}).to_string()
}

/// A worker's view: its table and the servers.
struct World {
    policy: Policy,
    table: Memory,
    fleet: Fleet,
}

impl World {
    fn new(config: &GatewayConfig, servers: u32) -> World {
        let policy = Policy::compile(config).unwrap();
        World { policy, table: Memory::default(), fleet: fleet(servers) }
    }

    fn ask(&self, held: &Held, body: &str) -> (Option<String>, Forwarded) {
        let material = Material { key: Some(b"made-up key"), external: External::Unasked };
        let till = till(&self.table);
        let setting = Setting { material, till: &till, fleet: &self.fleet, may_ask: true };
        match on_body(&self.policy, held, body.as_bytes(), &setting) {
            Decision::Forward { edits, forwarded, .. } => {
                let pick = edits.into_iter().find(|edit| edit.name == "x-tollgate-pick");
                (pick.map(|edit| edit.value.unwrap().into_owned()), *forwarded)
            }
            other => panic!("{other:?}"),
        }
    }

    /// The server that is picked first.
    fn first(&self, body: &str) -> Option<String> {
        let (pick, _) = self.ask(&hold("acme"), body);
        pick.map(|pick| pick.split(',').next().unwrap().to_owned())
    }
}

#[test]
fn without_affinity_nobody_is_picked() {
    let world = World::new(&affine(AffinityConfig::None), 4);
    let (pick, forwarded) = world.ask(&hold("acme"), &conversation(1, 3));
    assert_eq!(pick, None);
    assert!(forwarded.onward.trace.is_none());
    assert!(world.table.names().iter().all(|name| !name.starts_with("affinity/")));
}

#[test]
fn where_no_servers_are_known_envoy_decides() {
    let world = World::new(&affine(AffinityConfig::Prefix(BOUNDS)), 0);
    assert_eq!(world.first(&conversation(1, 3)), None);
    let unknown = World { fleet: Fleet::default(), ..world };
    assert_eq!(unknown.first(&conversation(1, 3)), None);
}

#[test]
fn a_conversation_stays_where_it_began() {
    let world = World::new(&affine(AffinityConfig::Prefix(BOUNDS)), 4);
    let begun: Vec<_> = (0..8).map(|whose| world.first(&conversation(whose, 2)).unwrap()).collect();
    let on: Vec<_> = (0..8).map(|whose| world.first(&conversation(whose, 4)).unwrap()).collect();
    assert_eq!(begun, on);
    assert!(begun.iter().any(|address| *address != begun[0]), "{begun:?}");
}

/// The first server has failed, and another one of the pool has given the answer.
#[test]
fn who_has_served_it_is_asked_again() {
    let world = World::new(&affine(AffinityConfig::Prefix(BOUNDS)), 4);
    let (pick, forwarded) = world.ask(&hold("acme"), &conversation(1, 2));
    let pick = pick.unwrap();
    let another = (0..4).map(server).find(|address| !pick.starts_with(address)).unwrap();
    let trace = forwarded.onward.trace.as_ref().unwrap();
    trace.served(&forwarded.pool, &another, &till(&world.table));
    // Both have it now; one of them still has the first request to end.
    assert_eq!(world.first(&conversation(1, 3)), Some(another));
}

#[test]
fn a_server_of_another_pool_is_not_remembered() {
    let world = World::new(&affine(AffinityConfig::Prefix(BOUNDS)), 4);
    let (pick, forwarded) = world.ask(&hold("acme"), &conversation(1, 2));
    let pick = pick.unwrap();
    let another = (0..4).map(server).find(|address| !pick.starts_with(address)).unwrap();
    let mut fallback = (*forwarded.pool).clone();
    fallback.pool = "small".into();
    forwarded.onward.trace.unwrap().served(&fallback, &another, &till(&world.table));
    let first = pick.split(',').next().map(str::to_owned);
    assert_eq!(world.first(&conversation(1, 3)), first);
}

/// Load decides where a bound says so, until requests have ended.
#[test]
fn who_is_busy_has_to_share() {
    let tight = AffinityBounds { bound_percent: 110, remember_s: 600 };
    let world = World::new(&affine(AffinityConfig::Prefix(tight)), 4);
    let asked: Vec<_> = (0..64).map(|_| world.ask(&hold("acme"), &conversation(1, 2))).collect();
    let servers = |asked: &[(Option<String>, Forwarded)]| {
        let first =
            |pick: &Option<String>| pick.as_ref().unwrap().split(',').next().unwrap().to_owned();
        let mut servers: Vec<_> = asked.iter().map(|(pick, _)| first(pick)).collect();
        servers.sort_unstable();
        servers.dedup();
        servers.len()
    };
    assert_eq!(servers(&asked), 4);
    let under_way = |world: &World| world.table.read("affinity/under-way/big").unwrap_or_default();
    assert!(!under_way(&world).is_empty());
    for (_, forwarded) in asked {
        forwarded.course.settle(&contract::usage::Tally::default(), &till(&world.table));
    }
    assert!(under_way(&world).is_empty(), "nobody is left");
}

#[test]
fn users_stay_with_a_server() {
    let world = World::new(&affine(AffinityConfig::User(BOUNDS)), 4);
    let pick = |user: u32, body: &str| {
        let mut held = hold("acme");
        held.signer.caller.user = Some(format!("u{user}"));
        world.ask(&held, body).0.unwrap().split(',').next().unwrap().to_owned()
    };
    let first: Vec<_> = (0..8).map(|user| pick(user, &conversation(user, 1))).collect();
    let then: Vec<_> = (0..8).map(|user| pick(user, &conversation(user + 9, 2))).collect();
    assert_eq!(first, then);
    assert!(first.iter().any(|address| *address != first[0]), "{first:?}");
}

/// Two requests that differ in nothing but a value that is masked begin alike where they go.
#[test]
fn what_is_masked_is_no_difference() {
    let mut config = affine(AffinityConfig::Prefix(BOUNDS));
    let masking = MaskingPolicyConfig::default();
    config.masking = MaskingConfig { policies: [("p".to_owned(), masking)].into() };
    config.tenants.get_mut("acme").unwrap().masking = Some("p".into());
    let world = World::new(&config, 16);
    let body = |mail: &str| {
        let content = format!("Write to {mail}. {}", "Be polite. ".repeat(80));
        serde_json::json!({"model": "llama", "messages": [{"role": "user", "content": content}]})
            .to_string()
    };
    let blocks = |mail: &str| {
        let (_, forwarded) = world.ask(&hold("acme"), &body(mail));
        assert_eq!(forwarded.masked.as_ref().unwrap().found, 1);
        forwarded.onward.trace.unwrap().blocks().clone()
    };
    assert_eq!(blocks("ann@example.com"), blocks("ann@example.com"));
    let sent = |mail: &str| {
        let material = Material { key: Some(b"made-up key"), external: External::Unasked };
        let till = till(&world.table);
        let setting = Setting { material, till: &till, fleet: &world.fleet, may_ask: true };
        match on_body(&world.policy, &hold("acme"), body(mail).as_bytes(), &setting) {
            Decision::Forward { body, .. } => String::from_utf8(body.unwrap()).unwrap(),
            other => panic!("{other:?}"),
        }
    };
    assert!(!sent("ann@example.com").contains("ann@example.com"));
    // As the engine sees it, so it is hashed.
    let same = sent("ann@example.com") == sent("bob@example.com");
    assert_eq!(blocks("ann@example.com") == blocks("bob@example.com"), same);
}

#[test]
fn engines_that_keep_tenants_apart_are_asked_so() {
    let hashes = |cache_salt: bool| {
        let mut config = affine(AffinityConfig::Prefix(BOUNDS));
        let pool = config.pools.get_mut("big").unwrap();
        (pool.engine, pool.cache_salt) = (contract::policy::Engine::Vllm, cache_salt);
        let world = World::new(&config, 4);
        ["acme", "other"].map(|tenant| {
            let (_, forwarded) = world.ask(&hold(tenant), &conversation(1, 3));
            forwarded.onward.trace.unwrap().blocks().clone()
        })
    };
    let [acme, other] = hashes(true);
    assert_ne!(acme, other);
    let [acme, other] = hashes(false);
    assert_eq!(acme, other);
}

/// However a body is laid out: engines read what the model is told and its tools first.
#[test]
fn what_agents_have_in_common_comes_first() {
    let world = World::new(&affine(AffinityConfig::Prefix(BOUNDS)), 16);
    let (opened, _) = open(&request("POST", "/v1/messages", &[]), false);
    let Identified::Hold(held) = identify(opened, "acme") else { panic!("not held") };
    let server = |whose: u32, system: &str| {
        let said = format!("{whose} asks for {}", "something else ".repeat(40));
        let body = serde_json::json!({
            "max_tokens": 9,
            "messages": [{"role": "user", "content": said}],
            "model": "llama",
            "system": system.repeat(100),
        });
        let (pick, _) = world.ask(&held, &body.to_string());
        pick.unwrap().split(',').next().unwrap().to_owned()
    };
    let of_one: Vec<_> = (0..8).map(|whose| server(whose, "You are polite. ")).collect();
    assert!(of_one.iter().all(|address| *address == of_one[0]), "{of_one:?}");
    let others: Vec<_> = (0..8).map(|n| server(1, &format!("You are agent {n}. "))).collect();
    assert!(others.iter().any(|address| *address != others[0]), "{others:?}");
}
