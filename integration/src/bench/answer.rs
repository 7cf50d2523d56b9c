//! Reads one answer as it arrives and keeps nothing of it but its status, where it
//! ends and how many events were in it.

use crate::body::{Body, header};

/// Header lines that an answer may have.
const HEADERS_MAX: usize = 64;
/// Bytes that the head of an answer may have.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The head is none, or has neither a length nor chunks.
    #[error("a head that cannot be read: {0}")]
    Head(String),
    /// The chunks are none.
    #[error("a malformed chunk")]
    Chunk,
    /// More bytes than the message has.
    #[error("bytes after the end of the message")]
    Surplus,
}

/// One answer on its way.
#[derive(Debug, Default)]
pub struct Answer {
    head: Vec<u8>,
    parsed: Option<Parsed>,
    events: Events,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parsed {
    status: u16,
    is_last: bool,
    body: Body,
}

impl Answer {
    /// Takes what arrived; true when the answer is whole with it.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<bool, Fault> {
        if let Some(parsed) = &mut self.parsed {
            return parsed.body.feed(bytes, |data| self.events.count_in(data));
        }
        self.head.extend_from_slice(bytes);
        let Some((length, parsed)) = parse_head(&self.head)? else { return Ok(false) };
        let head = std::mem::take(&mut self.head);
        let parsed = self.parsed.insert(parsed);
        let rest = head.get(length..).unwrap_or_default();
        parsed.body.feed(rest, |data| self.events.count_in(data))
    }

    /// Events (ends of them) so far.
    pub fn events(&self) -> u64 {
        self.events.count
    }

    /// 0 while the head is not whole.
    pub fn status(&self) -> u16 {
        self.parsed.as_ref().map_or(0, |parsed| parsed.status)
    }

    /// Whether the server takes no other request on the connection.
    pub fn is_last(&self) -> bool {
        self.parsed.as_ref().is_some_and(|parsed| parsed.is_last)
    }
}

/// Length of the head and what it says; `None` while it is not whole.
fn parse_head(bytes: &[u8]) -> Result<Option<(usize, Parsed)>, Fault> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut answer = httparse::Response::new(&mut headers);
    let parsed = answer.parse(bytes).map_err(|error| Fault::Head(error.to_string()))?;
    let httparse::Status::Complete(length) = parsed else {
        let fits = bytes.len() <= HEAD_BYTES_MAX;
        return if fits { Ok(None) } else { Err(Fault::Head("too long".to_owned())) };
    };
    let body = Body::of(answer.headers).ok_or_else(|| Fault::Head("no framing".to_owned()))?;
    let connection = header(answer.headers, "connection");
    let is_last = connection.is_some_and(|value| value.eq_ignore_ascii_case("close"));
    Ok(Some((length, Parsed { status: answer.code.unwrap_or_default(), is_last, body })))
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

    #[test]
    fn any_status_is_an_answer() {
        let mut answer = Answer::default();
        assert_eq!((answer.status(), answer.is_last()), (0, false));
        let text = "HTTP/1.1 401 No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(answer.feed(text.as_bytes()), Ok(true));
        assert_eq!((answer.status(), answer.is_last()), (401, true));
    }
}
