//! Slack's tokens and its and Discord's webhooks: whoever has the URL may write.
//!
//! Slack's API documentation, "Token types" and "Incoming webhooks"; Discord's "Webhook
//! resource".

use std::ops::Range;

use super::super::runs::{base64url, end_of_run, end_of_run_within, end_over_break};
use super::{certain, stand_in};
use crate::resolve::Candidate;
use crate::scene::Scene;

const HOOKS: [&str; 5] = [
    "https://hooks.slack.com/",
    "https://discord.com/api/webhooks/",
    "https://discordapp.com/api/webhooks/",
    "https://ptb.discord.com/api/webhooks/",
    "https://canary.discord.com/api/webhooks/",
];
const TOKENS: [&str; 10] =
    ["xoxb-", "xoxp-", "xoxa-", "xoxo-", "xoxr-", "xoxs-", "xoxc-", "xoxd-", "xoxe-", "xapp-"];
/// Rotated tokens: their beginning holds a dot.
const ROTATED: [&str; 2] = ["xoxe.xoxp-", "xoxe.xoxb-"];
/// Characters behind the beginning of a token; real ones have forty and more.
const TOKEN_CHARS_MIN: usize = 10;
/// So many of a cookie are read: one may stand in another.
const COOKIE_CHARS_MAX: usize = 1024;
/// Characters of a webhook's path: three parts.
const HOOK_CHARS_MIN: usize = 24;
/// Characters of the last of them.
const HOOK_TOKEN_CHARS: usize = 24;

pub fn literals() -> Vec<&'static str> {
    HOOKS.into_iter().chain(TOKENS).chain(ROTATED).collect()
}

pub fn read(scene: &Scene<'_>, hit: &Range<usize>) -> Option<Candidate> {
    let literal = scene.slice(hit.clone());
    if literal.ends_with('/') { hook(scene, hit) } else { token(scene, hit, literal) }
}

fn hook(scene: &Scene<'_>, hit: &Range<usize>) -> Option<Candidate> {
    let mut end = end_of_run(scene.bytes(), hit.end, |byte| base64url(byte) || byte == b'/');
    if let Some(broken) = hook_over_break(scene, hit.end, end) {
        return Some(certain(hit.start..broken));
    }
    let path = scene.slice(hit.end..end).trim_end_matches('/');
    end = hit.end + path.len();
    (path.len() >= HOOK_CHARS_MIN && path.contains('/') && !stand_in::is_filler(path))
        .then(|| certain(hit.start..end))
}

/// A webhook of Slack in two lines: `services/T…/B…/` and twenty-four characters.
fn hook_over_break(scene: &Scene<'_>, start: usize, first_end: usize) -> Option<usize> {
    let end = end_over_break(scene.bytes(), first_end, |byte| base64url(byte) || byte == b'/')?;
    let joined: String = scene.slice(start..end).split(['\r', '\n']).collect();
    let mut parts = joined.split('/');
    let fits = parts.next() == Some("services")
        && parts.next()?.starts_with('T')
        && parts.next()?.starts_with('B')
        && parts.next()?.len() == HOOK_TOKEN_CHARS
        && parts.next().is_none();
    fits.then_some(end)
}

/// A token in two lines: numbers, and twenty-four or thirty-two characters.
fn token_over_break(scene: &Scene<'_>, start: usize, first_end: usize) -> Option<usize> {
    let end = end_over_break(scene.bytes(), first_end, base64url)?;
    let joined: String = scene.slice(start..end).split(['\r', '\n']).collect();
    let (numbers, last) = joined.rsplit_once('-')?;
    let is_number = |part: &str| part.len() >= 10 && part.bytes().all(|byte| byte.is_ascii_digit());
    (numbers.split('-').all(is_number) && matches!(last.len(), 24 | 32)).then_some(end)
}

fn token(scene: &Scene<'_>, hit: &Range<usize>, prefix: &str) -> Option<Candidate> {
    if scene.before(hit.start).is_some_and(base64url)
        || prefix.bytes().any(|byte| byte.is_ascii_uppercase())
    {
        return None;
    }
    // `xoxd-` is a cookie and holds percent signs and `+/=` behind them.
    let belongs = |byte| base64url(byte) || matches!(byte, b'%' | b'+' | b'/' | b'=');
    let end = if prefix == "xoxd-" {
        end_of_run_within(scene.bytes(), hit.end, COOKIE_CHARS_MAX, belongs)
    } else {
        end_of_run(scene.bytes(), hit.end, base64url)
    };
    let end = token_over_break(scene, hit.end, end).unwrap_or(end);
    let body = scene.slice(hit.end..end);
    let fits = body.len() >= TOKEN_CHARS_MIN && body.bytes().any(|byte| byte.is_ascii_digit());
    (fits && !stand_in::is_filler(body)).then(|| certain(hit.start..end))
}
