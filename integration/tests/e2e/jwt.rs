//! Tokens of issuers that really run.

use super::ask::{self, CHAT, HELLO, Told, post};
use integration::token::{self, Algorithm, SigningKey};
use integration::{Engine, Issuer, Result, Tollgate, TollgateStart, client, wait_until};
use serde_json::{Value, json};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(15);
const INVALID: (u16, &str) = (401, "invalid_token");

/// What an issuer may say here: two tenants and two roles.
fn issuer(issuer: &Issuer) -> String {
    format!(
        "    - issuer: {}\n      audiences: [tollgate, other]\n      jwks: {}\n      refresh: 1s\n      \
         claims: {{ tenant: org_id, user: email, roles: realm_access.roles }}\n      tenants: [acme, free]\n      \
         roles: [user, narrow]\n",
        issuer.url(),
        issuer.jwks_url()
    )
}

fn gate_with(issuers: &[&Issuer]) -> TollgateStart {
    let jwt: String = issuers.iter().map(|one| issuer(one)).collect();
    let yaml = format!(
        "models: {{ tiny: p, large: p }}\n\
         roles: {{ user: {{ models: [\"*\"] }}, narrow: {{ models: [tiny] }}, boss: {{ models: [\"*\"] }} }}\n\
         tenants: {{ acme: {{}}, free: {{ models: [tiny] }}, rich: {{}} }}\nauth:\n  jwt:\n{jwt}"
    );
    Tollgate::with(&yaml)
}

/// The claims of an honest caller.
fn kim() -> Value {
    json!({"sub": "1", "email": "kim@example.com", "org_id": "acme", "aud": "tollgate", "realm_access": {"roles": ["user"]}})
}

fn but(name: &str, value: Value) -> Value {
    let mut claims = kim();
    claims[name] = value;
    claims
}

/// Asks with a token until it is taken: Envoy fetches the keys when it starts.
async fn until_taken(gate: &Tollgate, token: impl Fn() -> String) -> bool {
    let taken =
        async || ask::chat(gate, &token(), "tiny").await.is_ok_and(|told| told.status == 200);
    wait_until(taken, SOON).await
}

#[tokio::test]
async fn tokens_of_three_algorithms_name_their_caller() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let issuers = [
        Issuer::start(Algorithm::Rs256).await?,
        Issuer::start(Algorithm::Es256).await?,
        Issuer::start(Algorithm::EdDsa).await?,
    ];
    let gate = gate_with(&issuers.each_ref()).engine("p", &engine).start().await?;
    for issuer in &issuers {
        assert!(until_taken(&gate, || issuer.token(kim())).await, "{}", gate.tails());
        let told = ask::chat(&gate, &issuer.token(kim()), "tiny").await?;
        let seen = told.echo()["headers"].to_string();
        assert!(!seen.contains("authorization") && !seen.contains("x-tollgate"), "{seen}");
        let row = super::ledger::record(&gate, told.id()).await?;
        let who = (&row["tenant"], &row["user"], &row["key"]);
        let key = format!("jwt:{}", issuer.url());
        assert_eq!(who, (&"acme".into(), &"kim@example.com".into(), &key.into()), "{row}");
    }
    // One issuer cannot speak in the name of another.
    let claims = but("iss", json!(issuers[1].url()));
    assert_eq!(ask::chat(&gate, &issuers[0].token(claims), "tiny").await?.what(), INVALID);
    Ok(())
}

