//! Amazon Web Services: ids of access keys (`AKIA…`, IAM user guide, "IAM identifiers") and
//! the secrets that belong to them, which have no beginning of their own.

use std::ops::Range;

use super::super::runs::{base64, base64url, end_of_run_within, end_over_break, upper_alnum};
use super::{certain, stand_in};
use crate::resolve::Candidate;
use crate::scene::Scene;

/// Characters behind the four letters of an id.
const ID_CHARS: usize = 16;
/// What the documentation's own key ends with.
const EXAMPLE: &str = "EXAMPLE";

pub fn literals() -> Vec<&'static str> {
    vec!["AKIA", "ASIA", "ABIA", "ACCA"]
}

pub fn read(scene: &Scene<'_>, hit: &Range<usize>) -> Option<Candidate> {
    if scene.before(hit.start).is_some_and(base64url) {
        return None;
    }
    let mut end = end_of_run_within(scene.bytes(), hit.end, ID_CHARS + 1, upper_alnum);
    let broken = end_over_break(scene.bytes(), end, upper_alnum);
    let whole = |broken: &usize| {
        scene.slice(hit.end..*broken).bytes().filter(|byte| upper_alnum(*byte)).count() == ID_CHARS
    };
    let broken = broken.filter(whole);
    end = broken.unwrap_or(end);
    let id = scene.slice(hit.start..end);
    let bounded = !scene.byte(end).is_some_and(|byte| byte.is_ascii_alphanumeric());
    let fits = bounded && (end - hit.end == ID_CHARS || broken.is_some());
    let in_case = scene.slice(hit.clone()).bytes().all(|byte| byte.is_ascii_uppercase());
    (fits && in_case && !id.ends_with(EXAMPLE) && !stand_in::is_filler(id))
        .then(|| certain(hit.start..end))
}

/// Characters of a secret.
pub const SECRET_CHARS: usize = 40;

/// Whether a run can be a secret: forty characters of base64 that are no digest.
pub fn is_secret(run: &str) -> bool {
    let has = |class: fn(&u8) -> bool| run.as_bytes().iter().any(class);
    run.len() == SECRET_CHARS
        && run.bytes().all(base64)
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && !run.contains(EXAMPLE)
}
