//! `auth.stale_for`: how long what is known counts when nobody says that it still does.

use super::ask::{CHAT, HELLO, Told, chat, hello, post};
use integration::signed::Signed;
use integration::{Engine, Result, Tollgate, wait_until};
use std::time::Duration;

const UNAVAILABLE: (u16, &str) = (503, "control_unavailable");
const SECRET: &str = "a-made-up-secret-of-partner-1";
const SOON: Duration = Duration::from_secs(30);

fn signed() -> String {
    Signed::post("partner-1", SECRET, CHAT, HELLO.as_bytes()).header()
}

#[tokio::test]
async fn known_keys_count_for_a_while_and_then_nothing_does() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let yaml = format!(
        "tenants:\n  acme:\n    hmac: [{{ id: partner-1, secret: {SECRET} }}]\nauth:\n  stale_for: 5s\n"
    );
    let mut gate = Tollgate::with(&yaml).engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let unknown = gate.key("acme").await?;
    gate.cli(&["keys", "revoke", &unknown.id]).await?;
    assert_eq!(chat(&gate, &key, "tiny").await?.status, 200);
    gate.kill9();
    assert_eq!(chat(&gate, &key, "tiny").await?.status, 200, "it is known");
    let told = hello(&gate, &signed()).await?;
    assert_eq!(told.status, 200, "so is who signs: {}", told.body);
    assert_eq!(chat(&gate, "somebody-new", "tiny").await?.what(), UNAVAILABLE);
    let over =
        async || chat(&gate, &key, "tiny").await.is_ok_and(|told| told.what() == UNAVAILABLE);
    assert!(wait_until(over, SOON).await, "what is known is too old");
    assert_eq!(hello(&gate, &signed()).await?.what(), UNAVAILABLE);
    assert_eq!(chat(&gate, "somebody-new", "tiny").await?.what(), UNAVAILABLE, "never 401");
    let none = Told::of(post(&gate, CHAT, &[], HELLO)).await?;
    assert_eq!(none.what(), (401, "missing_credentials"), "that needs nobody to be asked");
    gate.start_again().await?;
    let back = async || chat(&gate, &key, "tiny").await.is_ok_and(|told| told.status == 200);
    assert!(wait_until(back, SOON).await, "{}", gate.tails());
    let signs = async || hello(&gate, &signed()).await.is_ok_and(|told| told.status == 200);
    assert!(wait_until(signs, SOON).await, "{}", gate.tails());
    Ok(())
}

/// As long as the control plane lives nothing gets stale, however little happens.
#[tokio::test]
async fn a_quiet_control_plane_is_not_a_dead_one() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let yaml = format!(
        "tenants:\n  acme:\n    hmac: [{{ id: partner-1, secret: {SECRET} }}]\nauth:\n  stale_for: 2s\n"
    );
    let gate = Tollgate::with(&yaml).engine("tiny", &engine).start().await?;
    for _ in 0..6 {
        let told = hello(&gate, &signed()).await?;
        assert_eq!(told.status, 200, "{}", told.body);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}
