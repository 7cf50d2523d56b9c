//! UUIDs stay: RFC 9562 §4, 8-4-4-4-12 hexadecimal digits.

use super::runs::{hex, long_runs};
use super::secret;
use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

/// Hexadecimal digits of the last group, by which one is found.
const LAST: usize = 12;
/// Characters before the last group.
const BEFORE_LAST: usize = 24;
const DASHES: [usize; 4] = [8, 13, 18, 23];

/// Keeps the place of every UUID that no name calls a key.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    for run in long_runs(scene.bytes(), LAST, hex) {
        let Some(start) = run.start.checked_sub(BEFORE_LAST) else { continue };
        let is_one = run.len() == LAST && is_head(scene, start);
        if is_one && !secret::is_named(scene, start) {
            found.innocent(start..run.end, Level::Certain);
        }
    }
}

fn is_head(scene: &Scene<'_>, start: usize) -> bool {
    let head = scene.bytes().get(start..start + BEFORE_LAST).unwrap_or_default();
    let fits = head
        .iter()
        .enumerate()
        .all(|(index, byte)| if DASHES.contains(&index) { *byte == b'-' } else { hex(*byte) });
    fits && scene.before(start).is_none_or(|byte| !byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use crate::detectors::trial::misses;

    #[test]
    fn uuids_stay() {
        misses(&[
            "id 01012345-6789-4010-8123-010123456789",
            "요청 550e8400-e29b-41d4-a716-446655440000를 찾아 주세요",
            "{\"trace\":\"{01012345-6789-4010-8123-850101123456}\"}",
            "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
            "session_id=F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6&x=1",
        ]);
    }
}
