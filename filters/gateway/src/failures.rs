//! Failed authentications by address: in shared data, for all workers.

use crate::host;
use pipeline::failures::{Source, note as noted, retry_after_s};

/// Notes a failure of `address`; the seconds until its next try, if it had too many.
pub fn note(address: &str, now_ms: u64, per_minute: u32) -> Option<u64> {
    let source = Source::parse(address);
    host::change_shared(&source.slot_name(), |slot| {
        let noted = noted(slot, source, now_ms, per_minute);
        let after = noted.slot.as_deref().or(slot);
        let wait_s = || retry_after_s(after, source, now_ms, per_minute).unwrap_or(1);
        let over = noted.over.then(wait_s);
        (noted.slot, over)
    })
    .flatten()
}

/// The seconds until the next try of `address`, if it had too many.
pub fn standing(address: &str, now_ms: u64, per_minute: u32) -> Option<u64> {
    let source = Source::parse(address);
    retry_after_s(host::shared(&source.slot_name()).as_deref(), source, now_ms, per_minute)
}
