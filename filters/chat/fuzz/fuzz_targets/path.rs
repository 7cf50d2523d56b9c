//! Any text as a path: no panic, what is taken is spelled as the gateway spells it, and
//! the name of a model is what a plain reader decodes (RFC 3986 §2.1).
//!
//! The first byte says what the rest is: a whole path, or what follows a known one.

#![no_main]

use chat::path::{Api, error_shape};
use contract::refusal::ErrorShape;
use libfuzzer_sys::fuzz_target;

const MODELS: &str = "/v1/models/";
const SPELLINGS: [&str; 8] = [
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/responses",
    "/v1/messages",
    "/v1/rerank",
    "/v1/audio/transcriptions",
    "/v1/models",
];

/// Each `%` with two digits after it is a byte; `None`: some `%` has none, there is
/// nothing at all, or it is not UTF-8.
fn naive(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let digits = piece.get(..2).filter(|two| two.chars().all(|it| it.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend(&piece.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok().filter(|name| !name.is_empty())
}

fn judge(path: &str) {
    let api = Api::of(path);
    let name = path.strip_prefix(MODELS).and_then(naive);
    match &api {
        Some(Api::Model(found)) => assert_eq!(Some(found.as_ref()), name.as_deref(), "{path:?}"),
        Some(api) => assert_eq!(api.path(), path),
        None => assert!(!SPELLINGS.contains(&path) && name.is_none(), "{path:?}"),
    }
    if let Some(api) = api {
        assert_eq!(api.methods(), if api.is_list() { ["GET"] } else { ["POST"] });
        let is_anthropic = error_shape(path) == ErrorShape::Anthropic;
        assert_eq!(is_anthropic, api == Api::Messages);
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((how, rest)) = input.split_first() else { return };
    let rest = String::from_utf8_lossy(rest);
    match usize::from(*how) % (SPELLINGS.len() + 2) {
        0 => judge(&rest),
        1 => judge(&format!("{MODELS}{rest}")),
        known => judge(&format!("{}{rest}", SPELLINGS[known - 2])),
    }
});
