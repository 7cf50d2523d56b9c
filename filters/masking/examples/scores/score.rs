//! What was found against what is there.

use std::collections::BTreeMap;
use std::ops::Range;

use masking::{Finding, PiiType};

use crate::sample::{Labelled, Mark, What};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Type and exact span.
    pub right: usize,
    /// Values that were not found so.
    pub missed: usize,
    /// Findings that are not so.
    pub wrong: usize,
}

impl Tally {
    pub fn precision(self) -> f64 {
        ratio(self.right, self.right + self.wrong)
    }

    pub fn recall(self) -> f64 {
        ratio(self.right, self.right + self.missed)
    }

    pub fn f1(self) -> f64 {
        ratio(2 * self.right, 2 * self.right + self.missed + self.wrong)
    }
}

/// 1 where there was nothing to do.
#[expect(clippy::cast_precision_loss, reason = "some thousands")]
pub fn ratio(part: usize, of: usize) -> f64 {
    if of == 0 { 1.0 } else { part as f64 / of as f64 }
}

/// How one value fared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Right,
    /// With other edges, or in parts.
    Edges,
    /// As something else.
    Taken(PiiType),
    NotFound,
}

/// What one text gives.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub values: Vec<(PiiType, Mark, Fate)>,
    /// Findings that are no value, or not just one.
    pub wrong: Vec<Finding>,
    /// Places with a letter or digit of a value that no finding covers.
    pub leaks: Vec<Mark>,
    /// Look-alikes that a finding touches.
    pub hit: Vec<Mark>,
}

impl Outcome {
    pub fn of(labelled: &Labelled, found: &[Finding]) -> Self {
        let said = labelled.said.as_str();
        let mut outcome = Outcome::default();
        let mut used = vec![false; found.len()];
        for (of, mark) in labelled.pii() {
            let right = found
                .iter()
                .position(|finding| finding.of == of && is_right(said, mark, &finding.span));
            let fate = match right {
                Some(at) => {
                    if let Some(used) = used.get_mut(at) {
                        *used = true;
                    }
                    Fate::Right
                }
                None => fate(of, mark, found),
            };
            outcome.values.push((of, mark.clone(), fate));
            if survives(said, mark, found) {
                outcome.leaks.push(mark.clone());
            }
        }
        let unused = found.iter().zip(used).filter(|(_, used)| !used).map(|(finding, _)| finding);
        outcome.wrong =
            unused.filter(|finding| !is_neutral(labelled, &finding.span)).cloned().collect();
        let hit = |mark: &&Mark| {
            mark.what == What::LookAlike
                && found.iter().any(|finding| touch(&finding.span, &mark.span))
        };
        outcome.hit = labelled.marks.iter().filter(hit).cloned().collect();
        outcome
    }
}

