//! Passwords behind options of one letter, whose programs tell what they mean:
//! `docker login -p …`, `redis-cli -a …`, `sshpass -p …`, `mysql -p…`.

use std::ops::Range;

use super::certain;
use super::plausible::{self, Link};
use super::value::{self, Lead};
use crate::resolve::Candidate;
use crate::scene::Scene;

/// A program, its option, and whether the value may follow without a space.
const PROGRAMS: [(&str, &str, bool); 7] = [
    ("docker login ", " -p", false),
    ("podman login ", " -p", false),
    ("registry login ", " -p", false),
    ("redis-cli ", " -a", false),
    ("sshpass ", " -p", true),
    ("mysql ", " -p", true),
    ("mysqldump ", " -p", true),
];
/// Bytes of a command that are read.
const COMMAND_BYTES_MAX: usize = 200;

pub fn literals() -> Vec<&'static str> {
    PROGRAMS.iter().map(|(program, ..)| *program).collect()
}

pub fn read(scene: &Scene<'_>, hit: &Range<usize>) -> Option<Candidate> {
    let (_, option, may_touch) =
        PROGRAMS.iter().find(|(program, ..)| *program == scene.slice(hit.clone()))?;
    // The space before an option is the last byte of the literal.
    let start = hit.end - 1;
    let window = scene.chars_behind(start, COMMAND_BYTES_MAX);
    let line = window.split(['\n', '|', ';']).next().unwrap_or_default();
    let at = start + line.find(option)? + option.len();
    let spaced = scene.byte(at).is_some_and(|byte| byte == b' ');
    if !spaced && !may_touch {
        return None;
    }
    let start = at + usize::from(spaced);
    let quote = scene.slice(start..start + 1).chars().next().filter(|c| matches!(c, '"' | '\''));
    let lead = Lead { start: start + usize::from(quote.is_some()), link: Link::Assigned, quote };
    let span = value::span(scene, &lead);
    let text = scene.slice(span.clone());
    (!text.starts_with('-') && plausible::is_password(text, lead.link)).then(|| certain(span))
}
