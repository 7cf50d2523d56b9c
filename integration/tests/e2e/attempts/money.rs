//! Who answered is who is paid for, once.

use super::super::ask::Told;
use super::super::ledger::{RECORD_TIMEOUT, record};
use super::{SOON, World, is_chained};
use integration::{Load, Result, wait_until};
use serde_json::Value;

/// In nano-dollars a token: 1,000 of input and 10,000 of output at `a`, ten times as much at
/// `b`.
const PRICES: [&str; 3] = [
    "    template_tokens: 1\n    price: { input: 1, output: 10 }\n",
    "    template_tokens: 1\n    price: { input: 10, output: 100 }\n",
    "",
];
const TOKENS: u64 = 8;

fn cost_of(row: &Value) -> u64 {
    row["cost_nanodollars"].as_u64().unwrap_or(u64::MAX)
}

#[tokio::test]
async fn the_pool_that_answered_is_in_the_record() -> Result<()> {
    let world = World::with("", "", PRICES).await?;
    let own = world.chat().await?;
    let own = record(&world.gate, own.id()).await?;
    assert_eq!((&own["pool"], &own["attempts"]), (&"a".into(), &1.into()), "{own}");
    assert_eq!(cost_of(&own), 1_000 + TOKENS * 10_000, "{own}");
    world.a.fail("status=503").await?;
    if !is_chained() {
        let told = world.chat().await?;
        let row = record(&world.gate, told.id()).await?;
        assert_eq!((&row["pool"], cost_of(&row)), (&"a".into(), 0), "{row}");
        return Ok(());
    }
    let (told, stream) = (world.chat().await?, world.stream().await?);
    for id in [told.id(), &stream.id] {
        let row = record(&world.gate, id).await?;
        assert_eq!((&row["pool"], &row["attempts"]), (&"b".into(), &2.into()), "{row}");
        assert_eq!(row["endpoint"], world.b.address().to_string(), "{row}");
        assert_eq!((&row["status"], &row["end"]), (&200.into(), &"complete".into()), "{row}");
        assert_eq!((&row["input_tokens"], &row["output_tokens"]), (&1.into(), &TOKENS.into()));
        assert_eq!(cost_of(&row), 10_000 + TOKENS * 100_000, "{row}");
        assert_ne!(row["price_version"], own["price_version"], "{row}");
    }
    let rows = world.gate.usage_when(|rows| rows.len() >= 3, RECORD_TIMEOUT).await?;
    assert_eq!(rows.len(), 3, "one record for each request, whatever it took");
    Ok(())
}

/// The fallback costs ten times as much: what is reserved has to pay for it as well.
#[tokio::test]
async fn a_dear_fallback_does_not_overspend_a_budget() -> Result<()> {
    const BUDGET: u64 = 20_000_000;
    let budget = "tenants:\n  acme:\n    budget: { dollars: 0.02, per: total }\n";
    let world = World::with("", budget, PRICES).await?;
    world.a.fail("status=503").await?;
    let load = Load::on(world.gate.url()).key(&world.key).model("chat").clients(4);
    let load = load.field("max_tokens", 8.into());
    if !is_chained() {
        let outcomes = load.count(40).await?;
        assert!(outcomes.iter().all(|it| it.status == Some(503)), "{outcomes:?}");
        let rows = world.gate.usage_when(|rows| rows.len() >= 40, RECORD_TIMEOUT).await?;
        assert_eq!((rows.len(), rows.iter().map(cost_of).sum::<u64>()), (40, 0));
        assert_eq!(world.b.chats().await?, 0);
        return Ok(());
    }
    // What is left pays for no more of the dear pool; the free one behind it goes on.
    let is_out = async || {
        let before = world.b.chats().await.unwrap_or(0);
        let outcomes = load.count(8).await.unwrap_or_default();
        let free = outcomes.iter().all(|it| it.status == Some(200));
        free && !outcomes.is_empty() && world.b.chats().await.ok() == Some(before)
    };
    assert!(wait_until(is_out, SOON * 3).await, "the budget pays for the dear pool for ever");
    let delivered: u64 = world
        .b
        .delivered()
        .await?
        .iter()
        .flat_map(|it| &it.attempts)
        .map(|it| 10_000 * it.prompt_tokens + 100_000 * it.output_tokens)
        .sum();
    assert!(delivered > BUDGET / 2, "only {delivered} of {BUDGET} were delivered");
    assert!(delivered <= BUDGET, "{delivered} of {BUDGET} were delivered");
    let billed = async || {
        let rows = world.gate.usage().await.unwrap_or_default();
        rows.iter().map(|row| row["cost_nanodollars"].as_u64().unwrap_or(0)).sum::<u64>()
            == delivered
    };
    assert!(wait_until(billed, SOON).await, "{delivered} were delivered and not billed");
    Ok(())
}

/// A client that does not wait for the second attempt's answer: who works on it is named, at
/// his own prices.
#[tokio::test]
async fn who_worked_for_a_client_that_left_is_in_the_record() -> Result<()> {
    let world = World::with("", "", PRICES).await?;
    // Where no other pool is tried, the first one works.
    let (name, works, nanodollars) =
        if is_chained() { ("b", &world.b, 10_000) } else { ("a", &world.a, 1_000) };
    if is_chained() {
        world.a.fail("status=503").await?;
    }
    let whole = record(&world.gate, world.chat().await?.id()).await?;
    assert_eq!(whole["pool"], name, "{whole}");
    works.fail("hang").await?;
    for stream in [false, true] {
        let (asked, rows) = (works.chats().await?, world.gate.usage().await?.len());
        let mut body = super::chat("hello");
        body["stream"] = stream.into();
        let asking = tokio::spawn(Told::of(world.post(&body)));
        let is_asked = async || works.chats().await.is_ok_and(|now| now > asked);
        assert!(wait_until(is_asked, SOON).await, "{name} is not asked");
        asking.abort();
        let all = world.gate.usage_when(|all| all.len() > rows, RECORD_TIMEOUT).await?;
        let left = |row: &&Value| row["end"] == "client_left" && row["stream"] == stream;
        let row = all.iter().find(left).cloned().unwrap_or_default();
        assert_eq!((&row["pool"], &row["attempts"]), (&name.into(), &whole["attempts"]), "{row}");
        assert_eq!(row["endpoint"], works.address().to_string(), "{row}");
        assert_eq!(row["price_version"], whole["price_version"], "{row}");
        assert_eq!(row["output_tokens"], 0, "{row}");
        let tokens = row["input_tokens"].as_u64().unwrap_or_default();
        assert_eq!(cost_of(&row), tokens * nanodollars, "{row}");
    }
    Ok(())
}

/// What a failed attempt has said of tokens is nobody's bill.
#[tokio::test]
async fn failed_attempts_cost_nothing() -> Result<()> {
    let world = World::with("", "", PRICES).await?;
    for engine in [&world.a, &world.b, &world.c] {
        engine.fail("status=500").await?;
    }
    let told = world.chat().await?;
    assert_eq!(told.what(), (502, "engine_error"), "{}", told.body);
    let row = record(&world.gate, told.id()).await?;
    assert_eq!((&row["end"], cost_of(&row)), (&"engine_failed".into(), 0), "{row}");
    let attempts = if is_chained() { 3 } else { 1 };
    assert_eq!((&row["attempts"], &row["code"]), (&attempts.into(), &"engine_error".into()));
    Ok(())
}
