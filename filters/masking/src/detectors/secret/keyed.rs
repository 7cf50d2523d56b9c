//! Passwords, tokens and keys that a name announces: `DB_PASSWORD=…`, `"api_key": "…"`,
//! `AccountKey=…;`, `비밀번호는 … 입니다`.

use std::ops::Range;

use contract::masking::PiiType;

use super::super::runs::{base64, end_over_break, hex};
use super::aws;
use super::name::{self, Called, Name};
use super::plausible::{self, Link};
use super::value::{self, Lead};
use crate::resolve::{Candidate, Kind, Level};
use crate::scene::Scene;

pub fn literals() -> Vec<&'static str> {
    name::literals()
}

pub fn read(scene: &Scene<'_>, hit: &Range<usize>) -> Option<Candidate> {
    let may_lead =
        scene.byte(hit.end).is_some_and(|byte| !byte.is_ascii_lowercase() || ends_word(scene, hit));
    let name = may_lead.then(|| name::read(scene, hit))??;
    let near = value::lead(scene, &name).and_then(|lead| near(scene, &name, &lead));
    near.or_else(|| (name.called == Called::Password).then(|| apart(scene, &name))?)
}

/// `비밀번호를 …에서 …로`, `from … to …`: the new one behind the old one.
pub fn second(scene: &Scene<'_>, first: &Candidate) -> Option<Candidate> {
    let rest = scene.text().get(first.span.end..)?;
    let joint = ["에서 ", " to ", " -> ", " → "].iter().find(|joint| rest.starts_with(**joint))?;
    let start = first.span.end + joint.len();
    let span = value::span(scene, &Lead { start, link: Link::Beside, quote: None });
    let text = scene.slice(span.clone());
    (plausible::is_password(text, Link::Said) && plausible::is_mixed(text))
        .then(|| named(span, Link::Said))
}

/// `password`-words with an ending of their own: `passwordvalue`, `secretbase`.
fn ends_word(scene: &Scene<'_>, hit: &Range<usize>) -> bool {
    let behind = scene.slice(hit.end..hit.end + 4);
    ["base", "valu", "stri"].contains(&behind)
}

fn near(scene: &Scene<'_>, name: &Name, lead: &Lead) -> Option<Candidate> {
    let mut span = value::span(scene, lead);
    let mut text = scene.slice(span.clone());
    if is_second_of_two(scene, name)
        && let Some(second) = second_of_two(scene, &span)
    {
        span = second;
        text = scene.slice(span.clone());
    }
    if let Some(broken) = over_break(scene, name, &span) {
        return Some(named(broken, lead.link));
    }
    fits(scene, name, text, span.end, lead.link).then(|| named(span, lead.link))
}

/// A key in two lines, which together have the length of one.
fn over_break(scene: &Scene<'_>, name: &Name, first: &Range<usize>) -> Option<Range<usize>> {
    if name.called == Called::Password || !scene.slice(first.clone()).bytes().all(base64) {
        return None;
    }
    let end = end_over_break(scene.bytes(), first.end, base64)?;
    let joined: String = scene.slice(first.start..end).split(['\r', '\n']).collect();
    let is_key =
        matches!(joined.len(), 32 | 64) && joined.bytes().all(hex) && plausible::is_mixed(&joined);
    (is_key || aws::is_secret(&joined)).then_some(first.start..end)
}

/// `id/pw: kim/…`: the value is the second one.
fn is_second_of_two(scene: &Scene<'_>, name: &Name) -> bool {
    scene.before(name.span.start) == Some(b'/')
}

fn second_of_two(scene: &Scene<'_>, both: &Range<usize>) -> Option<Range<usize>> {
    if let Some((_, second)) =
        scene.slice(both.clone()).split_once('/').filter(|(_, second)| !second.is_empty())
    {
        return Some(both.end - second.len()..both.end);
    }
    let rest = scene.text().get(both.end..)?;
    let behind = rest.trim_start_matches(' ');
    let behind = if scene.slice(both.clone()).ends_with('/') {
        behind
    } else {
        behind.strip_prefix('/')?.trim_start_matches(' ')
    };
    let start = scene.text().len() - behind.len();
    Some(value::span(scene, &Lead { start, link: Link::Assigned, quote: None }))
}

