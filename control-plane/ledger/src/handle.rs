//! The handle that the rest of the control plane holds.

use crate::audit::{AuditEvent, AuditFilter, AuditRow, Head, Verdict};
use crate::budget::{BudgetBook, BudgetStanding};
use crate::correction::{Corrected, Correction, NewCorrection};
use crate::counters::EngineCounters;
use crate::desk::LeaseDesk;
use crate::error::Error;
use crate::generation;
use crate::key::{Key, NewKey, NewSecret, Revocation, Rotation, StaticKeysChange};
use crate::record::{GroupBy, UsageFilter, UsageRecord, UsageSum};
use crate::seen::Seen;
use crate::sqlite::SqliteStore;
use crate::store::{Counts, Position, PriceBook, Store};
use crate::tail::{self, Tail};
use crate::verify::{self, Verification};
use contract::keyring::{KeyEntry, KeyringDelta};
use contract::lease::{LeaseAnswer, LeaseRequest};
use contract::price::Prices;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

mod weights;

/// Name of the database in the data folder.
pub const DATABASE_NAME: &str = "tollgate.db";

/// Name of the spool folder in the data folder.
pub const SPOOL_NAME: &str = "spool";

/// How often it is looked at what other control planes did.
const FOLLOW_INTERVAL: Duration = Duration::from_millis(500);

/// How the ledger does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// How far the spool was read.
    pub position: Position,
    /// Bytes of the spool that were not.
    pub lag_bytes: u64,
    /// Everything counted since the database was made.
    pub counts: Counts,
}

/// Keys, prices and usage. Clones share everything.
#[derive(Clone)]
pub struct Ledger {
    store: Arc<dyn Store>,
    spool: PathBuf,
    spool_id: Arc<str>,
    desk: Arc<LeaseDesk>,
    seen: Arc<Seen>,
    keyring: Arc<watch::Sender<u64>>,
    /// Counts the steps of models' weights.
    weights: Arc<watch::Sender<u64>>,
    /// How often the reader found nothing more to read.
    idle: Arc<watch::Sender<u64>>,
}

impl Ledger {
    /// Opens the ledger of the data folder `data` (SQLite), making its spool
    /// folder when there is none.
    pub async fn open(data: &Path) -> Result<Self, Error> {
        let spool = data.join(SPOOL_NAME);
        std::fs::create_dir_all(&spool).map_err(Error::spool(&spool))?;
        let store = SqliteStore::open(&data.join(DATABASE_NAME)).await?;
        Self::over(Arc::new(store), spool).await
    }

    /// A ledger over any store, reading the folder `spool`.
    pub async fn over(store: Arc<dyn Store>, spool: PathBuf) -> Result<Self, Error> {
        let version = store.keyring_version().await?;
        let keyring = Arc::new(watch::Sender::new(version));
        let weights = Arc::new(watch::Sender::new(store.weights_version().await?));
        let spool_id: Arc<str> = generation::spool_id(&spool)?.into();
        store.register_spool(&spool_id).await?;
        let desk = LeaseDesk::new(Arc::clone(&store), spool.clone(), Arc::clone(&spool_id));
        let idle = Arc::new(watch::Sender::new(0));
        let (desk, seen) = (Arc::new(desk), Arc::default());
        Ok(Ledger { store, spool, spool_id, desk, seen, keyring, weights, idle })
    }

    /// The spool's name, made once at random.
    #[must_use]
    pub fn spool_id(&self) -> &str {
        &self.spool_id
    }

    /// The folder that Envoy writes the spool to.
    #[must_use]
    pub fn spool_folder(&self) -> &Path {
        &self.spool
    }

    /// Reads the spool for ever; to be run in one task of one process. Dropping
    /// it at any moment loses nothing.
    pub async fn tail(&self) {
        let idle = Arc::clone(&self.idle);
        let tail = Tail::new(Arc::clone(&self.store), self.spool.clone(), &self.spool_id);
        tail.run(move || idle.send_modify(|times| *times = times.wrapping_add(1))).await;
    }

    /// Learns of the keys and weights that other control planes on the same database change,
    /// for ever; to be run in one task beside [`Ledger::tail`].
    pub async fn follow_others(&self) {
        loop {
            tokio::time::sleep(FOLLOW_INTERVAL).await;
            if let Err(error) = self.tell_keyring().await {
                tracing::debug!(%error, "the keyring's version is not known");
            }
            if let Err(error) = self.tell_weights().await {
                tracing::debug!(%error, "the version of the weights is not known");
            }
        }
    }