fn touch(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

/// Without the punctuation at its ends, which does not count.
fn core(said: &str, span: &Range<usize>) -> Range<usize> {
    let Some(text) = said.get(span.clone()) else { return span.clone() };
    let counts = |sign: char| sign.is_alphanumeric();
    let start = text.find(counts).unwrap_or(0);
    let end = text.char_indices().rev().find(|(_, sign)| counts(*sign));
    let end = end.map_or(text.len(), |(place, sign)| place + sign.len_utf8());
    span.start + start..span.start + end
}

fn is_right(said: &str, mark: &Mark, found: &Range<usize>) -> bool {
    let found = core(said, found);
    mark.also.iter().chain([&mark.span]).any(|span| core(said, span) == found)
}

fn fate(of: PiiType, mark: &Mark, found: &[Finding]) -> Fate {
    let mut touching = found.iter().filter(|finding| touch(&finding.span, &mark.span)).peekable();
    match touching.peek() {
        None => Fate::NotFound,
        Some(first) => {
            let first = first.of;
            if touching.any(|finding| finding.of == of) { Fate::Edges } else { Fate::Taken(first) }
        }
    }
}

/// Whether a letter or digit of the value is outside of all findings.
fn survives(said: &str, mark: &Mark, found: &[Finding]) -> bool {
    let text = said.get(mark.span.clone()).unwrap_or_default();
    text.char_indices().any(|(place, sign)| {
        let place = mark.span.start + place;
        sign.is_alphanumeric() && !found.iter().any(|finding| finding.span.contains(&place))
    })
}

/// Touches what is neutral, and neither a value nor a look-alike.
fn is_neutral(labelled: &Labelled, span: &Range<usize>) -> bool {
    let mut marks = labelled.marks.iter().filter(|mark| touch(&mark.span, span)).peekable();
    marks.peek().is_some() && marks.all(|mark| mark.what == What::Neutral)
}

/// What all texts give together.
#[derive(Default)]
pub struct Scores {
    pub types: BTreeMap<PiiType, Tally>,
    /// Values of a type that were taken for another one.
    pub taken: BTreeMap<(PiiType, PiiType), usize>,
    /// Values by kind: not right, all.
    pub kinds: BTreeMap<(PiiType, &'static str), [usize; 2]>,
    /// Look-alikes by kind: hit, all.
    pub look_alikes: BTreeMap<&'static str, [usize; 2]>,
    /// What look-alikes were taken for.
    pub confusion: BTreeMap<(&'static str, PiiType), usize>,
    /// Texts with values: leaking, all.
    pub leaking: [usize; 2],
    /// The same by genre.
    pub genres: BTreeMap<&'static str, [usize; 2]>,
    /// Texts without values: altered, all.
    pub altered: [usize; 2],
}

fn count(pair: &mut [usize; 2], hit: bool) {
    let [part, all] = pair;
    *part += usize::from(hit);
    *all += 1;
}

impl Scores {
    pub fn add(&mut self, genre: &'static str, labelled: &Labelled, found: &[Finding]) -> Outcome {
        let outcome = Outcome::of(labelled, found);
        for (of, mark, fate) in &outcome.values {
            let tally = self.types.entry(*of).or_default();
            let right = *fate == Fate::Right;
            tally.right += usize::from(right);
            tally.missed += usize::from(!right);
            count(self.kinds.entry((*of, mark.kind)).or_default(), !right);
            if let Fate::Taken(other) = fate {
                *self.taken.entry((*of, *other)).or_default() += 1;
            }
        }
        for finding in &outcome.wrong {
            self.types.entry(finding.of).or_default().wrong += 1;
        }
        self.add_look_alikes(labelled, found, &outcome);
        if outcome.values.is_empty() {
            count(&mut self.altered, !outcome.wrong.is_empty());
        } else {
            count(&mut self.leaking, !outcome.leaks.is_empty());
            count(self.genres.entry(genre).or_default(), !outcome.leaks.is_empty());
        }
        outcome
    }

    fn add_look_alikes(&mut self, labelled: &Labelled, found: &[Finding], outcome: &Outcome) {
        for mark in labelled.marks.iter().filter(|mark| mark.what == What::LookAlike) {
            let hit = outcome.hit.contains(mark);
            count(self.look_alikes.entry(mark.kind).or_default(), hit);
            for finding in found.iter().filter(|finding| touch(&finding.span, &mark.span)) {
                *self.confusion.entry((mark.kind, finding.of)).or_default() += 1;
            }
        }
    }

    /// Over all types.
    pub fn all(&self) -> Tally {
        self.types.values().fold(Tally::default(), |sum, tally| Tally {
            right: sum.right + tally.right,
            missed: sum.missed + tally.missed,
            wrong: sum.wrong + tally.wrong,
        })
    }

    /// Hit, all.
    pub fn look_alikes_hit(&self) -> [usize; 2] {
        self.look_alikes.values().fold([0, 0], |[hit, all], [more, of]| [hit + more, all + of])
    }
}

#[cfg(test)]
#[path = "score_tests.rs"]
mod tests;
