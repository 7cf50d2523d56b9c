//! Tokens that begin with letters of their provider.
//!
//! Beginnings, lengths and alphabets as the providers' own documentation shows them or as
//! the open rule sets of secret scanners have collected them.

use std::ops::{Range, RangeInclusive};

use super::super::runs::{
    Alphabet, alnum, base64, base64url, end_of_padding, end_of_run_within, end_over_break, hex,
    lower_hex, upper_alnum,
};
use super::{certain, checksum, plausible, stand_in};
use crate::resolve::Candidate;
use crate::scene::Scene;

/// What follows a beginning.
struct Provider {
    prefix: &'static str,
    body: Alphabet,
    chars: RangeInclusive<usize>,
}

/// No token is that long.
const ANY: usize = 4096;

const fn of(prefix: &'static str, body: Alphabet, min: usize, max: usize) -> Provider {
    Provider { prefix, body, chars: min..=max }
}

const PROVIDERS: &[Provider] = &[
    // OpenAI and those who write keys the same way (DeepSeek, OpenRouter, Langfuse, LiteLLM).
    of("sk-", base64url, 20, ANY),
    of("sk-proj-", base64url, 20, ANY),
    of("sk-svcacct-", base64url, 20, ANY),
    of("sk-admin-", base64url, 20, ANY),
    // Anthropic.
    of("sk-ant-", base64url, 20, ANY),
    // Google: API keys, OAuth secrets, access and refresh tokens.
    of("AIza", base64url, 35, 35),
    of("GOCSPX-", base64url, 24, 40),
    of("ya29.", base64url, 20, ANY),
    of("1//0", base64url, 40, 200),
    // Stripe.
    of("sk_live_", alnum, 10, 256),
    of("sk_test_", alnum, 10, 256),
    of("rk_live_", alnum, 10, 256),
    of("rk_test_", alnum, 10, 256),
    of("whsec_", base64, 24, 256),
    // Other payments: Razorpay, Square, Shopify.
    of("rzp_live_", alnum, 14, 14),
    of("sq0atp-", base64url, 22, 60),
    of("sq0csp-", base64url, 43, 43),
    of("shpat_", hex, 32, 32),
    of("shpss_", hex, 32, 32),
    of("shpca_", hex, 32, 32),
    of("shppa_", hex, 32, 32),
    // Models: Hugging Face, Groq, xAI, Perplexity, Replicate, NVIDIA, Tavily, LangSmith.
    of("hf_", alnum, 30, 40),
    of("api_org_", alnum, 30, 40),
    of("gsk_", alnum, 40, 64),
    of("xai-", alnum, 64, 100),
    of("pplx-", alnum, 40, 64),
    of("r8_", alnum, 37, 37),
    of("nvapi-", base64url, 40, 80),
    of("tvly-", base64url, 24, 64),
    of("lsv2_pt_", hex_underscore, 32, 64),
    of("lsv2_sk_", hex_underscore, 32, 64),
    of("fw_", alnum, 22, 26),
    of("jina_", base64url, 40, 80),
    of("ABSK", base64, 100, 200),
    // Packages: npm, PyPI, RubyGems, crates.io, Docker.
    of("npm_", alnum, 36, 36),
    of("pypi-AgE", base64url, 40, ANY),
    of("rubygems_", lower_hex, 48, 48),
    of("cioM", alnum, 30, 32),
    of("dckr_pat_", base64url, 20, 64),
    of("dckr_oat_", base64url, 20, 64),
    // GitLab.
    of("glpat-", base64url_dot, 20, 320),
    of("gldt-", base64url, 20, 64),
    of("glrt-", base64url_dot, 20, 320),
    of("glcbt-", base64url, 20, 64),
    of("glptt-", lower_hex, 40, 40),
    of("glft-", base64url, 20, 64),
    of("glsoat-", base64url, 20, 64),
    of("glimt-", base64url, 25, 64),
    of("glagent-", base64url, 50, 64),
    of("gloas-", base64url, 64, 64),
    of("GR1348941", base64url, 20, 20),
    // Mail: Mailgun, Sendinblue, Postman, Mailchimp's is without a beginning.
    of("key-", lower_hex, 32, 32),
    of("xkeysib-", hex_dash_alnum, 64, 90),
    of("PMAK-", hex_dash, 59, 59),
    // Clouds: DigitalOcean, Databricks, Fly, Supabase, PlanetScale, Heroku, Tailscale, Pulumi.
    of("dop_v1_", lower_hex, 64, 64),
    of("doo_v1_", lower_hex, 64, 64),
    of("dor_v1_", lower_hex, 64, 64),
    of("dapi", hex_dash, 32, 34),
    of("fo1_", base64url, 43, 43),
    of("sbp_", lower_hex, 40, 40),
    of("sb_secret_", base64url, 20, 64),
    of("pscale_tkn_", base64url, 32, 64),
    of("pscale_pw_", base64url, 32, 64),
    of("HRKU-", base64url, 36, 64),
    of("tskey-", base64url, 20, 80),
    of("pul-", lower_hex, 40, 40),
    of("tfp_", alnum, 59, 59),
    // Secrets and single sign-on: Vault, Doppler, age, 1Password.
    of("hvs.", base64url, 24, 300),
    of("hvb.", base64url, 24, 300),
    of("dp.pt.", alnum, 40, 44),
    of("dp.st.", base64url_dot, 40, 80),
    of("AGE-SECRET-KEY-1", upper_alnum, 58, 58),
    of("ops_eyJ", base64url, 80, ANY),
    // Observability: New Relic, Grafana, Sentry.
    of("NRAK-", upper_alnum, 27, 27),
    of("glc_", base64, 32, 400),
    of("glsa_", alnum_underscore, 41, 41),
    of("sntrys_", base64_underscore, 60, 400),
    of("sntryu_", lower_hex, 64, 64),
    // Work: Linear, Figma, Notion, Atlassian, Airtable, Contentful, Asana's has none.
    of("lin_api_", alnum, 40, 40),
    of("figd_", base64url, 40, 64),
    of("ntn_", alnum, 40, 64),
    of("ATATT3", base64url_equals, 100, 300),
    of("CFPAT-", base64url, 43, 43),
    of("bkua_", lower_hex, 40, 40),
    // SendGrid: two parts.
    of("SG.", base64url_dot, 50, 80),
    // This gateway.
    of("tg_", base64url, 49, 49),
];

