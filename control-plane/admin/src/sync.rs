//! What the role `sync` of the Wasm module asks for: changes of the keyring as
//! they happen, and whose key a digest is.
//!
//! Every answer of this server says so in a header: Envoy makes up answers of
//! its own when the control plane is gone, and "unknown key" must not be one.

use crate::guard;
use axum::Json;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use contract::keyring::KeyringDelta;
use contract::limits::{KEYRING_CHANGES_MAX, KEYRING_POLL_MS};
use contract::names::{
    ANSWER_DELTA, ANSWER_FOUND, ANSWER_HEADER, ANSWER_UNKNOWN, KEY_PATH_PREFIX, KEYRING_PATH,
};
use ledger::Ledger;
use serde::Deserialize;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Hexadecimal digits of a digest.
const DIGEST_CHARS: usize = 64;

/// The version that a gateway has.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Have {
    epoch: String,
    since: u64,
}

/// The routes of `sync`, to be served beside xDS.
pub fn sync_router(ledger: Ledger) -> Router {
    Router::new()
        .route(KEYRING_PATH, get(keyring))
        .route(&format!("{KEY_PATH_PREFIX}{{sha256}}"), get(key))
        .layer(from_fn(guard::for_gateways))
        .with_state(ledger)
}

async fn keyring(State(ledger): State<Ledger>, Query(have): Query<Have>) -> Response {
    match changes(&ledger, &have).await {
        Ok(delta) => ([(ANSWER_HEADER, ANSWER_DELTA)], Json(delta)).into_response(),
        Err(error) => unavailable(&error),
    }
}

/// What changed since `have`, as soon as something has; nothing new after
/// [`KEYRING_POLL_MS`].
async fn changes(ledger: &Ledger, have: &Have) -> Result<KeyringDelta, ledger::Error> {
    let deadline = Instant::now() + Duration::from_millis(KEYRING_POLL_MS);
    let mut watch = ledger.watch_keyring();
    loop {
        // Seen before the database is asked: a change in between wakes at once.
        watch.mark_unchanged();
        let delta =
            ledger.keyring_since(Some(&have.epoch), have.since, KEYRING_CHANGES_MAX).await?;
        if delta.epoch != have.epoch || delta.version != have.since || !delta.changes.is_empty() {
            return Ok(delta);
        }
        if !matches!(timeout_at(deadline, watch.changed()).await, Ok(Ok(()))) {
            return Ok(delta);
        }
    }
}

async fn key(State(ledger): State<Ledger>, Path(sha256): Path<String>) -> Response {
    if !is_digest(&sha256) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    match ledger.key_by_digest(&sha256).await {
        Ok(Some(entry)) => ([(ANSWER_HEADER, ANSWER_FOUND)], Json(entry)).into_response(),
        Ok(None) => (StatusCode::NOT_FOUND, [(ANSWER_HEADER, ANSWER_UNKNOWN)]).into_response(),
        Err(error) => unavailable(&error),
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == DIGEST_CHARS && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// No [`ANSWER_HEADER`]: to the gateway the control plane is not there.
fn unavailable(error: &ledger::Error) -> Response {
    tracing::error!(cause = %error, "a gateway's question could not be answered");
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}