#[tokio::test]
async fn an_issuer_says_what_it_may_and_no_more() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let issuer = Issuer::start(Algorithm::Es256).await?;
    let gate = gate_with(&[&issuer]).engine("p", &engine).start().await?;
    assert!(until_taken(&gate, || issuer.token(kim())).await);
    let roles = |roles: Value| but("realm_access", json!({"roles": roles}));
    let served = [
        (kim(), "large"),
        (roles(json!(["narrow"])), "tiny"),
        (roles(json!(["narrow", "user"])), "large"),
        (but("aud", json!(["somebody", "other"])), "tiny"),
        (but("org_id", json!("free")), "tiny"),
    ];
    for (claims, model) in served {
        let told = ask::chat(&gate, &issuer.token(claims.clone()), model).await?;
        assert_eq!(told.status, 200, "{claims}: {}", told.body);
    }
    let absent = [(roles(json!(["narrow"])), "large"), (but("org_id", json!("free")), "large")];
    for (claims, model) in absent {
        let told = ask::chat(&gate, &issuer.token(claims.clone()), model).await?;
        assert_eq!(told.what(), (404, "model_not_found"), "{claims}");
    }
    let refused = [
        but("org_id", json!("rich")),
        but("org_id", json!("nobody")),
        but("org_id", json!(null)),
        but("org_id", json!(["acme"])),
        but("org_id", json!("ACME")),
        but("org_id", json!({"acme": 1})),
        but("org_id", json!("acme,free")),
    ];
    for claims in refused {
        let told = ask::chat(&gate, &issuer.token(claims.clone()), "tiny").await?;
        assert_eq!(told.what(), INVALID, "{claims}");
    }
    // A role that the issuer may not give gives nothing.
    for claims in [
        roles(json!(["boss"])),
        roles(json!([])),
        roles(json!("boss")),
        roles(json!([7])),
        roles(Value::Null),
    ] {
        let told = ask::chat(&gate, &issuer.token(claims.clone()), "tiny").await?;
        assert!([401, 403, 404].contains(&told.status), "{claims}: {told:?}");
    }
    assert_eq!(ask::models(&gate, &issuer.token(roles(json!(["narrow"])))).await?, ["tiny"]);
    Ok(())
}

/// Tokens that are not what an issuer has signed for now and for here.
fn forged(issuer: &Issuer, foreign: &Issuer) -> Vec<(&'static str, String)> {
    let now_s = integration::signed::now_s();
    let claims = issuer.claims(kim());
    let good = issuer.token(kim());
    let [head, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else {
        return Vec::new();
    };
    let rich = issuer.token(but("org_id", json!("free")));
    let other_payload = rich.split('.').nth(1).unwrap_or_default();
    let public = issuer.jwk();
    let key = SigningKey::new("key-0", Algorithm::Rs256, 1);
    vec![
        ("over", issuer.token(but("exp", json!(now_s - 120)))),
        ("over since the beginning", issuer.token(but("exp", json!(0)))),
        ("not yet", issuer.token(but("nbf", json!(now_s + 600)))),
        ("for somebody else", issuer.token(but("aud", json!("somebody")))),
        ("for nobody", issuer.token(but("aud", json!(null)))),
        ("of somebody else", issuer.token(but("iss", json!("https://elsewhere.example")))),
        ("of nobody", issuer.token(but("iss", json!(null)))),
        ("a foreign issuer's", foreign.token(kim())),
        ("a foreign issuer's in our name", foreign.token(but("iss", json!(issuer.url())))),
        ("another key of the same id", key.token(&claims)),
        ("another id", issuer.token_headed(|head| head["kid"] = "key-9".into(), kim())),
        (
            "an id that is a path",
            issuer.token_headed(|head| head["kid"] = "../../dev/null".into(), kim()),
        ),
        (
            "a key of its own",
            key.token_headed(&json!({"alg": "RS256", "kid": "key-0", "jwk": key.jwk()}), &claims),
        ),
        ("none", token::unsigned("none", &claims)),
        ("None", token::unsigned("None", &claims)),
        ("NONE", token::unsigned("NONE", &claims)),
        ("an empty algorithm", token::unsigned("", &claims)),
        (
            "HS256 by the modulus",
            token::hs256("key-0", public["n"].as_str().unwrap_or_default().as_bytes(), &claims),
        ),
        ("HS256 by the key set", token::hs256("key-0", issuer.jwks().as_bytes(), &claims)),
        ("HS256 by the key", token::hs256("key-0", public.to_string().as_bytes(), &claims)),
        ("HS256 by nothing", token::hs256("key-0", b"", &claims)),
        ("another payload", format!("{head}.{other_payload}.{signature}")),
        ("no signature", format!("{head}.{payload}.")),
        ("half a signature", format!("{head}.{payload}.{}", &signature[..signature.len() / 2])),
        ("no payload", format!("{head}..{signature}")),
        ("not base64", format!("{head}.{payload}.!!!")),
        (
            "another algorithm's name",
            issuer.token_headed(|head| head["alg"] = "RS512".into(), kim()),
        ),
    ]
}

#[tokio::test]
async fn what_no_issuer_has_signed_is_refused() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let (issuer, foreign) =
        (Issuer::start(Algorithm::Rs256).await?, Issuer::start(Algorithm::Rs256).await?);
    foreign.rotate(Algorithm::Rs256, false);
    let gate = gate_with(&[&issuer]).engine("p", &engine).start().await?;
    assert!(until_taken(&gate, || issuer.token(kim())).await);
    let before = engine.chats().await?;
    for (name, token) in forged(&issuer, &foreign) {
        let told = ask::chat(&gate, &token, "tiny").await?;
        let unreadable =
            ["no payload", "not base64"].contains(&name) && told.what() == (401, "invalid_api_key");
        assert!(told.what() == INVALID || unreadable, "{name}: {told:?}");
    }
    let good = issuer.token(kim());
    let elsewhere = [("x-api-key", good.as_str()), ("cookie", &good)];
    for (name, value) in elsewhere {
        assert_eq!(
            Told::of(post(&gate, CHAT, &[(name, value)], HELLO)).await?.status,
            401,
            "{name}"
        );
    }
    for query in ["access_token", "token", "jwt"] {
        let path = format!("{CHAT}?{query}={good}");
        assert_eq!(
            Told::of(post(&gate, &path, &[], HELLO)).await?.what(),
            (401, "missing_credentials")
        );
    }
    let key = gate.key("acme").await?.key;
    let two = [("authorization", format!("Bearer {good}")), ("x-api-key", key)];
    let two = two.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(
        Told::of(post(&gate, CHAT, &two, HELLO)).await?.what(),
        (400, "ambiguous_credentials")
    );
    assert_eq!(engine.chats().await?, before, "no engine has heard of it");
    Ok(())
}

