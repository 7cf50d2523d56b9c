//! The flags of `stream_options`.

use std::ops::Range;

use super::Value;
use crate::request::word::Word;
use crate::request::{OptionPlaces, RequestError};

/// What stands in `stream_options`.
#[derive(Default)]
pub(in crate::request) struct Options {
    pub(in crate::request) places: OptionPlaces,
    include_usage: Flag,
    continuous_usage: Flag,
}

#[derive(Clone, Copy, Default)]
enum Flag {
    /// Absent, `null` or `false`.
    #[default]
    Off,
    On,
    /// No boolean. Engines differ in what they take such a value for.
    Wrong,
}

impl Options {
    /// Takes a member of the object, or anything below one.
    pub(super) fn note(&mut self, member: Word, value: &Value<'_>, span: &Range<usize>) {
        self.places.has_members = true;
        let (place, flag) = match member {
            Word::IncludeUsage => (&mut self.places.include_usage, &mut self.include_usage),
            Word::ContinuousUsage => {
                (&mut self.places.continuous_usage, &mut self.continuous_usage)
            }
            _ => return,
        };
        *place = Some(span.clone());
        *flag = match value {
            Value::Bool(true) => Flag::On,
            Value::Bool(false) | Value::Null => Flag::Off,
            _ => Flag::Wrong,
        };
    }

    /// Whether one of the two flags is on.
    pub(in crate::request) fn flag(&self, member: Word) -> Result<bool, RequestError> {
        let (flag, param) = if member == Word::IncludeUsage {
            (self.include_usage, "stream_options.include_usage")
        } else {
            (self.continuous_usage, "stream_options.continuous_usage_stats")
        };
        match flag {
            Flag::Off => Ok(false),
            Flag::On => Ok(true),
            Flag::Wrong => Err(RequestError::WrongType { param, expected: "a boolean" }),
        }
    }
}
