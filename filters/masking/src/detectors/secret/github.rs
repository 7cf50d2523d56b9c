//! GitHub: `ghp_` and its like with a checksum, and fine-grained tokens.
//!
//! GitHub's documentation, "About authentication to GitHub", names the beginnings. The
//! checksum is not asked for: a token that somebody mistyped is still not to be sent out.

use std::ops::Range;

use super::super::runs::{Alphabet, alnum, end_of_run, end_over_break};
use super::{certain, stand_in};
use crate::resolve::Candidate;
use crate::scene::Scene;

/// Characters behind the beginning: thirty random ones and the checksum; GitHub says that
/// they may become more.
const TOKEN_CHARS: std::ops::RangeInclusive<usize> = 36..=255;
/// The same for fine-grained ones.
const FINE_GRAINED_CHARS: std::ops::RangeInclusive<usize> = 36..=255;
/// Those of today.
const TOKEN_USUAL: usize = 36;
const FINE_GRAINED_USUAL: usize = 82;
const FINE_GRAINED: &str = "github_pat_";

pub fn literals() -> Vec<&'static str> {
    vec!["ghp_", "gho_", "ghu_", "ghs_", "ghr_", FINE_GRAINED]
}

pub fn read(scene: &Scene<'_>, hit: &Range<usize>) -> Option<Candidate> {
    let prefix = scene.slice(hit.clone());
    let bounded = !scene.before(hit.start).is_some_and(|byte| alnum(byte) || byte == b'_');
    if !bounded || prefix.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let (chars, usual, belongs) = if prefix == FINE_GRAINED {
        (FINE_GRAINED_CHARS, FINE_GRAINED_USUAL, word as Alphabet)
    } else {
        (TOKEN_CHARS, TOKEN_USUAL, alnum as Alphabet)
    };
    let mut end = end_of_run(scene.bytes(), hit.end, belongs);
    if let Some(broken) = end_over_break(scene.bytes(), end, belongs)
        && scene.slice(hit.end..broken).bytes().filter(|byte| belongs(*byte)).count() == usual
    {
        end = broken;
    }
    let body = scene.slice(hit.end..end);
    (chars.contains(&body.len()) && !stand_in::is_filler(body)).then(|| certain(hit.start..end))
}

fn word(byte: u8) -> bool {
    alnum(byte) || byte == b'_'
}