#[tokio::test]
async fn keys_rotate_under_the_gateway() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let issuer = Issuer::start(Algorithm::Rs256).await?;
    let gate = gate_with(&[&issuer]).engine("p", &engine).start().await?;
    assert!(until_taken(&gate, || issuer.token(kim())).await);
    let old = issuer.token(kim());
    issuer.rotate(Algorithm::Es256, true);
    assert!(until_taken(&gate, || issuer.token(kim())).await, "the new key is taken");
    assert_eq!(ask::chat(&gate, &old, "tiny").await?.status, 200, "the old one is still published");
    let between = issuer.token(kim());
    issuer.rotate(Algorithm::EdDsa, false);
    assert!(until_taken(&gate, || issuer.token(kim())).await);
    for token in [old, between] {
        let refused = async || {
            ask::chat(&gate, &token, "tiny").await.is_ok_and(|told| told.what() == INVALID)
        };
        assert!(wait_until(refused, SOON).await, "a key that is withdrawn is not taken");
    }
    assert!(issuer.fetches() >= 2);
    // The issuer is away: what was fetched counts until it is back.
    issuer.set_down(true);
    let key = gate.key("acme").await?.key;
    assert_eq!(ask::chat(&gate, &key, "tiny").await?.status, 200, "keys need no issuer");
    issuer.set_down(false);
    assert!(until_taken(&gate, || issuer.token(kim())).await);
    Ok(())
}

#[tokio::test]
async fn keys_may_stand_in_a_file() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let issuer = Issuer::start(Algorithm::EdDsa).await?;
    let yaml = "auth:\n  jwt:\n    - { issuer: ci, jwks: \"file:jwks.json\", tenants: [acme] }\n";
    let gate = Tollgate::with(yaml)
        .file("jwks.json", &issuer.jwks())
        .engine("tiny", &engine)
        .start()
        .await?;
    let token = || issuer.token(json!({"iss": "ci", "sub": "robot"}));
    let told = ask::chat(&gate, &token(), "tiny").await?;
    assert_eq!(told.status, 200, "{}", told.body);
    let row = super::ledger::record(&gate, told.id()).await?;
    let who = (&row["tenant"], &row["user"], &row["key"]);
    assert_eq!(who, (&"acme".into(), &"robot".into(), &"jwt:ci".into()), "{row}");
    let old = token();
    issuer.rotate(Algorithm::Es256, false);
    gate.replace_file("jwks.json", &issuer.jwks())?;
    assert!(until_taken(&gate, token).await, "{}", gate.tails());
    let refused =
        async || ask::chat(&gate, &old, "tiny").await.is_ok_and(|told| told.what() == INVALID);
    assert!(wait_until(refused, SOON).await);
    Ok(())
}

/// Without issuers a text with two dots is a key like any other.
#[tokio::test]
async fn without_issuers_there_are_no_tokens() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let issuer = Issuer::start(Algorithm::Es256).await?;
    let gate = Tollgate::with("").engine("tiny", &engine).start().await?;
    assert_eq!(
        ask::chat(&gate, &issuer.token(kim()), "tiny").await?.what(),
        (401, "invalid_api_key")
    );
    assert_eq!(client().get(format!("{}/healthz", gate.url())).send().await?.status(), 200);
    Ok(())
}
