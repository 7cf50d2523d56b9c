//! Why a body is refused.

use std::fmt;

use contract::limits::{JSON_DEPTH_MAX, JSON_TOKENS_MAX};

use super::{FIELDS_MAX, MEDIA_MAX, MODEL_BYTES_MAX};
use crate::json::Reason;
use crate::texts::TEXTS_MAX;

/// Why a body is refused. No text here repeats anything of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestError {
    /// Not UTF-8, not JSON, more than one value, or a string that two readers may
    /// not read alike; counted from 1, in bytes.
    InvalidJson {
        /// Line of the fault.
        line: usize,
        /// Column of the fault.
        column: usize,
        /// What it is: never one that has an error of its own here.
        reason: Reason,
    },
    /// Nested deeper than [`JSON_DEPTH_MAX`].
    TooDeep,
    /// More values and names than [`JSON_TOKENS_MAX`].
    TooManyTokens,
    /// More members of the body itself than [`FIELDS_MAX`].
    TooManyFields,
    /// More media than [`MEDIA_MAX`].
    TooManyMedia,
    /// More texts than [`TEXTS_MAX`], where they are looked for.
    TooManyTexts,
    /// JSON, but not an object.
    NotAnObject,
    /// A name stands twice in one object, or one that decides something in two
    /// spellings; which, if it is one of the API's.
    DuplicateKey(Option<&'static str>),
    /// No `model`, or `null`.
    MissingModel,
    /// An empty `model`, one longer than [`MODEL_BYTES_MAX`], or one with
    /// control characters.
    BadModel,
    /// A member has a type that it must not have.
    WrongType {
        /// The member.
        param: &'static str,
        /// What it may be.
        expected: &'static str,
    },
}

impl RequestError {
    /// The member that is at fault, for `error.param`.
    #[must_use]
    pub fn param(&self) -> Option<&'static str> {
        match self {
            Self::DuplicateKey(param) => *param,
            Self::WrongType { param, .. } => Some(param),
            Self::MissingModel | Self::BadModel => Some("model"),
            _ => None,
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidJson { line, column, reason } => {
                let what = match reason {
                    Reason::Nul => "a string has an escaped NUL",
                    Reason::LoneSurrogate => "a string has half of a surrogate pair",
                    _ => "the body is not valid JSON",
                };
                write!(f, "{what} (line {line}, column {column})")
            }
            Self::TooDeep => write!(f, "the body is nested deeper than {JSON_DEPTH_MAX} levels"),
            Self::TooManyTokens => {
                write!(f, "the body has more than {JSON_TOKENS_MAX} names and values")
            }
            Self::TooManyFields => write!(f, "the body has more than {FIELDS_MAX} fields"),
            Self::TooManyMedia => write!(f, "the body has more than {MEDIA_MAX} media"),
            Self::TooManyTexts => write!(f, "the body has more than {TEXTS_MAX} texts"),
            Self::NotAnObject => f.write_str("the body must be a JSON object"),
            Self::DuplicateKey(Some(param)) => write!(f, "'{param}' is given more than once"),
            Self::DuplicateKey(None) => f.write_str("a name is given more than once in an object"),
            Self::MissingModel => f.write_str("'model' is missing"),
            Self::BadModel => {
                write!(f, "'model' must be 1 to {MODEL_BYTES_MAX} bytes without control characters")
            }
            Self::WrongType { param, expected } => write!(f, "'{param}' must be {expected}"),
        }
    }
}

impl std::error::Error for RequestError {}
