//! E-mail addresses written so that machines do not see them: `kim [at] example [dot]
//! com`, `kim골뱅이example.com`, `kim @ example.com`, or broken over a line.
//!
//! Only where an address is on both sides: the words themselves are everyday ones.

use std::ops::Range;

use memchr::{memchr_iter, memchr2_iter, memmem};

use super::phrases::Change;

/// Ends of names that are taken for such without further signs.
const ENDINGS: &[&str] = &[
    "com", "net", "org", "kr", "jp", "io", "edu", "gov", "dev", "ai", "app", "me", "biz", "info",
    "uk", "de", "fr", "nl", "ch", "eu", "au", "ca", "us", "cn", "tw", "tech", "xyz",
];

/// How many dots of an address may be spelled.
const DOTS_MAX: usize = 5;

/// The longest part of a name (RFC 1035 §2.3.4).
const LABEL_BYTES_MAX: usize = 63;

/// Puts down every spelled `@` and `.`.
pub fn read(text: &str, changes: &mut Vec<Change>) {
    let reader = Reader { text, bytes: text.as_bytes() };
    for at in memchr_iter(b'@', reader.bytes) {
        reader.at_sign(at, changes);
    }
    for at in memchr2_iter(b'[', b'(', reader.bytes) {
        reader.bracketed(at, changes);
    }
    for at in memmem::find_iter(reader.bytes, " dot ") {
        reader.in_words(at, changes);
    }
    if !text.is_ascii() {
        for at in memmem::find_iter(reader.bytes, "골뱅이") {
            reader.spelled(at..at + "골뱅이".len(), changes);
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
}

impl Reader<'_> {
    /// A real `@`: spaces around it, a line break near it, spelled dots behind it.
    fn at_sign(&self, at: usize, changes: &mut Vec<Change>) {
        match (at.checked_sub(1).and_then(|at| self.byte(at)), self.byte(at + 1)) {
            (Some(b' '), Some(b' ')) => {
                let is_address = self.is_local_before(at - 1) && self.is_domain(at + 2);
                if is_address && !self.bytes.get(at + 2).is_some_and(u8::is_ascii_digit) {
                    changes.extend([Change::gone(at - 1..at), Change::gone(at + 1..at + 2)]);
                }
            }
            (Some(b'\n'), _) if self.is_local_before(at - 1) && self.is_domain(at + 1) => {
                changes.push(Change::gone(at - 1..at));
            }
            (Some(_), Some(b'\n' | b'\r')) if self.is_local_before(at) => {
                let next = self.skip_line_break(at + 1);
                if self.is_named(next) {
                    changes.push(Change::gone(at + 1..next));
                }
            }
            (Some(_), Some(_)) => self.domain(at + 1, changes),
            _ => {}
        }
    }

    /// `[at]`, `(골뱅이)`, also `[@]`; its dots are found from there.
    fn bracketed(&self, at: usize, changes: &mut Vec<Change>) {
        let inner = self.skip_spaces(at + 1);
        let word = ["at", "AT", "At", "@", "골뱅이", "앳"].into_iter().find(|word| {
            self.bytes.get(inner..).is_some_and(|rest| rest.starts_with(word.as_bytes()))
        });
        let Some(word) = word else { return };
        let close = self.skip_spaces(inner + word.len());
        if matches!(self.byte(close), Some(b']' | b')')) {
            self.spelled(at..close + 1, changes);
        }
    }

    /// What stands for `@`, with spaces around it.
    fn spelled(&self, span: Range<usize>, changes: &mut Vec<Change>) {
        let span = self.unskip_spaces(span.start)..self.skip_spaces(span.end);
        if self.is_local_before(span.start) && self.is_alphanumeric(span.end) {
            self.local(span.start, changes);
            self.domain(span.end, changes);
            changes.push(Change::to('@', span));
        }
    }

    /// `kim at example dot com`, seen from its dot.
    fn in_words(&self, dot: usize, changes: &mut Vec<Change>) {
        let start = dot - self.label_before(dot);
        let before = self.bytes.get(..start).unwrap_or_default();
        let at = start.saturating_sub(" at ".len());
        let is_at = before.get(at..).is_some_and(|said| said.eq_ignore_ascii_case(b" at "));
        let end = dot + " dot ".len();
        let is_named = self.is_ending(end) || self.dot(end + self.label(end)).is_some();
        if is_at && is_named && start < dot && self.is_local_before(at) {
            self.local(at, changes);
            changes.push(Change::to('@', at..start));
            self.domain(start, changes);
        }
    }

    /// Spelled dots from the beginning of a domain on, and a line break in it.
    fn domain(&self, from: usize, changes: &mut Vec<Change>) {
        let mut at = from;
        for _ in 0..DOTS_MAX {
            let label = self.label(at);
            if label == 0 {
                return;
            }
            at += label;
            match self.byte(at) {
                Some(b'.') if matches!(self.byte(at + 1), Some(b'\n' | b'\r')) => {
                    return self.broken(at + 1, changes);
                }
                Some(b'.') => at += 1,
                Some(b'\n' | b'\r') => return self.broken(at, changes),
                _ => {
                    let Some(end) = self.dot(at) else { return };
                    changes.push(Change::to('.', at..end));
                    at = end;
                }
            }
        }
    }

    /// Spelled dots before the end of a local part.
    fn local(&self, to: usize, changes: &mut Vec<Change>) {
        let mut end = to - self.label_before(to);
        for _ in 0..DOTS_MAX {
            let before = self.bytes.get(..end).unwrap_or_default();
            let dot = [" dot ", "[dot]", "(dot)", " [dot] ", " (dot) "]
                .into_iter()
                .find(|dot| before.ends_with(dot.as_bytes()));
            let Some(dot) = dot else { return };
            let start = end - dot.len();
            let label = self.label_before(start);
            if label == 0 {
                return;
            }
            changes.push(Change::to('.', start..end));
            end = start - label;
        }
    }

    /// A line break within a domain: what is behind it ends one.
    fn broken(&self, at: usize, changes: &mut Vec<Change>) {
        let next = self.skip_line_break(at);
        let behind = if self.byte(next) == Some(b'.') { next + 1 } else { next };
        let follows_dot = at.checked_sub(1).and_then(|at| self.byte(at)) == Some(b'.');
        let is_end = (follows_dot || behind > next) && self.is_ending(behind);
        if is_end || (behind == next && self.is_domain(next)) {
            changes.push(Change::gone(at..next));
        }
    }

    /// The end of a spelled dot with its spaces, if the domain goes on behind it.
    fn dot(&self, at: usize) -> Option<usize> {
        let start = self.skip_spaces(at);
        let rest = self.bytes.get(start..)?;
        let forms: [&[u8]; 6] =
            [b"[dot]", b"(dot)", b"[.]", b"(.)", "[점]".as_bytes(), "(점)".as_bytes()];
        let bracketed = forms.into_iter().find(|form| {
            rest.get(..form.len()).is_some_and(|said| said.eq_ignore_ascii_case(form))
        });
        let said = match bracketed {
            Some(form) => form.len(),
            None if rest.starts_with("점".as_bytes()) => "점".len(),
            None if start > at && rest.starts_with(b"dot ") => "dot ".len(),
            None => return None,
        };
        let end = self.skip_spaces(start + said);
        self.is_alphabetic(end).then_some(end)
    }

    /// Whether a name with a dot and a known ending stands at a place.
    fn is_domain(&self, from: usize) -> bool {
        let mut at = from;
        for _ in 0..DOTS_MAX {
            let label = self.label(at);
            at += label;
            if label == 0 || self.byte(at) != Some(b'.') {
                return false;
            }
            at += 1;
            if self.is_ending(at) {
                return true;
            }
        }
        false
    }

    /// Whether a name with a dot and any ending stands at a place.
    fn is_named(&self, at: usize) -> bool {
        let label = self.label(at);
        label > 0 && self.byte(at + label) == Some(b'.') && self.is_alphanumeric(at + label + 1)
    }

    fn is_ending(&self, at: usize) -> bool {
        let rest = self.text.get(at..at + self.label(at)).unwrap_or_default();
        ENDINGS.iter().any(|ending| rest.eq_ignore_ascii_case(ending))
    }

    fn label(&self, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        rest.iter().take(LABEL_BYTES_MAX).take_while(|byte| is_of_label(**byte)).count()
    }

    fn label_before(&self, at: usize) -> usize {
        let rest = self.bytes.get(..at).unwrap_or_default();
        rest.iter().rev().take(LABEL_BYTES_MAX).take_while(|byte| is_of_local(**byte)).count()
    }

    fn is_local_before(&self, at: usize) -> bool {
        at.checked_sub(1).and_then(|at| self.byte(at)).is_some_and(is_of_local)
    }

    fn is_alphanumeric(&self, at: usize) -> bool {
        self.byte(at).is_some_and(|byte| byte.is_ascii_alphanumeric())
    }

    fn is_alphabetic(&self, at: usize) -> bool {
        self.byte(at).is_some_and(|byte| byte.is_ascii_alphabetic())
    }

    /// At most two spaces are skipped: more set columns apart.
    fn skip_spaces(&self, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + rest.iter().take(2).take_while(|byte| **byte == b' ').count()
    }

    fn unskip_spaces(&self, at: usize) -> usize {
        let rest = self.bytes.get(..at).unwrap_or_default();
        at - rest.iter().rev().take(2).take_while(|byte| **byte == b' ').count()
    }

    /// Behind a line break and the indentation of the next line.
    fn skip_line_break(&self, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let at = at + rest.iter().take(2).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + rest.iter().take(LABEL_BYTES_MAX).take_while(|byte| **byte == b' ').count()
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }
}

const fn is_of_label(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

const fn is_of_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+')
}