fn fits(scene: &Scene<'_>, name: &Name, text: &str, end: usize, link: Link) -> bool {
    let weak = name.bare && name.span.len() <= 4 && link == Link::Assigned;
    match name.called {
        Called::Password if counts(scene, text, end) => false,
        Called::Password if weak && name.is_test(scene) => {
            plausible::is_password(text, Link::Apart)
        }
        Called::Password if name.korean && link == Link::Beside && is_pin(scene, text, end) => true,
        Called::Password => plausible::is_password(text, link),
        Called::Secret => plausible::is_secret(text, link),
        Called::Token => plausible::is_token(text, link),
    }
}

/// `비번 1234`, `현관 비밀번호 1234#`: digits of a lock, not those of a sentence.
fn is_pin(scene: &Scene<'_>, text: &str, end: usize) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let ends = scene
        .chars_behind(end, 1)
        .chars()
        .next()
        .is_none_or(|c| !c.is_alphanumeric() || "로이으".contains(c));
    let is_year = text.len() == 4 && (text.starts_with("19") || text.starts_with("20"));
    (4..=8).contains(&digits)
        && ends
        && !is_year
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"#*".contains(&byte))
}

impl Name {
    /// `PASS: TestX`: what a test run prints.
    fn is_test(&self, scene: &Scene<'_>) -> bool {
        self.bare && scene.slice(self.span.clone()) == "PASS"
    }
}

/// Counters behind a number: `8자 이상`, `90일마다`, `5회`.
const COUNTERS: [&str; 12] =
    ["자", "글자", "자리", "회", "번", "일", "개", "분", "시간", "차", "년", "초"];

fn counts(scene: &Scene<'_>, text: &str, end: usize) -> bool {
    let behind = scene.text().get(end..).unwrap_or_default().trim_start_matches(' ');
    !text.bytes().any(|byte| byte.is_ascii_alphabetic())
        && (COUNTERS.iter().any(|counter| behind.starts_with(counter))
            || ["char", "digit", "times", "days"].iter().any(|unit| behind.starts_with(unit)))
}

/// Bytes behind a name in which a password may stand apart from it.
const APART_BYTES: usize = 64;

/// The first word behind a name that looks like nothing but a password, in its sentence.
fn apart(scene: &Scene<'_>, name: &Name) -> Option<Candidate> {
    let mut window_end = scene.text().len().min(name.span.end + APART_BYTES);
    while !scene.text().is_char_boundary(window_end) {
        window_end -= 1;
    }
    let mut at = name.span.end;
    while at < window_end {
        let window = scene.slice(at..window_end);
        let start = at + window.find(|c: char| c.is_ascii_graphic())?;
        // A word stands by itself: what goes on from the name is none.
        if start == name.span.end || ends_sentence(scene.slice(at..start)) {
            return None;
        }
        let lead = Lead { start, link: Link::Apart, quote: None };
        let span = value::span(scene, &lead);
        let text = scene.slice(span.clone());
        if plausible::is_password(text, Link::Apart) {
            return Some(named(span, Link::Apart));
        }
        if ends_sentence(scene.slice(span.end..span.end + 2)) {
            return None;
        }
        at = span.end.max(start + 1);
    }
    None
}

fn ends_sentence(between: &str) -> bool {
    between.contains('\n') || between.starts_with(['.', '?', '!', ';'])
}

fn named(span: Range<usize>, link: Link) -> Candidate {
    let level = match link {
        Link::Quoted | Link::Environment | Link::Assigned => Level::Certain,
        Link::Said => Level::Strong,
        Link::Beside | Link::Apart => Level::Likely,
    };
    Candidate { kind: Kind::Pii(PiiType::Secret), span, level }
}

/// How far before a value its name may begin.
const NAME_BYTES: usize = 40;

/// Whether a name right before a place leads to it.
pub fn names(scene: &Scene<'_>, value_start: usize) -> bool {
    let mut start = value_start.saturating_sub(NAME_BYTES);
    while !scene.text().is_char_boundary(start) {
        start += 1;
    }
    let window = scene.slice(start..value_start).to_ascii_lowercase();
    let leads = |word: &&str| {
        let offset = window.rfind(*word)?;
        let hit = start + offset..start + offset + word.len();
        let lead = value::lead(scene, &name::read(scene, &hit)?)?;
        Some(lead.start == value_start)
    };
    name::literals().iter().any(|word| leads(word).unwrap_or(false))
}