    /// Waits until all that stands in the spool now is posted, at most `patience`;
    /// whether it is. Needs [`Ledger::tail`] to run.
    pub async fn catch_up(&self, patience: Duration) -> bool {
        let mut idle = self.idle.subscribe();
        // The first may have looked before this call; the second did not.
        let twice = async { idle.changed().await.is_ok() && idle.changed().await.is_ok() };
        tokio::time::timeout(patience, twice).await.unwrap_or(false)
    }

    /// Makes a key; [`Error::KeyExists`] when id or digest is taken.
    pub async fn create_key(&self, key: NewKey) -> Result<(), Error> {
        self.store.create_key(&key).await?;
        self.tell_keyring().await
    }

    /// Revokes a created key at Unix second `at_s`.
    pub async fn revoke_key(&self, id: &str, at_s: u64) -> Result<Revocation, Error> {
        let revocation = self.store.revoke_key(id, at_s).await?;
        self.tell_keyring().await?;
        Ok(revocation)
    }

    /// Replaces a created key at Unix second `at_s` by one that may do the same. The
    /// old one works for `overlap_s` seconds more, if it would at all; for none, it
    /// is void at once. [`Error::KeyExists`] when id or digest is taken.
    pub async fn rotate_key(
        &self,
        id: &str,
        new: NewSecret,
        overlap_s: u64,
        at_s: u64,
    ) -> Result<Rotation, Error> {
        let rotation = self.store.rotate_key(id, &new, overlap_s, at_s).await?;
        self.tell_keyring().await?;
        Ok(rotation)
    }

    /// Makes the configured keys equal to `keys` (digest and entry).
    pub async fn set_static_keys(
        &self,
        keys: Vec<(String, KeyEntry)>,
        at_s: u64,
    ) -> Result<StaticKeysChange, Error> {
        let change = self.store.set_static_keys(&keys, at_s).await?;
        self.tell_keyring().await?;
        Ok(change)
    }

    /// All keys (of one tenant), created and configured ones.
    pub async fn list_keys(&self, tenant: Option<&str>) -> Result<Vec<Key>, Error> {
        self.store.list_keys(tenant).await
    }

    /// Whose key has this digest; `None` for unknown and revoked ones.
    pub async fn key_by_digest(&self, sha256: &str) -> Result<Option<KeyEntry>, Error> {
        self.store.key_by_digest(sha256).await
    }

    /// How many keys are not revoked.
    pub async fn keys_in_force(&self) -> Result<u64, Error> {
        self.store.keys_in_force().await
    }

    /// At most `max` changes of the keyring after `since` of `epoch`; nonces and signers
    /// are for the caller to add.
    pub async fn keyring_since(
        &self,
        epoch: Option<&str>,
        since: u64,
        max: usize,
    ) -> Result<KeyringDelta, Error> {
        self.store.keyring_since(epoch, since, max).await
    }

    /// The newest version of the keyring, waking whoever waits for it. Subscribe
    /// first, then ask [`Ledger::keyring_since`], then wait: so no change is
    /// missed.
    #[must_use]
    pub fn watch_keyring(&self) -> watch::Receiver<u64> {
        self.keyring.subscribe()
    }

    /// Remembers prices; to be called before a gateway hears of them.
    pub async fn record_prices(&self, prices: &[Prices]) -> Result<(), Error> {
        self.store.record_prices(prices).await
    }

    /// All records that match, in the order in which they were posted.
    pub async fn usage(&self, filter: &UsageFilter) -> Result<Vec<UsageRecord>, Error> {
        self.store.usage(filter).await
    }

    /// Sums over the records that match.
    pub async fn usage_sums(
        &self,
        filter: &UsageFilter,
        by: GroupBy,
    ) -> Result<Vec<UsageSum>, Error> {
        self.store.usage_sums(filter, by).await
    }