fn base64url_dot(byte: u8) -> bool {
    base64url(byte) || byte == b'.'
}

fn base64url_equals(byte: u8) -> bool {
    base64url(byte) || byte == b'='
}

fn base64_underscore(byte: u8) -> bool {
    base64(byte) || matches!(byte, b'_' | b'=')
}

fn alnum_underscore(byte: u8) -> bool {
    alnum(byte) || byte == b'_'
}

fn hex_underscore(byte: u8) -> bool {
    lower_hex(byte) || byte == b'_'
}

fn hex_dash(byte: u8) -> bool {
    lower_hex(byte) || byte == b'-'
}

fn hex_dash_alnum(byte: u8) -> bool {
    alnum(byte) || byte == b'-'
}

pub fn literals() -> Vec<&'static str> {
    PROVIDERS.iter().map(|provider| provider.prefix).collect()
}

pub fn read(scene: &Scene<'_>, hit: &Range<usize>) -> Option<Candidate> {
    if scene.before(hit.start).is_some_and(base64url) {
        return None;
    }
    let prefix = scene.slice(hit.clone());
    let provider = PROVIDERS.iter().find(|provider| provider.prefix == prefix)?;
    let end = end_of_body(scene.bytes(), hit.end, provider);
    if let Some(end) = over_break(scene, provider, hit.end, end) {
        return Some(certain(hit.start..end));
    }
    let body = scene.slice(hit.end..end);
    let fits = provider.chars.contains(&body.len()) && is_token(prefix, body);
    fits.then(|| certain(hit.start..end_of_base64(scene.bytes(), end, provider.body)))
}

/// How long tokens usually are that may have any length: only these are put together again
/// when a line break splits one.
const USUAL: [(&str, &[usize]); 10] = [
    ("sk_live_", &[24, 99]),
    ("sk_test_", &[24, 99]),
    ("rk_live_", &[24, 99]),
    ("rk_test_", &[24, 99]),
    ("whsec_", &[32]),
    ("hf_", &[34]),
    ("glpat-", &[20]),
    ("GOCSPX-", &[28]),
    ("gsk_", &[52]),
    ("sk-", &[48]),
];

/// Behind a token in two lines.
fn over_break(
    scene: &Scene<'_>,
    provider: &Provider,
    start: usize,
    first_end: usize,
) -> Option<usize> {
    let end = end_over_break(scene.bytes(), first_end, provider.body)?;
    let body = scene.slice(start..end);
    let chars = body.len() - if body.contains('\r') { 2 } else { 1 };
    let usual = USUAL.iter().find(|(prefix, _)| *prefix == provider.prefix);
    let (min, max) = (*provider.chars.start(), *provider.chars.end());
    let fits = usual.map_or(min == max && chars == min, |(_, usual)| usual.contains(&chars));
    (fits && !stand_in::is_filler(body)).then_some(end)
}

/// A dot ends a sentence more often than a token. Of what is longer than the longest token
/// so much is read that it is too long, with a dot at the end.
fn end_of_body(bytes: &[u8], start: usize, provider: &Provider) -> usize {
    let most = provider.chars.end() + 2;
    let mut end = end_of_run_within(bytes, start, most, provider.body);
    while end > start && bytes.get(end - 1) == Some(&b'.') {
        end -= 1;
    }
    end
}

fn end_of_base64(bytes: &[u8], end: usize, body: Alphabet) -> usize {
    if body(b'/') { end_of_padding(bytes, end) } else { end }
}

fn is_token(prefix: &str, body: &str) -> bool {
    if stand_in::is_filler(body) {
        return false;
    }
    match prefix {
        "sk-" => plausible::is_mixed(body) && has_long_piece(body),
        "SG." => has_two_parts(body, 22, 43),
        "tg_" => is_own(prefix, body),
        _ => true,
    }
}

/// Three letters and a line say little: the checksum tells a key of this gateway.
fn is_own(prefix: &str, body: &str) -> bool {
    let split = body.len().checked_sub(checksum::CHARS).and_then(|at| body.split_at_checked(at));
    split.is_some_and(|(random, sum)| {
        checksum::of(&[prefix.as_bytes(), random.as_bytes()].concat()) == *sum.as_bytes()
    })
}

/// Classes of style sheets and names of packages begin with `sk-` too, but are words.
fn has_long_piece(body: &str) -> bool {
    body.split(['-', '_']).any(|piece| piece.len() >= 12 && plausible::is_mixed(piece))
}

fn has_two_parts(body: &str, first: usize, second: usize) -> bool {
    body.split_once('.').is_some_and(|(a, b)| a.len() == first && b.len() == second)
}
