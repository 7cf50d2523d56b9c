//! Events of a stream (WHATWG HTML §9.2, "Server-sent events") cut out of the bytes of
//! it, at whatever cuts they come.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What comes out of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// An event with the empty line that ends it.
    Event(Range<usize>),
    /// Bytes of one that is larger than the bound.
    Large(Range<usize>),
    /// A comment before an event, which may be there to keep a connection open; a line
    /// feed of a line that has ended already.
    Stray(Range<usize>),
}

/// Where the stream's next byte is.
pub(super) struct Framer {
    bytes_max: usize,
    /// Bytes of the buffer that are of an earlier frame.
    start: usize,
    /// Bytes of it that were read.
    at: usize,
    /// Where the line begins.
    line: usize,
    /// The last byte was CR: an LF now is of the same line end.
    after_cr: bool,
    /// The line has no byte yet.
    is_line_start: bool,
    /// The event is over the bound, and what was read of it has left.
    is_large: bool,
}

impl Framer {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            start: 0,
            at: 0,
            line: 0,
            after_cr: false,
            is_line_start: true,
            is_large: false,
        }
    }

    /// The next frame in `buffer`, which begins with what [`Self::rest`] has left.
    pub(super) fn next(&mut self, buffer: &[u8]) -> Option<Frame> {
        while let Some(rest) = buffer.get(self.at..).filter(|rest| !rest.is_empty()) {
            if std::mem::take(&mut self.after_cr) && rest.first() == Some(&b'\n') {
                self.at += 1;
                self.line = self.at;
                if self.at == self.start + 1 && !self.is_large {
                    return Some(Frame::Stray(self.taken()));
                }
                continue;
            }
            let Some(end) = memchr2(b'\r', b'\n', rest) else {
                self.is_line_start = false;
                self.at = buffer.len();
                break;
            };
            let is_blank = end == 0 && self.is_line_start;
            self.is_line_start = true;
            self.at += end + self.line_end(rest.get(end..).unwrap_or_default());
            let line = std::mem::replace(&mut self.line, self.at);
            if is_blank {
                return Some(self.event());
            }
            if line == self.start && buffer.get(line) == Some(&b':') && !self.is_large {
                return Some(self.comment());
            }
        }
        let over = self.is_large || self.at - self.start > self.bytes_max;
        (over && self.at > self.start).then(|| {
            self.is_large = true;
            Frame::Large(self.taken())
        })
    }

    /// The bytes that the next buffer has to begin with.
    pub(super) fn rest(&mut self) -> Range<usize> {
        let rest = self.start..self.at;
        self.line = self.line.saturating_sub(self.start);
        (self.start, self.at) = (0, rest.len());
        rest
    }

    /// How long a line end is.
    fn line_end(&mut self, rest: &[u8]) -> usize {
        match rest {
            [b'\r', b'\n', ..] => 2,
            [b'\r'] => {
                self.after_cr = true;
                1
            }
            _ => 1,
        }
    }

    fn event(&mut self) -> Frame {
        let is_large = std::mem::take(&mut self.is_large);
        let span = self.taken();
        if is_large || span.len() > self.bytes_max {
            return Frame::Large(span);
        }
        Frame::Event(span)
    }

    fn comment(&mut self) -> Frame {
        let span = self.taken();
        self.is_large = span.len() > self.bytes_max;
        if self.is_large { Frame::Large(span) } else { Frame::Stray(span) }
    }

    fn taken(&mut self) -> Range<usize> {
        let span = self.start..self.at;
        self.start = self.at;
        span
    }
}

/// One event, as far as it matters.
pub(super) struct Event<'e> {
    /// All of its bytes.
    pub(super) raw: &'e [u8],
    /// What its `data` lines say, in bytes of the event.
    pub(super) data: Vec<Range<usize>>,
    /// Its last `event` line.
    pub(super) name: &'e [u8],
    /// The end of its first line.
    pub(super) line_end: &'e [u8],
}

impl<'e> Event<'e> {
    /// Reads the lines of an event, which may lack its end. A byte order mark may
    /// precede it.
    pub(super) fn of(raw: &'e [u8]) -> Self {
        let mut event = Self { raw, data: Vec::new(), name: b"", line_end: b"\n" };
        let mut at = if raw.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let mut is_first = true;
        while let Some(rest) = raw.get(at..).filter(|rest| !rest.is_empty()) {
            let length = memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
            let (line, behind) = rest.split_at_checked(length).unwrap_or((rest, b""));
            event.line(line, at);
            let line_end = match behind {
                [b'\r', b'\n', ..] => 2,
                [] => 0,
                _ => 1,
            };
            if std::mem::take(&mut is_first) && line_end > 0 {
                event.line_end = behind.get(..line_end).unwrap_or(b"\n");
            }
            at += length + line_end;
        }
        event
    }

