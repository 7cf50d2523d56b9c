//! The labels of a sample: `{name="value",...}`.

use memchr::{memchr, memchr2};
use std::borrow::Cow;

/// The labels of one sample, known to be well formed and not yet unescaped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Labels<'a> {
    /// What stands between the braces.
    text: &'a [u8],
}

impl<'a> Labels<'a> {
    /// The labels at the beginning of a text, and what follows them. A text that
    /// does not begin with a brace has none. Nothing where they break the format.
    pub(super) fn cut(text: &'a [u8]) -> Option<(Labels<'a>, &'a [u8])> {
        let Some(inside) = text.strip_prefix(b"{") else {
            return Some((Labels::default(), text));
        };
        let mut rest = inside;
        loop {
            rest = rest.trim_ascii_start();
            if let Some(after) = rest.strip_prefix(b"}") {
                let length = inside.len().checked_sub(rest.len())?;
                return Some((Labels { text: inside.get(..length)? }, after));
            }
            rest = label(rest)?.1.trim_ascii_start();
            rest = match rest.strip_prefix(b",") {
                Some(after) => after,
                None if rest.starts_with(b"}") => rest,
                None => return None,
            };
        }
    }

    /// A label's value without its escapes; `None` where there is no such label.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Cow<'a, [u8]>> {
        self.raw(name).map(unescape)
    }

    /// Whether a label is there and has that value.
    #[must_use]
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.get(name).is_some_and(|found| *found == *value.as_bytes())
    }

    /// A label's value as a count, such as a rank; `None` where it is none.
    #[must_use]
    pub fn count(&self, name: &str) -> Option<u32> {
        std::str::from_utf8(self.raw(name)?).ok()?.parse().ok()
    }

    fn raw(&self, name: &str) -> Option<&'a [u8]> {
        let mut rest = self.text.trim_ascii_start();
        while !rest.is_empty() {
            let ((found, value), after) = label(rest)?;
            if found == name.as_bytes() {
                return Some(value);
            }
            rest = after.trim_ascii_start();
            rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
        }
        None
    }
}

/// Name and raw value of the first label, and what follows it.
type Cut<'a> = ((&'a [u8], &'a [u8]), &'a [u8]);

fn label(text: &[u8]) -> Option<Cut<'_>> {
    let (name, rest) = text.split_at_checked(memchr(b'=', text)?)?;
    let rest = rest.strip_prefix(b"=")?.trim_ascii_start().strip_prefix(b"\"")?;
    let (value, rest) = rest.split_at_checked(closing_quote(rest)?)?;
    Some(((name.trim_ascii_end(), value), rest.strip_prefix(b"\"")?))
}

fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + memchr2(b'"', b'\\', text.get(from..)?)?;
        if text.get(at) == Some(&b'"') {
            return Some(at);
        }
        from = at + 2;
    }
}

/// `\\`, `\"` and `\n`; a backslash before anything else stands for itself.
fn unescape(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'\\', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut plain = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let escaped = (byte == b'\\').then(|| bytes.peek().copied().and_then(escape)).flatten();
        if escaped.is_some() {
            bytes.next();
        }
        plain.push(escaped.unwrap_or(byte));
    }
    Cow::Owned(plain)
}

fn escape(byte: u8) -> Option<u8> {
    match byte {
        b'n' => Some(b'\n'),
        b'"' | b'\\' => Some(byte),
        _ => None,
    }
}