    /// The first `limit` records with numbers greater than `after` that match: a page.
    /// The next one goes on after the last number.
    pub async fn usage_page(
        &self,
        filter: &UsageFilter,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(u64, UsageRecord)>, Error> {
        self.store.usage_page(filter, after, limit).await
    }

    /// All prices that ever were, by their version.
    pub async fn price_book(&self) -> Result<PriceBook, Error> {
        self.store.price_book().await
    }

    /// Posts a correction of a record's cost; the record stays as it is.
    pub async fn correct(&self, correction: &NewCorrection) -> Result<Corrected, Error> {
        self.store.correct(correction).await
    }

    /// All corrections of the records that match, in the order in which they were made.
    pub async fn corrections(&self, filter: &UsageFilter) -> Result<Vec<Correction>, Error> {
        self.store.corrections(filter).await
    }

    /// Whether the books are whole: chains, sums, prices and the spool's position.
    pub async fn verify(&self) -> Result<Verification, Error> {
        verify::verify(&*self.store, &self.spool, &self.spool_id).await
    }

    /// The budgets that hold from now on. To be called before a gateway asks for leases.
    /// Tells the budgets that hold from any others; the same on every machine.
    #[must_use]
    pub fn budgets_version(&self) -> u64 {
        self.desk.budgets_version()
    }

    /// From now on these budgets hold.
    pub fn set_budgets(&self, book: BudgetBook) {
        self.desk.set_budgets(book);
    }

    /// How every budget stands.
    pub async fn budgets(&self, now_ms: u64) -> Result<Vec<BudgetStanding>, Error> {
        self.store.budgets(&*self.desk.budgets().await?, now_ms).await
    }

    /// Takes back and grants parts of budgets. Waits for the first budgets to be set. What
    /// was granted stays granted when the caller goes: the next request learns of it.
    pub async fn lease(&self, request: LeaseRequest, now_ms: u64) -> Result<LeaseAnswer, Error> {
        self.desk.lease(request, now_ms).await
    }

    /// Notes that a gateway was heard of; written once in a while.
    pub async fn gateway_seen(&self, process: &str, now_ms: u64) -> Result<(), Error> {
        if self.seen.is_news(process, now_ms) {
            self.store.gateway_seen(process, now_ms).await?;
        }
        Ok(())
    }

    /// How many gateways were heard of at `since_ms` or after, by any control plane.
    pub async fn gateways(&self, since_ms: u64) -> Result<u64, Error> {
        self.store.gateways(since_ms).await
    }

    /// Keeps what engines have counted.
    pub async fn note_counters(&self, counters: &[EngineCounters]) -> Result<(), Error> {
        self.store.note_counters(counters).await
    }

    /// What engines had counted, from `since_ms` on and before `until_ms`.
    pub async fn counters(
        &self,
        since_ms: u64,
        until_ms: u64,
    ) -> Result<Vec<EngineCounters>, Error> {
        self.store.counters(since_ms, until_ms).await
    }

    /// Adds a row to the audit trail; returns the trail's new end. What changes a key
    /// is noted with the change and needs no call.
    pub async fn note(&self, event: AuditEvent) -> Result<Head, Error> {
        self.store.note(&event).await
    }

    /// The newest rows of the audit trail that match, the oldest of them first.
    pub async fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>, Error> {
        self.store.audit(filter).await
    }

    /// The end of the audit trail.
    pub async fn audit_head(&self) -> Result<Head, Error> {
        self.store.audit_head().await
    }

    /// Whether the audit trail is whole. A trail that was cut at its end, or written
    /// anew, is found only against a `known` head that was kept elsewhere.
    pub async fn verify_audit(&self, known: Option<Head>) -> Result<Verdict, Error> {
        self.store.verify_audit(known).await
    }

    /// Remembers the nonce `tag` until the end of the Unix second `until_s`; whether
    /// it is fresh. [`Error::NoncesFull`] when there is no room.
    pub async fn remember_nonce(
        &self,
        tag: &[u8],
        until_s: u64,
        now_s: u64,
    ) -> Result<bool, Error> {
        self.store.remember_nonce(tag, until_s, now_s).await
    }

    /// The greatest Unix second until which some nonce is remembered; 0: there is none.
    pub async fn nonces_until(&self) -> Result<u64, Error> {
        self.store.nonces_until().await
    }

    /// How the ledger does.
    pub async fn status(&self) -> Result<Status, Error> {
        let position = self.store.position(&self.spool_id).await?;
        let lag_bytes = tail::lag_bytes(&self.spool, position)?;
        Ok(Status { position, lag_bytes, counts: self.store.counts().await? })
    }

    async fn tell_keyring(&self) -> Result<(), Error> {
        tell(&self.keyring, self.store.keyring_version().await?);
        Ok(())
    }
}

/// Wakes whoever waits, if `version` is newer than what was told.
fn tell(told: &watch::Sender<u64>, version: u64) {
    told.send_if_modified(|told| {
        let newer = version > *told;
        *told = version.max(*told);
        newer
    });
}

#[cfg(test)]
mod tests;
