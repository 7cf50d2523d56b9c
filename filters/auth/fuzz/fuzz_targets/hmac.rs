//! Any text as the header of a signed request: no panic; nobody is let in without the
//! secret; with it, the time alone decides; and one changed byte leaves either the same
//! signed text or no good signature.
//!
//! The first three bytes are the clock (about the timestamp of the seeds) and the place
//! and kind of the change.

#![no_main]

use auth::credential::{Presented, take};
use auth::hmac::{Signed, Times, canonical, judge, open_from_s, verify};
use contract::keyring::HmacEntry;
use contract::refusal::Code;
use hmac::{Hmac, Mac as _};
use libfuzzer_sys::fuzz_target;
use sha2::Sha256;

const SECRET: &str = "made-up secret of the fuzzer";
const AROUND_S: u64 = 1_700_000_000;
const PATH: &str = "/v1/chat/completions?a=b";

fn read(header: &[u8]) -> Option<Signed<'_>> {
    match take([("authorization", header)].into_iter(), true) {
        Ok(Some(Presented::Signed(signed))) => Some(signed),
        _ => None,
    }
}

fn entry(id: &str) -> HmacEntry {
    HmacEntry {
        id: id.to_owned(),
        secret: SECRET.to_owned(),
        tenant: "acme".to_owned(),
        user: None,
        roles: Vec::new(),
        masking: None,
    }
}

/// The header with the right signature in the place of its own.
fn signed_rightly(header: &str, signed: &Signed<'_>) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(&canonical("POST", PATH, signed));
    let right: Vec<String> =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let (before, after) = header.split_once("Signature=").unwrap();
    format!("{before}Signature={}{}", right.concat(), &after[64..])
}

fn timestamp_s(signed: &Signed<'_>) -> u64 {
    let text = String::from_utf8(canonical("POST", PATH, signed)).unwrap();
    let lines: Vec<&str> = text.split('\n').collect();
    assert_eq!((lines.len(), lines[0], lines[1]), (5, "POST", PATH));
    lines[2].parse().unwrap()
}

fn check_times(signed: &Signed<'_>, times: Times) {
    let timestamp_s = timestamp_s(signed);
    let outcome = judge(signed, Some(entry(signed.id())), "POST", PATH, times);
    let skewed = timestamp_s.abs_diff(times.now_s) > times.max_skew_s;
    match outcome {
        Ok(accepted) => {
            assert!(!skewed && timestamp_s >= open_from_s(times.started_s));
            assert_eq!(accepted.caller.key, signed.id());
            assert!(accepted.nonce.until_s > timestamp_s + times.max_skew_s);
            assert_eq!(accepted.outlives_process, timestamp_s > times.now_s + 1);
        }
        Err(refusal) if skewed => assert_eq!(refusal.code, Code::InvalidSignature),
        Err(refusal) => {
            assert_eq!(refusal.code, Code::ReplayedRequest);
            assert!(timestamp_s < open_from_s(times.started_s));
        }
    }
}

fn check_change(header: &str, signed: &Signed<'_>, place: u8, change: u8) {
    let mut changed = header.as_bytes().to_vec();
    let place = usize::from(place) * 2 % changed.len();
    changed[place] ^= change;
    let Some(other) = read(&changed) else { return };
    if verify(&other, Some(&entry(other.id())), "POST", PATH) {
        assert_eq!(canonical("POST", PATH, &other), canonical("POST", PATH, signed));
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&[clock, place, change], header)) = data.split_first_chunk() else { return };
    let now_s = AROUND_S - 64 + u64::from(clock);
    let times = Times { now_s, started_s: AROUND_S - 16, max_skew_s: 60, remembered_s: 0 };
    let Some(signed) = read(header) else { return };
    let header = std::str::from_utf8(header).unwrap();

    let nobody = judge(&signed, None, "POST", PATH, times).unwrap_err();
    assert_eq!(nobody.code, Code::InvalidSignature);
    let right = signed_rightly(header, &signed);
    if !right.eq_ignore_ascii_case(header) {
        let refusal = judge(&signed, Some(entry(signed.id())), "POST", PATH, times).unwrap_err();
        assert_eq!(refusal, nobody);
    }
    let signed = read(right.as_bytes()).unwrap();
    assert!(!verify(&signed, Some(&entry("another")), "POST", PATH) || signed.id() == "another");
    check_times(&signed, times);
    check_change(&right, &signed, place, change);
});
