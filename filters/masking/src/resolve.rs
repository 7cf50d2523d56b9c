//! Which of several readings of a place counts.

use std::collections::BTreeMap;
use std::ops::Range;

use contract::masking::PiiType;

/// What a candidate is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Personal data or a secret.
    Pii(PiiType),
    /// Something that only looks like it: it keeps its place from being masked.
    Innocent,
}

/// How much speaks for a candidate. A detector gives no candidate that it would not
/// mask; levels decide between those that overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Its shape alone.
    Shape,
    /// Shape with a checksum, a separator of its own, or a word before or behind.
    Likely,
    /// Two of them.
    Strong,
    /// It can hardly be anything else.
    Certain,
}

/// A place in the folded text that a detector has read as something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// As what.
    pub kind: Kind,
    /// Where, in bytes of the folded text.
    pub span: Range<usize>,
    /// How sure it is.
    pub level: Level,
}

/// What detectors have found.
#[derive(Default)]
pub struct Candidates(pub Vec<Candidate>);

impl Candidates {
    /// A value of a type.
    pub fn pii(&mut self, of: PiiType, span: Range<usize>, level: Level) {
        self.0.push(Candidate { kind: Kind::Pii(of), span, level });
    }

    /// A place that is none.
    pub fn innocent(&mut self, span: Range<usize>, level: Level) {
        self.0.push(Candidate { kind: Kind::Innocent, span, level });
    }
}

/// The candidates that count, in order and apart from each other: highest level, then
/// longest, then earliest. Values of a type that touch, or overlap at one level, are
/// one value.
///
/// Sorting is the dearest part: every candidate is then compared with at most two.
#[must_use]
pub fn resolve(mut found: Candidates) -> Vec<Candidate> {
    found.0.retain(|candidate| !candidate.span.is_empty());
    found.0.sort_by(|a, b| {
        b.level
            .cmp(&a.level)
            .then(b.span.len().cmp(&a.span.len()))
            .then(a.span.start.cmp(&b.span.start))
    });
    let mut taken: BTreeMap<usize, Candidate> = BTreeMap::new();
    for candidate in found.0 {
        take(&mut taken, candidate);
    }
    join_touching(taken.into_values())
}

/// Takes a candidate if its place is free, or joins it to its like.
fn take(taken: &mut BTreeMap<usize, Candidate>, candidate: Candidate) {
    let mut others = taken.range(..candidate.span.end).rev().map(|(_, other)| other);
    let last = others.next().filter(|other| other.span.end > candidate.span.start);
    let Some(last) = last else {
        taken.insert(candidate.span.start, candidate);
        return;
    };
    let is_alone = others.next().is_none_or(|other| other.span.end <= candidate.span.start);
    let is_alike = last.kind == candidate.kind && last.level == candidate.level;
    if is_alone && is_alike {
        let start = last.span.start;
        if let Some(mut other) = taken.remove(&start) {
            other.span = start.min(candidate.span.start)..other.span.end.max(candidate.span.end);
            taken.insert(other.span.start, other);
        }
    }
}

fn join_touching(taken: impl Iterator<Item = Candidate>) -> Vec<Candidate> {
    let mut joined: Vec<Candidate> = Vec::new();
    for candidate in taken {
        match joined.last_mut() {
            Some(last) if last.span.end == candidate.span.start && last.kind == candidate.kind => {
                last.span.end = candidate.span.end;
                last.level = last.level.max(candidate.level);
            }
            _ => joined.push(candidate),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Level::{Certain, Likely, Shape, Strong};
    use super::*;

    const EMAIL: Kind = Kind::Pii(PiiType::Email);
    const PHONE: Kind = Kind::Pii(PiiType::Phone);

    fn of(given: &[(Kind, Range<usize>, Level)]) -> Vec<(Kind, Range<usize>)> {
        let candidate = |(kind, span, level): &(Kind, Range<usize>, Level)| Candidate {
            kind: *kind,
            span: span.clone(),
            level: *level,
        };
        let found = Candidates(given.iter().map(candidate).collect());
        resolve(found).into_iter().map(|candidate| (candidate.kind, candidate.span)).collect()
    }

    #[test]
    fn the_surer_then_the_longer_then_the_earlier_counts() {
        assert_eq!(of(&[(EMAIL, 0..9, Shape), (PHONE, 5..7, Strong)]), [(PHONE, 5..7)]);
        assert_eq!(of(&[(EMAIL, 0..3, Likely), (PHONE, 2..9, Likely)]), [(PHONE, 2..9)]);
        assert_eq!(of(&[(PHONE, 2..5, Likely), (EMAIL, 0..3, Likely)]), [(EMAIL, 0..3)]);
        assert_eq!(of(&[(EMAIL, 3..3, Certain)]), []);
    }

    #[test]
    fn the_innocent_keep_their_place() {
        let found =
            [(Kind::Innocent, 0..20, Strong), (PHONE, 5..16, Likely), (EMAIL, 30..40, Shape)];
        assert_eq!(of(&found), [(Kind::Innocent, 0..20), (EMAIL, 30..40)]);
    }

    #[test]
    fn a_type_that_touches_itself_is_one_value() {
        assert_eq!(of(&[(EMAIL, 0..3, Likely), (EMAIL, 3..9, Shape)]), [(EMAIL, 0..9)]);
        assert_eq!(of(&[(EMAIL, 0..4, Likely), (EMAIL, 3..9, Likely)]), [(EMAIL, 0..9)]);
        assert_eq!(of(&[(EMAIL, 0..4, Likely), (EMAIL, 3..9, Strong)]), [(EMAIL, 3..9)]);
        assert_eq!(
            of(&[(EMAIL, 0..3, Likely), (PHONE, 3..9, Shape)]),
            [(EMAIL, 0..3), (PHONE, 3..9)]
        );
    }

    #[test]
    fn two_that_a_third_overlaps_stay_apart() {
        let found = [(EMAIL, 0..8, Likely), (EMAIL, 10..18, Likely), (EMAIL, 6..12, Likely)];
        assert_eq!(of(&found), [(EMAIL, 0..8), (EMAIL, 10..18)]);
    }

    proptest! {
        #[test]
        fn what_counts_is_in_order_and_apart(
            given in prop::collection::vec((0usize..50, 0usize..20, 0u8..4, 0u8..3), 0..40)
        ) {
            let mut found = Candidates::default();
            for (start, len, level, kind) in given {
                let level = [Shape, Likely, Strong, Certain][usize::from(level)];
                match kind {
                    0 => found.innocent(start..start + len, level),
                    1 => found.pii(PiiType::Email, start..start + len, level),
                    _ => found.pii(PiiType::Phone, start..start + len, level),
                }
            }
            let every = found.0.clone();
            let counted = resolve(found);
            for pair in counted.windows(2) {
                prop_assert!(pair[0].span.end <= pair[1].span.start);
            }
            for candidate in every.iter().filter(|candidate| !candidate.span.is_empty()) {
                let meets = |other: &&Candidate| {
                    other.span.start < candidate.span.end && candidate.span.start < other.span.end
                };
                prop_assert!(counted.iter().filter(meets).any(|other| other.level >= candidate.level));
            }
        }
    }
}
