//! What the role `sync` of the Wasm module asks for: changes of the keyring as
//! they happen, whose key a digest is, whether a nonce was seen, and leases of budgets;
//! and what it reports.
//!
//! Every answer of this server says so in a header: Envoy makes up answers of
//! its own when the control plane is gone, and "unknown key" must not be one.
//! Answers hold secrets of signed requests and the key of placeholders: they are neither cached nor logged.

mod leases;

use crate::api::CLOCK;
use crate::gateways::Gateways;
use crate::guard;
use crate::overview::SpoolStatus;
use crate::refusals::{NotTaken, Refusals};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRef, Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::middleware::{from_fn, map_response};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use contract::fleet::Fleet;
use contract::keyring::{HmacSet, KeyringDelta, MaskingKey};
use contract::limits::{KEYRING_CHANGES_MAX, KEYRING_POLL_MS, MAX_SKEW_S_MAX};
use contract::names::{
    ANSWER_DELTA, ANSWER_FOUND, ANSWER_FRESH, ANSWER_HEADER, ANSWER_NOTED, ANSWER_SEEN,
    ANSWER_UNKNOWN, KEY_PATH_PREFIX, KEYRING_PATH, LEASES_PATH, NONCE_PATH_PREFIX, REFUSALS_PATH,
};
use ledger::Ledger;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// Hexadecimal digits of a digest.
const DIGEST_CHARS: usize = 64;

/// Bytes of a nonce's tag.
const TAG_BYTES: usize = 16;

/// Largest report: every code with the largest count is some 2 KiB.
const REPORT_BYTES_MAX: usize = 16 * 1024;

/// How far the clocks of a gateway and of this machine may differ, in seconds,
/// without a nonce being forgotten too early: so much longer it is remembered.
const CLOCK_SLACK_S: u64 = 60;

/// Longest that a nonce is remembered, in seconds from now: its timestamp may be this
/// far ahead, and it is kept this long and a second after that.
const REMEMBERED_S_MAX: u64 = MAX_SKEW_S_MAX + MAX_SKEW_S_MAX + 1;

/// How long the keyring may take: the poll, and what a database in trouble is waited for.
const KEYRING_PATIENCE: Duration = Duration::from_millis(KEYRING_POLL_MS + 2_000);

/// What the answers come from.
#[derive(Clone)]
pub struct Sync {
    /// Keys, nonces and the audit trail.
    pub ledger: Ledger,
    /// Who may sign requests.
    pub hmac: watch::Receiver<Arc<HmacSet>>,
    /// The key of placeholders, as long as something is masked.
    pub masking: watch::Receiver<Option<MaskingKey>>,
    /// The servers of pools with affinity; whoever sends it does so seldom, for each change
    /// answers every gateway.
    pub fleet: watch::Receiver<Arc<Fleet>>,
    /// Where the gateways' reports go.
    pub refusals: Refusals,
    /// Who asks.
    pub gateways: Gateways,
    /// The space that usage is written to.
    pub spool: watch::Receiver<SpoolStatus>,
}

impl FromRef<Sync> for Ledger {
    fn from_ref(sync: &Sync) -> Self {
        sync.ledger.clone()
    }
}

impl FromRef<Sync> for Refusals {
    fn from_ref(sync: &Sync) -> Self {
        sync.refusals.clone()
    }
}

/// The version that a gateway has.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Have {
    epoch: String,
    since: u64,
    /// Of the credentials for signed requests; `None` (not even empty) is a gateway
    /// that knows of none and is not sent any.
    hmac: Option<String>,
    /// Of the key of placeholders; the same.
    masking: Option<String>,
    /// Of the servers of pools with affinity; the same.
    fleet: Option<u64>,
    /// Tells one process of a gateway from every other; `None` is one that does not say.
    process: Option<String>,
}

/// The query of a nonce.
#[derive(Debug, Deserialize)]
struct Remember {
    until: u64,
}

/// The routes of `sync`, to be served beside xDS.
pub fn sync_router(sync: Sync) -> Router {
    Router::new()
        .route(KEYRING_PATH, get(keyring))
        .route(&format!("{KEY_PATH_PREFIX}{{sha256}}"), get(key))
        .route(&format!("{NONCE_PATH_PREFIX}{{tag}}"), post(nonce))
        .route(REFUSALS_PATH, post(refusals))
        .route(LEASES_PATH, post(leases::leases).layer(DefaultBodyLimit::max(leases::BYTES_MAX)))
        .layer(from_fn(guard::for_gateways))
        .layer(map_response(not_kept))
        .layer(DefaultBodyLimit::max(REPORT_BYTES_MAX))
        .with_state(sync)
}

