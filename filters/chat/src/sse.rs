//! Server-sent events, read as they pass (WHATWG HTML §9.2, "Server-sent
//! events"), at whatever cuts they come.

use memchr::memchr2;

use crate::answer::AnswerScanner;
use crate::splice::Splice;
use crate::strip::{Hold, Strip};

/// What OpenAI's streams send as their last event.
const DONE: &[u8] = b"[DONE]";

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

const DATA: &[u8] = b"data";

/// What the next byte of a line belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// The mark that a stream may begin with, so many bytes of it read.
    Mark(usize),
    /// A field's name that is `data` so far, so many bytes of it read.
    Name(usize),
    /// Behind `data:`, where one space does not count.
    Space,
    /// The payload, so many bytes of it equal to `[DONE]`; `None`: it differs.
    Payload(Option<usize>),
    /// A comment.
    Comment,
    /// Another field.
    Ignored,
}

/// Finds the events of a stream and has a scanner read the data of each.
pub struct EventStream {
    scanner: AnswerScanner,
    line: Line,
    /// The last byte was CR: an LF now is of the same line end.
    after_cr: bool,
    /// The current event has a data line behind it.
    has_data: bool,
    /// The current event has a line that is no comment.
    has_fields: bool,
    events: u64,
    done: bool,
    /// Whole events leave.
    hold: Option<Hold>,
}

impl EventStream {
    /// A stream before its first byte.
    #[must_use]
    pub fn new(scanner: AnswerScanner) -> Self {
        Self {
            scanner,
            line: Line::Mark(0),
            after_cr: false,
            has_data: false,
            has_fields: false,
            events: 0,
            done: false,
            hold: None,
        }
    }

    /// The same, of which whole events leave, and usage as `strip` says.
    #[must_use]
    pub fn holding(mut self, strip: Strip) -> Self {
        self.scanner.places().nulls = strip == Strip::Usage { nulls: true };
        self.hold = Some(Hold::new(strip));
        self
    }

    /// The scanner of the events' data.
    #[must_use]
    pub fn scanner(&self) -> &AnswerScanner {
        &self.scanner
    }

    /// Events so far whose first data line has ended, `[DONE]` not counted.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Whether the stream has said that it is at its end: `[DONE]`, or a last
    /// event by its type.
    #[must_use]
    pub fn done(&self) -> bool {
        self.done || self.scanner.findings().last_event
    }

    pub(crate) fn scanner_mut(&mut self) -> &mut AnswerScanner {
        &mut self.scanner
    }

    /// Whether nothing of an event that has not ended was passed on.
    #[must_use]
    pub fn is_between_events(&self) -> bool {
        let holds_all = self.hold.as_ref().is_some_and(|hold| !hold.is_passing());
        holds_all || (matches!(self.line, Line::Mark(_) | Line::Name(0)) && !self.has_fields)
    }

    /// Reads the next chunk; what leaves in its place, or `None`: the chunk itself.
    pub fn push(&mut self, chunk: &[u8]) -> Option<Vec<u8>> {
        let mut out = match &mut self.hold {
            Some(hold) => hold.before(chunk),
            None => Splice::new(chunk),
        };
        let mut at = 0;
        while let Some(rest) = chunk.get(at..).filter(|rest| !rest.is_empty()) {
            at += self.step(rest, at, &mut out);
        }
        match &mut self.hold {
            Some(hold) => hold.after(&mut self.scanner, out),
            None => out.finish(),
        }
    }

    /// No more bytes come; gives what was held back.
    pub fn finish(&mut self) -> Vec<u8> {
        // A line without its end is no event, but whoever wrote this was done.
        self.done |= self.says_done();
        self.line = Line::Ignored;
        let mut rest = self.hold.as_mut().map(|hold| hold.finish(&mut self.scanner));
        let name = self.scanner.finish();
        rest.get_or_insert_default().extend(name);
        rest.unwrap_or_default()
    }

