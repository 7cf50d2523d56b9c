//! Reads one answer as it arrives and keeps nothing of it: where it ends (RFC 9112
//! §6.3) and how many events were in it.

/// Header lines that an answer may have.
const HEADERS_MAX: usize = 64;
/// Bytes that the head of an answer may have.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Anything but 200.
    #[error("status {0}")]
    Status(u16),
    /// The head is none, or has neither a length nor chunks.
    #[error("a head that cannot be read: {0}")]
    Head(String),
    /// The chunks are none.
    #[error("a malformed chunk")]
    Chunk,
    /// More bytes than the answer has.
    #[error("bytes after the end of the answer")]
    Surplus,
}

/// One answer on its way.
#[derive(Debug, Default)]
pub struct Answer {
    head: Vec<u8>,
    body: Body,
    events: Events,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
enum Body {
    /// The head is not whole.
    #[default]
    Awaited,
    /// So many bytes are left.
    Length(usize),
    /// In chunks.
    Chunked(Chunks),
}

impl Answer {
    /// Takes what arrived; true when the answer is whole with it.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<bool, Fault> {
        if self.body != Body::Awaited {
            return self.feed_body(bytes);
        }
        self.head.extend_from_slice(bytes);
        let Some((length, body)) = parse_head(&self.head)? else { return Ok(false) };
        self.body = body;
        let head = std::mem::take(&mut self.head);
        self.feed_body(head.get(length..).unwrap_or_default())
    }

    /// Events (ends of them) so far.
    pub fn events(&self) -> u64 {
        self.events.count
    }

    fn feed_body(&mut self, bytes: &[u8]) -> Result<bool, Fault> {
        match &mut self.body {
            Body::Awaited => Ok(false),
            Body::Length(left) => {
                self.events.count_in(bytes);
                *left = left.checked_sub(bytes.len()).ok_or(Fault::Surplus)?;
                Ok(*left == 0)
            }
            Body::Chunked(chunks) => chunks.feed(bytes, &mut self.events),
        }
    }
}

/// Length of the head and how the body is framed; `None` while it is not whole.
fn parse_head(bytes: &[u8]) -> Result<Option<(usize, Body)>, Fault> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut answer = httparse::Response::new(&mut headers);
    let parsed = answer.parse(bytes).map_err(|error| Fault::Head(error.to_string()))?;
    let httparse::Status::Complete(length) = parsed else {
        let fits = bytes.len() <= HEAD_BYTES_MAX;
        return if fits { Ok(None) } else { Err(Fault::Head("too long".to_owned())) };
    };
    match answer.code {
        Some(200) => Ok(Some((length, framing(answer.headers)?))),
        status => Err(Fault::Status(status.unwrap_or_default())),
    }
}

fn framing(headers: &[httparse::Header<'_>]) -> Result<Body, Fault> {
    let header = |name: &str| {
        let found = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.and_then(|header| std::str::from_utf8(header.value).ok()).map(str::trim)
    };
    if header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        return Ok(Body::Chunked(Chunks::default()));
    }
    let length = header("content-length").and_then(|value| value.parse().ok());
    length.map(Body::Length).ok_or_else(|| Fault::Head("no framing".to_owned()))
}

/// Where in a chunked body (RFC 9112 §7.1) the reading stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Chunks {
    /// In a size; extensions after `;` are passed over.
    Size { size: usize, digits: bool, extension: bool },
    /// So many bytes of the chunk are left.
    Data(usize),
    /// Between the data and the next size.
    DataEnd,
    /// After the last chunk; how many bytes the current line has.
    Trailer(usize),
}

impl Default for Chunks {
    fn default() -> Chunks {
        Chunks::Size { size: 0, digits: false, extension: false }
    }
}

impl Chunks {
    fn feed(&mut self, mut bytes: &[u8], events: &mut Events) -> Result<bool, Fault> {
        while let Some((&byte, rest)) = bytes.split_first() {
            if let Chunks::Data(left) = self {
                let (data, after) = bytes.split_at(bytes.len().min(*left));
                events.count_in(data);
                *left -= data.len();
                if *left == 0 {
                    *self = Chunks::DataEnd;
                }
                bytes = after;
                continue;
            }
            bytes = rest;
            if self.step(byte)? {
                return if bytes.is_empty() { Ok(true) } else { Err(Fault::Surplus) };
            }
        }
        Ok(false)
    }

