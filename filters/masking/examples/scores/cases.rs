//! Single cases that went wrong, to look at. The texts are made up.

use std::ops::Range;

use masking::{Finding, PiiType};

use crate::sample::{Labelled, Mark};
use crate::score::{Fate, Outcome};

/// How much of a text is shown on each side, in bytes.
const CONTEXT: usize = 50;

/// Which cases are wanted.
pub struct Wanted {
    /// Missed values: of this type, or of any.
    pub misses: Option<Option<PiiType>>,
    /// What is masked though it should stay.
    pub over: bool,
    pub tricks: bool,
    pub most: usize,
}

/// A text around a place, the place in brackets, on one line.
fn around(said: &str, span: &Range<usize>) -> String {
    let start = floor(said, span.start.saturating_sub(CONTEXT));
    let end = floor(said, (span.end + CONTEXT).min(said.len()));
    let part = |range: Range<usize>| said.get(range).unwrap_or_default().escape_debug().to_string();
    format!("{}⟦{}⟧{}", part(start..span.start), part(span.clone()), part(span.end..end))
}

fn floor(said: &str, mut place: usize) -> usize {
    while !said.is_char_boundary(place) {
        place -= 1;
    }
    place
}

pub fn misses(labelled: &Labelled, outcome: &Outcome, of: Option<PiiType>) -> Vec<String> {
    let case = |(of, mark, fate): &(PiiType, Mark, Fate)| {
        let fate = match fate {
            Fate::Right => return None,
            Fate::Edges => "other edges".to_owned(),
            Fate::Taken(other) => format!("taken for {}", other.as_str()),
            Fate::NotFound => "not found".to_owned(),
        };
        let text = around(&labelled.said, &mark.span);
        Some(format!("{} {} ({fate}): {text}", of.as_str(), mark.kind))
    };
    outcome
        .values
        .iter()
        .filter(|(one, ..)| of.is_none_or(|of| of == *one))
        .filter_map(case)
        .collect()
}

/// Findings that are wrong, with what else was there.
pub fn over(labelled: &Labelled, outcome: &Outcome) -> Vec<String> {
    let case = |finding: &Finding| {
        let on = labelled
            .marks
            .iter()
            .find(|mark| mark.span.start < finding.span.end && finding.span.start < mark.span.end);
        let on = on.map_or("text", |mark| mark.kind);
        let text = around(&labelled.said, &finding.span);
        format!("{} on {on}: {text}", finding.of.as_str())
    };
    outcome.wrong.iter().map(case).collect()
}
