//! A share of the requests goes to another pool as well; nobody waits for it, and nobody pays.

use super::ask::{CHAT, Told};
use super::attempts::is_chained;
use super::ledger::{RECORD_TIMEOUT, record};
use integration::{Engine, Load, Result, Tollgate, client, wait_until};
use serde_json::json;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);
const EMAIL: &str = "kim.minsu@example.com";

struct World {
    gate: Tollgate,
    key: String,
    main: Engine,
    shadow: Engine,
}

impl World {
    async fn with(share: &str) -> Result<World> {
        let main = Engine::start().model("org/main").record().spawn().await?;
        let shadow = Engine::start().model("org/the-shadow-of-it").record().spawn().await?;
        let yaml = format!(
            "pools:\n  main:\n    price: {{ input: 1, output: 1 }}\n    \
             credentials: {{ header: authorization, value: \"Bearer made-up-secret-of-main\" }}\n  \
             shadow:\n    price: {{ input: 5, output: 5 }}\n    \
             credentials: {{ header: x-api-key, value: made-up-secret-of-shadow }}\n\
             models:\n  chat:\n    split: [ {{ pool: main, weight: 1 }} ]\n    \
             shadow: {{ pool: shadow, share: {share} }}\n\
             masking:\n  policies:\n    default: {{}}\ntenants:\n  acme:\n    masking: default\n"
        );
        let gate = Tollgate::with(&yaml).engine("main", &main).engine("shadow", &shadow);
        let gate = gate.start().await?;
        let key = gate.key("acme").await?.key;
        Ok(World { gate, key, main, shadow })
    }

    async fn ask(&self, content: &str, stream: bool) -> Result<Told> {
        let messages = json!([{"role": "user", "content": content}]);
        let body = json!({"model": "chat", "messages": messages, "stream": stream});
        let request = client().post(format!("{}{CHAT}", self.gate.url())).json(&body);
        Told::of(request.bearer_auth(&self.key)).await
    }
}

#[tokio::test]
async fn the_copy_is_masked_its_own_and_free() -> Result<()> {
    let world = World::with("100%").await?;
    let told = world.ask(&format!("Write to {EMAIL}"), false).await?;
    assert_eq!((told.status, told.body["model"].as_str()), (200, Some("chat")), "{}", told.body);
    let shadow = &world.shadow;
    let arrived = async || shadow.asked(0).await.is_ok_and(|all| !all.is_empty());
    if !is_chained() {
        // It would have the body of the other pool.
        assert!(!wait_until(arrived, Duration::from_secs(1)).await, "a copy arrived");
        return Ok(());
    }
    assert!(wait_until(arrived, SOON).await, "no copy arrived");
    let (own, copy) = (world.main.asked(0).await?, world.shadow.asked(0).await?);
    let (own, copy) = (&own[0], &copy[0]);
    assert_eq!(copy.json()["model"], "org/the-shadow-of-it", "{}", copy.json());
    assert_eq!(copy.json()["messages"], own.json()["messages"]);
    assert_eq!(copy.values("content-length"), [copy.body.len().to_string()]);
    assert!(!String::from_utf8_lossy(&copy.body).contains(EMAIL));
    for (name, value) in &copy.headers {
        assert!(!value.contains("secret-of-main") && !value.contains(&world.key), "{name}");
        assert!(!name.starts_with("x-tollgate-"), "{name}: {value}");
    }
    assert_eq!(copy.values("x-api-key"), ["made-up-secret-of-shadow"]);
    assert!(own.values("x-api-key").is_empty());
    let row = record(&world.gate, told.id()).await?;
    assert_eq!((&row["pool"], &row["status"]), (&"main".into(), &200.into()), "{row}");
    let rows = world.gate.usage_when(|rows| !rows.is_empty(), RECORD_TIMEOUT).await?;
    assert_eq!(rows.len(), 1, "the copy has a record of its own: {rows:?}");
    let tokens = |name: &str| row[name].as_u64().unwrap_or(0);
    let cost = 1_000 * (tokens("input_tokens") + tokens("output_tokens"));
    assert_eq!(row["cost_nanodollars"], cost, "{row}");
    Ok(())
}

#[tokio::test]
async fn a_shadow_that_fails_harms_nobody() -> Result<()> {
    let mut world = World::with("100%").await?;
    let load = |world: &World| Load::on(world.gate.url()).key(&world.key).model("chat").clients(2);
    for fault in ["hang", "status=500", "reset-before", "hang-after=1"] {
        world.shadow.fail(fault).await?;
        for load in [load(&world), load(&world).stream()] {
            let outcomes = load.count(10).await?;
            assert!(outcomes.iter().all(|it| it.complete), "{fault}: {outcomes:?}");
        }
    }
    world.shadow.kill();
    let outcomes = load(&world).count(20).await?;
    assert!(outcomes.iter().all(|it| it.complete), "dead: {outcomes:?}");
    Ok(())
}

/// A tenth is a tenth: six standard deviations of 400 requests are 36.
#[tokio::test]
async fn a_share_is_a_share() -> Result<()> {
    let world = World::with("10%").await?;
    let outcomes = Load::on(world.gate.url()).key(&world.key).model("chat").clients(4);
    let outcomes = outcomes.count(400).await?;
    assert!(outcomes.iter().all(|it| it.complete));
    assert_eq!(world.main.chats().await?, 400);
    if !is_chained() {
        assert_eq!(world.shadow.chats().await?, 0);
        return Ok(());
    }
    let copies = async || world.shadow.chats().await.is_ok_and(|chats| (4..=76).contains(&chats));
    assert!(wait_until(copies, SOON).await, "{}", world.shadow.chats().await?);
    Ok(())
}
