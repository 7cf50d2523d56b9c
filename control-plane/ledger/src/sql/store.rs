//! Everything that a store does, by the modules that know how.

use super::{
    This, audit, corrections, counts, gateways, granting, keys, leases, nonces, postings, prices,
    reports, rotation, snapshot, spools, standings, static_keys, weights,
};
use crate::audit::{Actor, AuditEvent, AuditFilter, AuditRow, Head, Verdict};
use crate::budget::{BudgetBook, BudgetStanding};
use crate::correction::{Corrected, Correction, NewCorrection};
use crate::counters::EngineCounters;
use crate::error::Error;
use crate::key::{Key, NewKey, NewSecret, Revocation, Rotation, StaticKeysChange};
use crate::lease::LeaseAsk;
use crate::record::{GroupBy, UsageFilter, UsageRecord, UsageSum};
use crate::snapshot::Snapshot;
use crate::store::{Batch, Counts, NONCES_MAX, OpenRequest, Position, PriceBook, Store};
use crate::weights::{WeightChange, WeightStanding};
use contract::keyring::{KeyEntry, KeyringDelta};
use contract::lease::LeaseAnswer;
use contract::price::Prices;

#[async_trait::async_trait]
impl Store for This {
    async fn create_key(&self, key: &NewKey) -> Result<(), Error> {
        keys::create(&self.writer, key).await
    }

    async fn revoke_key(&self, id: &str, at_s: u64) -> Result<Revocation, Error> {
        keys::revoke(&self.writer, id, at_s).await
    }

    async fn rotate_key(
        &self,
        id: &str,
        new: &NewSecret,
        overlap_s: u64,
        at_s: u64,
    ) -> Result<Rotation, Error> {
        rotation::rotate(&self.writer, id, new, overlap_s, at_s).await
    }

    async fn list_keys(&self, tenant: Option<&str>) -> Result<Vec<Key>, Error> {
        keys::list(&self.reader, tenant).await
    }

    async fn key_by_digest(&self, sha256: &str) -> Result<Option<KeyEntry>, Error> {
        keys::by_digest(&self.reader, sha256).await
    }

    async fn keys_in_force(&self) -> Result<u64, Error> {
        keys::in_force(&self.reader).await
    }

    async fn keyring_version(&self) -> Result<u64, Error> {
        keys::version(&self.reader).await
    }

    async fn keyring_since(
        &self,
        epoch: Option<&str>,
        since: u64,
        max: usize,
    ) -> Result<KeyringDelta, Error> {
        keys::since(&self.reader, epoch, since, max).await
    }

    async fn set_static_keys(
        &self,
        keys: &[(String, KeyEntry)],
        at_s: u64,
    ) -> Result<StaticKeysChange, Error> {
        static_keys::set(&self.writer, keys, at_s).await
    }

    async fn record_prices(&self, prices: &[Prices]) -> Result<(), Error> {
        prices::record(&self.writer, prices).await
    }

    async fn price_book(&self) -> Result<PriceBook, Error> {
        prices::book(&self.reader).await
    }

    async fn register_spool(&self, spool: &str) -> Result<(), Error> {
        spools::register(&self.writer, spool).await
    }

    async fn position(&self, spool: &str) -> Result<Position, Error> {
        spools::position(&self.reader, spool).await
    }

    async fn open_requests(&self, spool: &str, until: u64) -> Result<Vec<OpenRequest>, Error> {
        spools::open_requests(&self.reader, spool, until).await
    }

    async fn commit(&self, batch: &Batch) -> Result<Counts, Error> {
        postings::commit(&self.writer, batch).await
    }

    async fn counts(&self) -> Result<Counts, Error> {
        counts::all(&self.reader).await
    }

    async fn usage(&self, filter: &UsageFilter) -> Result<Vec<UsageRecord>, Error> {
        reports::usage(&self.reader, filter).await
    }

    async fn usage_sums(&self, filter: &UsageFilter, by: GroupBy) -> Result<Vec<UsageSum>, Error> {
        reports::sums(&self.reader, filter, by).await
    }

    async fn usage_page(
        &self,
        filter: &UsageFilter,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(u64, UsageRecord)>, Error> {
        reports::page(&self.reader, filter, after, limit).await
    }

    async fn correct(&self, correction: &NewCorrection) -> Result<Corrected, Error> {
        corrections::correct(&self.writer, correction).await
    }

    async fn corrections(&self, filter: &UsageFilter) -> Result<Vec<Correction>, Error> {
        corrections::all(&self.reader, filter).await
    }

    async fn lease(
        &self,
        asks: &[LeaseAsk],
        book: &BudgetBook,
        now_ms: u64,
    ) -> Result<Vec<LeaseAnswer>, Error> {
        granting::lease(&self.writer, asks, book, now_ms).await
    }

    async fn close_leases(&self, spool: &str, read: Position, now_ms: u64) -> Result<u64, Error> {
        leases::close_over((&self.reader, &self.writer), spool, read, now_ms).await
    }

    async fn budgets(&self, book: &BudgetBook, now_ms: u64) -> Result<Vec<BudgetStanding>, Error> {
        standings::all(&self.reader, book, now_ms).await
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error> {
        snapshot::begin(&self.reader).await
    }

    async fn gateway_seen(&self, process: &str, now_ms: u64) -> Result<(), Error> {
        gateways::seen(&self.writer, process, now_ms).await
    }

    async fn gateways(&self, since_ms: u64) -> Result<u64, Error> {
        gateways::count(&self.reader, since_ms).await
    }

    async fn note_counters(&self, counters: &[EngineCounters]) -> Result<(), Error> {
        gateways::note_counters(&self.writer, counters).await
    }

    async fn counters(&self, since_ms: u64, until_ms: u64) -> Result<Vec<EngineCounters>, Error> {
        gateways::counters(&self.reader, since_ms, until_ms).await
    }

    async fn change_weights(&self, change: &WeightChange) -> Result<bool, Error> {
        weights::change(&self.writer, change).await
    }

    async fn undo_weights(&self, model: &str, actor: Actor, at_ms: u64) -> Result<bool, Error> {
        weights::undo(&self.writer, model, actor, at_ms).await
    }

    async fn weights(&self) -> Result<Vec<WeightStanding>, Error> {
        weights::standings(&self.reader).await
    }

    async fn weights_version(&self) -> Result<u64, Error> {
        weights::version(&self.reader).await
    }

    async fn note(&self, event: &AuditEvent) -> Result<Head, Error> {
        audit::note(&self.writer, event).await
    }

    async fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>, Error> {
        audit::rows(&self.reader, filter).await
    }

    async fn audit_head(&self) -> Result<Head, Error> {
        audit::head(&self.reader).await
    }

    async fn verify_audit(&self, known: Option<Head>) -> Result<Verdict, Error> {
        audit::verify(&self.reader, known).await
    }

    async fn remember_nonce(&self, tag: &[u8], until_s: u64, now_s: u64) -> Result<bool, Error> {
        nonces::remember(&self.writer, (tag, until_s), now_s, NONCES_MAX).await
    }

    async fn nonces_until(&self) -> Result<u64, Error> {
        nonces::last_until(&self.reader).await
    }
}
