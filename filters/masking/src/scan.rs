//! All detectors over one text.

use std::ops::Range;

use contract::masking::PiiType;

use crate::detectors;
use crate::fold::Folded;
use crate::resolve::{Candidates, Kind, resolve};
use crate::scene::Scene;

/// A value and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub of: PiiType,
    /// Where, in bytes of the text.
    pub span: Range<usize>,
}

/// Every value of a built-in type in a text, in order and apart from each other.
#[must_use]
pub fn scan(text: &str) -> Vec<Finding> {
    find(&Folded::of(text))
}

/// The same in a text that has been folded.
pub fn find(folded: &Folded<'_>) -> Vec<Finding> {
    let scene = Scene::of(folded.text());
    let mut found = Candidates::default();
    for find in detectors::ALL {
        find(&scene, &mut found);
    }
    let taken = resolve(found).into_iter();
    taken
        .filter_map(|candidate| match candidate.kind {
            Kind::Pii(of) => Some(Finding { of, span: folded.original(candidate.span) }),
            Kind::Innocent => None,
        })
        .collect()
}
