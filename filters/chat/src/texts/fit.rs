//! Findings in a JSON text, fitted to its tokens, so that it stays JSON whatever is
//! put in their place.

use std::borrow::Cow;
use std::ops::Range;

use super::escapes::{Places, Side, inside};
use super::{Fit, JSON_NESTED_MAX};
use crate::edit::json_string;
use crate::json::{Events, Str, Token};

/// A part of a JSON text that can be replaced.
pub(super) struct Cut {
    /// In the text; of a number all of it.
    pub(super) span: Range<usize>,
    /// What stands there, all escapes undone.
    value: String,
    /// Which of the wanted spans it is of.
    pub(super) wanted: usize,
    is_number: bool,
    /// How many strings of JSON it stands in, beyond its own.
    nested: usize,
}

impl Cut {
    /// How `text` stands in its place: a number becomes a string.
    pub(super) fn replaced(&self, text: &str) -> String {
        let own = if self.is_number {
            String::from_utf8(json_string(text)).unwrap_or_default()
        } else {
            inside(text)
        };
        (0..self.nested).fold(own, |text, _| inside(&text))
    }

    pub(super) fn fit(self, found: impl Fn(usize) -> usize) -> Fit {
        Fit { found: found(self.wanted), span: self.span, value: self.value }
    }
}

/// Whether a text is one JSON object or array, and nothing else.
pub(super) fn is_json(text: &str) -> bool {
    let opens = text.trim_ascii_start().starts_with(['{', '[']);
    opens && Events::of(text.as_bytes()).is_ok_and(|mut events| events.all(|event| event.is_ok()))
}

/// What of the `wanted` spans can be replaced in a JSON text: parts of strings and
/// names, and whole numbers. Spans are in order and do not overlap, and so are cuts.
pub(super) fn cuts(text: &str, wanted: &[Range<usize>]) -> Vec<Cut> {
    nested_cuts(text, wanted, 0)
}

fn nested_cuts(text: &str, wanted: &[Range<usize>], depth: usize) -> Vec<Cut> {
    let mut cuts = Vec::new();
    let Ok(events) = Events::of(text.as_bytes()) else { return cuts };
    let mut first = 0;
    for event in events.map_while(Result::ok) {
        let passed = |span: &&Range<usize>| span.end <= event.span.start;
        first += wanted.get(first..).unwrap_or_default().iter().take_while(passed).count();
        let rest = wanted.get(first..).unwrap_or_default();
        let Some(next) = rest.first() else { break };
        if next.start >= event.span.end {
            continue;
        }
        match event.token {
            Token::Number(number) => cuts.push(Cut {
                span: event.span,
                value: number.to_owned(),
                wanted: first,
                is_number: true,
                nested: 0,
            }),
            Token::Name(said) => string(said, event.span.start + 1, rest, first, None, &mut cuts),
            Token::String(said) => {
                string(said, event.span.start + 1, rest, first, Some(depth), &mut cuts);
            }
            _ => {}
        }
    }
    united(cuts)
}

/// The cuts of one string, whose inside begins at `at`. `depth`: how deep its text
/// stands, if there may be JSON in it.
fn string(
    said: Str<'_>,
    at: usize,
    wanted: &[Range<usize>],
    first: usize,
    depth: Option<usize>,
    cuts: &mut Vec<Cut>,
) {
    let end = at + said.raw().len();
    let own = wanted.iter().take_while(|span| span.start < end).enumerate();
    let clipped = own.map(|(index, span)| (first + index, span.start.max(at)..span.end.min(end)));
    let clipped = clipped.filter(|(_, span)| span.start < span.end);
    let clipped: Vec<_> =
        clipped.map(|(index, span)| (index, span.start - at..span.end - at)).collect();
    let found = match depth.filter(|depth| *depth < JSON_NESTED_MAX) {
        Some(depth) => below(said, &clipped, depth),
        None => None,
    };
    let found = found.unwrap_or_else(|| plain(said, &clipped));
    cuts.extend(
        found.into_iter().map(|cut| Cut { span: cut.span.start + at..cut.span.end + at, ..cut }),
    );
}

/// The cuts of a string that is JSON itself; `None`: it is not. Spans are of its
/// inside as it stands.
fn below(said: Str<'_>, wanted: &[(usize, Range<usize>)], depth: usize) -> Option<Vec<Cut>> {
    let text = said.unescaped();
    if !is_json(&text) {
        return None;
    }
    let mut places = Places::new(said.raw(), Side::Raw, Side::Said);
    let spans = apart(wanted.iter().map(|(_, span)| places.span(span)));
    let found = nested_cuts(&text, &spans, depth + 1);
    let mut places = Places::new(said.raw(), Side::Said, Side::Raw);
    let outer = |cut: Cut| Cut {
        span: places.span(&cut.span),
        wanted: wanted.get(cut.wanted).map_or(0, |(index, _)| *index),
        nested: cut.nested + 1,
        ..cut
    };
    Some(found.into_iter().map(outer).collect())
}

/// The cuts of a string that is text: whole characters, whole escapes.
fn plain(said: Str<'_>, wanted: &[(usize, Range<usize>)]) -> Vec<Cut> {
    let mut places = Places::new(said.raw(), Side::Raw, Side::Raw);
    let cut = |(wanted, span): &(usize, Range<usize>)| {
        let span = whole_characters(said.raw(), &places.span(span));
        let stands = said.raw().get(span.clone()).unwrap_or_default();
        let value = Str::inside(stands).map_or(Cow::Borrowed(stands), Str::unescaped);
        Cut { span, value: value.into_owned(), wanted: *wanted, is_number: false, nested: 0 }
    };
    wanted.iter().map(cut).collect()
}

/// Two that share an escape or a number are one: the first, over all of both.
fn united(cuts: Vec<Cut>) -> Vec<Cut> {
    let mut united: Vec<Cut> = Vec::with_capacity(cuts.len());
    for cut in cuts {
        match united.last_mut() {
            Some(last) if cut.span.start < last.span.end => {
                last.span.end = last.span.end.max(cut.span.end);
            }
            _ => united.push(cut),
        }
    }
    united
}

/// Spans none of which begins before the one before it ends. Their number stays.
fn apart(spans: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut end = 0;
    let apart = spans.map(|span| {
        let start = span.start.max(end);
        end = span.end.max(start);
        start..end
    });
    apart.collect()
}

/// The span with the rest of the characters that it cuts; within `text`. An empty one
/// stays empty.
pub(super) fn whole_characters(text: &str, span: &Range<usize>) -> Range<usize> {
    if span.start >= span.end.min(text.len()) {
        return 0..0;
    }
    let start = text.floor_char_boundary(span.start);
    start..text.ceil_char_boundary(span.end).max(start)
}
