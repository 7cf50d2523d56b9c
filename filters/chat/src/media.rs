//! Images, sound, video and documents of a request, looked at before an engine
//! is: what they are by their own bytes, how large they become when an engine
//! opens them, and from where the engine would fetch them.
//!
//! Nothing is decoded beyond the headers that say a size: a file that passes
//! may still be broken, or slow to decode for its size. An address is judged
//! by its host alone: what a listed host answers, and where it redirects to,
//! is between the operator and that host.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use contract::policy::{MediaConfig, MediaKind};

use crate::medium::{Medium, Place, What};
pub use contents::Contents;
use format::Format;

mod address;
mod bytes;
mod container;
mod contents;
mod format;
mod image;
mod pdf;

/// RFC 4648 §4 alone, padding optional. The URL-safe alphabet is refused:
/// Python's `base64.b64decode` drops its two letters instead of reading them,
/// so an engine would open other bytes than those that were checked.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a medium is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The pool takes no media of this kind.
    Kind,
    /// The address is not one of a listed host, or not written plainly.
    Host,
    /// The bytes are of no type that is taken for this kind.
    Type,
    /// The bytes are of another type than the request says.
    Declared,
    /// More bytes than [`MediaConfig::bytes_max`]; the bound.
    Bytes(u64),
    /// More pixels than [`MediaConfig::pixels_max`], all frames together; the bound.
    Pixels(u64),
    /// More pages than [`MediaConfig::pages_max`]; the bound.
    Pages(u64),
    /// Not base64.
    Base64,
    /// The headers cannot be read.
    Unreadable,
    /// A document whose pages cannot be counted: encrypted, without a page
    /// tree, or compressed in a way that is not read here.
    Uncountable,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind => f.write_str("the model takes no media of this kind"),
            Self::Host => f.write_str("the address is not of a host that is allowed"),
            Self::Type => f.write_str("the bytes are of no type that is allowed"),
            Self::Declared => f.write_str("the bytes are not of the type that is declared"),
            Self::Bytes(max) => write!(f, "more than {max} bytes"),
            Self::Pixels(max) => write!(f, "more than {max} pixels"),
            Self::Pages(max) => write!(f, "more than {max} pages"),
            Self::Base64 => f.write_str("not base64"),
            Self::Unreadable => f.write_str("the file cannot be read"),
            Self::Uncountable => f.write_str("the pages cannot be counted"),
        }
    }
}

/// A medium that is refused. Says nothing of what the request contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaError {
    /// What it is taken for; `None` where the request does not say.
    pub kind: Option<MediaKind>,
    /// Which of the request's media, in the order of the body, counted from 0.
    pub index: usize,
    /// Why.
    pub fault: Fault,
}

impl fmt::Display for MediaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Some(MediaKind::Image) => "image",
            Some(MediaKind::Audio) => "audio",
            Some(MediaKind::Video) => "video",
            Some(MediaKind::Document) => "document",
            None => "file or address",
        };
        write!(f, "{kind} {} of the request: {}", self.index + 1, self.fault)
    }
}

impl std::error::Error for MediaError {}