    /// Its data: lines together, with a line feed between them.
    pub(super) fn said(&self) -> Cow<'e, [u8]> {
        let line = |span: &Range<usize>| self.raw.get(span.clone()).unwrap_or_default();
        match self.data.as_slice() {
            [] => Cow::Borrowed(b""),
            [only] => Cow::Borrowed(line(only)),
            lines => Cow::Owned(lines.iter().map(line).collect::<Vec<_>>().join(&b'\n')),
        }
    }

    /// Writes the event with other data, of as many lines.
    pub(super) fn write(&self, data: &[u8], out: &mut Vec<u8>) {
        let mut at = 0;
        for (span, line) in self.data.iter().zip(data.split(|byte| *byte == b'\n')) {
            out.extend_from_slice(self.raw.get(at..span.start).unwrap_or_default());
            out.extend_from_slice(line);
            at = span.end;
        }
        out.extend_from_slice(self.raw.get(at..).unwrap_or_default());
    }

    fn line(&mut self, line: &'e [u8], at: usize) {
        if line.starts_with(b"event:") {
            self.name = line;
        } else if line == b"data" {
            self.data.push(at + line.len()..at + line.len());
        } else if let Some(said) = line.strip_prefix(b"data:") {
            let said = said.strip_prefix(b" ").unwrap_or(said);
            self.data.push(at + line.len() - said.len()..at + line.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The frames of a stream that comes in pieces of `size`, with their bytes.
    fn frames(stream: &[u8], size: usize, bytes_max: usize) -> Vec<(&'static str, Vec<u8>)> {
        let mut framer = Framer::new(bytes_max);
        let (mut buffer, mut found) = (Vec::new(), Vec::new());
        for chunk in stream.chunks(size) {
            buffer.extend_from_slice(chunk);
            while let Some(frame) = framer.next(&buffer) {
                let (kind, span) = match frame {
                    Frame::Event(span) => ("event", span),
                    Frame::Large(span) => ("large", span),
                    Frame::Stray(span) => ("stray", span),
                };
                found.push((kind, buffer[span].to_vec()));
            }
            buffer = buffer[framer.rest()].to_vec();
        }
        found.push(("rest", buffer));
        found
    }

    #[test]
    fn an_event_ends_with_an_empty_line_of_any_kind() {
        for (stream, events) in [
            ("data: a\n\ndata: b\n\n", vec!["data: a\n\n", "data: b\n\n"]),
            ("data: a\r\n\r\ndata: b\r\n\r\n", vec!["data: a\r\n\r\n", "data: b\r\n\r\n"]),
            ("data: a\r\rdata: b\r\r", vec!["data: a\r\r", "data: b\r\r"]),
            (": c\n\n\nid: 1\n", vec!["\n", "\n"]),
            ("a\r\n\nb", vec!["a\r\n\n"]),
        ] {
            let found = frames(stream.as_bytes(), stream.len(), 99);
            let told: Vec<_> = found.iter().filter(|(kind, _)| *kind == "event").collect();
            let told: Vec<_> =
                told.iter().map(|(_, bytes)| std::str::from_utf8(bytes).unwrap()).collect();
            assert_eq!(told, events, "{stream:?}");
        }
    }

    #[test]
    fn a_cut_in_a_line_end_leaves_a_stray_line_feed() {
        let found = frames(b"a\r\n\r\nb\r\n\r\n", 1, 99);
        let expected: [(&str, &[u8]); 5] = [
            ("event", b"a\r\n\r"),
            ("stray", b"\n"),
            ("event", b"b\r\n\r"),
            ("stray", b"\n"),
            ("rest", b""),
        ];
        assert_eq!(found, expected.map(|(kind, bytes)| (kind, bytes.to_vec())));
    }

    #[test]
    fn a_comment_waits_for_nothing() {
        for size in [1, 2, 99] {
            let found = frames(b": a\r\n:b\ndata: c\n: d\n\n", size, 99);
            let stray = found.iter().filter(|(kind, _)| *kind == "stray");
            let stray: Vec<_> = stray.flat_map(|(_, bytes)| bytes.clone()).collect();
            assert_eq!(stray, b": a\r\n:b\n", "{size}");
            assert!(found.contains(&("event", b"data: c\n: d\n\n".to_vec())), "{size}");
        }
    }

    #[test]
    fn what_is_over_the_bound_passes_and_the_next_event_is_one_again() {
        let stream = b"data: 0123456789\n\ndata: a\n\n";
        for size in [1, 3, 7, 100] {
            let found = frames(stream, size, 10);
            let large: Vec<u8> = found
                .iter()
                .filter(|(kind, _)| *kind == "large")
                .flat_map(|(_, bytes)| bytes.clone())
                .collect();
            assert_eq!(large, b"data: 0123456789\n\n", "{size}");
            assert!(found.contains(&("event", b"data: a\n\n".to_vec())), "{size}");
        }
    }

    #[test]
    fn reads_the_lines_of_an_event() {
        let raw = b"\xEF\xBB\xBFevent: x\r\n: c\r\ndata: a\r\ndata:b\r\ndata\r\ndatax: y\r\nid: 1";
        let event = Event::of(raw);
        let said: Vec<_> = event.data.iter().map(|span| &raw[span.clone()]).collect();
        assert_eq!(said, [b"a".as_slice(), b"b", b""]);
        assert_eq!((event.name, event.line_end), (b"event: x".as_slice(), b"\r\n".as_slice()));
        assert_eq!(event.raw, raw);
    }
}
