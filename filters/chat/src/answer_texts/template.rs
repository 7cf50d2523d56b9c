//! One more event of a lane, made like one that has passed.

use std::ops::Range;

use super::document::{Document, Leaf};
use super::frame::Event;
use crate::edit::{Edit, apply, json_string};

/// An event without the text of its lane.
pub(super) struct Template {
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Template {
    /// An event like `event`, of which `document` was read out of `data`, with another
    /// text in `leaf`: without the texts of other lanes, counts, reasons to finish,
    /// and names that clients would read twice.
    pub(super) fn of(event: &Event<'_>, data: &[u8], document: &Document, leaf: &Leaf) -> Self {
        let null = |span: &Range<usize>| edit(span, b"null");
        let others = document.leaves.iter().filter(|other| *other != leaf && !other.is_name);
        let mut edits: Vec<_> = others.map(|other| edit(&other.span, b"\"\"")).collect();
        edits.extend(document.once.iter().map(null));
        edits.sort_by_key(|edit| edit.span.start);
        let at = edits.partition_point(|edit| edit.span.start < leaf.span.start);
        let mut behind = edits.split_off(at);
        for edit in &mut behind {
            edit.span = edit.span.start - leaf.span.end..edit.span.end - leaf.span.end;
        }
        let before = data.get(..leaf.span.start).unwrap_or_default();
        let after = data.get(leaf.span.end..).unwrap_or_default();
        let mut template = Self { head: Vec::new(), tail: Vec::new() };
        if !event.name.is_empty() {
            template.head.extend([event.name, event.line_end].concat());
        }
        template.head.extend_from_slice(b"data: ");
        template.head.extend(one_line(apply(before, &edits).unwrap_or_default()));
        template.tail.extend(one_line(apply(after, &behind).unwrap_or_default()));
        template.tail.extend([event.line_end, event.line_end].concat());
        template
    }

    /// The event with its text.
    pub(super) fn with(&self, text: &str) -> Vec<u8> {
        [self.head.as_slice(), &json_string(text), &self.tail].concat()
    }
}

fn edit(span: &Range<usize>, text: &[u8]) -> Edit {
    Edit { span: span.clone(), text: text.to_vec() }
}

/// Data of several lines as one: a line feed in JSON is a space.
fn one_line(mut json: Vec<u8>) -> Vec<u8> {
    for byte in &mut json {
        if *byte == b'\n' {
            *byte = b' ';
        }
    }
    json
}
