//! Any bytes as header values: no panic, one credential or none, and what is taken is
//! all that was sent.
//!
//! The first byte says what the headers are called and whether there are issuers; a
//! line feed stands between two values, which no header value contains.

#![no_main]

use auth::credential::{Presented, take};
use contract::refusal::{Code, Refusal};
use libfuzzer_sys::fuzz_target;
use std::borrow::Cow;

const NAMES: [&str; 4] = ["authorization", "x-api-key", "proxy-authorization", "accept"];

fn is_read(name: &str) -> bool {
    NAMES[..2].contains(&name)
}

fn one<'a>(name: &'a str, value: &'a [u8], tokens: bool) -> Option<Presented<'a>> {
    take([(name, value)].into_iter(), tokens).ok().flatten()
}

fn check_refusal(refusal: &Refusal) {
    let codes = [
        Code::MissingCredentials,
        Code::AmbiguousCredentials,
        Code::InvalidApiKey,
        Code::InvalidToken,
        Code::InvalidSignature,
    ];
    assert!(codes.contains(&refusal.code));
    // Our own words, never the client's.
    assert!(matches!(refusal.message, Cow::Borrowed(_)));
}

/// The words of an accepted value: white space in no other place than between them.
fn words(value: &[u8]) -> Vec<&str> {
    let words = std::str::from_utf8(value).unwrap().split([' ', '\t']);
    words.filter(|word| !word.is_empty()).collect()
}

fn check(presented: &Presented<'_>, name: &str, value: &[u8], tokens: bool) {
    let words = words(value);
    let scheme = words[0].to_ascii_lowercase();
    match presented {
        Presented::Key(key) => {
            assert!(!value.contains(&b','));
            assert_eq!(words.len(), 1 + usize::from(name == "authorization"));
            assert!(words.len() == 1 || scheme == "bearer");
            let text = words[words.len() - 1];
            assert!(key.digest() == auth::key::digest(text));
            assert!(text.bytes().all(|c| (0x21..0x7f).contains(&c)));
            assert!(!text.starts_with("tg_") || auth::key::is_well_formed(text));
        }
        Presented::Token(_) => {
            assert!(tokens && name == "authorization");
            assert!(words.len() == 2 && scheme == "bearer");
            let part = |part: &str| {
                part.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_')
            };
            assert!(words[1].split('.').count() == 3 && words[1].split('.').all(part));
        }
        Presented::Signed(signed) => {
            assert!(name == "authorization" && scheme == "tollgate-hmac-sha256");
            assert!((1..=256).contains(&signed.id().len()));
            let text = std::str::from_utf8(value).unwrap();
            assert_eq!((text.matches(',').count(), text.matches('=').count()), (4, 5));
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, rest)) = data.split_first() else { return };
    let tokens = choice & 1 == 0;
    let name = |at: usize| NAMES[usize::from(choice >> 1 >> (2 * at.min(2))) & 3];
    let values: Vec<&[u8]> = rest.split(|&c| c == b'\n').take(8).collect();
    let headers: Vec<_> = values.iter().enumerate().map(|(at, value)| (name(at), *value)).collect();
    let read: Vec<_> = headers.iter().filter(|(name, _)| is_read(name)).collect();

    match take(headers.iter().copied(), tokens) {
        Ok(None) => assert!(read.is_empty()),
        Ok(Some(presented)) => {
            assert_eq!(read.len(), 1);
            check(&presented, read[0].0, read[0].1, tokens);
        }
        Err(refusal) => {
            assert!(!read.is_empty());
            check_refusal(&refusal);
        }
    }
    // A second line of the same name, joined on the way, is never overlooked.
    if let [first, second, ..] = values[..] {
        let joined = [first, b",", second].concat();
        for name in &NAMES[..2] {
            let alone = one(name, first, tokens).is_some() || one(name, second, tokens).is_some();
            assert!(!alone || one(name, &joined, tokens).is_none());
        }
    }
});
