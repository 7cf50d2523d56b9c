//! Tokens and signatures: what Envoy has verified cannot be said by anybody else.

use super::attack::{Attack, CHAT, HONEST, JSON, KEY, post};
use super::world::World;
use integration::signed::Signed;
use integration::token::{self, Algorithm};
use integration::{Issuer, Result};
use serde_json::{Value, json};

const INVALID: (u16, &str) = (401, "invalid_token");
/// The header in which Envoy hands over what it has verified, in two spellings, and one
/// that is like it.
fn verified(issuer: &Issuer) -> [String; 3] {
    let digits: String = issuer.url().bytes().map(|byte| format!("{byte:02x}")).collect();
    let header = format!("x-tollgate-jwt-{digits}");
    [header.to_uppercase(), header, "x-tollgate-jwt-0".to_owned()]
}

async fn world(issuer: &Issuer) -> Result<World> {
    let jwt = format!(
        "  jwt:\n    - {{ issuer: \"{}\", jwks: \"{}\", refresh: 1s, tenants: [acme, rich], claims: {{ tenant: org_id }} }}\n",
        issuer.url(),
        issuer.jwks_url()
    );
    World::with(&jwt).await
}

fn payload(claims: &Value) -> String {
    token::unsigned("none", claims).split('.').nth(1).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn nobody_says_what_envoy_has_verified() -> Result<()> {
    let issuer = Issuer::start(Algorithm::Es256).await?;
    let mut world = world(&issuer).await?;
    let rich = issuer.claims(json!({"sub": "kim", "org_id": "rich"}));
    let forged = token::unsigned("none", &rich);
    let payload = payload(&rich);
    let mut attacks = Vec::new();
    for name in &verified(&issuer) {
        let line = format!("{name}: {payload}\r\n");
        attacks.push(Attack::headers(name, &line).refused(401, "missing_credentials"));
        for bearer in [forged.as_str(), "a.b.c", "..", "eyJ.eyJ.x"] {
            let lines = format!("{line}authorization: Bearer {bearer}\r\n");
            let attack = Attack::headers(format!("{name} and {bearer:.8}"), &lines);
            attacks.push(attack.refused(INVALID.0, INVALID.1).refused(401, "invalid_api_key"));
        }
        let beside_a_key = format!("{line}authorization: Bearer {KEY}\r\n");
        attacks.push(Attack::headers(format!("{name} beside a key"), &beside_a_key).served());
    }
    let twice = format!(
        "{0}: {payload}\r\n{0}: {payload}\r\nauthorization: Bearer {forged}\r\n",
        verified(&issuer)[1]
    );
    attacks.push(Attack::headers("twice", &twice).refused(INVALID.0, INVALID.1));
    for scheme in ["bearer", "BEARER", "Bearer\t", "JWT", "Token"] {
        let line = format!("authorization: {scheme} {forged}\r\n");
        attacks.push(Attack::headers(scheme, &line).any_refusal());
    }
    world.try_all(attacks).await?;
    world.end().await
}

/// A verified token beside another one: neither lends the other its name.
#[tokio::test]
async fn two_tokens_are_two_credentials() -> Result<()> {
    let issuer = Issuer::start(Algorithm::Es256).await?;
    let mut world = world(&issuer).await?;
    let good = issuer.token(json!({"sub": "kim", "org_id": "rich"}));
    let forged = token::unsigned("none", &issuer.claims(json!({"sub": "kim", "org_id": "acme"})));
    let lines = [
        format!("authorization: Bearer {good}\r\nauthorization: Bearer {forged}\r\n"),
        format!("authorization: Bearer {forged}\r\nauthorization: Bearer {good}\r\n"),
        format!("authorization: Bearer {good}, Bearer {forged}\r\n"),
        format!("authorization: Bearer {forged},Bearer {good}\r\n"),
        format!("authorization: Bearer {good}\r\nx-api-key: {KEY}\r\n"),
        format!("authorization: Bearer {good}\r\nauthorization: Bearer {KEY}\r\n"),
    ];
    let attack = |line: &String| {
        Attack::headers(format!("{line:.40}"), line).refused(400, "ambiguous_credentials")
    };
    world.try_all(lines.iter().map(attack).collect()).await?;
    world.end().await
}

/// A signature is for one path, however it is written.
#[tokio::test]
async fn a_signature_is_for_what_it_names() -> Result<()> {
    const SECRET: &str = "a-made-up-secret-of-partner-1";
    let mut world = World::new().await?;
    let signed = |path: &str| Signed::post("partner-1", SECRET, path, HONEST.as_bytes()).header();
    let sent = |name: &str, path: &str, header: &str| {
        let lines = format!("{JSON}authorization: {header}\r\n");
        Attack::new(name, post(path, &lines, HONEST)).any_refusal()
    };
    let twice = format!("{}, {}", signed(CHAT), signed(CHAT));
    let attacks = vec![
        sent("as it should be", CHAT, &signed(CHAT)).served(),
        sent("for this path in another spelling", "/v1//chat/./completions", &signed(CHAT))
            .served(),
        sent("for another path", CHAT, &signed("/v1/models")),
        sent("for a path that leads here", CHAT, &signed("/v1/models/../chat/completions")),
        sent("for a query", CHAT, &signed("/v1/chat/completions?")),
        sent("for capitals", CHAT, &signed("/V1/CHAT/COMPLETIONS")),
        sent("for another host's", CHAT, &signed("http://t/v1/chat/completions")),
        sent("two of them", CHAT, &twice),
        sent("with a key", CHAT, &format!("{}, Bearer {KEY}", signed(CHAT))),
        sent("with a key in front", CHAT, &format!("Bearer {KEY}, {}", signed(CHAT))),
        sent("in lower case", CHAT, &signed(CHAT).to_lowercase()),
        sent("as a bearer", CHAT, &format!("Bearer {}", signed(CHAT))),
    ];
    world.try_all(attacks).await?;
    world.end().await
}
