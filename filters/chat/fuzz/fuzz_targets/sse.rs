//! Any bytes as a stream of events: cuts change nothing of what leaves and of
//! what is found, only the names of models are changed, and usage where it is
//! taken out.
//!
//! The first byte says how the rest is cut: 0 to 15 into pieces of that many
//! bytes plus one, else at the places that the next bytes name.

#![no_main]

use chat::reply::Reader;
use chat::strip::Strip;
use libfuzzer_sys::fuzz_target;

const ASKED: &str = "asked";

/// What is taken out, by the first byte as well.
fn strip(how: u8) -> Strip {
    match how % 4 {
        0 => Strip::Nothing,
        1 => Strip::Running,
        2 => Strip::Usage { nulls: false },
        _ => Strip::Usage { nulls: true },
    }
}

fn read<'a>(chunks: impl Iterator<Item = &'a [u8]>, strip: Option<Strip>) -> (Vec<u8>, Reader) {
    let mut reader = Reader::for_answer(200, Some("text/event-stream"), None, ASKED);
    if let Some(strip) = strip {
        reader = reader.with_usage(strip);
    }
    let mut left = Vec::new();
    for chunk in chunks {
        let pushed = reader.push(chunk);
        left.extend_from_slice(pushed.replacement.as_deref().unwrap_or(chunk));
    }
    left.extend(reader.finish());
    (left, reader)
}

fn chunks<'a>(how: u8, places: &[u8], body: &'a [u8]) -> Vec<&'a [u8]> {
    if how < 16 {
        return body.chunks(usize::from(how) + 1).collect();
    }
    let mut rest = body;
    let mut chunks = Vec::new();
    for place in places {
        let (chunk, tail) = rest.split_at(usize::from(*place).min(rest.len()));
        chunks.push(chunk);
        rest = tail;
    }
    chunks.push(rest);
    chunks
}

fuzz_target!(|input: &[u8]| {
    let Some((how, rest)) = input.split_first() else { return };
    let places = if *how < 16 { 0 } else { usize::from(*how % 8).min(rest.len()) };
    let (places, body) = rest.split_at(places);

    let (whole, one) = read(std::iter::once(body), None);
    same(&one, &whole, chunks(*how, places, body), None);
    let held = Some(strip(*how));
    let (left, of_held) = read(std::iter::once(body), held);
    same(&of_held, &left, chunks(*how, places, body), held);
    assert_eq!((one.usage(), one.delivered()), (of_held.usage(), of_held.delivered()));
    if held == Some(Strip::Nothing) {
        assert_eq!(left, whole);
    }

    // Read again, every name is the asked one already: nothing changes.
    let (again, _) = read(std::iter::once(whole.as_slice()), None);
    assert_eq!(again, whole);
});

/// The same stream in pieces is the same.
fn same(one: &Reader, whole: &[u8], chunks: Vec<&[u8]>, strip: Option<Strip>) {
    let (cut, many) = read(chunks.into_iter(), strip);
    assert_eq!(whole, cut);
    assert_eq!(one.usage(), many.usage());
    assert_eq!(one.usage_objects(), many.usage_objects());
    assert_eq!(one.events(), many.events());
    assert_eq!((one.saw_done(), one.saw_error()), (many.saw_done(), many.saw_error()));
    assert_eq!((one.delivered(), one.audio_ms()), (many.delivered(), many.audio_ms()));
    assert_eq!(one.stopped_by_length(), many.stopped_by_length());
}
