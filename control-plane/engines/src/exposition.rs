//! Prometheus' text format 0.0.4 and OpenMetrics 1.0, read line by line.
//!
//! An engine exports a thousand lines, a gateway needs ten: a line is cut at its
//! name, and labels and value are read only when somebody asks. Nothing is
//! copied but a line that the network has torn and a label with escapes. What is
//! no sample is skipped, because one odd line says nothing about the others.

mod labels;

pub use labels::Labels;
use memchr::{memchr, memchr2, memchr3};

/// Longest line that is read. A sample has a name, a dozen labels and a number;
/// vLLM's configuration in labels has 1.5 kB.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// A line with a sample, cut at the end of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The metric's name.
    pub name: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Line<'a> {
    /// The line, or nothing where it is a comment, empty or has no name.
    #[must_use]
    pub fn cut(line: &'a [u8]) -> Option<Line<'a>> {
        let line = line.trim_ascii_start();
        if line.starts_with(b"#") {
            return None;
        }
        let (name, rest) = line.split_at_checked(memchr3(b'{', b' ', b'\t', line)?)?;
        (!name.is_empty()).then_some(Line { name, rest })
    }

    /// Labels and value, or nothing where the rest of the line breaks the format.
    #[must_use]
    pub fn sample(&self) -> Option<Sample<'a>> {
        let (labels, rest) = Labels::cut(self.rest.trim_ascii_start())?;
        Some(Sample { labels, value: value(rest.trim_ascii())? })
    }

    /// The value, whatever the labels are.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.sample().map(|sample| sample.value)
    }
}

/// Labels and value of one line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample<'a> {
    /// Its labels.
    pub labels: Labels<'a>,
    /// Its value; may be infinite or not a number.
    pub value: f64,
}

/// A value, with nothing behind it but a timestamp or an exemplar.
fn value(text: &[u8]) -> Option<f64> {
    let end = memchr2(b' ', b'\t', text).unwrap_or(text.len());
    let (value, rest) = text.split_at_checked(end)?;
    let rest = rest.trim_ascii_start();
    let closed = rest.is_empty() || rest.starts_with(b"#") || is_timestamp(rest);
    closed.then(|| number(value)).flatten()
}

/// Milliseconds, or seconds with a fraction in OpenMetrics, and maybe an exemplar.
fn is_timestamp(text: &[u8]) -> bool {
    let end = memchr2(b' ', b'\t', text).unwrap_or(text.len());
    let Some((time, rest)) = text.split_at_checked(end) else { return false };
    let rest = rest.trim_ascii_start();
    number(time).is_some() && (rest.is_empty() || rest.starts_with(b"#"))
}

fn number(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Cuts a body that comes in pieces into lines. One is used again and again, so
/// that its memory is.
#[derive(Debug, Default)]
pub struct Reader {
    /// The beginning of a line whose end has not come yet.
    torn: Vec<u8>,
    /// That line is over [`LINE_BYTES_MAX`] and is not kept.
    overlong: bool,
}

impl Reader {
    /// Forgets the end of the last body: a line without its line feed may lack
    /// half of its number.
    pub fn start(&mut self) {
        self.torn.clear();
        self.overlong = false;
    }

    /// Hands on the lines of the body that are whole now.
    pub fn read(&mut self, mut piece: &[u8], mut each: impl FnMut(Line<'_>)) {
        while let Some(end) = memchr(b'\n', piece) {
            let Some((line, rest)) = piece.split_at_checked(end) else { return };
            self.close(line, &mut each);
            piece = rest.strip_prefix(b"\n").unwrap_or_default();
        }
        self.keep(piece);
    }

    fn close(&mut self, end: &[u8], each: &mut impl FnMut(Line<'_>)) {
        if self.torn.is_empty() && !self.overlong {
            return hand_on(end, each);
        }
        self.keep(end);
        if !self.overlong {
            hand_on(&self.torn, each);
        }
        self.start();
    }

    fn keep(&mut self, piece: &[u8]) {
        if self.overlong || self.torn.len() + piece.len() > LINE_BYTES_MAX {
            self.overlong = true;
            self.torn.clear();
            return;
        }
        self.torn.extend_from_slice(piece);
    }
}

fn hand_on(line: &[u8], each: &mut impl FnMut(Line<'_>)) {
    if line.len() <= LINE_BYTES_MAX
        && let Some(line) = Line::cut(line)
    {
        each(line);
    }
}

#[cfg(test)]
mod tests;
