//! Encoded bytes stay: data URLs (RFC 2397) and long base64 (RFC 4648 §4).
//!
//! Numbers between two `/` or `+` of a blob would otherwise read as telephones.

use std::ops::Range;

use memchr::memmem;

use super::runs::{base64, base64url, end_of_padding, end_of_run, long_runs};
use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

/// From how many characters on a run is a blob: a line of PEM or MIME.
const BLOB_CHARS_MIN: usize = 60;
/// A piece between two `/` that long is no word of a path.
const PIECE_CHARS_MIN: usize = 24;
/// The longest media type with parameters.
const MEDIA_TYPE_CHARS_MAX: usize = 100;

/// Keeps the place of every blob.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    for start in memmem::find_iter(scene.bytes(), "data:") {
        if let Some(end) = end_of_data_url(scene.text(), start) {
            found.innocent(start..end, Level::Certain);
        }
    }
    for run in long_runs(scene.bytes(), BLOB_CHARS_MIN, base64) {
        if is_blob(scene.slice(run.clone())) {
            found.innocent(run.start..end_of_padding(scene.bytes(), run.end), Level::Strong);
        }
    }
}

fn end_of_data_url(text: &str, start: usize) -> Option<usize> {
    let window = start..text.len().min(start + MEDIA_TYPE_CHARS_MAX);
    let head = text.as_bytes().get(window)?;
    let comma = head.iter().position(|byte| *byte == b',')?;
    let head = head.get(..comma)?;
    let plain = head.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'"');
    let body: Range<usize> = start + comma + 1..text.len();
    (plain && head.ends_with(b";base64")).then(|| {
        let end = end_of_run(text.as_bytes(), body.start, |byte| base64(byte) || base64url(byte));
        end_of_padding(text.as_bytes(), end)
    })
}

/// Paths and words are written in the same alphabet: a blob mixes its letters in one
/// long piece.
fn is_blob(run: &str) -> bool {
    run.split('/').any(|piece| {
        let has = |class: fn(&u8) -> bool| piece.as_bytes().iter().any(class);
        piece.len() >= PIECE_CHARS_MIN
            && has(u8::is_ascii_digit)
            && has(u8::is_ascii_lowercase)
            && has(u8::is_ascii_uppercase)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::trial::misses;

    #[test]
    fn blobs_stay() {
        misses(&[
            "<img src=\"data:image/png;base64,iVBORw0KGgo/01012345678/AAAANSUhEUgAA=\">",
            "body: TWFuIGlzIGRpc3Rpbmd1aXNoZWQsIG5vdCBvbmx5IGJ5IGhpcyBy/01012345678/ZWFzb24sIGJ1dCB==",
        ]);
    }

    #[test]
    fn a_path_is_no_blob() {
        assert!(!is_blob("api/v1/tenants/members/Kim/calls/numbers/01012345678/history/latest"));
        assert!(is_blob("TWFuIGlzIGRpc3Rpbmd1aXNoZWQsIG5vdCBvbmx5IGJ5IGhpcyByZWFzb24sIG"));
    }

    #[test]
    fn an_endless_blob_is_one_place() {
        let text = "iVBORw0KGgo1".repeat(10_000);
        let mut found = Candidates::default();
        find(&Scene::of(&text), &mut found);
        assert_eq!(found.0.len(), 1);
    }
}
