//! `tollgate mask`: what a policy finds in a text, for people who write policies. The
//! text stays on this machine: an external detector is not asked.

use super::{say, say_json, table};
use crate::args::{Mask, Output};
use crate::cli;
use crate::error::Failure;
use contract::masking::{Action, MaskingPolicyConfig, PiiType};
use masking::{Finding, Policy, Redaction, Settled, TagKey};
use model::{Config, MaskingPolicy};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::rc::Rc;

/// The policy that is meant when there are several and none is named.
const DEFAULT: &str = "default";

/// Random bytes of the key for this run's tags: nobody can try values against what is
/// printed.
const KEY_BYTES: usize = 32;

/// Prints what is found.
pub fn run(wanted: &Mask) -> Result<(), Failure> {
    let rules = rules(wanted)?;
    let text = text(wanted.file.as_deref())?;
    let policy = Policy::compile(&rules);
    let policy = Rc::new(policy.map_err(|why| Failure::Refused(why.join("; ")))?);
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(Failure::internal)?;
    let mut redaction = Redaction::new(Rc::clone(&policy), TagKey::for_tenant(&key, ""));
    let found = redaction.look(&text);
    match wanted.format {
        Output::Json => say_json(&report(&text, &found, &policy)),
        Output::Text => {
            say_masked(&masked(&text, &found, &redaction.settle()))?;
            notice(&summary(&found, &policy));
            Ok(())
        }
    }
}

/// The rules that are asked for.
fn rules(wanted: &Mask) -> Result<MaskingPolicyConfig, Failure> {
    let Some(file) = &wanted.config else { return Ok(MaskingPolicyConfig::default()) };
    let config = cli::load(file)?.config;
    let (name, policy) = chosen(&config, wanted.policy.as_deref(), file)?;
    if policy.external.is_some() {
        notice(&format!("the policy {name} asks an external detector as well, and this does not"));
    }
    Ok(policy.rules)
}

/// The policy of that name, with its name; else the only one, else the one called `default`.
fn chosen(
    config: &Config,
    name: Option<&str>,
    file: &Path,
) -> Result<(String, MaskingPolicy), Failure> {
    let all = &config.masking.policies;
    let only = all.keys().next().filter(|_| all.len() == 1).map(AsRef::as_ref);
    let wanted = name.or(only).unwrap_or(DEFAULT);
    if let Some(policy) = all.get(wanted) {
        return Ok((wanted.to_owned(), policy.clone()));
    }
    let names: Vec<&str> = all.keys().map(AsRef::as_ref).collect();
    let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let missing = match name {
        Some(name) => format!("there is no masking policy `{name}`"),
        None => "--policy NAME is missing".to_owned(),
    };
    Err(Failure::Usage(format!("{missing}; in {}: {there}", file.display())))
}

/// All of the file, or of the standard input.
fn text(file: Option<&Path>) -> Result<String, Failure> {
    let file = file.filter(|path| *path != Path::new("-"));
    let name = file.unwrap_or(Path::new("the standard input"));
    let read = match file {
        Some(path) => fs::read(path),
        None => {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
        }
    };
    let bytes = read.map_err(|error| Failure::file("read", name, error))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::Refused(format!("{} is not UTF-8, from byte {at} on", name.display()))
    })
}

/// The text as an engine would have it.
fn masked(text: &str, found: &[Finding], settled: &Settled) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut copied = 0;
    for finding in found {
        let between = text.get(copied..finding.span.start).unwrap_or_default();
        let value = text.get(finding.span.clone()).unwrap_or_default();
        masked.push_str(between);
        match settled.replacement(finding.of, value) {
            Some(replacement) => masked.push_str(&replacement),
            None => masked.push_str(value),
        }
        copied = finding.span.end;
    }
    masked.push_str(text.get(copied..).unwrap_or_default());
    masked
}

/// What was found, without the values.
#[derive(Serialize)]
struct Report {
    findings: Vec<Place>,
    counts: BTreeMap<PiiType, u64>,
}

/// Where a value is.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Place {
    #[serde(rename = "type")]
    of: PiiType,
    action: Action,
    /// In bytes of the text.
    start: usize,
    end: usize,
    /// From 1.
    line: usize,
    /// In characters, from 1.
    column: usize,
}

fn report(text: &str, found: &[Finding], policy: &Policy) -> Report {
    let (mut findings, mut seen, mut line, mut column) = (Vec::new(), 0, 1, 1);
    for finding in found {
        for character in text.get(seen..finding.span.start).unwrap_or_default().chars() {
            (line, column) = if character == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        seen = finding.span.start;
        let (start, end) = (finding.span.start, finding.span.end);
        let action = policy.action(finding.of);
        findings.push(Place { of: finding.of, action, start, end, line, column });
    }
    Report { findings, counts: counts(found) }
}

fn counts(found: &[Finding]) -> BTreeMap<PiiType, u64> {
    let mut counts = BTreeMap::new();
    for finding in found {
        *counts.entry(finding.of).or_default() += 1;
    }
    counts
}

/// How many of each type, and what comes of it.
fn summary(found: &[Finding], policy: &Policy) -> String {
    let counts = counts(found);
    if counts.is_empty() {
        return "nothing is found".to_owned();
    }
    let mut rows = table::new(&["TYPE", "ACTION", "COUNT"], &["COUNT"]);
    for (of, count) in &counts {
        let action = word(policy.action(*of)).to_owned();
        rows.add_row([of.as_str().to_owned(), action, count.to_string()]);
    }
    let mut text = table::text(&rows);
    let blocked = counts.keys().filter(|of| policy.action(**of) == Action::Block);
    let blocked: Vec<_> = blocked.map(|of| of.as_str()).collect();
    if !blocked.is_empty() {
        text += &format!("\nA request with this text is refused: {}.", blocked.join(", "));
    }
    text
}

/// An action as the configuration has it.
fn word(action: Action) -> &'static str {
    match action {
        Action::Restore => "restore",
        Action::Mask => "mask",
        Action::Block => "block",
        Action::Alert => "alert",
        Action::Off => "off",
    }
}

/// As it is: [`say`] would end it with a line break.
fn say_masked(text: &str) -> Result<(), Failure> {
    if text.ends_with('\n') {
        return say(text);
    }
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::internal(error)),
        _ => Ok(()),
    }
}

/// Beside the text, for people. Who closed the standard error does not want to know.
fn notice(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

#[cfg(test)]
#[path = "mask_tests.rs"]
mod tests;
