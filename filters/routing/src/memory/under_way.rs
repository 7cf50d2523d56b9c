//! How many requests of this gateway are under way at each server of a pool. What engines tell
//! is a second old and more; this is of now.
//!
//! A request is counted under the minute in which it was sent: what a worker that has ended
//! never took back is forgotten after a while.

use super::{Memory, number};
use hashbrown::HashMap;

/// How long a request counts that nobody takes back, in minutes.
const MINUTES_MAX: u32 = 10;
/// Records of a pool: some ten minutes of a hundred servers.
const RECORDS_MAX: usize = 1_024;
/// Bytes of a record: who, in which minute, how many.
const RECORD_BYTES: usize = 12;

/// A request that was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    server: u32,
    minute: u32,
}

/// Requests under way by [`super::server_id`].
pub(crate) fn under_way(memory: &impl Memory, pool: &str, now_ms: u64) -> HashMap<u32, u64> {
    let slot = memory.read(&slot_name(pool)).unwrap_or_default();
    let mut requests = HashMap::new();
    for (sent, count) in alive(&slot, minute(now_ms)) {
        *requests.entry(sent.server).or_default() += u64::from(count);
    }
    requests
}

/// Counts one more; `None`: it could not be written, and there is nothing to take back.
pub(crate) fn begin(memory: &impl Memory, pool: &str, server: u32, now_ms: u64) -> Option<Sent> {
    let sent = Sent { server, minute: minute(now_ms) };
    memory.change(&slot_name(pool), &mut |slot| {
        let slot = slot.unwrap_or_default();
        (Some(with(slot, sent, now_ms, |count| count.saturating_add(1))), sent)
    })
}

/// Takes one back.
pub(crate) fn end(memory: &impl Memory, pool: &str, sent: Sent, now_ms: u64) {
    memory.change(&slot_name(pool), &mut |slot| {
        let changed = |slot| with(slot, sent, now_ms, |count| count.saturating_sub(1));
        (slot.map(changed), ())
    });
}

/// With another count for one record, without those that are empty or too old.
fn with(slot: &[u8], sent: Sent, now_ms: u64, change: impl Fn(u32) -> u32) -> Vec<u8> {
    let records = || alive(slot, minute(now_ms));
    let before = records().find(|(other, _)| *other == sent).map_or(0, |(_, count)| count);
    let changed = std::iter::once((sent, change(before))).filter(|(_, count)| *count > 0);
    let others = records().filter(|(other, _)| *other != sent);
    let mut out = Vec::with_capacity(slot.len() + RECORD_BYTES);
    for (Sent { server, minute }, count) in changed.chain(others).take(RECORDS_MAX) {
        for value in [server, minute, count] {
            out.extend(value.to_le_bytes());
        }
    }
    out
}

fn alive(slot: &[u8], now: u32) -> impl Iterator<Item = (Sent, u32)> {
    let records = slot.chunks_exact(RECORD_BYTES).map(|record| {
        let sent = Sent { server: number(record, 0), minute: number(record, 4) };
        (sent, number(record, 8))
    });
    records.filter(move |(sent, _)| now.abs_diff(sent.minute) < MINUTES_MAX)
}

fn minute(now_ms: u64) -> u32 {
    u32::try_from(now_ms / 60_000).unwrap_or(u32::MAX)
}

fn slot_name(pool: &str) -> String {
    format!("affinity/under-way/{pool}")
}
