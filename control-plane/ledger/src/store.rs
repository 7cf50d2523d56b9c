//! What a database has to do for the ledger. Every implementation passes the
//! same conformance suite.

use crate::audit::{Actor, AuditEvent, AuditFilter, AuditRow, Head, Verdict};
use crate::budget::{BudgetBook, BudgetStanding};
use crate::correction::{Corrected, Correction, NewCorrection};
use crate::counters::EngineCounters;
use crate::error::Error;
use crate::key::{Key, NewKey, NewSecret, Revocation, Rotation, StaticKeysChange};
use crate::lease::LeaseAsk;
use crate::record::{GroupBy, UsageFilter, UsageRecord, UsageSum};
use crate::snapshot::Snapshot;
use crate::weights::{WeightChange, WeightStanding};
use contract::keyring::{KeyEntry, KeyringDelta};
use contract::lease::LeaseAnswer;
use contract::price::Prices;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Most nonces that are remembered at a time: some 40 MiB of the database. Each is kept
/// for 11 minutes after its timestamp: 1,500 signed requests a second, or 790 whose
/// timestamps are as far ahead as can be configured.
pub const NONCES_MAX: u64 = 1_000_000;

/// Prices by their version.
pub type PriceBook = HashMap<String, Prices>;

/// How far the spool was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The file, counted from 1.
    pub generation: u64,
    /// Bytes of it.
    pub offset: u64,
}

/// A request that has begun and not ended, by its last line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRequest {
    /// The request's id.
    pub id: String,
    /// The file the line stands in.
    pub generation: u64,
    /// Where it begins in that file.
    pub offset: u64,
    /// The leases that it names.
    pub leases: Vec<u64>,
    /// The line as it stands there.
    pub line: String,
    /// Whether nothing but its start is known; such a line never replaces another.
    pub start_only: bool,
}

/// What was counted while reading the spool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Lines read.
    pub lines: u64,
    /// Lines that could not be read and were skipped.
    pub malformed: u64,
    /// Lines that a dead gateway had begun and not finished.
    pub torn: u64,
    /// Ended requests without a caller: refused credentials, health checks.
    pub anonymous: u64,
    /// Ends of requests that were posted already.
    pub duplicates: u64,
    /// Ends of requests that were posted as lost with their gateway; the first
    /// posting stays.
    pub conflicts: u64,
    /// Records whose price version is unknown, posted at no cost.
    pub unpriced: u64,
    /// Records of answers whose end only the journal of a dead gateway had.
    pub recovered: u64,
    /// Requests posted as lost with their gateway.
    pub lost: u64,
    /// Requests lost before their caller was known; there is nobody to bill.
    pub lost_anonymous: u64,
    /// Times that a file turned out shorter than what was read of it, or the
    /// numbers of the files did not go on from the position.
    pub restarts: u64,
}

/// What one read of the spool comes to: committed as a whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Whose spool it was read from.
    pub spool: String,
    /// The position it goes on from; another one in the store is
    /// [`Error::PositionMoved`].
    pub from: Position,
    /// The position it leads to.
    pub to: Position,
    /// Records to post, each id once. A record whose id is posted already is
    /// not posted again.
    pub records: Vec<UsageRecord>,
    /// Requests that are no longer open.
    pub ended: Vec<String>,
    /// Requests that are, each id once and none that has ended.
    pub open: Vec<OpenRequest>,
    /// Whether the numbers of the files begin anew: all open requests then
    /// count as older than any file.
    pub renumbered: bool,
    /// Up to which file the gateways that wrote it are dead and read to the end: what
    /// they were granted comes back.
    pub buried: Option<u64>,
    /// Whether the records are of a journal: those whose id is posted already
    /// are no duplicates, and those that are posted now count as recovered.
    pub recovery: bool,
    /// What was counted.
    pub counts: Counts,
}

