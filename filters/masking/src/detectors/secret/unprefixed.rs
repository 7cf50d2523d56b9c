//! Secrets that only their build and their surroundings tell: those of AWS, tokens of bots
//! of Telegram and Discord, Twilio, Mailchimp, Azure's client secrets.

use std::ops::Range;

use memchr::memmem;

use super::super::runs::{
    alnum, base64, base64url, end_of_run_within, hex, long_runs, start_of_run,
};
use super::{aws, certain, plausible, stand_in};
use crate::evidence::words;
use crate::resolve::Candidates;
use crate::scene::Scene;

words!(
    /// What an AWS secret is called.
    AWS = ["aws", "secret", "access key", "accesskey", "시크릿", "비밀 키", "비밀키", "액세스 키", "AKIA", "secret_access_key"]
);

/// Puts down every one of them.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    for run in long_runs(scene.bytes(), aws::SECRET_CHARS, base64) {
        let fits = run.len() == aws::SECRET_CHARS
            && scene.byte(run.end) != Some(b'=')
            && !scene.before(run.start).is_some_and(base64url)
            && aws::is_secret(scene.slice(run.clone()));
        if fits && (scene.says_before(run.start, &AWS) || follows_id(scene, run.start)) {
            found.0.push(certain(run));
        }
    }
    for run in long_runs(scene.bytes(), 24, base64url) {
        if let Some(span) = built(scene, &run) {
            found.0.push(certain(span));
        }
    }
    for at in memmem::find_iter(scene.bytes(), "Q~") {
        found.0.extend(azure_client_secret(scene, at).map(certain));
    }
}

fn follows_id(scene: &Scene<'_>, at: usize) -> bool {
    let before = scene.bytes().get(at.saturating_sub(64)..at).unwrap_or_default();
    memmem::find(before, b"AKIA").is_some() || memmem::find(before, b"ASIA").is_some()
}

fn built(scene: &Scene<'_>, run: &Range<usize>) -> Option<Range<usize>> {
    let text = scene.slice(run.clone());
    telegram(scene, run, text)
        .or_else(|| discord(scene, run, text))
        .or_else(|| twilio(scene, run, text))
        .or_else(|| mailchimp(scene, run, text))
}

/// Bot API, "Authorizing your bot": the bot's number, a colon, thirty-five characters.
fn telegram(scene: &Scene<'_>, run: &Range<usize>, text: &str) -> Option<Range<usize>> {
    if text.len() != 35 || !text.starts_with("AA") || scene.before(run.start) != Some(b':') {
        return None;
    }
    let colon = run.start - 1;
    let start =
        start_of_run(scene.bytes(), colon, colon.saturating_sub(12), |byte| byte.is_ascii_digit());
    (8..=11).contains(&(colon - start)).then_some(start..run.end)
}

/// The bot's number in base64, a time and a MAC, with dots.
fn discord(scene: &Scene<'_>, run: &Range<usize>, text: &str) -> Option<Range<usize>> {
    let bounded = !scene.before(run.start).is_some_and(|byte| alnum(byte) || byte == b'.');
    if !bounded || !(24..=28).contains(&text.len()) || !text.starts_with(['M', 'N', 'O']) {
        return None;
    }
    let time = run.end + 1..run.end + 7;
    let mac_start = time.end + 1;
    let mac_end = end_of_run_within(scene.bytes(), mac_start, 41, base64url);
    let fits = scene.byte(run.end) == Some(b'.')
        && scene.slice(time.clone()).bytes().all(base64url)
        && scene.byte(time.end) == Some(b'.')
        && (27..=40).contains(&(mac_end - mac_start));
    fits.then_some(run.start..mac_end)
}

/// "API keys": `SK` and thirty-two hexadecimal digits.
fn twilio(scene: &Scene<'_>, run: &Range<usize>, text: &str) -> Option<Range<usize>> {
    let body = text.strip_prefix("SK")?;
    let is_key = body.len() == 32 && body.bytes().all(hex) && plausible::is_mixed(body);
    (is_key && scene.stands_alone(run) && !stand_in::is_filler(body)).then(|| run.clone())
}

/// "Marketing API": hexadecimal digits and the data centre.
fn mailchimp(scene: &Scene<'_>, run: &Range<usize>, text: &str) -> Option<Range<usize>> {
    let (key, centre) = text.split_once("-us")?;
    let is_key = key.len() == 32 && key.bytes().all(hex) && plausible::is_mixed(key);
    let is_centre =
        (1..=2).contains(&centre.len()) && centre.bytes().all(|byte| byte.is_ascii_digit());
    (is_key && is_centre && scene.stands_alone(run)).then(|| run.clone())
}

/// Client secrets of Entra ID: three characters, a digit, `Q~` and some thirty more.
fn azure_client_secret(scene: &Scene<'_>, at: usize) -> Option<Range<usize>> {
    let belongs = |byte: u8| base64url(byte) || matches!(byte, b'.' | b'~');
    let start = at.checked_sub(4)?;
    let end = end_of_run_within(scene.bytes(), at + 2, 35, belongs);
    let head = scene.bytes().get(start..at)?;
    let fits = (31..=34).contains(&(end - at - 2))
        && head.iter().all(|byte| belongs(*byte))
        && head.last().is_some_and(u8::is_ascii_digit)
        && !scene.before(start).is_some_and(belongs);
    fits.then_some(start..end)
}