/// Looks at all media of a request. What is not in the request itself is judged
/// by its address.
///
/// # Errors
/// The first medium that is refused.
pub fn check(media: &[Medium<'_>], rules: &MediaConfig) -> Result<(), MediaError> {
    inspect(media, rules).map(|_| ())
}

/// The same, and what they are.
///
/// # Errors
/// As [`check`].
pub fn inspect(media: &[Medium<'_>], rules: &MediaConfig) -> Result<Contents, MediaError> {
    let mut inspection = Inspection::new(rules);
    for (index, medium) in media.iter().enumerate() {
        inspection.medium(medium).map_err(|fault| {
            let kind = match medium.place {
                Place::Medium(kind) => Some(kind),
                Place::File | Place::Service => None,
            };
            MediaError { kind, index, fault }
        })?;
    }
    Ok(inspection.contents)
}

/// A look at the media of one request: what it may cost in all is bounded.
pub(crate) struct Inspection<'r> {
    rules: &'r MediaConfig,
    documents: pdf::Reader,
    /// One buffer for all of them.
    decoded: Vec<u8>,
    contents: Contents,
}

impl<'r> Inspection<'r> {
    pub(crate) fn new(rules: &'r MediaConfig) -> Self {
        let documents = pdf::Reader::default();
        Self { rules, documents, decoded: Vec::new(), contents: Contents::default() }
    }

    pub(crate) fn medium(&mut self, medium: &Medium<'_>) -> Result<(), Fault> {
        let kind = match medium.place {
            Place::Medium(kind) => Some(kind),
            Place::File => None,
            // Not a medium: what the engine calls has to be an address.
            Place::Service => return self.service(&medium.what()),
        };
        self.is_taken(kind)?;
        match medium.what() {
            What::Data { declared, base64 } => self.data(kind, declared.as_deref(), &base64),
            What::Url(address) => {
                self.contents.add(kind, None);
                self.address(&address)
            }
            What::Unreadable => Err(Fault::Base64),
        }
    }

    /// A file's bytes; `declared` is the media type beside them.
    pub(crate) fn file(
        &mut self,
        kind: Option<MediaKind>,
        declared: Option<&str>,
        file: &[u8],
    ) -> Result<(), Fault> {
        self.is_taken(kind)?;
        self.fits(file.len())?;
        let format = Format::of(file).ok_or(Fault::Type)?;
        let kind = kind.unwrap_or(format.kind());
        if !format.is_of(kind) {
            return Err(Fault::Type);
        }
        self.is_taken(Some(kind))?;
        if declared.is_some_and(|name| Format::named(name) != Some(format)) {
            return Err(Fault::Declared);
        }
        let mut pages = None;
        match kind {
            MediaKind::Image => self.pixels(format, file)?,
            MediaKind::Document => pages = Some(self.pages(file)?),
            MediaKind::Audio | MediaKind::Video => {}
        }
        self.contents.add(Some(kind), pages);
        Ok(())
    }

    fn service(&self, what: &What<'_>) -> Result<(), Fault> {
        match what {
            What::Url(address) => self.address(address),
            What::Data { .. } | What::Unreadable => Err(Fault::Host),
        }
    }

    fn address(&self, address: &str) -> Result<(), Fault> {
        address::is_allowed(address, &self.rules.hosts).then_some(()).ok_or(Fault::Host)
    }

    /// Whether the kind is taken; of one that is not known yet, whether any is.
    fn is_taken(&self, kind: Option<MediaKind>) -> Result<(), Fault> {
        let kinds = &self.rules.kinds;
        let taken = kind.map_or(!kinds.is_empty(), |kind| kinds.contains(&kind));
        taken.then_some(()).ok_or(Fault::Kind)
    }

    fn fits(&self, bytes: usize) -> Result<(), Fault> {
        let max = self.rules.bytes_max;
        (bytes as u64 <= max).then_some(()).ok_or(Fault::Bytes(max))
    }

    fn data(
        &mut self,
        kind: Option<MediaKind>,
        declared: Option<&str>,
        base64: &str,
    ) -> Result<(), Fault> {
        // Before anything is decoded; padding makes it two bytes less.
        self.fits((base64.len() / 4 * 3).saturating_sub(2))?;
        let mut decoded = std::mem::take(&mut self.decoded);
        decoded.clear();
        BASE64.decode_vec(base64, &mut decoded).map_err(|_| Fault::Base64)?;
        let checked = self.file(kind, declared, &decoded);
        self.decoded = decoded;
        checked
    }

    fn pixels(&self, format: Format, file: &[u8]) -> Result<(), Fault> {
        let max = self.rules.pixels_max;
        match image::pixels(format, file) {
            None => Err(Fault::Unreadable),
            Some(pixels) if pixels > max => Err(Fault::Pixels(max)),
            Some(_) => Ok(()),
        }
    }

    fn pages(&mut self, file: &[u8]) -> Result<u64, Fault> {
        let max = self.rules.pages_max;
        match self.documents.pages(file) {
            None => Err(Fault::Uncountable),
            Some(pages) if pages > max => Err(Fault::Pages(max)),
            Some(pages) => Ok(pages),
        }
    }
}

#[cfg(test)]
mod tests;
