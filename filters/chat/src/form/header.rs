//! The headers of a part.

use super::error::FormError;
use super::part::{PART_HEADER_BYTES_MAX, Part};

/// Longest name of a field, in bytes: those of the API have at most 26.
const NAME_BYTES_MAX: usize = 64;

/// Reads the headers at the start of `rest`, which stands at `at` in the body.
/// The part's value begins behind them; its end is not known yet.
pub(super) fn read(rest: &[u8], at: usize) -> Result<Part<'_>, FormError> {
    let bound = rest.len().min(PART_HEADER_BYTES_MAX + END.len());
    let rest = rest.get(..bound).unwrap_or_default();
    let size = memchr::memmem::find(rest, END).ok_or(FormError::Header)?;
    let text = rest.get(..size).and_then(|text| std::str::from_utf8(text).ok());
    let mut headers = Headers::default();
    for line in text.ok_or(FormError::Header)?.split("\r\n") {
        headers.line(line)?;
    }
    let start = at + size + END.len();
    let (name, filename) = headers.disposition.ok_or(FormError::Disposition)?;
    Ok(Part { name, filename, content_type: headers.content_type, span: start..start })
}

const END: &[u8] = b"\r\n\r\n";

/// The headers that a part may have, each once at most.
#[derive(Default)]
struct Headers<'a> {
    disposition: Option<(&'a str, Option<&'a str>)>,
    content_type: Option<&'a str>,
    encoding: Option<&'a str>,
    length: Option<&'a str>,
}

impl<'a> Headers<'a> {
    /// One line; a name that begins with a space continues the line before
    /// (RFC 5322 §2.2.3) and is no name.
    fn line(&mut self, line: &'a str) -> Result<(), FormError> {
        if line.chars().any(|char| char.is_control() && char != '\t') {
            return Err(FormError::Header);
        }
        let (name, value) = line.split_once(':').ok_or(FormError::Header)?;
        let value = value.trim_matches([' ', '\t']);
        let is_first = match name.to_ascii_lowercase().as_str() {
            "content-disposition" => self.disposition.replace(disposition(value)?).is_none(),
            "content-type" => self.content_type.replace(media_type(value)?).is_none(),
            "content-transfer-encoding" => self.encoding.replace(encoding(value)?).is_none(),
            // The delimiters say where a part ends; what this says is not read.
            "content-length" => self.length.replace(value).is_none(),
            _ => false,
        };
        is_first.then_some(()).ok_or(FormError::Header)
    }
}

/// `form-data; name="…"; filename="…"` (RFC 7578 §4.2), in this order or the
/// other. `filename*` is none of a form's parameters (there as well).
fn disposition(value: &str) -> Result<(&str, Option<&str>), FormError> {
    let kind = value.get(..FORM_DATA.len()).unwrap_or_default();
    let mut rest = value.get(FORM_DATA.len()..).unwrap_or_default();
    if !kind.eq_ignore_ascii_case(FORM_DATA) {
        return Err(FormError::Disposition);
    }
    let (mut name, mut filename) = (None, None);
    while !rest.is_empty() {
        let (key, value, tail) = parameter(rest).ok_or(FormError::Disposition)?;
        rest = tail;
        let slot = if key.eq_ignore_ascii_case("name") {
            &mut name
        } else if key.eq_ignore_ascii_case("filename") {
            &mut filename
        } else {
            return Err(FormError::Disposition);
        };
        if slot.replace(value).is_some() {
            return Err(FormError::Disposition);
        }
    }
    let name = name.filter(|name| is_name(name)).ok_or(FormError::Disposition)?;
    Ok((name, filename))
}

const FORM_DATA: &str = "form-data";

/// `; key="value"` or `; key=value`, and what stands behind. Escapes in quotes
/// are read in different ways, so a backslash is refused.
fn parameter(rest: &str) -> Option<(&str, &str, &str)> {
    let rest = rest.trim_start_matches(SPACE).strip_prefix(';')?.trim_start_matches(SPACE);
    let (key, rest) = rest.split_once('=')?;
    let (value, rest) = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => rest.split_at_checked(rest.find([' ', '\t', ';']).unwrap_or(rest.len()))?,
    };
    let is_plain = !value.contains(['\\', '"', '\t']);
    (is_plain && !value.is_empty()).then_some((key, value, rest))
}

const SPACE: [char; 2] = [' ', '\t'];

fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.[]".contains(&byte);
    name.len() <= NAME_BYTES_MAX && name.bytes().all(is_plain)
}

/// A media type: a form in a form, and texts in other charsets than the one
/// that is read here, are refused.
fn media_type(value: &str) -> Result<&str, FormError> {
    let (name, parameters) = value.split_once(';').unwrap_or((value, ""));
    let (kind, subtype) = name.trim_matches(SPACE).split_once('/').ok_or(FormError::Encoding)?;
    let is_token = |text: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte);
        !text.is_empty() && text.bytes().all(is_plain)
    };
    let is_plain = is_token(kind) && is_token(subtype) && !kind.eq_ignore_ascii_case("multipart");
    let is_read = match parameters.to_ascii_lowercase().split_once("charset") {
        None => true,
        Some((_, charset)) => {
            let name = charset.trim_start_matches(SPACE).strip_prefix('=');
            matches!(
                name.map(|name| name.trim_matches([' ', '\t', '"'])),
                Some("utf-8" | "us-ascii")
            )
        }
    };
    (is_plain && is_read).then_some(value).ok_or(FormError::Encoding)
}

/// A transfer encoding that leaves the bytes as they are (RFC 2045 §6.2).
fn encoding(value: &str) -> Result<&str, FormError> {
    let as_is = ["binary", "7bit", "8bit"].iter().any(|name| value.eq_ignore_ascii_case(name));
    as_is.then_some(value).ok_or(FormError::Encoding)
}
