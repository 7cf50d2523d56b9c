//! What a policy looks for, made ready once.

use std::collections::BTreeMap;
use std::ops::Range;

use contract::masking::{Action, MaskingPolicyConfig, PiiType};

use crate::custom::Pattern;
use crate::deny::Deny;
use crate::fold::Folded;
use crate::scan::{Finding, find};

/// The most deny words of a policy: each takes some hundred bytes in every worker.
pub const DENY_WORDS_MAX: usize = 10_000;

/// The most patterns of a policy: each reads every text once.
pub const CUSTOM_MAX: usize = 64;

/// The most that the automata of a policy's patterns may take together.
pub const CUSTOM_BYTES_MAX: usize = 16 << 20;

/// A policy, ready to look over texts.
pub struct Rules {
    policy: MaskingPolicyConfig,
    deny: Option<Deny>,
    custom: Vec<Pattern>,
}

impl Rules {
    /// Makes a policy ready.
    ///
    /// # Errors
    /// Every fault at once, one sentence each, which names the word or pattern.
    pub fn compile(policy: &MaskingPolicyConfig) -> Result<Self, Vec<String>> {
        let (deny, custom) = match (deny(&policy.deny_words), custom(&policy.custom)) {
            (Ok(deny), Ok(custom)) => (deny, custom),
            (deny, custom) => {
                let faults = [deny.err(), custom.err()];
                return Err(faults.into_iter().flatten().flatten().collect());
            }
        };
        let is_on = |of| policy.action(of) != Action::Off;
        Ok(Self {
            deny: deny.filter(|_| is_on(PiiType::DenyWord)),
            custom: if is_on(PiiType::Custom) { custom } else { Vec::new() },
            policy: policy.clone(),
        })
    }

    /// Every type that is known without a policy.
    #[must_use]
    pub fn all() -> Self {
        Self { policy: MaskingPolicyConfig::default(), deny: None, custom: Vec::new() }
    }

    /// Every value in a text that the policy looks for, in order and apart from each
    /// other.
    ///
    /// A type that is off keeps its places from being read as another built-in type: an
    /// address of a computer is no telephone number because nobody asks for it. Words
    /// and patterns of the policy are looked for everywhere.
    #[must_use]
    pub fn scan(&self, text: &str) -> Vec<Finding> {
        let folded = Folded::of(text);
        let mut found = find(&folded);
        found.retain(|finding| self.policy.action(finding.of) != Action::Off);
        let asked = self.asked(text, &folded);
        if asked.is_empty() { found } else { self.join(found, asked) }
    }

    /// What words and patterns of the policy find. Patterns are tried on the text as it
    /// is written, too: they may be about what folding takes away.
    fn asked(&self, text: &str, folded: &Folded<'_>) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut put = |of, span: Range<usize>| found.push(Finding { of, span });
        if let Some(deny) = &self.deny {
            deny.find(folded.text(), |span| put(PiiType::DenyWord, folded.original(span)));
        }
        for pattern in &self.custom {
            pattern.find(folded.text(), |span| put(PiiType::Custom, folded.original(span)));
            if folded.is_changed() {
                pattern.find(text, |span| put(PiiType::Custom, span));
            }
        }
        found.retain(|finding| !finding.span.is_empty());
        found
    }

    /// Findings that overlap become one: of the type that the policy is strictest about,
    /// over all that any of them covers. Those that only are counted give way.
    fn join(&self, mut found: Vec<Finding>, asked: Vec<Finding>) -> Vec<Finding> {
        found.extend(asked);
        found.sort_by_key(|finding| (finding.span.start, usize::MAX - finding.span.end));
        let is_alert = |finding: &Finding| self.policy.action(finding.of) == Action::Alert;
        let (alerts, found): (Vec<_>, Vec<_>) = found.into_iter().partition(is_alert);
        let mut joined = self.clusters(found);
        let mut next = 0;
        let alerts = self.clusters(alerts).into_iter().filter(|alert| {
            while joined.get(next).is_some_and(|other| other.span.end <= alert.span.start) {
                next += 1;
            }
            joined.get(next).is_none_or(|other| other.span.start >= alert.span.end)
        });
        let alerts: Vec<Finding> = alerts.collect();
        joined.extend(alerts);
        joined.sort_by_key(|finding| finding.span.start);
        joined
    }

    fn clusters(&self, found: Vec<Finding>) -> Vec<Finding> {
        let mut joined: Vec<(Finding, usize)> = Vec::new();
        for finding in found {
            let len = finding.span.len();
            match joined.last_mut() {
                Some((last, longest)) if finding.span.start < last.span.end => {
                    let rank = |of, len| (strictness(self.policy.action(of)), len);
                    if rank(finding.of, len) > rank(last.of, *longest) {
                        (last.of, *longest) = (finding.of, len);
                    }
                    last.span.end = last.span.end.max(finding.span.end);
                }
                _ => joined.push((finding, len)),
            }
        }
        joined.into_iter().map(|(finding, _)| finding).collect()
    }
}

const fn strictness(action: Action) -> u8 {
    match action {
        Action::Off => 0,
        Action::Alert => 1,
        Action::Restore => 2,
        Action::Mask => 3,
        Action::Block => 4,
    }
}

fn deny(words: &[String]) -> Result<Option<Deny>, Vec<String>> {
    if words.len() > DENY_WORDS_MAX {
        return Err(vec![format!(
            "deny_words has {} words; more than {DENY_WORDS_MAX} are not taken",
            words.len()
        )]);
    }
    Deny::compile(words)
}

fn custom(patterns: &BTreeMap<String, String>) -> Result<Vec<Pattern>, Vec<String>> {
    if patterns.len() > CUSTOM_MAX {
        return Err(vec![format!(
            "custom has {} patterns; more than {CUSTOM_MAX} are not taken",
            patterns.len()
        )]);
    }
    let (mut ready, mut faults, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (name, pattern) in patterns {
        match Pattern::compile(pattern) {
            Ok(pattern) => {
                bytes += pattern.bytes();
                ready.push(pattern);
            }
            Err(reason) => faults.push(format!("custom pattern {name:?} {reason}")),
        }
    }
    if bytes > CUSTOM_BYTES_MAX {
        faults.push(format!(
            "custom patterns take {bytes} bytes together; more than {CUSTOM_BYTES_MAX} are not taken"
        ));
    }
    if faults.is_empty() { Ok(ready) } else { Err(faults) }
}

#[cfg(test)]
#[path = "rules/tests.rs"]
mod tests;
