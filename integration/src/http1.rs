//! HTTP/1.1 messages out of bytes (RFC 9112), for both ends of the tests.
//!
//! Nothing here reads a socket: the caller appends what arrived to a buffer and
//! asks again. What is kept is kept as it came, so that a test can compare bytes.

/// Header lines that a message may have; far above what any client here sends.
const HEADERS_MAX: usize = 128;

/// A header section: who asks for what, or how the answer begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Method of a request; empty in an answer.
    pub method: String,
    /// Path with query of a request; empty in an answer.
    pub path: String,
    /// Status of an answer; 0 in a request.
    pub status: u16,
    /// Names in lower case, values as sent, in order.
    pub headers: Vec<(String, String)>,
    /// Bytes of the whole section, the empty line included.
    pub bytes: usize,
    http_1_0: bool,
}

/// The bytes are no HTTP/1.1 message.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an HTTP/1.1 message: {0}")]
pub struct Malformed(pub String);

impl From<httparse::Error> for Malformed {
    fn from(error: httparse::Error) -> Self {
        Malformed(error.to_string())
    }
}

impl Head {
    /// The request head at the start of `bytes`; `None` while it is not whole.
    pub fn of_request(bytes: &[u8]) -> Result<Option<Head>, Malformed> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut request = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(length) = request.parse(bytes)? else { return Ok(None) };
        Ok(Some(Head {
            method: request.method.unwrap_or_default().to_owned(),
            path: request.path.unwrap_or_default().to_owned(),
            status: 0,
            http_1_0: request.version == Some(0),
            headers: owned(request.headers),
            bytes: length,
        }))
    }

    /// The answer head at the start of `bytes`; `None` while it is not whole.
    pub fn of_answer(bytes: &[u8]) -> Result<Option<Head>, Malformed> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut answer = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(length) = answer.parse(bytes)? else { return Ok(None) };
        Ok(Some(Head {
            method: String::new(),
            path: String::new(),
            status: answer.code.unwrap_or_default(),
            http_1_0: answer.version == Some(0),
            headers: owned(answer.headers),
            bytes: length,
        }))
    }

    /// Value of the first header of that lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Path without its query.
    pub fn path_alone(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// Whether another message may follow on the connection.
    pub fn keeps_alive(&self) -> bool {
        match self.header("connection") {
            Some(value) => value.eq_ignore_ascii_case("keep-alive"),
            None => !self.http_1_0,
        }
    }

    /// How the body after this head is framed.
    pub fn framing(&self) -> Framing {
        let chunked = self.header("transfer-encoding").is_some_and(|value| {
            value.rsplit(',').next().is_some_and(|last| last.trim().eq_ignore_ascii_case("chunked"))
        });
        match self.header("content-length").and_then(|value| value.trim().parse().ok()) {
            _ if chunked => Framing::Chunked(Chunks::default()),
            Some(length) => Framing::Length(length),
            None if self.status == 0 || matches!(self.status, 100..200 | 204 | 304) => {
                Framing::Length(0)
            }
            None => Framing::UntilClose,
        }
    }
}

fn owned(headers: &[httparse::Header<'_>]) -> Vec<(String, String)> {
    let pair = |header: &httparse::Header<'_>| {
        let value = String::from_utf8_lossy(header.value).into_owned();
        (header.name.to_ascii_lowercase(), value)
    };
    headers.iter().map(pair).collect()
}

/// Where a body ends (RFC 9112 §6.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Framing {
    /// After so many bytes.
    Length(usize),
    /// At the chunk of size zero.
    Chunked(Chunks),
    /// Where the connection ends.
    UntilClose,
}

impl Framing {
    /// The body in `bytes`, which begin right after the head, and how many bytes
    /// it took; `None` while it is not whole.
    ///
    /// Call it with the same bytes and more behind them: chunks that were read
    /// are not read again.
    pub fn body(&mut self, bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Malformed> {
        match self {
            Framing::Length(length) => {
                Ok(bytes.get(..*length).map(|body| (body.to_vec(), *length)))
            }
            Framing::Chunked(chunks) => {
                let whole = chunks.advance(bytes)?;
                Ok(whole.then(|| (std::mem::take(&mut chunks.body), chunks.at)))
            }
            Framing::UntilClose => Ok(None),
        }
    }

    /// What [`Framing::body`] has read so far of a body that is not whole.
    pub fn so_far<'b>(&'b self, bytes: &'b [u8]) -> &'b [u8] {
        match self {
            Framing::Chunked(chunks) => &chunks.body,
            Framing::Length(_) | Framing::UntilClose => bytes,
        }
    }

    /// What there is of a body that was cut off.
    pub fn part(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Framing::Chunked(chunks) => chunks.body,
            Framing::Length(_) | Framing::UntilClose => bytes.to_vec(),
        }
    }
}

