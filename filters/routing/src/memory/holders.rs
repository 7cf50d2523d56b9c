//! Which servers hold a beginning of a prompt in their caches.

use super::{Memory, number};

/// Values of the memory that are used for it: bounded, because callers choose their prompts.
const SLOTS: u64 = 32_768;
/// Beginnings in one value. With [`SLOTS`] a gateway remembers half a million in 20 MiB.
const ENTRIES_PER_SLOT: usize = 16;
/// Servers of one beginning: what many requests share is in the caches of several.
const HOLDERS_MAX: usize = 8;
/// Bytes of one holder: who, and when it was last used, in seconds.
const HOLDER_BYTES: usize = 8;
/// Bytes of an entry: a tag, and the holders, the last one to be used first.
const ENTRY_BYTES: usize = 4 + HOLDERS_MAX * HOLDER_BYTES;

/// Those that hold a beginning, the last one to be used first; at most [`HOLDERS_MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holders([Holder; HOLDERS_MAX]);

/// A server, and the second of its last use; 0 where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Holder {
    server: u32,
    used_s: u32,
}

impl Holders {
    /// Of a beginning, as far as they were used in the last `remember_s` seconds.
    pub(crate) fn of(memory: &impl Memory, hash: u64, now_s: u32, remember_s: u32) -> Holders {
        let slot = memory.read(&slot_name(hash)).unwrap_or_default();
        let mut entries = slot.chunks_exact(ENTRY_BYTES);
        let found = entries.find(|entry| number(entry, 0) == tag(hash));
        let mut holders = found.map(Holders::decode).unwrap_or_default();
        let since_s = now_s.saturating_sub(remember_s);
        let old = holders.0.iter_mut().filter(|holder| holder.used_s < since_s);
        old.for_each(|holder| *holder = Holder::default());
        holders
    }

    /// Their [`super::server_id`]s.
    pub(crate) fn servers(&self) -> impl Iterator<Item = u32> {
        self.0.iter().filter(|holder| holder.used_s > 0).map(|holder| holder.server)
    }

    /// Whether so many servers hold it that any other may as well: all places are taken, by
    /// servers that were used in the last quarter of `remember_s`.
    pub(crate) fn are_many(&self, now_s: u32, remember_s: u32) -> bool {
        let since_s = now_s.saturating_sub(remember_s / 4);
        self.0.iter().all(|holder| holder.used_s > since_s)
    }

    fn decode(entry: &[u8]) -> Holders {
        let mut holders = Holders::default();
        let (_, records) = entry.split_at_checked(4).unwrap_or_default();
        for (holder, record) in holders.0.iter_mut().zip(records.chunks_exact(HOLDER_BYTES)) {
            *holder = Holder { server: number(record, 0), used_s: number(record, 4) };
        }
        holders
    }

    fn encode(&self, hash: u64, out: &mut Vec<u8>) {
        out.extend(tag(hash).to_le_bytes());
        for holder in &self.0 {
            out.extend(holder.server.to_le_bytes());
            out.extend(holder.used_s.to_le_bytes());
        }
    }

    /// With this server in front.
    fn with(&self, server: u32, now_s: u32) -> Holders {
        let others = self.0.iter().filter(|holder| holder.server != server);
        let mut holders = Holders::default();
        let newest = Holder { server, used_s: now_s.max(1) };
        for (place, holder) in holders.0.iter_mut().zip(std::iter::once(&newest).chain(others)) {
            *place = *holder;
        }
        holders
    }
}

/// Puts a server in front of those that hold a beginning; whether it has not stood there since
/// less than an eighth of `remember_s`, when nothing is written.
pub(crate) fn remember(
    memory: &impl Memory,
    hash: u64,
    server: u32,
    now_s: u32,
    remember_s: u32,
) -> bool {
    let written = memory.change(&slot_name(hash), &mut |slot| {
        let slot = with_holder(slot.unwrap_or_default(), hash, server, now_s, remember_s / 8);
        let is_news = slot.is_some();
        (slot, is_news)
    });
    written.unwrap_or(false)
}

fn with_holder(slot: &[u8], hash: u64, server: u32, now_s: u32, young_s: u32) -> Option<Vec<u8>> {
    let is_same = |entry: &&[u8]| number(entry, 0) == tag(hash);
    let entries = || slot.chunks_exact(ENTRY_BYTES);
    let known = entries().find(is_same).map(Holders::decode).unwrap_or_default();
    let [first, ..] = known.0;
    if first.server == server && first.used_s > 0 && now_s.saturating_sub(first.used_s) < young_s {
        return None;
    }
    let mut out = Vec::with_capacity(slot.len() + ENTRY_BYTES);
    known.with(server, now_s).encode(hash, &mut out);
    // The newest stand in front: who falls off was not used for the longest.
    for entry in entries().filter(|entry| !is_same(entry)).take(ENTRIES_PER_SLOT - 1) {
        out.extend_from_slice(entry);
    }
    Some(out)
}

fn slot_name(hash: u64) -> String {
    format!("affinity/{}", hash % SLOTS)
}

/// The half of the hash that does not choose the slot.
const fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}
