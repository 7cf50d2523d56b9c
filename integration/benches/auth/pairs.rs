//! What is compared: inputs of two kinds, all of one length, and the call that judges
//! them. Every input is another, so that no two texts are compared but two kinds.

use auth::credential::{Presented, take};
use auth::hmac::{Draft, Signed, sign, verify};
use auth::key::{digest, generate};
use auth::keyring::{entry_name, signers};
use contract::keyring::HmacEntry;
use std::collections::HashSet;
use std::hint::black_box;

use crate::nanos;

/// As long as those that the documentation makes.
const SECRET: &str = "made-up-secret-of-the-benchmark-0123456789a";
const ID: &str = "partner-01";
const NOBODYS_ID: &str = "partner-99";
const PATH: &str = "/v1/chat/completions";
/// Keys that exist beside the one that is nearly hit.
const KEYS: usize = 10_000;
/// Digits of a signature.
const DIGITS: usize = 64;
/// The bytes of a key that the one nearly hit shares: 32 of its characters.
const SHARED_BYTES: usize = 24;

/// One comparison.
pub struct Pair {
    /// Its row.
    pub name: &'static str,
    /// Makes an input of each kind.
    pub kinds: [Kind; 2],
    /// Judges one of them; in nanoseconds, without what comes before the judgement.
    pub time: Box<dyn Fn(&str) -> f64>,
}

/// Makes inputs of one kind from numbers, each of which comes once.
pub type Kind = Box<dyn Fn(u32) -> String>;

/// All comparisons.
pub fn pairs() -> Vec<Pair> {
    let right = |number| signed(ID, number);
    let at_first = |number| spoilt(signed(ID, number), DIGITS);
    let at_last = |number| spoilt(signed(ID, number), 1);
    let nobodys = |number| signed(NOBODYS_ID, number);
    vec![
        signatures("signature: right; wrong in the last digit", Box::new(right), Box::new(at_last)),
        signatures(
            "signature: wrong in the first digit; in the last",
            Box::new(at_first),
            Box::new(at_last),
        ),
        signatures(
            "signature: of nobody; of a client, wrong",
            Box::new(nobodys),
            Box::new(at_last),
        ),
        keys(),
    ]
}

/// The header of a request that is like the others but for its nonce.
fn signed(id: &str, number: u32) -> String {
    let nonce = format!("{number:024}");
    let (method, timestamp_s, body) = ("POST", 1_700_000_000, &b"{}"[..]);
    sign(id, SECRET, &Draft { method, path: PATH, timestamp_s, nonce: &nonce, body })
}

/// The header with another digit that far from its end.
fn spoilt(mut header: String, from_end: usize) -> String {
    let at = header.len() - from_end;
    let other = if header.as_bytes()[at] == b'0' { "1" } else { "0" };
    header.replace_range(at..=at, other);
    header
}

/// What shared data has of the id is read, and the signature judged. How the host finds
/// what it has is not in the time.
fn signatures(name: &'static str, first: Kind, second: Kind) -> Pair {
    let entry = HmacEntry {
        id: ID.to_owned(),
        secret: SECRET.to_owned(),
        tenant: "0123456789".to_owned(),
        user: None,
        roles: vec!["0123456789".to_owned()],
        masking: None,
    };
    let stored = signers::encode_entry(&entry);
    let judge = |signed: &Signed<'_>, stored: Option<&[u8]>| {
        let entry = signers::decode_entry(stored, signed.id());
        verify(signed, entry.as_ref(), "POST", PATH)
    };
    let time = move |header: &str| match presented(header) {
        Some(Presented::Signed(signed)) => {
            let stored = black_box((signed.id() == ID).then_some(stored.as_slice()));
            nanos(|| judge(black_box(&signed), stored))
        }
        _ => f64::NAN,
    };
    Pair { name, kinds: [first, second], time: Box::new(time) }
}

/// From the header to whether there is an entry. The real key has one, none of these.
fn keys() -> Pair {
    let real = digest("somebody");
    let others = (0..KEYS).map(|number| number.to_string());
    let names = others.chain([generate(&real)]).map(|key| entry_name(&digest(&key)));
    let table: HashSet<String> = names.collect();
    let time = move |header: &str| {
        nanos(|| match presented(header) {
            Some(Presented::Key(key)) => table.contains(&entry_name(&key.digest())),
            _ => false,
        })
    };
    // Of both kinds the beginnings repeat: the tables of the checksum are read at the
    // same places again and again, whosever key it is.
    let like = |begin: [u8; 32]| -> Kind {
        Box::new(move |number| {
            let mut random = digest(&number.to_string());
            random[..SHARED_BYTES].copy_from_slice(&begin[..SHARED_BYTES]);
            format!("Bearer {}", generate(&random))
        })
    };
    Pair {
        name: "API key: like one of nobody in its first 35 characters; like a real one",
        kinds: [like(digest("nobody")), like(real)],
        time: Box::new(time),
    }
}

fn presented(header: &str) -> Option<Presented<'_>> {
    let headers = [("authorization", header.as_bytes())];
    take(headers.into_iter(), false).ok().flatten()
}
