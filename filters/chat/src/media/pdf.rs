//! How many pages a PDF has (ISO 32000-2).
//!
//! A reader follows offsets to objects and so may land anywhere, also inside of
//! what looks like a string or a comment. So the offsets are not followed:
//! every place that reads `12 0 obj` counts as an object, in every version of
//! it, and the version with most pages counts. Compressed objects are read from
//! every stream that looks like one of objects.
//!
//! Refused as uncountable: encrypted documents, those without a page tree,
//! trees with a missing object, a cycle or more than [`tree::DEPTH_MAX`]
//! levels, object streams in another compression than Flate, and documents
//! beyond the bounds below. A reader that takes an object under another number
//! than the one it is written under is not followed.

mod inflate;
mod lexer;
mod object;
mod tree;

use lexer::{Lexer, is_delimiter, is_space};
use object::ObjectStream;
use tree::Tree;

/// Most streams of objects in one document: writers put a hundred objects into
/// each, a page has about five.
const OBJECT_STREAMS_MAX: usize = 4096;

/// Bytes that may be read for every byte of the file, because objects that
/// stand inside of others are read again. Writers do not do so.
const READS_PER_BYTE_MAX: usize = 4;

/// The number of pages, at least one; `None` when they cannot be counted.
/// What is inflated is taken off `inflatable`, in bytes.
pub(super) fn pages(file: &[u8], inflatable: &mut usize) -> Option<u64> {
    let readable = file.len().saturating_mul(READS_PER_BYTE_MAX);
    let mut document =
        Document { tree: Tree::default(), streams: Vec::new(), readable, inflatable };
    document.objects(file)?;
    document.trailers(file)?;
    for stream in std::mem::take(&mut document.streams) {
        document.object_stream(file, &stream)?;
    }
    document.tree.pages().filter(|pages| *pages > 0)
}

struct Document<'i> {
    tree: Tree,
    streams: Vec<ObjectStream>,
    /// Bytes that may still be read.
    readable: usize,
    /// Bytes that may still be inflated.
    inflatable: &'i mut usize,
}

impl Document<'_> {
    fn objects(&mut self, file: &[u8]) -> Option<()> {
        for at in memchr::memmem::find_iter(file, b"obj") {
            let behind = at + b"obj".len();
            match number_before(file.get(..at)?) {
                Before::Number(number) => {
                    let stream = self.object(file, behind, number)?;
                    self.streams.extend(stream);
                }
                Before::Hidden if ends_word(file, behind) => return None,
                Before::Hidden | Before::Nothing => {}
            }
        }
        (self.streams.len() <= OBJECT_STREAMS_MAX).then_some(())
    }

    fn object(&mut self, text: &[u8], at: usize, number: u32) -> Option<Option<ObjectStream>> {
        let mut lexer = Lexer::new(text, at);
        let stream = object::read(&mut lexer, number, &mut self.tree)?;
        self.have_read(lexer.at().saturating_sub(at))?;
        Some(stream)
    }

    fn trailers(&mut self, file: &[u8]) -> Option<()> {
        for at in memchr::memmem::find_iter(file, b"trailer") {
            let mut lexer = Lexer::new(file, at + b"trailer".len());
            object::read_trailer(&mut lexer, &mut self.tree)?;
            self.have_read(lexer.at() - at)?;
        }
        Some(())
    }

    fn object_stream(&mut self, file: &[u8], stream: &ObjectStream) -> Option<()> {
        let data = file.get(stream.start..)?;
        if !stream.compressed {
            return self.compressed_objects(data, stream);
        }
        let (inflated, read) = inflate::zlib(data, *self.inflatable)?;
        *self.inflatable = self.inflatable.checked_sub(inflated.len())?;
        self.have_read(read)?;
        self.readable += inflated.len().saturating_mul(READS_PER_BYTE_MAX);
        self.compressed_objects(&inflated, stream)
    }

    /// The objects of a stream (§7.5.7): pairs of number and offset, then the
    /// objects themselves.
    fn compressed_objects(&mut self, data: &[u8], stream: &ObjectStream) -> Option<()> {
        let first = stream.first as usize;
        let mut pairs = Lexer::new(data.get(..first)?, 0);
        for _ in 0..stream.count {
            let (number, offset) = (pairs.number()?, pairs.number()?);
            self.object(data, first.checked_add(offset as usize)?, number)?;
        }
        Some(())
    }

    fn have_read(&mut self, bytes: usize) -> Option<()> {
        self.readable = self.readable.checked_sub(bytes)?;
        Some(())
    }
}

fn ends_word(file: &[u8], at: usize) -> bool {
    file.get(at).is_none_or(|byte| is_space(*byte) || is_delimiter(*byte))
}

/// What stands before the word `obj`.
#[derive(Debug, PartialEq, Eq)]
enum Before {
    /// The number of an object.
    Number(u32),
    /// Maybe a number, with a comment in between.
    Hidden,
    /// Nothing of the kind: `endobj`, or any word.
    Nothing,
}

/// Reads `12 0 ` backwards.
fn number_before(before: &[u8]) -> Before {
    let (before, wraps) = trim_space(before);
    let Some((before, _)) = split_digits(before) else { return hidden(wraps) };
    let (before, wraps) = trim_space(before);
    match split_digits(before) {
        Some((_, digits)) => digits.parse().map_or(Before::Nothing, Before::Number),
        None => hidden(wraps),
    }
}

/// A comment ends with its line: only behind a line's end can one stand before.
fn hidden(wraps: bool) -> Before {
    if wraps { Before::Hidden } else { Before::Nothing }
}

fn trim_space(text: &[u8]) -> (&[u8], bool) {
    let end = text.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
    let (text, space) = text.split_at_checked(end).unwrap_or_default();
    (text, space.iter().any(|byte| matches!(byte, b'\r' | b'\n')))
}

fn split_digits(text: &[u8]) -> Option<(&[u8], &str)> {
    let start = text.iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |last| last + 1);
    let (text, digits) = text.split_at_checked(start)?;
    (!digits.is_empty()).then_some((text, std::str::from_utf8(digits).ok()?))
}

#[cfg(test)]
mod tests;
