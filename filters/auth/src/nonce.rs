//! Nonces of signed requests that were seen, in a fixed number of slots of shared data.
//!
//! A slot is a row of records of 16 bytes, a tag and the Unix second from which it may
//! be forgotten; the caller replaces a slot by compare-and-swap, and asks again when
//! another worker was quicker. Nothing is put in but what was signed by a secret that
//! the keyring has, so no stranger can fill the table. Whoever can sign may: beyond
//! [`NONCES_PER_SLOT`] live nonces in its slot a request is refused, never a nonce
//! forgotten. Slots fill unevenly, so that begins at some two thirds of what the table
//! holds: about 1,000 signed requests a second.
//!
//! A clock that is set back by some seconds lets those requests count again whose nonce
//! was forgotten in these seconds.

use crate::hmac::mac;
use contract::limits::{NONCE_SLOTS, NONCES_PER_SLOT};
use contract::names::NONCE_PATH_PREFIX;
use contract::refusal::{Code, Refusal};

/// A tag without the four bytes that the slot stands for.
const TAIL_BYTES: usize = 12;

/// A tail and the second, a little-endian `u32`.
const RECORD_BYTES: usize = TAIL_BYTES + 4;

/// A nonce of a credential, and how long it must be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce {
    /// The first half of the HMAC-SHA256 of the word `nonce`, a line feed and the nonce, by
    /// the secret: nonces are told apart by whose secret they were signed with, whatever
    /// the credential is called.
    pub tag: [u8; 16],
    /// The Unix second from which it may be forgotten: its timestamp is refused by then.
    pub until_s: u64,
}

/// What became of a nonce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Insert {
    /// It is new; the slot's content is to be this from now on.
    Fresh(Vec<u8>),
    /// It was here before: `replayed_request`.
    Seen,
    /// There is no room for it before that many seconds have passed.
    Full {
        /// At least 1.
        retry_after_s: u64,
    },
}

impl Nonce {
    /// The nonce of whoever has `secret`, to be remembered until `until_s`; `None`: that
    /// is no secret.
    #[must_use]
    pub fn new(secret: &str, nonce: &str, until_s: u64) -> Option<Nonce> {
        let digest = mac(secret, format!("nonce\n{nonce}").as_bytes())?;
        Some(Nonce { tag: *digest.first_chunk()?, until_s })
    }

    /// The name of the slot in which it is remembered.
    #[must_use]
    pub fn slot_name(&self) -> String {
        let [a, b, c, d, ..] = self.tag;
        format!("n/{}", u32::from_le_bytes([a, b, c, d]) % NONCE_SLOTS)
    }

    /// The path at which the control plane is asked to remember it.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{NONCE_PATH_PREFIX}{}?until={}", hex::encode(self.tag), self.until_s)
    }

    fn tail(&self) -> [u8; TAIL_BYTES] {
        let [_, _, _, _, tail @ ..] = self.tag;
        tail
    }
}

/// What the client of a nonce that was seen is told.
#[must_use]
pub fn replayed() -> Refusal {
    Refusal::new(
        Code::ReplayedRequest,
        "This signed request was here before. Sign each request anew, with a nonce of its own.",
    )
}

/// What a client is told for whose nonce there is no room.
#[must_use]
pub fn full() -> Refusal {
    Refusal::new(
        Code::RateLimitExceeded,
        "There are more signed requests than this gateway can tell apart. Try again later.",
    )
}

/// Looks for `nonce` in its slot (empty when there is none yet) and puts it in,
/// dropping what may be forgotten at `now_s`.
#[must_use]
pub fn insert(slot: &[u8], nonce: &Nonce, now_s: u64) -> Insert {
    let live: Vec<Record> = records(slot).filter(|record| record.is_live(now_s)).collect();
    if live.iter().any(|record| record.tail == nonce.tail()) {
        return Insert::Seen;
    }
    if live.len() >= NONCES_PER_SLOT {
        let soonest_s = live.iter().map(|record| u64::from(record.until_s)).min().unwrap_or(now_s);
        return Insert::Full { retry_after_s: soonest_s.saturating_sub(now_s).max(1) };
    }
    let mut slot = Vec::with_capacity((live.len() + 1) * RECORD_BYTES);
    for record in live.iter().chain([&Record::of(nonce)]) {
        slot.extend(record.tail);
        slot.extend(record.until_s.to_le_bytes());
    }
    Insert::Fresh(slot)
}

struct Record {
    tail: [u8; TAIL_BYTES],
    until_s: u32,
}

impl Record {
    /// Seconds fit until the year 2106; later ones are never forgotten.
    fn of(nonce: &Nonce) -> Record {
        Record { tail: nonce.tail(), until_s: u32::try_from(nonce.until_s).unwrap_or(u32::MAX) }
    }

    fn is_live(&self, now_s: u64) -> bool {
        now_s < u64::from(self.until_s)
    }
}

fn records(slot: &[u8]) -> impl Iterator<Item = Record> {
    let (records, _) = slot.as_chunks::<RECORD_BYTES>();
    records.iter().map(|record| {
        let [tail @ .., a, b, c, d] = *record;
        Record { tail, until_s: u32::from_le_bytes([a, b, c, d]) }
    })
}

#[cfg(test)]
mod tests;