    /// Reads some bytes and says how many. None at all only together with a
    /// state that reads at least one.
    fn step(&mut self, rest: &[u8], at: usize, out: &mut Splice<'_>) -> usize {
        if std::mem::take(&mut self.after_cr) && rest.first() == Some(&b'\n') {
            if let Some(hold) = &mut self.hold {
                hold.line_feed(at, out);
            }
            return 1;
        }
        match self.line {
            Line::Mark(read) => self.mark(rest, read),
            Line::Name(read) => self.name(rest, read, at, out),
            Line::Space => {
                self.line = Line::Payload(Some(0));
                usize::from(rest.first() == Some(&b' '))
            }
            Line::Payload(done) => self.payload(rest, done, at, out),
            Line::Comment | Line::Ignored => self.line_end(rest, at, out),
        }
    }

    fn mark(&mut self, rest: &[u8], read: usize) -> usize {
        let whole = read == BYTE_ORDER_MARK.len();
        if !whole && rest.first() == BYTE_ORDER_MARK.get(read) {
            self.line = Line::Mark(read + 1);
            return 1;
        }
        self.line = if whole || read == 0 { Line::Name(0) } else { Line::Ignored };
        0
    }

    fn name(&mut self, rest: &[u8], read: usize, at: usize, out: &mut Splice<'_>) -> usize {
        match (rest.first(), DATA.get(read)) {
            (byte, Some(expected)) if byte == Some(expected) => {
                self.line = Line::Name(read + 1);
                1
            }
            (Some(b':'), None) => {
                self.line = Line::Space;
                1
            }
            (Some(b'\r' | b'\n'), _) => self.line_end(rest, at, out),
            (Some(b':'), _) if read == 0 => {
                self.line = Line::Comment;
                1
            }
            _ => {
                self.line = Line::Ignored;
                0
            }
        }
    }

    fn payload(
        &mut self,
        rest: &[u8],
        done: Option<usize>,
        at: usize,
        out: &mut Splice<'_>,
    ) -> usize {
        let end = memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        if end == 0 {
            return self.line_end(rest, at, out);
        }
        self.line = Line::Payload(done.and_then(|read| match_done(read, rest.get(..end)?)));
        self.scanner.push(at..at + end, out);
        end
    }

    fn line_end(&mut self, rest: &[u8], at: usize, out: &mut Splice<'_>) -> usize {
        let Some(end) = memchr2(b'\r', b'\n', rest) else { return rest.len() };
        let behind = at + end + 1;
        match self.line {
            Line::Name(0) => self.end_event(behind, out),
            Line::Comment if !self.has_fields => self.release(behind, out),
            Line::Comment => {}
            Line::Name(4) | Line::Space | Line::Payload(_) => {
                self.scanner.break_line(at + end, out);
                self.end_data(behind, out);
            }
            _ => self.has_fields = true,
        }
        self.after_cr = rest.get(end) == Some(&b'\r');
        self.line = Line::Name(0);
        end + 1
    }

    fn end_data(&mut self, behind: usize, out: &Splice<'_>) {
        let done = self.says_done();
        if done {
            self.release(behind, out);
        }
        self.done |= done;
        self.events += u64::from(!self.has_data && !done);
        self.has_data = true;
        self.has_fields = true;
    }

    /// What was read leaves now, as nothing that could follow changes it.
    fn release(&mut self, behind: usize, out: &Splice<'_>) {
        if let Some(hold) = &mut self.hold {
            hold.release(behind, out);
        }
    }

    fn says_done(&self) -> bool {
        !self.has_data && self.line == Line::Payload(Some(DONE.len()))
    }

    fn end_event(&mut self, behind: usize, out: &mut Splice<'_>) {
        self.has_data = false;
        self.has_fields = false;
        if let Some(hold) = &mut self.hold {
            hold.end_event(behind, &mut self.scanner, out);
        }
        self.scanner.restart();
    }
}

/// How much of `[DONE]` was read once `more` is; anything may follow it, as
/// OpenAI's own clients look at the beginning alone.
fn match_done(read: usize, more: &[u8]) -> Option<usize> {
    let expected = DONE.get(read..)?;
    let seen = expected.len().min(more.len());
    (expected.get(..seen) == more.get(..seen)).then_some(read + seen)
}

#[cfg(test)]
mod tests;
