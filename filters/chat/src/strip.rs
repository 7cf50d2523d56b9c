//! Usage that the caller has not asked for, taken out of a stream again.

use crate::answer::AnswerScanner;
use crate::places::Kind;
use crate::splice::Splice;

/// Largest event that is kept back until it is whole, in bytes; a larger one passes
/// as it comes.
pub const EVENT_BYTES_MAX: usize = 1 << 20;

/// What is taken out of a stream of chat or completions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strip {
    /// Nothing.
    #[default]
    Nothing,
    /// Usage is `null` in events with choices; the usage event stays.
    Running,
    /// The usage event, and the member of every other.
    Usage {
        /// Also where it is `null`.
        nulls: bool,
    },
}

/// Keeps an event back until it is whole, and strips it.
pub(crate) struct Hold {
    strip: Strip,
    /// What is kept back.
    bytes: Vec<u8>,
    /// Where the event begins, in what leaves.
    begins: usize,
    /// The event is larger than the bound.
    is_large: bool,
    /// The last event was dropped: a line feed that ends it goes too.
    drops_line_feed: bool,
}

impl Hold {
    pub(crate) fn new(strip: Strip) -> Self {
        let bytes = Vec::new();
        Self { strip, bytes, begins: 0, is_large: false, drops_line_feed: false }
    }

    /// The next chunk behind what is kept back.
    pub(crate) fn before<'c>(&mut self, chunk: &'c [u8]) -> Splice<'c> {
        self.begins = 0;
        Splice::behind(std::mem::take(&mut self.bytes), chunk)
    }

    /// The chunk was read: what leaves in its place.
    pub(crate) fn after(
        &mut self,
        scanner: &mut AnswerScanner,
        out: Splice<'_>,
    ) -> Option<Vec<u8>> {
        let end = out.place(out.chunk().len());
        self.is_large |= end.saturating_sub(self.begins) > EVENT_BYTES_MAX;
        let leaves_until = if self.is_large { end } else { self.begins };
        scanner.places().move_back(leaves_until);
        let (leaves, held) = out.finish_at(leaves_until);
        self.bytes = held;
        leaves
    }

    /// What was read up to `at` leaves, whatever stands there.
    pub(crate) fn release(&mut self, at: usize, out: &Splice<'_>) {
        self.drops_line_feed = false;
        self.begins = out.place(at);
    }

    /// A line feed at `at` belongs to the line end before it.
    pub(crate) fn line_feed(&mut self, at: usize, out: &mut Splice<'_>) {
        if self.begins != out.place(at) {
            return;
        }
        if std::mem::take(&mut self.drops_line_feed) {
            out.replace(at..at + 1, b"");
        }
        self.begins = out.place(at + 1);
    }

    /// Whether an event that is larger than the bound is under way.
    pub(crate) fn is_passing(&self) -> bool {
        self.is_large
    }

    /// The stream has ended: what was kept back leaves, stripped if it is an event
    /// that only lacks its empty line.
    pub(crate) fn finish(&mut self, scanner: &mut AnswerScanner) -> Vec<u8> {
        let mut out = self.before(b"");
        if !self.is_large {
            self.end_event(0, scanner, &mut out);
        }
        self.bytes = Vec::new();
        out.finish().unwrap_or_default()
    }

    /// The event that the scanner has read has ended before `at`.
    pub(crate) fn end_event(
        &mut self,
        at: usize,
        scanner: &mut AnswerScanner,
        out: &mut Splice<'_>,
    ) {
        let end = out.place(at);
        let is_large = self.is_large || end.saturating_sub(self.begins) > EVENT_BYTES_MAX;
        self.drops_line_feed = false;
        if !is_large && !scanner.places().found().is_empty() && scanner.closed() {
            self.strip(end, at, scanner, out);
        }
        self.is_large = false;
        self.begins = out.place(at);
    }

    fn strip(&mut self, end: usize, at: usize, scanner: &mut AnswerScanner, out: &mut Splice<'_>) {
        let choices = scanner.choices();
        let places = scanner.places().found();
        let has_usage = places.iter().any(|place| place.kind == Kind::Object);
        match (self.strip, choices) {
            (Strip::Usage { .. }, Some(0)) if has_usage => {
                out.change(self.begins..end, at, b"");
                self.drops_line_feed = true;
            }
            // From the last to the first: what stands before a change does not move.
            (Strip::Usage { .. }, _) => {
                for place in places.iter().rev() {
                    out.change(place.member.clone(), at, b"");
                }
            }
            (Strip::Running, Some(1..)) => {
                for place in places.iter().rev() {
                    out.change(place.value.clone(), at, b"null");
                }
            }
            (Strip::Running | Strip::Nothing, _) => {}
        }
    }
}

#[cfg(test)]
mod tests;
