//! What a model is called.

use super::super::ask::{self, key};
use super::{World, chat};
use integration::{Result, client};
use serde_json::json;

const SECTIONS: &str = "models:\n  chat: rest\n  other: { alias: chat }\n  \"gpt-4o*\": family\n  \
    \"gpt-4o-mini*\": small\n  gpt-4o-exact: exact\n  mine: shared\n\
    tenants:\n  acme: { aliases: { mine: gpt-4o-exact, gpt-4o-own: chat } }\n  beta: {}\n";
const POOLS: [&str; 5] = ["rest", "family", "small", "exact", "shared"];

#[tokio::test]
async fn the_most_special_name_counts() -> Result<()> {
    let world = World::with(&POOLS, SECTIONS).await?;
    let beta = format!("Bearer {}", key(&world.gate, "beta", &[]).await?.key);
    let table = [
        ("chat", "rest", "rest"),
        ("other", "rest", "rest"),
        ("gpt-4o", "family", "family"),
        ("gpt-4o-2026-11", "family", "family"),
        ("gpt-4o-mini", "small", "small"),
        ("gpt-4o-mini-2026", "small", "small"),
        ("gpt-4o-exact", "exact", "exact"),
        ("mine", "exact", "shared"),
        ("gpt-4o-own", "rest", "family"),
        ("gpt-4", "model_not_found", "model_not_found"),
        ("Chat", "model_not_found", "model_not_found"),
        ("", "invalid_request", "invalid_request"),
    ];
    for (model, of_acme, of_beta) in table {
        assert_eq!(world.pool_of(&[], &chat(model, "x")).await?, of_acme, "{model}");
        let headers = [("authorization", beta.as_str())];
        assert_eq!(world.pool_of(&headers, &chat(model, "x")).await?, of_beta, "{model}");
    }
    Ok(())
}

/// In the answer, in every event and in the record there is the name that was asked for.
#[tokio::test]
async fn the_answer_has_the_name_that_was_asked_for() -> Result<()> {
    let world = World::with(&POOLS, SECTIONS).await?;
    for model in ["chat", "other", "gpt-4o-2026-11", "mine"] {
        let told = world.ask(ask::CHAT, &[], &chat(model, "x")).await?;
        assert_eq!(told.body["model"], model, "{}", told.body);
        let row = super::super::ledger::record(&world.gate, told.id()).await?;
        assert_eq!(row["model"], model, "{row}");
        let mut body = chat(model, "x");
        body["stream"] = json!(true);
        let request = client().post(format!("{}{}", world.gate.url(), ask::CHAT)).json(&body);
        let text = request.bearer_auth(&world.key).send().await?.text().await?;
        let named = text.matches(&format!("\"model\":\"{model}\"")).count();
        assert!(named > 1 && named == text.matches("\"model\":").count(), "{text}");
    }
    Ok(())
}

/// A name that a caller may not use is not there for him, whatever it stands for.
#[tokio::test]
async fn an_alias_opens_no_door() -> Result<()> {
    let sections = format!("{SECTIONS}roles:\n  narrow: {{ models: [chat] }}\n");
    let world = World::with(&POOLS, &sections).await?;
    let narrow = key(&world.gate, "acme", &["--role", "narrow"]).await?.key;
    let headers = [("authorization", format!("Bearer {narrow}"))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    for (model, wanted) in
        [("chat", "rest"), ("gpt-4o-exact", "model_not_found"), ("mine", "model_not_found")]
    {
        assert_eq!(world.pool_of(&headers, &chat(model, "x")).await?, wanted, "{model}");
    }
    Ok(())
}

#[tokio::test]
async fn every_tenant_is_shown_its_own_names() -> Result<()> {
    let world = World::with(&POOLS, SECTIONS).await?;
    let own = ask::models(&world.gate, &world.key).await?;
    assert!(["chat", "other", "mine", "gpt-4o-own"].iter().all(|it| own.iter().any(|m| m == it)));
    let beta = key(&world.gate, "beta", &[]).await?.key;
    let others = ask::models(&world.gate, &beta).await?;
    assert!(!others.iter().any(|model| model == "gpt-4o-own"), "{others:?}");
    Ok(())
}
