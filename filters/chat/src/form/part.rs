//! The parts of a form.

use std::ops::Range;

use memchr::memmem::Finder;

use super::error::FormError;
use super::header;

/// Most parts of one form: all fields of a transcription, some of them often.
pub const PARTS_MAX: usize = 64;

/// Longest headers of one part, in bytes. A file's name is the longest of them.
pub const PART_HEADER_BYTES_MAX: usize = 4096;

/// One part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// The field: letters, digits, `_`, `-`, `.` and brackets.
    pub name: &'a str,
    /// The name of a file, without control characters; only a file has one.
    pub filename: Option<&'a str>,
    /// The media type that the part names, as it came.
    pub content_type: Option<&'a str>,
    /// The value in the body, in bytes.
    pub span: Range<usize>,
}

impl Part<'_> {
    /// The media type that counts as a claim: clients that do not know one send
    /// the type of any bytes (RFC 2046 §4.5.1).
    pub(super) fn declared(&self) -> Option<&str> {
        self.content_type.filter(|name| !name.eq_ignore_ascii_case("application/octet-stream"))
    }
}

/// Cuts a body into its parts. The boundary in the body must be a delimiter
/// wherever it stands at a line's start.
pub(super) fn parts<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<Part<'a>>, FormError> {
    let dashed = [b"--", boundary.as_bytes()].concat();
    let mut parts = Vec::new();
    let mut open: Option<Part<'a>> = None;
    for at in Finder::new(&dashed).find_iter(body) {
        let Some(end) = line_start(body, at)? else { continue };
        let behind = at + dashed.len();
        if let Some(part) = open.take() {
            parts.push(closed(part, end)?);
        } else if at != 0 {
            return Err(FormError::Boundary);
        }
        match body.get(behind..).unwrap_or_default() {
            // The last delimiter; one end of line may follow.
            b"--" | b"--\r\n" => return Ok(parts),
            [b'\r', b'\n', rest @ ..] => open = Some(header::read(rest, behind + 2)?),
            _ => return Err(FormError::Boundary),
        }
        if parts.len() >= PARTS_MAX {
            return Err(FormError::TooManyParts);
        }
    }
    Err(FormError::Boundary)
}

/// Where the text before a delimiter ends: before the line's end that belongs
/// to it (RFC 2046 §5.1.1). `None` in the middle of a line; an end of line in
/// half is one for some readers.
fn line_start(body: &[u8], at: usize) -> Result<Option<usize>, FormError> {
    match body.get(..at).unwrap_or_default() {
        [] => Ok(Some(0)),
        [before @ .., b'\r', b'\n'] => Ok(Some(before.len())),
        [.., b'\r' | b'\n'] => Err(FormError::Boundary),
        _ => Ok(None),
    }
}

/// A part whose value ends there. A delimiter within the headers leaves none.
fn closed(mut part: Part<'_>, end: usize) -> Result<Part<'_>, FormError> {
    if end < part.span.start {
        return Err(FormError::Header);
    }
    part.span.end = end;
    Ok(part)
}
