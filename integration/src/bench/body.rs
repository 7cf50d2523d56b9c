//! Where the body of a message ends (RFC 9112 §6.3), without keeping any of it.

use crate::answer::Fault;

/// The rest of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// So many bytes are left.
    Length(usize),
    /// In chunks.
    Chunked(Chunks),
}

impl Body {
    /// As the headers say; `None` where they say nothing of it.
    pub fn of(headers: &[httparse::Header<'_>]) -> Option<Body> {
        let coding = header(headers, "transfer-encoding");
        if coding.is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            return Some(Body::Chunked(Chunks::default()));
        }
        header(headers, "content-length").and_then(|value| value.parse().ok()).map(Body::Length)
    }

    /// Takes what arrived, and shows `each` piece of what is in it; true when the body
    /// is whole.
    pub fn feed(&mut self, bytes: &[u8], each: impl FnMut(&[u8])) -> Result<bool, Fault> {
        match self {
            Body::Length(left) => {
                let mut each = each;
                each(bytes);
                *left = left.checked_sub(bytes.len()).ok_or(Fault::Surplus)?;
                Ok(*left == 0)
            }
            Body::Chunked(chunks) => chunks.feed(bytes, each),
        }
    }
}

/// The value of the first header of that name.
pub fn header<'a>(headers: &[httparse::Header<'a>], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
    found.and_then(|header| std::str::from_utf8(header.value).ok()).map(str::trim)
}

/// Where in a chunked body (RFC 9112 §7.1) the reading stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunks {
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
    fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(&[u8])) -> Result<bool, Fault> {
        while let Some((&byte, rest)) = bytes.split_first() {
            if let Chunks::Data(left) = self {
                let (data, after) = bytes.split_at(bytes.len().min(*left));
                each(data);
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
