//! Recorded answers of real engines, which have no placeholder: nothing of them changes
//! because values were masked in their requests.

use super::{World, passed, single_cuts};
use chat::path::Api;
use std::fs;
use std::path::{Path, PathBuf};

/// Longest answer that is cut at each of its places; longer ones at [`CUTS_MAX`] of them.
const EVERY_CUT_BYTES_MAX: usize = if cfg!(debug_assertions) { 150 } else { 20_000 };

const CUTS_MAX: usize = if cfg!(debug_assertions) { 4 } else { 200 };

struct Capture {
    name: String,
    path: &'static str,
    media: String,
    body: Vec<u8>,
}

/// The recorded answers of an engine on paths whose texts can be masked in JSON.
fn captures(engine: &str) -> Vec<Capture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../integration/captures");
    let files = fs::read_dir(folder.join(engine)).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files.collect();
    files.sort();
    files.iter().filter_map(|file| capture(file)).collect()
}

fn capture(file: &Path) -> Option<Capture> {
    let file = file.to_str().unwrap();
    let request = fs::read(format!("{}.request.http", file.strip_suffix(".response.http")?));
    let request = String::from_utf8_lossy(&request.unwrap()).into_owned();
    let api = request.strip_prefix("POST ")?.split([' ', '?']).next().and_then(Api::of)?;
    let raw = fs::read(file).unwrap();
    let end = raw.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(raw[..end].to_vec()).unwrap().to_ascii_lowercase();
    let media = head.lines().find_map(|line| line.strip_prefix("content-type: "));
    let is_chunked = head.contains("transfer-encoding: chunked");
    let body = if is_chunked { dechunked(&raw[end + 4..]) } else { raw[end + 4..].to_vec() };
    let media = media.unwrap_or_default().to_owned();
    api.takes_json().then(|| Capture { name: file.to_owned(), path: api.path(), media, body })
}

/// The body of a chunked message (RFC 9112 §7.1), which may be cut off.
fn dechunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|bytes| bytes == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        rest = &rest[end + 2..];
        body.extend(&rest[..size.min(rest.len())]);
        rest = rest.get(size + 2..).unwrap_or_default();
    }
    body
}

fn check(capture: &Capture) {
    let world = World::on(capture.path);
    let length = capture.body.len();
    let (_, mut unmasked) = world.forwarded();
    assert!(unmasked.masked.take().is_some_and(|masked| masked.found == 2), "{}", capture.name);
    let plain = passed(super::answer_to(unmasked, &capture.media), &capture.body, &[]);
    let most = if length <= EVERY_CUT_BYTES_MAX { usize::MAX } else { CUTS_MAX };
    let singles = single_cuts(length, most);
    for cuts in singles.chain([vec![], (1..length).collect()]) {
        let out = world.passed(&capture.media, &capture.body, &cuts);
        let at = &cuts[..cuts.len().min(1)];
        assert!(out == plain, "{} cut at {at:?}:\n{}", capture.name, String::from_utf8_lossy(&out));
    }
}

fn check_all_of(engine: &str) {
    let captures = captures(engine);
    assert!(captures.len() >= 10, "{engine}: only {} captures", captures.len());
    assert!(captures.iter().any(|capture| capture.media.starts_with("text/event-stream")));
    captures.iter().for_each(check);
}

#[test]
fn llama_cpp() {
    check_all_of("llama.cpp-server-b11434");
}

#[test]
fn sglang() {
    check_all_of("sglang-0.5.23-cpu");
}

#[test]
fn transformers() {
    check_all_of("transformers-serve-5.23.0");
}

#[test]
fn vllm() {
    check_all_of("vllm-0.32.0-cpu");
}
