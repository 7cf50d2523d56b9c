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
//! levels, object streams in another compression than Flate or out of order, and
//! what takes more than [`work::Work`] allows. A reader that takes an object under
//! another number than the one it is written under is not followed.

mod inflate;
mod lexer;
mod object;
mod tree;
mod work;

use std::ops::Range;

use inflate::Inflater;
use lexer::{Lexer, is_delimiter, is_space};
use object::ObjectStream;
use tree::Tree;
use work::Work;

/// What an object costs of `Work` beside its tokens: its place in the tree.
const STEPS_PER_OBJECT: usize = 4;

/// Reads the documents of one request.
#[derive(Default)]
pub(super) struct Reader {
    work: Work,
    /// Made for the first document that needs it.
    inflater: Option<Inflater>,
}

impl Reader {
    /// The number of pages of a document, at least one; `None` when they cannot be
    /// counted, or not with what is left to do for the request.
    pub(super) fn pages(&mut self, file: &[u8]) -> Option<u64> {
        let mut document = Document::default();
        document.objects(file, &self.work)?;
        document.trailers(file, &self.work)?;
        for stream in std::mem::take(&mut document.streams) {
            self.object_stream(file, &stream, &mut document)?;
        }
        document.tree.pages().filter(|pages| *pages > 0)
    }

    fn object_stream(
        &mut self,
        file: &[u8],
        stream: &ObjectStream,
        document: &mut Document,
    ) -> Option<()> {
        let data = file.get(stream.start..)?;
        if !stream.compressed {
            return document.compressed_objects(data, stream, &self.work);
        }
        let inflater = self.inflater.get_or_insert_default();
        let inflated = inflater.zlib(data, &mut self.work)?;
        document.compressed_objects(inflated, stream, &self.work)
    }
}

/// What has been read of a document.
#[derive(Default)]
struct Document {
    tree: Tree,
    streams: Vec<ObjectStream>,
}

impl Document {
    fn objects(&mut self, file: &[u8], work: &Work) -> Option<()> {
        let mut passed = 0;
        for at in memchr::memmem::find_iter(file, b"obj") {
            work.steps(1)?;
            let behind = at + b"obj".len();
            match number_before(file.get(passed..at)?) {
                Before::Number(number) => {
                    let stream = self.object(Lexer::new(file, behind, work), number, work)?;
                    self.streams.extend(stream);
                }
                Before::Hidden if ends_word(file, behind) => return None,
                Before::Hidden | Before::Nothing => {}
            }
            passed = behind;
        }
        Some(())
    }

    fn object(
        &mut self,
        mut lexer: Lexer<'_, '_>,
        number: u32,
        work: &Work,
    ) -> Option<Option<ObjectStream>> {
        let stream = object::read(&mut lexer, number, &mut self.tree)?;
        work.steps(STEPS_PER_OBJECT)?;
        Some(stream)
    }

    fn trailers(&mut self, file: &[u8], work: &Work) -> Option<()> {
        for at in memchr::memmem::find_iter(file, b"trailer") {
            let mut lexer = Lexer::new(file, at + b"trailer".len(), work);
            object::read_trailer(&mut lexer, &mut self.tree)?;
            work.steps(1)?;
        }
        Some(())
    }

    /// The objects of a stream (§7.5.7): pairs of number and offset, then the
    /// objects themselves. The offsets ascend, so that each object ends where the
    /// next one begins; who reads on beyond that finds another one than is read here
    /// only where ours is cut, which is odd.
    fn compressed_objects(
        &mut self,
        data: &[u8],
        stream: &ObjectStream,
        work: &Work,
    ) -> Option<()> {
        let (pairs, objects) = data.split_at_checked(stream.first as usize)?;
        let mut pairs = Lexer::new(pairs, 0, work);
        let mut last = None;
        for _ in 0..stream.count {
            let (number, start) = (pairs.number()?, pairs.number()? as usize);
            if let Some((number, from)) = last.replace((number, start)) {
                self.compressed_object(objects, number, from..start, work)?;
            }
        }
        match last {
            Some((number, from)) => {
                self.compressed_object(objects, number, from..objects.len(), work)
            }
            None => Some(()),
        }
    }

    fn compressed_object(
        &mut self,
        objects: &[u8],
        number: u32,
        own: Range<usize>,
        work: &Work,
    ) -> Option<()> {
        let own = objects.get(own).filter(|own| !own.is_empty())?;
        self.object(Lexer::new(own, 0, work), number, work)?;
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
