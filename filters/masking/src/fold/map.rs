//! Where a place of a rewritten text was before.

use std::borrow::Cow;
use std::ops::Range;

/// A piece that was rewritten as a whole; pieces between units are as they were.
struct Unit {
    /// Where it stands in the rewritten text; may be empty.
    now: Range<usize>,
    /// Where it stood.
    was: Range<usize>,
}

/// The units of a text, in order.
#[derive(Default)]
pub struct Map {
    units: Vec<Unit>,
}

impl Map {
    /// Where a span was: whole units, without those at its edges that are gone.
    pub fn original(&self, span: Range<usize>) -> Range<usize> {
        let first = self.units.partition_point(|unit| unit.now.start <= span.start);
        let start = match self.units.get(..first).and_then(<[Unit]>::last) {
            None => span.start,
            Some(unit) if span.start < unit.now.end => unit.was.start,
            Some(unit) => unit.was.end + (span.start - unit.now.end),
        };
        let last = self.units.partition_point(|unit| unit.now.start < span.end);
        let end = match self.units.get(..last).and_then(<[Unit]>::last) {
            None => span.end,
            Some(unit) if span.end <= unit.now.end => unit.was.end,
            Some(unit) => unit.was.end + (span.end - unit.now.end),
        };
        start..end.max(start)
    }
}

/// A text being rewritten from its beginning to its end.
pub struct Writer<'t> {
    source: &'t str,
    /// How much of the source has been written.
    read: usize,
    text: String,
    map: Map,
}

impl<'t> Writer<'t> {
    pub fn of(source: &'t str) -> Self {
        Self { source, read: 0, text: String::new(), map: Map::default() }
    }

    /// Rewrites a span of the source; spans come in order.
    pub fn put(&mut self, was: Range<usize>, now: Option<char>) {
        self.copy_to(was.start);
        let start = self.text.len();
        self.text.extend(now);
        self.read = was.end;
        self.map.units.push(Unit { now: start..self.text.len(), was });
    }

    /// Rewrites the last character together with a span behind it, if `joined` makes
    /// one of them; otherwise nothing is done.
    pub fn join(&mut self, was: Range<usize>, joined: impl Fn(char) -> Option<char>) -> bool {
        let Some(now) = self.last(was.start).and_then(joined) else { return false };
        self.copy_to(was.start);
        let end = self.text.len();
        self.text.pop();
        let start = self.text.len();
        let from = self.map.original(start..end).start;
        while self.map.units.pop_if(|unit| unit.now.end > start).is_some() {}
        self.text.push(now);
        self.read = was.end;
        self.map.units.push(Unit { now: start..self.text.len(), was: from..was.end });
        true
    }

    /// The last character before a place of the source, as it has been or will be
    /// written.
    pub fn last(&self, place: usize) -> Option<char> {
        let waiting = self.source.get(self.read..place).unwrap_or_default();
        waiting.chars().next_back().or_else(|| self.text.chars().next_back())
    }

    /// The rewritten text; the source itself where nothing was rewritten.
    pub fn finish(mut self) -> (Cow<'t, str>, Map) {
        if self.map.units.is_empty() {
            return (Cow::Borrowed(self.source), self.map);
        }
        self.copy_to(self.source.len());
        (Cow::Owned(self.text), self.map)
    }

    fn copy_to(&mut self, place: usize) {
        if self.text.capacity() == 0 {
            self.text.reserve(self.source.len());
        }
        self.text.push_str(self.source.get(self.read..place).unwrap_or_default());
        self.read = self.read.max(place);
    }
}
