//! The second reading: what several characters together stand for.

use std::borrow::Cow;
use std::ops::Range;

use super::map::{Map, Writer};
use super::{addresses, numbers, spoken};

/// A span that is read as one character, or as none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub span: Range<usize>,
    /// As what.
    pub to: Option<char>,
}

impl Change {
    pub fn to(c: char, span: Range<usize>) -> Self {
        Self { span, to: Some(c) }
    }

    pub fn gone(span: Range<usize>) -> Self {
        Self { span, to: None }
    }
}

/// Reads phrases; `None` where there are none.
#[must_use]
pub fn read(text: &str) -> Option<(String, Map)> {
    let mut changes: Vec<Change> = Vec::new();
    numbers::read(text, &mut changes);
    addresses::read(text, &mut changes);
    if !text.is_ascii() {
        spoken::read(text, &mut changes);
    }
    if changes.is_empty() {
        return None;
    }
    changes.sort_by_key(|change| (change.span.start, change.span.end));
    let mut writer = Writer::of(text);
    let mut end = 0;
    for change in changes {
        if change.span.start >= end {
            end = change.span.end;
            writer.put(change.span, change.to);
        }
    }
    let (read, map) = writer.finish();
    Some((Cow::into_owned(read), map))
}
