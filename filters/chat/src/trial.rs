//! An answer read at given cuts, and all that came of it: what tests compare.

use crate::reply::{Delivered, Reader};
use crate::usage::Usage;

/// Everything that can be seen of a reading.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) bytes: Vec<u8>,
    pub(crate) usage: Option<Usage>,
    pub(crate) usage_objects: u32,
    pub(crate) error: bool,
    pub(crate) done: bool,
    pub(crate) events: u64,
    pub(crate) delivered: Delivered,
    pub(crate) stopped_by_length: bool,
    pub(crate) audio_ms: Option<u64>,
}

pub(crate) fn reader(media: &str, asked: &str) -> Reader {
    Reader::for_answer(200, Some(media), None, asked)
}

/// Reads `body` in pieces that end at `cuts` (any numbers, in any order).
pub(crate) fn read(mut reader: Reader, body: &[u8], cuts: &[usize]) -> Outcome {
    let mut bounds: Vec<_> = cuts.iter().map(|cut| cut % (body.len() + 1)).collect();
    bounds.extend([0, body.len()]);
    bounds.sort_unstable();
    let mut bytes = Vec::new();
    let mut firsts = 0;
    for pair in bounds.windows(2) {
        let chunk = &body[pair[0]..pair[1]];
        let pushed = reader.push(chunk);
        firsts += u32::from(pushed.first_data);
        bytes.extend(pushed.replacement.as_deref().unwrap_or(chunk));
    }
    assert!(firsts <= 1, "the first data comes once");
    bytes.extend(reader.finish());
    assert!(reader.finish().is_empty(), "held bytes leave once");
    Outcome {
        bytes,
        usage: reader.usage(),
        usage_objects: reader.usage_objects(),
        error: reader.saw_error(),
        done: reader.saw_done(),
        events: reader.events(),
        delivered: reader.delivered(),
        stopped_by_length: reader.stopped_by_length(),
        audio_ms: reader.audio_ms(),
    }
}

/// Reads whole and byte by byte, and demands that both are the same.
pub(crate) fn read_any_way(media: &str, asked: &str, body: &[u8]) -> Outcome {
    let whole = read(reader(media, asked), body, &[]);
    let every: Vec<_> = (0..body.len()).collect();
    assert_eq!(read(reader(media, asked), body, &every), whole, "byte by byte");
    whole
}