/// Says that nobody may keep the answer.
pub async fn not_kept(mut answer: Response) -> Response {
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

async fn keyring(State(sync): State<Sync>, Query(have): Query<Have>) -> Response {
    let answer = timeout(KEYRING_PATIENCE, changes(&sync, &have)).await;
    let delta = match answer {
        Ok(Ok(delta)) => delta,
        _ if sync.spool.borrow().full && !have.epoch.is_empty() => {
            sleep(Duration::from_millis(KEYRING_POLL_MS)).await;
            without_keys(&sync, &have)
        }
        Ok(Err(error)) => return unavailable(&error),
        Err(_) => {
            tracing::warn!("the database took too long for a gateway's question");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    ([(ANSWER_HEADER, ANSWER_DELTA)], Json(delta)).into_response()
}

/// The word that the spool is full, without a database: that may be why it is, and then the
/// gateways have to hear of it all the same. Of keys it says nothing new, not even that they are
/// all that there are, and that any nonce may be remembered.
fn without_keys(sync: &Sync, have: &Have) -> KeyringDelta {
    let nonces_until_s = CLOCK.now_s().saturating_add(REMEMBERED_S_MAX + CLOCK_SLACK_S);
    let (gateways, spool_full) = Sources::of(sync).shared();
    KeyringDelta {
        epoch: have.epoch.clone(),
        version: have.since,
        more: true,
        nonces_until_s,
        gateways,
        spool_full,
        ..KeyringDelta::default()
    }
}

/// What changed since `have`, as soon as something has; nothing new after
/// [`KEYRING_POLL_MS`]. Such an answer reads a row of the keyring and one of nonces,
/// and writes nothing.
async fn changes(sync: &Sync, have: &Have) -> Result<KeyringDelta, ledger::Error> {
    let deadline = Instant::now() + Duration::from_millis(KEYRING_POLL_MS);
    let process = have.process.as_deref().unwrap_or_default();
    sync.gateways.note(process, CLOCK.now_ms());
    let mut sources = Sources::of(sync);
    let before = sources.shared();
    loop {
        // Seen before the database is asked: a change in between wakes at once.
        let other = sources.others(have);
        let (gateways, spool_full) = sources.shared();
        let delta =
            sync.ledger.keyring_since(Some(&have.epoch), have.since, KEYRING_CHANGES_MAX).await?;
        let budgets = sync.ledger.budgets_version();
        let Others { hmac, masking, fleet } = other;
        let delta = KeyringDelta { hmac, masking, fleet, gateways, spool_full, budgets, ..delta };
        let news = is_news(&delta, have) || before != (gateways, spool_full);
        if news || timeout_at(deadline, sources.changed()).await.is_err() {
            // Read last: a nonce that was put while this waited counts as well.
            let nonces_until_s = sync.ledger.nonces_until().await?;
            return Ok(KeyringDelta { nonces_until_s, ..delta });
        }
    }
}

/// What a gateway has another version of.
struct Others {
    hmac: Option<HmacSet>,
    masking: Option<MaskingKey>,
    fleet: Option<Fleet>,
}

/// Where a change can come from.
struct Sources {
    keys: watch::Receiver<u64>,
    hmac: watch::Receiver<Arc<HmacSet>>,
    masking: watch::Receiver<Option<MaskingKey>>,
    fleet: watch::Receiver<Arc<Fleet>>,
    gateways: watch::Receiver<u32>,
    spool: watch::Receiver<SpoolStatus>,
}

impl Sources {
    fn of(sync: &Sync) -> Sources {
        Sources {
            keys: sync.ledger.watch_keyring(),
            hmac: sync.hmac.clone(),
            masking: sync.masking.clone(),
            fleet: sync.fleet.clone(),
            gateways: sync.gateways.watch(),
            spool: sync.spool.clone(),
        }
    }

    /// What a gateway has another version of; whatever the keyring has counts as seen.
    fn others(&mut self, have: &Have) -> Others {
        self.keys.mark_unchanged();
        Others {
            hmac: other_set(&mut self.hmac, have),
            masking: other_key(&mut self.masking, have),
            fleet: other_fleet(&mut self.fleet, have),
        }
    }

    /// Between how many the limits are shared, and whether the spool is full.
    fn shared(&mut self) -> (u32, bool) {
        let gateways = *self.gateways.borrow_and_update();
        (gateways.max(1), self.spool.borrow_and_update().full)
    }

    /// Waits for a change of any of them; for ever, where nobody is left to make one.
    async fn changed(&mut self) {
        tokio::select! {
            Ok(()) = self.keys.changed() => {}
            Ok(()) = self.hmac.changed() => {}
            Ok(()) = self.masking.changed() => {}
            Ok(()) = self.fleet.changed() => {}
            Ok(()) = self.gateways.changed() => {}
            Ok(()) = self.spool.changed() => {}
            else => std::future::pending().await,
        }
    }
}

/// All credentials for signed requests, if they are others than the gateway has.
fn other_set(hmac: &mut watch::Receiver<Arc<HmacSet>>, have: &Have) -> Option<HmacSet> {
    let set = hmac.borrow_and_update();
    let other = have.hmac.as_ref().is_some_and(|version| *version != set.version);
    other.then(|| HmacSet::clone(&set))
}

/// The key of placeholders, if there is one and the gateway has another.
fn other_key(masking: &mut watch::Receiver<Option<MaskingKey>>, have: &Have) -> Option<MaskingKey> {
    let key = masking.borrow_and_update();
    let asked = have.masking.as_ref()?;
    key.clone().filter(|key| key.version != *asked)
}

/// The servers of pools with affinity, if they are others than the gateway has.
fn other_fleet(fleet: &mut watch::Receiver<Arc<Fleet>>, have: &Have) -> Option<Fleet> {
    let fleet = fleet.borrow_and_update();
    have.fleet.filter(|version| *version != fleet.version).map(|_| Fleet::clone(&fleet))
}

fn is_news(delta: &KeyringDelta, have: &Have) -> bool {
    delta.epoch != have.epoch
        || delta.version != have.since
        || !delta.changes.is_empty()
        || delta.hmac.is_some()
        || delta.masking.is_some()
        || delta.fleet.is_some()
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
    text.len() == DIGEST_CHARS && is_hex(text)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

async fn nonce(
    State(ledger): State<Ledger>,
    Path(tag): Path<String>,
    Query(remember): Query<Remember>,
) -> Response {
    let now_s = CLOCK.now_s();
    let until_s = remember.until.saturating_add(CLOCK_SLACK_S);
    let Some(tag) = tag_of(&tag).filter(|_| can_remember(remember.until, now_s)) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match ledger.remember_nonce(&tag, until_s, now_s).await {
        Ok(true) => [(ANSWER_HEADER, ANSWER_FRESH)].into_response(),
        Ok(false) => (StatusCode::CONFLICT, [(ANSWER_HEADER, ANSWER_SEEN)]).into_response(),
        Err(error) => unavailable(&error),
    }
}

fn tag_of(digits: &str) -> Option<[u8; TAG_BYTES]> {
    let mut tag = [0; TAG_BYTES];
    let decoded = is_hex(digits).then(|| hex::decode_to_slice(digits, &mut tag));
    decoded.is_some_and(|decoded| decoded.is_ok()).then_some(tag)
}

/// Whether `until_s` is neither over nor further off than any nonce is remembered, by
/// a clock that may differ.
fn can_remember(until_s: u64, now_s: u64) -> bool {
    let latest_s = now_s.saturating_add(REMEMBERED_S_MAX);
    (now_s.saturating_sub(CLOCK_SLACK_S)..=latest_s.saturating_add(CLOCK_SLACK_S))
        .contains(&until_s)
}

async fn refusals(State(refusals): State<Refusals>, body: Bytes) -> Response {
    let Ok(report) = serde_json::from_slice(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match refusals.report(&report, CLOCK.now_ms()).await {
        Ok(()) => (StatusCode::NO_CONTENT, [(ANSWER_HEADER, ANSWER_NOTED)]).into_response(),
        Err(NotTaken::NoProcess) => StatusCode::BAD_REQUEST.into_response(),
        Err(error @ NotTaken::TooMany) => {
            tracing::warn!(%error, "a report of refusals was not taken");
            StatusCode::TOO_MANY_REQUESTS.into_response()
        }
        Err(NotTaken::Ledger(error)) => unavailable(&error),
    }
}

/// No [`ANSWER_HEADER`]: to the gateway the control plane is not there.
fn unavailable(error: &ledger::Error) -> Response {
    tracing::error!(cause = %error, "a gateway's question could not be answered");
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_spool_is_told_without_a_database() {
        let data = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(data.path()).await.unwrap();
        let full = SpoolStatus { full: true, ..SpoolStatus::default() };
        let sync = Sync {
            ledger: ledger.clone(),
            hmac: watch::Sender::new(Arc::default()).subscribe(),
            masking: watch::Sender::new(None).subscribe(),
            fleet: watch::Sender::default().subscribe(),
            refusals: Refusals::new(ledger),
            gateways: Gateways::default(),
            spool: watch::Sender::new(full).subscribe(),
        };
        let have = Have { epoch: "e".into(), since: 7, ..Have::default() };
        let delta = without_keys(&sync, &have);
        assert_eq!((delta.epoch.as_str(), delta.version, delta.more), ("e", 7, true));
        assert!(delta.spool_full && delta.changes.is_empty());
        assert!(delta.nonces_until_s > CLOCK.now_s() + REMEMBERED_S_MAX);
    }
}
