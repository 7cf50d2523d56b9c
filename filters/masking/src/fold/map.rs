//! Where a place of a rewritten text was before.

use std::borrow::Cow;
use std::ops::Range;

/// A piece that was rewritten as a whole, or several of equal lengths in a row; pieces
/// between units are as they were.
struct Unit {
    /// Where it stands in the rewritten text; may be empty.
    now: Range<usize>,
    /// Where it stood.
    was: Range<usize>,
    /// The length of one piece, and what it was.
    now_each: usize,
    was_each: usize,
}

impl Unit {
    /// Where the piece was that a place within the unit is in or, with `up`, ends in.
    fn was_at(&self, place: usize, up: bool) -> usize {
        let into = place.saturating_sub(self.now.start);
        let round = if up { self.now_each.saturating_sub(1) } else { 0 };
        let pieces = (into + round).checked_div(self.now_each).unwrap_or_default();
        self.was.start + pieces * self.was_each
    }

    /// Takes in a piece behind it, if that is like its own.
    fn takes(&mut self, now: &Range<usize>, was: &Range<usize>) -> bool {
        let is_like = self.now.end == now.start
            && self.was.end == was.start
            && self.now_each == now.len()
            && self.was_each == was.len();
        if is_like {
            (self.now.end, self.was.end) = (now.end, was.end);
        }
        is_like
    }
}

/// The units of a text, in order.
#[derive(Default)]
pub struct Map {
    units: Vec<Unit>,
}

impl Map {
    /// Where a span was: whole pieces, without those at its edges that are gone.
    pub fn original(&self, span: Range<usize>) -> Range<usize> {
        let first = self.units.partition_point(|unit| unit.now.start <= span.start);
        let start = match self.units.get(..first).and_then(<[Unit]>::last) {
            None => span.start,
            Some(unit) if span.start < unit.now.end => unit.was_at(span.start, false),
            Some(unit) => unit.was.end + (span.start - unit.now.end),
        };
        let last = self.units.partition_point(|unit| unit.now.start < span.end);
        let end = match self.units.get(..last).and_then(<[Unit]>::last) {
            None => span.end,
            Some(unit) if span.end <= unit.now.end => unit.was_at(span.end, true),
            Some(unit) => unit.was.end + (span.end - unit.now.end),
        };
        start..end.max(start)
    }

    fn push(&mut self, now: Range<usize>, was: Range<usize>) {
        if !self.units.last_mut().is_some_and(|last| last.takes(&now, &was)) {
            let (now_each, was_each) = (now.len(), was.len());
            self.units.push(Unit { now, was, now_each, was_each });
        }
    }

    /// Forgets what stands at and behind a place of the rewritten text.
    fn cut(&mut self, place: usize) {
        while self.units.pop_if(|unit| unit.now.end > place && unit.now.start >= place).is_some() {}
        if let Some(last) = self.units.last_mut().filter(|unit| unit.now.end > place) {
            last.was.end = last.was_at(place, false);
            last.now.end = place;
        }
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
        self.map.push(start..self.text.len(), was);
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
        self.map.cut(start);
        self.text.push(now);
        self.read = was.end;
        self.map.push(start..self.text.len(), from..was.end);
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
