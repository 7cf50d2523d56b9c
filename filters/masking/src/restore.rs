//! How values come back: in a text that arrives in pieces, placeholders become the
//! values that they were issued for.
//!
//! A piece is given on at once, but for an end that can still become a placeholder. How
//! a text was cut changes nothing of what comes out. A value that was put in is not
//! looked at again.

mod before;
mod issued;
mod spelling;

pub use issued::Issued;

use std::ops::Range;

use crate::nesting::put_escaped;
use before::Before;
use spelling::{Read, Spelled};

/// How a value is written into the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Escape {
    /// As it is.
    #[default]
    None,
    /// As in a JSON string (RFC 8259 §7): the text is JSON itself, as the arguments of a
    /// tool call are.
    Json,
}

/// One text of an answer that arrives in pieces: a choice's content, the arguments of one
/// tool call.
#[derive(Default)]
pub struct LaneText {
    held: String,
    before: Before,
}

impl LaneText {
    /// Takes the next piece and adds to `out` what is settled.
    pub fn push(&mut self, issued: &Issued, text: &str, escape: Escape, out: &mut String) {
        if issued.is_empty() {
            out.push_str(text);
        } else if self.held.is_empty() {
            self.run(issued, text, escape, false, out);
        } else {
            let mut joined = std::mem::take(&mut self.held);
            joined.push_str(text);
            self.run(issued, &joined, escape, false, out);
        }
    }

    /// Adds to `out` what was held: nothing follows. The lane is as new.
    pub fn finish(&mut self, issued: &Issued, escape: Escape, out: &mut String) {
        let held = std::mem::take(&mut self.held);
        self.run(issued, &held, escape, true, out);
        *self = Self::default();
    }

    /// Whether something is held back.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    fn run(&mut self, issued: &Issued, text: &str, escape: Escape, ends: bool, out: &mut String) {
        let (mut done, mut at) = (0, 0);
        while let Some(start) = issued.next_start(text, at) {
            let between = text.get(at..start).unwrap_or_default();
            self.before.pass(between, escape);
            let rest = text.get(start..).unwrap_or_default();
            let spelled = Spelled { issued, text: rest, escape, ends };
            match spelled.read(self.before) {
                Read::Not => at = start + self.pass_one(rest, escape),
                Read::Open => {
                    out.push_str(text.get(done..start).unwrap_or_default());
                    self.held.push_str(rest);
                    return;
                }
                Read::Is(core, length) => {
                    out.push_str(text.get(done..start).unwrap_or_default());
                    put_escaped(core.value(), self.before.depth(escape), out);
                    self.before.pass(rest.get(..length).unwrap_or_default(), escape);
                    at = start + length;
                    done = at;
                }
            }
        }
        self.before.pass(text.get(at..).unwrap_or_default(), escape);
        out.push_str(text.get(done..).unwrap_or_default());
    }

    fn pass_one(&mut self, rest: &str, escape: Escape) -> usize {
        let length = rest.chars().next().map_or(1, char::len_utf8);
        self.before.pass(rest.get(..length).unwrap_or_default(), escape);
        length
    }
}

/// Where placeholders stand in a whole text, in whatever spelling.
pub(crate) fn places(issued: &Issued, text: &str, escape: Escape) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let (mut lane, mut at) = (LaneText::default(), 0);
    while let Some(start) = issued.next_start(text, at) {
        lane.before.pass(text.get(at..start).unwrap_or_default(), escape);
        let rest = text.get(start..).unwrap_or_default();
        let spelled = Spelled { issued, text: rest, escape, ends: true };
        if let Read::Is(_, length) = spelled.read(lane.before) {
            lane.before.pass(rest.get(..length).unwrap_or_default(), escape);
            places.push(start..start + length);
            at = start + length;
        } else {
            at = start + lane.pass_one(rest, escape);
        }
    }
    places
}

#[cfg(test)]
mod tests;
