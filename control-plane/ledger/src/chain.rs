//! The hashes that chain records, and those that chain postings: what is altered, put in or
//! removed breaks the chain at its place, as in [`crate::audit`].

use crate::audit::HASH_BYTES;
use crate::record::UsageRecord;
use sha2::{Digest as _, Sha256};

/// What a posting is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PostingKind {
    /// What a record costs, from its pool to its tenant.
    Usage,
    /// A correction of that.
    Correction,
    /// What a lease was granted, from its budget to the lease.
    Hold,
    /// What of that came back: it was returned, used, or the lease was closed.
    Release,
}

impl PostingKind {
    /// Every kind.
    pub const ALL: [PostingKind; 4] =
        [PostingKind::Usage, PostingKind::Correction, PostingKind::Hold, PostingKind::Release];

    /// The word in the row.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            PostingKind::Usage => "usage",
            PostingKind::Correction => "correction",
            PostingKind::Hold => "hold",
            PostingKind::Release => "release",
        }
    }
}

/// An amount that moves from one account to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When, in Unix milliseconds.
    pub at_ms: u64,
    /// What it is about.
    pub kind: PostingKind,
    /// The account that it moves to.
    pub debit: String,
    /// The account that it comes from.
    pub credit: String,
    /// Nano-dollars.
    pub nanodollars: i64,
    /// The number of the record that it is of.
    pub record: Option<u64>,
    /// The number of the lease that it is of.
    pub lease: Option<u64>,
    /// Why, where people did it.
    pub why: Option<String>,
}

/// A record as it stands in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRecord {
    /// Its number; numbers rise.
    pub seq: u64,
    /// The record; `None`: it cannot be read.
    pub record: Option<UsageRecord>,
    /// The periods that its cost counts in where they are not those of its time: JSON of
    /// the word of an account's kind to the name of the period.
    pub periods: Option<String>,
    /// Its hash.
    pub hash: Vec<u8>,
}

/// A posting as it stands in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedPosting {
    /// Its number, counted from 1 without gaps.
    pub seq: u64,
    /// The posting; `None`: it cannot be read.
    pub entry: Option<Entry>,
    /// Its hash.
    pub hash: Vec<u8>,
}

/// A hash in the making. Numbers are eight bytes, the highest first, and so is the length
/// before each text; what is not there has a length of its own.
struct Chain(Sha256);

impl Chain {
    fn after(before: &[u8; HASH_BYTES], seq: u64) -> Self {
        Chain(Sha256::new_with_prefix(before)).number(seq)
    }

    fn number(mut self, number: u64) -> Self {
        self.0.update(number.to_be_bytes());
        self
    }

    /// A number as the database keeps it: what does not fit is the largest that does.
    fn count(self, count: u64) -> Self {
        self.number(count.min(i64::MAX.unsigned_abs()))
    }

    fn text(mut self, text: &str) -> Self {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text);
        self
    }

    fn texts<'a>(self, texts: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        texts.into_iter().fold(self, |chain, text| match text {
            Some(text) => chain.text(text),
            None => chain.number(u64::MAX),
        })
    }

    fn end(self) -> [u8; HASH_BYTES] {
        self.0.finalize().into()
    }
}

/// The hash of record number `seq` after one with the hash `before`.
#[must_use]
pub fn record_hash(
    before: &[u8; HASH_BYTES],
    seq: u64,
    record: &UsageRecord,
    periods: Option<&str>,
) -> [u8; HASH_BYTES] {
    let chain = Chain::after(before, seq).texts([
        Some(record.id.as_str()),
        record.client_request_id.as_deref(),
        Some(&record.tenant),
        Some(&record.key),
        record.user.as_deref(),
        record.organisation.as_deref(),
        record.model.as_deref(),
        record.pool.as_deref(),
        record.endpoint.as_deref(),
        record.path.as_deref(),
        record.code.as_deref(),
        record.price_version.as_deref(),
        Some(record.source_word()),
        Some(record.end_word()),
        periods,
    ]);
    let numbers = [
        record.at_ms,
        u64::from(record.stream),
        u64::from(record.status),
        record.input_tokens,
        record.cached_input_tokens,
        record.output_tokens,
        record.reasoning_tokens,
        record.images,
        record.pages,
        record.audio_ms,
        record.gpu_ms,
        record.attempts,
        record.duration_ms,
    ];
    let chain = numbers.into_iter().fold(chain, Chain::count);
    let chain = chain.number(record.cost_nanodollars.cast_unsigned());
    let chain = chain.number(record.first_token_ms.map_or(u64::MAX, |ms| ms.min(u64::MAX >> 1)));
    let chain = record
        .leases
        .iter()
        .fold(chain.number(record.leases.len() as u64), |chain, id| chain.number(*id));
    let masked = record.masked.iter();
    masked.fold(chain, |chain, (of, count)| chain.text(of).count(*count)).end()
}

/// The hash of posting number `seq` after one with the hash `before`.
#[must_use]
pub fn entry_hash(before: &[u8; HASH_BYTES], seq: u64, entry: &Entry) -> [u8; HASH_BYTES] {
    Chain::after(before, seq)
        .count(entry.at_ms)
        .texts([
            Some(entry.kind.as_str()),
            Some(&entry.debit),
            Some(&entry.credit),
            entry.why.as_deref(),
        ])
        .number(entry.nanodollars.cast_unsigned())
        .number(entry.record.unwrap_or(0))
        .number(entry.lease.unwrap_or(0))
        .end()
}
