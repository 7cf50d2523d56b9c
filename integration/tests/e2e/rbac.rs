//! Who may use what: tenant, role, key and user each bound it, and a denial wins.

use super::ask::{self, Told, chat, key, models, post};
use integration::{Engine, Result, Tollgate};

const YAML: &str = r#"
models: { tiny: p, large: p, large-internal: p, other: p }
roles:
  user: { models: ["*"] }
  small: { models: [tiny, other] }
  chats: { models: ["*"], paths: [/v1/chat/completions, /v1/models] }
  careful: { models: ["*"], deny: { models: ["*-internal"], paths: [/v1/embeddings] } }
  nothing: { models: [] }
tenants:
  acme:
    users:
      roles: { kim: [small], lee: [careful, small] }
  bounded:
    models: ["large*", tiny]
    paths: ["/v1/chat/*", "/v1/models*"]
    deny: { models: [large-internal] }
"#;

async fn gate(engine: &Engine) -> Result<Tollgate> {
    Tollgate::with(YAML).engine("p", engine).start().await
}

#[tokio::test]
async fn models_are_what_every_level_allows() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = gate(&engine).await?;
    let all = ["large", "large-internal", "other", "tiny"];
    let table: &[(&str, &[&str], &[&str])] = &[
        ("acme", &[], &all),
        ("acme", &["--role", "user"], &all),
        ("acme", &["--role", "small"], &["other", "tiny"]),
        ("acme", &["--role", "careful"], &["large", "other", "tiny"]),
        // A denial of one role is not undone by another.
        ("acme", &["--role", "careful", "--role", "user"], &["large", "other", "tiny"]),
        ("acme", &["--role", "nothing"], &[]),
        ("acme", &["--role", "nothing", "--role", "small"], &["other", "tiny"]),
        ("acme", &["--model", "large*"], &["large", "large-internal"]),
        ("acme", &["--model", "large*", "--role", "careful"], &["large"]),
        ("acme", &["--model", "tiny", "--model", "none"], &["tiny"]),
        ("acme", &["--user", "kim"], &["other", "tiny"]),
        ("acme", &["--user", "kim", "--role", "user"], &["other", "tiny"]),
        ("acme", &["--user", "kim", "--model", "tiny"], &["tiny"]),
        ("acme", &["--user", "lee"], &["large", "other", "tiny"]),
        ("acme", &["--user", "somebody"], &all),
        ("bounded", &[], &["large", "tiny"]),
        ("bounded", &["--role", "user"], &["large", "tiny"]),
        ("bounded", &["--role", "small"], &["tiny"]),
    ];
    for (tenant, arguments, allowed) in table {
        let key = key(&gate, tenant, arguments).await?.key;
        assert_eq!(&models(&gate, &key).await?, allowed, "{tenant} {arguments:?}");
        for model in all {
            let told = chat(&gate, &key, model).await?;
            let one = ask::get(&gate, &key, &format!("/v1/models/{model}")).await?;
            let wanted =
                if allowed.contains(&model) { (200, "") } else { (404, "model_not_found") };
            assert_eq!(told.what(), wanted, "{tenant} {arguments:?} {model}");
            assert_eq!(one.what(), wanted, "{tenant} {arguments:?} {model}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn paths_are_what_every_level_allows() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = gate(&engine).await?;
    let embed = r#"{"model":"tiny","input":"a"}"#;
    let table: &[(&str, &[&str], [u16; 2])] = &[
        ("acme", &[], [200, 200]),
        ("acme", &["--role", "chats"], [200, 403]),
        ("acme", &["--role", "careful"], [200, 403]),
        ("acme", &["--role", "careful", "--role", "user"], [200, 403]),
        ("acme", &["--user", "lee"], [200, 403]),
        ("bounded", &["--role", "user"], [200, 403]),
    ];
    for (tenant, arguments, [chats, embeddings]) in table {
        let key = key(&gate, tenant, arguments).await?.key;
        assert_eq!(chat(&gate, &key, "tiny").await?.status, *chats, "{tenant} {arguments:?}");
        let authorization = format!("Bearer {key}");
        let told =
            Told::of(post(&gate, "/v1/embeddings", &[("authorization", &authorization)], embed))
                .await?;
        assert_eq!(told.status, *embeddings, "{tenant} {arguments:?}: {}", told.body);
        assert_eq!(told.status == 403, told.code == "forbidden", "{}", told.body);
    }
    Ok(())
}

/// What was allowed is not for longer than the configuration says so.
#[tokio::test]
async fn a_role_that_shrinks_counts_at_once() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = gate(&engine).await?;
    let key = key(&gate, "acme", &["--role", "small"]).await?.key;
    assert_eq!(models(&gate, &key).await?, ["other", "tiny"]);
    gate.rewrite_config(|yaml| {
        yaml.replace("small: { models: [tiny, other] }", "small: { models: [other] }")
    })?;
    let shrunk = async || chat(&gate, &key, "tiny").await.is_ok_and(|told| told.status == 404);
    assert!(integration::wait_until(shrunk, std::time::Duration::from_secs(5)).await);
    // A role that is gone takes everything with it; it never falls back to all.
    gate.rewrite_config(|yaml| {
        yaml.replace("small: { models: [other] }", "smaller: { models: [other] }")
            .replace("[small]", "[smaller]")
            .replace("careful, small]", "careful, smaller]")
    })?;
    let nothing = async || models(&gate, &key).await.is_ok_and(|models| models.is_empty());
    assert!(
        integration::wait_until(nothing, std::time::Duration::from_secs(5)).await,
        "{:?}",
        models(&gate, &key).await
    );
    Ok(())
}