impl Batch {
    /// A batch that posts nothing yet.
    #[must_use]
    pub fn moving(from: Position, to: Position) -> Self {
        Batch {
            spool: String::new(),
            buried: None,
            from,
            to,
            records: Vec::new(),
            ended: Vec::new(),
            open: Vec::new(),
            renumbered: false,
            recovery: false,
            counts: Counts::default(),
        }
    }
}

/// The database of the ledger. All methods fail with [`Error::Database`] when
/// the database does, and are all or nothing: what changes a key, and the row of
/// the audit trail that says so, too.
#[async_trait::async_trait]
pub trait Store: Send + Sync + 'static {
    /// Makes a key. [`Error::KeyExists`] when id or digest is taken.
    async fn create_key(&self, key: &NewKey) -> Result<(), Error>;
    /// Revokes a created key at Unix second `at_s`.
    async fn revoke_key(&self, id: &str, at_s: u64) -> Result<Revocation, Error>;
    /// Replaces a created key by one with the same name, tenant, user, roles, models
    /// and expiry. The old one works for `overlap_s` seconds more, if it would at
    /// all; for none, it is revoked. [`Error::KeyExists`] when id or digest is taken.
    async fn rotate_key(
        &self,
        id: &str,
        new: &NewSecret,
        overlap_s: u64,
        at_s: u64,
    ) -> Result<Rotation, Error>;
    /// All keys (of one tenant), in the order in which they were made; among
    /// the configured ones only those that are in force.
    async fn list_keys(&self, tenant: Option<&str>) -> Result<Vec<Key>, Error>;
    /// Whose key has this digest; `None` for unknown and revoked ones. Expired
    /// ones are found: the gateway tells their holders apart from strangers.
    async fn key_by_digest(&self, sha256: &str) -> Result<Option<KeyEntry>, Error>;
    /// How many keys are not revoked.
    async fn keys_in_force(&self) -> Result<u64, Error>;
    /// The newest version of the keyring.
    async fn keyring_version(&self) -> Result<u64, Error>;
    /// At most `max` (at least one) changes after version `since` of `epoch`;
    /// from the beginning for another epoch and for versions yet to come. Of nonces and
    /// of signers it says nothing.
    async fn keyring_since(
        &self,
        epoch: Option<&str>,
        since: u64,
        max: usize,
    ) -> Result<KeyringDelta, Error>;
    /// Makes the configured keys equal to `keys` (digest and entry).
    async fn set_static_keys(
        &self,
        keys: &[(String, KeyEntry)],
        at_s: u64,
    ) -> Result<StaticKeysChange, Error>;

    /// Remembers prices under their version. To be called before a gateway
    /// hears of them.
    async fn record_prices(&self, prices: &[Prices]) -> Result<(), Error>;
    /// All prices that ever were.
    async fn price_book(&self) -> Result<PriceBook, Error>;

    /// Gives a spool its name: it goes on from the position that no name was given to, if
    /// there is one, and begins at the first file otherwise. Again is nothing.
    async fn register_spool(&self, spool: &str) -> Result<(), Error>;
    /// How far a spool was read.
    async fn position(&self, spool: &str) -> Result<Position, Error>;
    /// Requests of a spool whose last line stands in generation `until` or before.
    async fn open_requests(&self, spool: &str, until: u64) -> Result<Vec<OpenRequest>, Error>;
    /// Posts a batch and moves its spool's position. With the records go the balances of
    /// their accounts, what they took of their leases, when their keys
    /// were last used, and a row of the audit trail for the first use of a credential
    /// on a day. Returns the batch's counts with
    /// duplicates, conflicts and recovered records as they were found.
    async fn commit(&self, batch: &Batch) -> Result<Counts, Error>;
    /// Everything counted since the database was made.
    async fn counts(&self) -> Result<Counts, Error>;

    /// All records that match, in the order in which they were posted.
    async fn usage(&self, filter: &UsageFilter) -> Result<Vec<UsageRecord>, Error>;
    /// The first `limit` records with numbers greater than `after` that match, in the order
    /// of their numbers, which is that of their posting.
    async fn usage_page(
        &self,
        filter: &UsageFilter,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(u64, UsageRecord)>, Error>;
    /// Sums over the records that match, by one word, in its order.
    async fn usage_sums(&self, filter: &UsageFilter, by: GroupBy) -> Result<Vec<UsageSum>, Error>;
    /// Posts a correction, with a row of the audit trail.
    async fn correct(&self, correction: &NewCorrection) -> Result<Corrected, Error>;
    /// All corrections of the records that match, in the order in which they were made.
    async fn corrections(&self, filter: &UsageFilter) -> Result<Vec<Correction>, Error>;

    /// Answers requests for leases, one after the other, in one transaction.
    async fn lease(
        &self,
        asks: &[LeaseAsk],
        book: &BudgetBook,
        now_ms: u64,
    ) -> Result<Vec<LeaseAnswer>, Error>;
    /// Closes what can be closed of a spool that was just read to its end, `read` being its
    /// position and `now_ms` the time before that. Returns how many leases were.
    async fn close_leases(&self, spool: &str, read: Position, now_ms: u64) -> Result<u64, Error>;
    /// How every budget stands, also those of created keys and of users that have spent.
    async fn budgets(&self, book: &BudgetBook, now_ms: u64) -> Result<Vec<BudgetStanding>, Error>;
    /// All of the money at one moment.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error>;

    /// Notes that a gateway was heard of.
    async fn gateway_seen(&self, process: &str, now_ms: u64) -> Result<(), Error>;
    /// How many gateways were heard of at `since_ms` or after, by any control plane.
    async fn gateways(&self, since_ms: u64) -> Result<u64, Error>;
    /// Keeps what engines have counted.
    async fn note_counters(&self, counters: &[EngineCounters]) -> Result<(), Error>;
    /// What engines had counted, from `since_ms` on and before `until_ms`, in the order of time.
    async fn counters(&self, since_ms: u64, until_ms: u64) -> Result<Vec<EngineCounters>, Error>;

    /// Gives a model other weights; whether they are others than held. Pools that are left
    /// out keep what they have in the transaction that writes it, so that of two who move
    /// one pool each at once both are heard. With them goes a row of the audit trail.
    ///
    /// # Errors
    ///
    /// [`Error::NoShare`] when no pool would get a request.
    async fn change_weights(&self, change: &WeightChange) -> Result<bool, Error>;
    /// Takes the last step of a model's weights back that was not yet, with a row of the
    /// audit trail; whether there was one.
    async fn undo_weights(&self, model: &str, actor: Actor, at_ms: u64) -> Result<bool, Error>;
    /// How the weights stand of each model that ever had a step, in the order of their names.
    async fn weights(&self) -> Result<Vec<WeightStanding>, Error>;
    /// Goes up with every step.
    async fn weights_version(&self) -> Result<u64, Error>;

    /// Adds a row to the audit trail; returns the trail's new end.
    async fn note(&self, event: &AuditEvent) -> Result<Head, Error>;
    /// The newest rows of the trail that match, the oldest of them first.
    async fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>, Error>;
    /// The end of the trail.
    async fn audit_head(&self) -> Result<Head, Error>;
    /// Whether the trail is whole, and goes on from `known`. Reads all of it and
    /// keeps little of it in memory.
    async fn verify_audit(&self, known: Option<Head>) -> Result<Verdict, Error>;

    /// Remembers `tag` until the end of the Unix second `until_s`. Whether it was not
    /// remembered before. [`Error::NoncesFull`] beyond [`NONCES_MAX`].
    async fn remember_nonce(&self, tag: &[u8], until_s: u64, now_s: u64) -> Result<bool, Error>;
    /// The greatest Unix second until which some nonce is remembered; 0: there is none.
    /// Those that are over count until they are removed.
    async fn nonces_until(&self) -> Result<u64, Error>;
}
