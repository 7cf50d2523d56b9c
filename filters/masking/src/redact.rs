//! What goes out instead of the values of a request: first all of its texts are looked
//! at, then tags are settled, then the replacements are known.

mod literals;
mod settled;

pub use settled::Settled;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::rc::Rc;

use contract::masking::{Action, PiiType};

use crate::policy::Policy;
use crate::scan::Finding;
use crate::tag::TagKey;
use crate::value::Value;

/// A request that is looked at. Not to be logged: it has the values.
pub struct Redaction {
    policy: Rc<Policy>,
    key: TagKey,
    counts: BTreeMap<PiiType, u64>,
    values: BTreeMap<PiiType, BTreeSet<Value>>,
    literals: Vec<u64>,
}

impl Redaction {
    /// Nothing looked at yet.
    #[must_use]
    pub fn new(policy: Rc<Policy>, key: TagKey) -> Self {
        let (counts, values) = (BTreeMap::new(), BTreeMap::new());
        Self { policy, key, counts, values, literals: Vec::new() }
    }

    /// Looks at one text of the request; every text is looked at once. Findings come in
    /// order and apart from each other, those of [`Action::Alert`] among them.
    pub fn look(&mut self, text: &str) -> Vec<Finding> {
        let found = self.policy.scan(text);
        literals::collect(text, &self.policy.template().joint, &mut self.literals);
        for finding in &found {
            self.note(text, finding);
        }
        found
    }

    /// Joins what an external detector has found in a text that has been looked at. What
    /// is replaced there already stays so, and of an external span that overlaps it the
    /// rest counts; what only is counted gives way. Spans that are none of the text's and
    /// types that are off are left out.
    pub fn add(&mut self, text: &str, found: &mut Vec<Finding>, external: &[Finding]) {
        for finding in external {
            let action = self.policy.action(finding.of);
            if action == Action::Off {
                continue;
            }
            let gives_way = |other: &Finding| {
                action != Action::Alert && self.policy.action(other.of) == Action::Alert
            };
            let taken = found.iter().filter(|other| !gives_way(other)).map(|it| &it.span);
            let free = apart(text, taken, finding.span.clone());
            found.retain(|other| !gives_way(other) || free.iter().all(|it| !meet(it, &other.span)));
            for span in free {
                let finding = Finding { of: finding.of, span };
                self.note(text, &finding);
                let at = found.partition_point(|other| other.span.start < finding.span.start);
                found.insert(at, finding);
            }
        }
    }

    fn note(&mut self, text: &str, finding: &Finding) {
        let Some(value) = text.get(finding.span.clone()) else { return };
        self.count(finding.of);
        self.keep(finding.of, value);
    }

    /// Counts a value that was found otherwise than by [`Redaction::look`].
    pub fn count(&mut self, of: PiiType) {
        *self.counts.entry(of).or_default() += 1;
    }

    /// Takes a value that [`Settled::replacement`] will be asked for, where it is another
    /// than stands in the text that was looked at (escaped there, or a piece of it).
    pub fn keep(&mut self, of: PiiType, value: &str) {
        if self.policy.action(of) != Action::Restore {
            return;
        }
        let values = self.values.entry(of).or_default();
        if !values.contains(value) {
            values.insert(Value::new(value));
        }
    }

    /// How many values were found, by type; those of [`Action::Alert`] and repeated ones
    /// among them.
    #[must_use]
    pub fn counts(&self) -> &BTreeMap<PiiType, u64> {
        &self.counts
    }

    /// The types for which the request is to be refused; empty when it is not.
    #[must_use]
    pub fn blocked(&self) -> Vec<PiiType> {
        let blocks = |of: &PiiType| self.policy.action(*of) == Action::Block;
        self.counts.keys().copied().filter(blocks).collect()
    }

    /// Settles the tags. It depends on the values and literals alone, not on their order.
    #[must_use]
    pub fn settle(self) -> Settled {
        settled::settle(self)
    }
}

/// What of a span overlaps nothing that is taken, without white space at its ends and
/// only where it says something. What is taken comes in order and apart from each other.
pub fn apart<'f>(
    text: &str,
    taken: impl Iterator<Item = &'f Range<usize>>,
    span: Range<usize>,
) -> Vec<Range<usize>> {
    let mut free = Vec::new();
    let mut start = span.start;
    for taken in taken.filter(|taken| meet(taken, &span)) {
        free.push(start..taken.start);
        start = taken.end;
    }
    free.push(start..span.end);
    free.into_iter().filter_map(|span| trimmed(text, span)).collect()
}

fn meet(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

fn trimmed(text: &str, span: Range<usize>) -> Option<Range<usize>> {
    let said = text.get(span.clone())?;
    let says = said.chars().any(char::is_alphanumeric);
    let start = span.start + said.len() - said.trim_start().len();
    says.then(|| start..start + said.trim().len())
}

#[cfg(test)]
mod tests;
