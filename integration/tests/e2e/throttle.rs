//! Who guesses is slowed down; who knows is not.

use super::ask::{CHAT, HELLO, Told, chat, post};
use integration::{Engine, Result, Tollgate};

const PER_MINUTE: usize = 20;
const TRIES: usize = 5;

#[tokio::test]
async fn guessing_is_bounded_and_good_keys_pass() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let yaml = format!("auth:\n  failures_per_minute: {PER_MINUTE}\n");
    let gate = Tollgate::with(&yaml).engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    assert_eq!(chat(&gate, &key, "tiny").await?.status, 200);
    let mut told = Vec::new();
    for guess in 0..PER_MINUTE * 3 {
        told.push(chat(&gate, &format!("guess-{guess}"), "tiny").await?);
    }
    let refused = told.iter().take_while(|told| told.what() == (401, "invalid_api_key")).count();
    // The cell gains one in three seconds while this runs.
    assert!((PER_MINUTE / 2..PER_MINUTE * 2).contains(&refused), "{refused}");
    let limited: Vec<&Told> =
        told.iter().filter(|told| told.what() == (429, "rate_limit_exceeded")).collect();
    assert!(limited.len() >= PER_MINUTE, "{}", limited.len());
    for told in limited {
        let after = told
            .headers
            .get("retry-after")
            .and_then(|after| after.to_str().ok()?.parse::<u64>().ok());
        assert!(after.is_some_and(|seconds| (1..=60).contains(&seconds)), "{told:?}");
        assert_eq!(told.body["error"]["type"], "rate_limit_error");
    }
    assert_eq!(chat(&gate, &key, "tiny").await?.status, 200, "a key that is known passes");
    // Headers do not make another address of the same one.
    for header in ["x-forwarded-for", "x-real-ip", "x-envoy-external-address", "forwarded"] {
        let headers = [("authorization", "Bearer guess"), (header, "198.51.100.7")];
        // The cell may have gained one meanwhile; another address would have its own.
        let mut limited = 0;
        for _ in 0..TRIES {
            let told = Told::of(post(&gate, CHAT, &headers, HELLO)).await?;
            limited += usize::from(told.what() == (429, "rate_limit_exceeded"));
        }
        assert!(limited >= TRIES - 2, "{header}: {limited}");
    }
    assert_eq!(gate.usage().await?.iter().filter(|row| row["tenant"] != "acme").count(), 0);
    Ok(())
}
