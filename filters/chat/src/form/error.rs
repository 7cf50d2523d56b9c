//! Why a form is refused.

use std::fmt;

use super::part::{PART_HEADER_BYTES_MAX, PARTS_MAX};
use crate::request::MODEL_BYTES_MAX;

/// Why a form is refused. No text here repeats anything of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormError {
    /// Does not begin with a boundary, has none at its end, something behind
    /// it, or one that is not written plainly.
    Boundary,
    /// More than [`PARTS_MAX`] parts.
    TooManyParts,
    /// A part's headers do not end, are longer than [`PART_HEADER_BYTES_MAX`],
    /// or are not written plainly.
    Header,
    /// A part's `Content-Disposition` is missing, or more than a plain name and
    /// file name.
    Disposition,
    /// A part's media type or transfer encoding is not one that a form has.
    Encoding,
    /// A field stands there twice.
    DuplicateField(Option<&'static str>),
    /// A field other than `file` is a file.
    UnexpectedFile,
    /// A field's value is not UTF-8, or has a NUL in it.
    NotText,
    /// No `model`.
    MissingModel,
    /// An empty `model`, one longer than [`MODEL_BYTES_MAX`], or one with
    /// control characters.
    BadModel,
    /// No `file`, or one without a name.
    MissingFile,
    /// `stream` is no boolean.
    BadStream,
}

impl FormError {
    /// The field that is at fault, for `error.param`.
    #[must_use]
    pub fn param(&self) -> Option<&'static str> {
        match self {
            Self::DuplicateField(name) => *name,
            Self::MissingModel | Self::BadModel => Some("model"),
            Self::MissingFile => Some("file"),
            Self::BadStream => Some("stream"),
            _ => None,
        }
    }
}

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boundary => "the form does not begin and end with its boundary",
            Self::TooManyParts => return write!(f, "the form has more than {PARTS_MAX} parts"),
            Self::Header => {
                return write!(
                    f,
                    "the headers of a part must be plain lines of {PART_HEADER_BYTES_MAX} bytes in all"
                );
            }
            Self::Disposition => {
                "every part needs one plain Content-Disposition with a name and, of a file, a filename"
            }
            Self::Encoding => "a part has a media type or an encoding that a form does not have",
            Self::DuplicateField(Some(name)) => return write!(f, "'{name}' is given more than once"),
            Self::DuplicateField(None) => "a field is given more than once",
            Self::UnexpectedFile => "only 'file' can be a file",
            Self::NotText => "a field is not UTF-8 text",
            Self::MissingModel => "'model' is missing",
            Self::BadModel => {
                return write!(
                    f,
                    "'model' must be 1 to {MODEL_BYTES_MAX} bytes without control characters"
                );
            }
            Self::MissingFile => "'file' is missing or has no filename",
            Self::BadStream => "'stream' must be a boolean",
        })
    }
}

impl std::error::Error for FormError {}
