//! The answer to a request, whatever its form: what the pipeline reads with.

use crate::answer::{AnswerScanner, Findings};
use crate::splice::Splice;
use crate::sse::EventStream;
use crate::usage::Usage;

/// What one chunk led to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// What shall leave in the chunk's place, perhaps nothing at all; `None`:
    /// the chunk as it is.
    pub replacement: Option<Vec<u8>>,
    /// [`Reader::usage`] says something else than before.
    pub usage_changed: bool,
    /// The first data of the answer came: the first event that has data, or
    /// the first byte of anything else. True once.
    pub first_data: bool,
}

/// Reads an answer while it passes.
pub struct Reader {
    form: Form,
    seen_data: bool,
}

enum Form {
    EventStream(EventStream),
    Json(AnswerScanner),
    /// Of a type or an encoding that is not read: passes untouched.
    Opaque,
}

impl Reader {
    /// The reader for an answer with these headers; the media type decides, the
    /// status does not: errors may be of any form, also under 200. `asked` is
    /// the model's name that the client will read.
    #[must_use]
    pub fn for_answer(
        status: u16,
        content_type: Option<&str>,
        content_encoding: Option<&str>,
        asked: &str,
    ) -> Self {
        let form = match form_of(status, content_type, content_encoding) {
            Media::EventStream => Form::EventStream(EventStream::new(AnswerScanner::new(asked))),
            Media::Json => Form::Json(AnswerScanner::new(asked)),
            Media::Opaque => Form::Opaque,
        };
        Self { form, seen_data: false }
    }

    /// Whether bytes may be replaced, so that a content-length must go.
    #[must_use]
    pub fn rewrites(&self) -> bool {
        !matches!(self.form, Form::Opaque)
    }

    /// Whether this is a stream of events.
    #[must_use]
    pub fn is_event_stream(&self) -> bool {
        matches!(self.form, Form::EventStream(_))
    }

    /// Reads the next bytes of the answer.
    pub fn push(&mut self, chunk: &[u8]) -> Pushed {
        let before = self.usage();
        let mut out = Splice::new(chunk);
        match &mut self.form {
            Form::EventStream(stream) => stream.push(&mut out),
            Form::Json(scanner) => scanner.push(0..chunk.len(), &mut out),
            Form::Opaque => {}
        }
        Pushed {
            replacement: out.finish(),
            usage_changed: before != self.usage(),
            first_data: self.first_data(chunk),
        }
    }

    /// The answer has ended: the bytes that were held back and leave now.
    /// A second call gives none.
    pub fn finish(&mut self) -> Vec<u8> {
        match &mut self.form {
            Form::EventStream(stream) => stream.finish(),
            Form::Json(scanner) => scanner.finish(),
            Form::Opaque => Vec::new(),
        }
    }

    /// The tokens that the engine has counted so far.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.findings().and_then(|found| found.usage.usage())
    }

    /// How many usage objects were seen (see [`crate::usage::UsageKeeper::objects`]).
    #[must_use]
    pub fn usage_objects(&self) -> u32 {
        self.findings().map_or(0, |found| found.usage.objects())
    }

    /// Whether the engine reported an error in the body.
    #[must_use]
    pub fn saw_error(&self) -> bool {
        self.findings().is_some_and(|found| found.error)
    }

    /// Whether the answer said that it is whole: a stream by `[DONE]` or its
    /// last event, a JSON answer by its closing brace. Streams of some engines
    /// never do.
    #[must_use]
    pub fn saw_done(&self) -> bool {
        match &self.form {
            Form::EventStream(stream) => stream.done(),
            Form::Json(scanner) => scanner.closed(),
            Form::Opaque => false,
        }
    }

    /// Events with data so far, `[DONE]` not counted; 0 for other forms.
    #[must_use]
    pub fn events(&self) -> u64 {
        match &self.form {
            Form::EventStream(stream) => stream.events(),
            Form::Json(_) | Form::Opaque => 0,
        }
    }

    fn findings(&self) -> Option<&Findings> {
        match &self.form {
            Form::EventStream(stream) => Some(stream.scanner().findings()),
            Form::Json(scanner) => Some(scanner.findings()),
            Form::Opaque => None,
        }
    }

    fn first_data(&mut self, chunk: &[u8]) -> bool {
        let has_data = match &self.form {
            Form::EventStream(stream) => stream.events() > 0,
            Form::Json(_) | Form::Opaque => !chunk.is_empty(),
        };
        let first = has_data && !self.seen_data;
        self.seen_data |= has_data;
        first
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Media {
    EventStream,
    Json,
    Opaque,
}

/// 204 and 304 have no body that could be read (RFC 9110 §15).
fn form_of(status: u16, content_type: Option<&str>, content_encoding: Option<&str>) -> Media {
    let encoding = content_encoding.unwrap_or_default().trim();
    if !(encoding.is_empty() || encoding.eq_ignore_ascii_case("identity")) {
        return Media::Opaque;
    }
    if matches!(status, 204 | 304) {
        return Media::Opaque;
    }
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("text/event-stream") {
        Media::EventStream
    } else if is_json(essence) {
        Media::Json
    } else {
        Media::Opaque
    }
}

/// `application/json` and every `+json` (RFC 6839 §3.1).
fn is_json(essence: &str) -> bool {
    let suffix = essence.len().checked_sub(5).and_then(|at| essence.get(at..));
    essence.eq_ignore_ascii_case("application/json")
        || suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case("+json"))
}

#[cfg(test)]
mod tests;
