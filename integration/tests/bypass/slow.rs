//! Callers that dawdle, and callers that leave.

use super::attack::{AUTH, Attack, CHAT, HONEST, JSON, post};
use super::verdict::Outcome;
use super::world::World;
use integration::{RawClient, Result, wait_until};
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(2);
const SOON: Duration = Duration::from_secs(10);

/// Sends in pieces of so many bytes.
async fn dawdle(client: &mut RawClient, bytes: &[u8], step: usize) -> Result<()> {
    for piece in bytes.chunks(step) {
        client.send(piece).await?;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

#[tokio::test]
async fn a_request_may_come_byte_by_byte() -> Result<()> {
    let mut world = World::new().await?;
    let bytes = world.filled(&post(CHAT, &format!("{JSON}{AUTH}"), HONEST));
    for step in [1, 7, 100] {
        let mut client = RawClient::connect(world.gate.url()).await?;
        dawdle(&mut client, &bytes, step).await?;
        let answer = client.answer().await?;
        let outcome = Outcome::Answer { status: Some(answer.status), body: answer.body };
        let attack = Attack::new(format!("{step} bytes at a time"), bytes.clone()).served();
        world.judge(&attack, &[outcome]).await?;
    }
    world.end().await
}

#[tokio::test]
async fn who_leaves_early_has_asked_nothing_or_what_he_may() -> Result<()> {
    let mut world = World::new().await?;
    let bytes = world.filled(&post(CHAT, &format!("{JSON}{AUTH}"), HONEST));
    let head = bytes.len() - HONEST.len();
    for sent in [1, 20, head - 1, head, head + 1, bytes.len() - 1] {
        let mut client = RawClient::connect(world.gate.url()).await?;
        client.send(&bytes[..sent]).await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(client);
        let attack = Attack::new(format!("left after {sent} bytes"), Vec::new()).unfinished();
        world.judge(&attack, &[]).await?;
    }
    world.end().await
}

/// A caller who leaves with his answer under way is billed, and nobody else is hurt.
#[tokio::test]
async fn who_leaves_with_the_answer_under_way_is_recorded() -> Result<()> {
    let mut world = World::new().await?;
    let stream = HONEST.replacen('{', "{\"stream\":true,", 1);
    let slow = "x-sim-interval: 50ms\r\n";
    let bytes = world.filled(&post(CHAT, &format!("{JSON}{AUTH}{slow}"), &stream));
    let mut client = RawClient::connect(world.gate.url()).await?;
    client.send(&bytes).await?;
    assert!(!client.some().await?.is_empty());
    drop(client);
    let asked = serde_json::from_str(&stream)?;
    let attack = Attack::new("left a stream", Vec::new()).unfinished().means(asked);
    world.judge(&attack, &[]).await?;
    let left = async || {
        let rows = world.gate.usage().await.unwrap_or_default();
        rows.iter().any(|row| row["end"] == "client_left" && row["stream"] == true)
    };
    assert!(wait_until(left, SOON).await, "{:?}", world.gate.usage().await?);
    world.end().await
}

/// A body that is too large is refused while it comes, whatever it says of itself.
#[tokio::test]
async fn too_much_is_refused_before_it_is_all_there() -> Result<()> {
    let mut world = World::with("gateway:\n  max_body: 64KiB\n").await?;
    let large = "a".repeat(200_000);
    let head = format!("POST {CHAT} HTTP/1.1\r\nhost: t\r\n{JSON}{AUTH}");
    let too_large = |framing: &str, body: &str| {
        Attack::new(framing.to_owned(), format!("{head}connection: close\r\n{framing}\r\n{body}"))
            .refused(413, "request_too_large")
            .unfinished()
    };
    let chunked = format!("{:x}\r\n{large}\r\n", large.len());
    let attacks = vec![
        too_large("content-length: 200000\r\n", &large),
        too_large("content-length: 200000\r\n", "{"),
        too_large("content-length: 9999999999999\r\n", ""),
        too_large("transfer-encoding: chunked\r\n", &chunked),
    ];
    world.try_all(attacks).await?;
    world.end().await
}