    /// One byte outside of data; true when it was the last of the body.
    fn step(&mut self, byte: u8) -> Result<bool, Fault> {
        let next = match (&*self, byte) {
            (Chunks::Size { digits: false, .. }, b'\n') => return Err(Fault::Chunk),
            (Chunks::Size { size: 0, .. }, b'\n') => Chunks::Trailer(0),
            (Chunks::Size { size, .. }, b'\n') => Chunks::Data(*size),
            (Chunks::Size { .. } | Chunks::DataEnd | Chunks::Trailer(_), b'\r') => {
                return Ok(false);
            }
            (Chunks::Size { extension: true, .. }, _) => return Ok(false),
            (Chunks::Size { size, digits, .. }, b';') => {
                Chunks::Size { size: *size, digits: *digits, extension: true }
            }
            (Chunks::Size { size, .. }, digit) => {
                Chunks::Size { size: grown(*size, digit)?, digits: true, extension: false }
            }
            (Chunks::DataEnd, b'\n') => Chunks::default(),
            (Chunks::Trailer(0), b'\n') => return Ok(true),
            (Chunks::Trailer(_), b'\n') => Chunks::Trailer(0),
            (Chunks::Trailer(length), _) => Chunks::Trailer(length + 1),
            (Chunks::DataEnd | Chunks::Data(_), _) => return Err(Fault::Chunk),
        };
        *self = next;
        Ok(false)
    }
}

/// A size with one more hexadecimal digit.
fn grown(size: usize, digit: u8) -> Result<usize, Fault> {
    let value = char::from(digit).to_digit(16).ok_or(Fault::Chunk)?;
    let shifted = size.checked_mul(16).ok_or(Fault::Chunk)?;
    Ok(shifted + value as usize)
}

/// Counts the empty lines that end events, over any cut.
#[derive(Debug, Default)]
struct Events {
    count: u64,
    after_newline: bool,
}

impl Events {
    fn count_in(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let newline = byte == b'\n';
            let ends = newline && self.after_newline;
            self.count += u64::from(ends);
            self.after_newline = newline && !ends;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "HTTP/1.1 200 OK\r\nServer: x\r\n";

    /// Feeds the text in pieces of `size` bytes; what the last one gave.
    fn fed(text: &str, size: usize) -> (Result<bool, Fault>, u64) {
        let mut answer = Answer::default();
        let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
        let (last, first) = pieces.split_last().unwrap();
        for piece in first {
            match answer.feed(piece) {
                Ok(false) => {}
                early => return (early, answer.events()),
            }
        }
        (answer.feed(last), answer.events())
    }

    #[test]
    fn an_answer_ends_where_its_framing_says_over_any_cut() {
        let with_length = format!("{HEAD}Content-Length: 5\r\n\r\n01234");
        let events = "data: a\n\ndata: b\n\n";
        let chunked = format!(
            "{HEAD}transfer-encoding: chunked\r\n\r\n{:x}\r\n{}\r\n{:X};x=1\r\n{}\r\n0\r\na: b\r\n\r\n",
            10,
            &events[..10],
            8,
            &events[10..]
        );
        for size in 1..chunked.len() {
            assert_eq!(fed(&with_length, size), (Ok(true), 0), "{size}");
            assert_eq!(fed(&chunked, size), (Ok(true), 2), "{size}");
        }
    }

    #[test]
    fn an_answer_that_is_cut_is_not_whole() {
        let cut = format!("{HEAD}content-length: 5\r\n\r\n0123");
        assert_eq!(fed(&cut, 7).0, Ok(false));
        let cut = format!("{HEAD}transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n");
        assert_eq!(fed(&cut, 7).0, Ok(false));
        assert_eq!(fed("HTTP/1.1 200 OK\r\n", 3).0, Ok(false));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let table = [
            ("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n".to_owned(), Fault::Status(503)),
            (format!("{HEAD}\r\n"), Fault::Head("no framing".into())),
            (format!("{HEAD}content-length: 1\r\n\r\nab"), Fault::Surplus),
            (format!("{HEAD}transfer-encoding: chunked\r\n\r\nx\r\n"), Fault::Chunk),
            (format!("{HEAD}transfer-encoding: chunked\r\n\r\n\r\n"), Fault::Chunk),
            (format!("{HEAD}transfer-encoding: chunked\r\n\r\n1\r\nab"), Fault::Chunk),
            (format!("{HEAD}transfer-encoding: chunked\r\n\r\n0\r\n\r\nx"), Fault::Surplus),
        ];
        for (text, fault) in table {
            assert_eq!(fed(&text, text.len()).0, Err(fault), "{text}");
        }
    }

    #[test]
    fn a_body_of_no_bytes_is_whole_with_its_head() {
        assert_eq!(fed(&format!("{HEAD}content-length: 0\r\n\r\n"), 200), (Ok(true), 0));
    }
}