/// Position in a chunked body (RFC 9112 §7.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunks {
    at: usize,
    body: Vec<u8>,
    in_trailers: bool,
}

impl Chunks {
    /// Takes every whole chunk; true once the last one and the trailers are read.
    fn advance(&mut self, bytes: &[u8]) -> Result<bool, Malformed> {
        loop {
            let Some(line_end) = find_crlf(&bytes[self.at..]) else { return Ok(false) };
            let line = &bytes[self.at..self.at + line_end];
            let after_line = self.at + line_end + 2;
            if self.in_trailers {
                self.at = after_line;
                if line.is_empty() {
                    return Ok(true);
                }
                continue;
            }
            let size = chunk_size(line)?;
            if size == 0 {
                self.in_trailers = true;
                self.at = after_line;
                continue;
            }
            let Some(chunk) = bytes.get(after_line..after_line + size + 2) else {
                return Ok(false);
            };
            self.body.extend_from_slice(&chunk[..size]);
            self.at = after_line + size + 2;
        }
    }
}

fn find_crlf(bytes: &[u8]) -> Option<usize> {
    bytes.windows(2).position(|pair| pair == b"\r\n")
}

fn chunk_size(line: &[u8]) -> Result<usize, Malformed> {
    let text = String::from_utf8_lossy(line);
    let digits = text.split(';').next().unwrap_or_default().trim();
    usize::from_str_radix(digits, 16).map_err(|_| Malformed(format!("chunk size {digits:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_head_is_read_once_it_is_whole() {
        let bytes = b"POST /v1/x?a=1 HTTP/1.1\r\nContent-Length: 3\r\nX-A: b\r\n\r\nabcREST";
        assert_eq!(Head::of_request(&bytes[..30]), Ok(None));
        let head = Head::of_request(bytes).unwrap().unwrap();
        assert_eq!((head.method.as_str(), head.path_alone()), ("POST", "/v1/x"));
        assert_eq!(head.header("x-a"), Some("b"));
        let body = head.framing().body(&bytes[head.bytes..]).unwrap();
        assert_eq!(body, Some((b"abc".to_vec(), 3)));
    }

    #[test]
    fn chunks_are_joined_over_any_cut() {
        let bytes = b"3;x=y\r\nabc\r\n2\r\n\r\n\r\n0\r\nTrailer: t\r\n\r\nNEXT";
        for cut in 0..bytes.len() {
            let mut framing = Framing::Chunked(Chunks::default());
            let first = framing.body(&bytes[..cut]).unwrap();
            let (body, used) = match first {
                Some(whole) => whole,
                None => framing.body(bytes).unwrap().unwrap(),
            };
            assert_eq!((body.as_slice(), used), (&b"abc\r\n"[..], bytes.len() - 4), "cut {cut}");
        }
    }

    #[test]
    fn a_bad_chunk_size_is_an_error() {
        let mut framing = Framing::Chunked(Chunks::default());
        assert_eq!(framing.body(b"zz\r\n"), Err(Malformed("chunk size \"zz\"".into())));
    }

    #[test]
    fn connections_are_kept_as_the_version_says() {
        let keeps = |text: &str| Head::of_request(text.as_bytes()).unwrap().unwrap().keeps_alive();
        assert!(keeps("GET / HTTP/1.1\r\n\r\n"));
        assert!(!keeps("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"));
        assert!(!keeps("GET / HTTP/1.0\r\n\r\n"));
        assert!(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    }

    #[test]
    fn an_answer_without_length_ends_with_the_connection() {
        let head = Head::of_answer(b"HTTP/1.1 200 OK\r\n\r\nabc").unwrap().unwrap();
        assert_eq!(head.framing(), Framing::UntilClose);
        let none = Head::of_answer(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap().unwrap();
        assert_eq!(none.framing(), Framing::Length(0));
    }
}
