//! What routing costs: nanoseconds of a request's look-up and choice with 10, 1,000 and 10,000
//! models, and of the pick of a server.
//!
//! `cargo bench --package routing`

#![expect(clippy::print_stdout, reason = "this is how a bench tells")]
#![expect(clippy::unwrap_used, reason = "a bench may end where it stands")]
#![expect(clippy::indexing_slicing, reason = "a bench may end where it stands")]

use contract::fleet::Server;
use contract::policy::{
    AffinityBounds, FamilyConfig, GatewayConfig, Language, MediaKind, ModelConfig, RuleConfig,
    ShareConfig, Sticky, WhenConfig,
};
use routing::memory::Said;
use routing::{Blocks, Draw, Facts, Memory, Pool, Table};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::hint::black_box;
use std::time::Instant;

const BATCHES: u32 = 100;
const ROUNDS: u32 = 2_000;
const PICKS: u32 = 200;

fn main() {
    println!(
        "| models | families | by name | by family | by alias |\n| ---: | ---: | ---: | ---: | ---: |"
    );
    for count in [10, 1_000, 10_000] {
        choices(count);
    }
    println!(
        "\n| servers | prompt | blocks | pick | sent, remember, ended |\n| ---: | ---: | ---: | ---: | ---: |"
    );
    for (servers, bytes) in [(4, 2_000), (16, 2_000), (64, 2_000), (64, 200_000)] {
        picks(servers, bytes);
    }
}

/// Nanoseconds of one round, in the quickest of [`BATCHES`]: in the others the machine did
/// something else as well.
fn nanoseconds(rounds: u32, mut round: impl FnMut(usize)) -> u128 {
    let mut batch = |number: u32| {
        let begun = Instant::now();
        for round_number in 0..rounds {
            round((number * rounds + round_number) as usize);
        }
        begun.elapsed().as_nanos() / u128::from(rounds)
    };
    (0..BATCHES).map(&mut batch).min().unwrap_or_default()
}

fn choices(count: usize) {
    let table = Table::compile(&config(count)).unwrap();
    let facts = Request;
    let draw = Draw { user: Some("kim"), key: "key-7", request_id: "0b5c7f0e-6a5e-4e0e" };
    let measured = ["model-", "family-", "alias-"].map(|kind| {
        let rest = if kind == "family-" { "-large" } else { "" };
        let names: Vec<String> = (0..count).map(|number| format!("{kind}{number}{rest}")).collect();
        nanoseconds(ROUNDS, |number| {
            let name = &names[number * 7_919 % names.len()];
            let model = table.resolve("acme", name).unwrap();
            black_box(model.choose(&facts, &draw).unwrap().header());
        })
    });
    let [name, family, alias] = measured;
    println!("| {count} | {count} | {name} ns | {family} ns | {alias} ns |");
}

fn picks(count: usize, bytes: usize) {
    let servers: Vec<Server> = (0..count)
        .map(|number| Server {
            address: format!("10.0.0.{number}:8000"),
            active: Some(3),
            weight: 90,
        })
        .collect();
    let bounds = AffinityBounds { bound_percent: 150, remember_s: 600 };
    let pool = Pool { name: "chat", servers: &servers, bounds };
    let texts: Vec<String> = (0..8).map(|number| format!("{number} ").repeat(bytes / 16)).collect();
    let prompt = || Blocks::of(&["chat", "acme"], texts.iter().map(String::as_str));
    let (memory, blocks) = (Shelf::default(), prompt());
    let hashing = nanoseconds(PICKS, |_| {
        black_box(prompt());
    });
    pool.remember(&blocks, &servers[0].address, &memory, 1_000_000);
    for server in &servers {
        pool.sent(&server.address, &memory, 1_000_000);
    }
    let picking = nanoseconds(PICKS, |_| {
        black_box(pool.by_prefix(&blocks, &memory, 1_000_000).header());
    });
    let noting = nanoseconds(PICKS, |number| {
        let address = &servers[number % count].address;
        let sent = pool.sent(address, &memory, 1_000_000);
        pool.remember(&blocks, address, &memory, 1_000_000);
        sent.into_iter().for_each(|sent| pool.ended(sent, &memory, 1_000_000));
    });
    println!("| {count} | {bytes} B | {hashing} ns | {picking} ns | {noting} ns |");
}

/// As many models, families and aliases, each model with two rules and a split.
fn config(count: usize) -> GatewayConfig {
    let pools = r#"{"a": {"cluster": "pool/a", "model": "m", "timeout_ms": 1, "price_version": "v"},
        "b": {"cluster": "pool/b", "model": "m", "timeout_ms": 1, "price_version": "v"}}"#;
    let text = format!(
        r#"{{"control_cluster": "control", "max_body_bytes": 1, "pools": {pools}, "models": {{}},
            "tenants": {{}}, "chains": true}}"#
    );
    let mut config: GatewayConfig = serde_json::from_str(&text).unwrap();
    let numbers = || 0..count;
    config.models = numbers().map(|number| (format!("model-{number}"), model())).collect();
    config.families = numbers()
        .map(|number| FamilyConfig { pattern: format!("family-{number}-*"), model: model() })
        .collect();
    config.aliases =
        numbers().map(|number| (format!("alias-{number}"), format!("model-{number}"))).collect();
    config
}

fn model() -> ModelConfig {
    let share = |pool: &str, weight| ShareConfig { pool: pool.into(), weight };
    let rule = |tenant: &str| RuleConfig {
        when: WhenConfig { tenants: vec![tenant.into()], ..WhenConfig::default() },
        split: vec![share("b", 1)],
    };
    ModelConfig {
        split: vec![share("a", 90), share("b", 10)],
        sticky: Sticky::User,
        fallback: vec!["b".into()],
        rules: vec![rule("zeta"), rule("omega")],
        ..ModelConfig::default()
    }
}

struct Request;

impl Facts for Request {
    fn tenant(&self) -> &str {
        "acme"
    }
    fn has_role(&self, _: &str) -> bool {
        false
    }
    fn path(&self) -> &str {
        "/v1/chat/completions"
    }
    fn stream(&self) -> bool {
        true
    }
    fn header(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
    fn has_media(&self, _: MediaKind) -> bool {
        false
    }
    fn prompt_tokens(&self) -> u64 {
        0
    }
    fn language(&self) -> Language {
        Language::Other
    }
}

#[derive(Default)]
struct Shelf(RefCell<HashMap<String, Vec<u8>>>);

impl Memory for Shelf {
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        self.0.borrow().get(name).cloned()
    }

    fn change<T>(&self, name: &str, change: &mut dyn FnMut(Option<&[u8]>) -> Said<T>) -> Option<T> {
        let (value, said) = change(self.read(name).as_deref());
        if let Some(value) = value {
            self.0.borrow_mut().insert(name.to_owned(), value);
        }
        Some(said)
    }
}
