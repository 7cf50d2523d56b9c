//! The answer to a request, whatever its form: what the pipeline reads with.

mod refused;

pub use crate::answer::Delivered;
use crate::answer::{AnswerScanner, Findings};
use crate::cut;
use crate::engine_error::Retelling;
use crate::path::Api;
use crate::splice::Splice;
use crate::sse::EventStream;
use crate::strip::Strip;
use crate::usage::Usage;
use contract::refusal::{Refusal, is_engine_error};
use refused::Refused;

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
    /// The gateway has ended the answer: nothing more leaves.
    is_cut: bool,
}

enum Form {
    EventStream(EventStream),
    Json(AnswerScanner),
    /// An error by its status.
    Refused(Box<Refused>),
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
            Media::EventStream => {
                Form::EventStream(EventStream::new(AnswerScanner::of_events(asked)))
            }
            Media::Json => Form::Json(AnswerScanner::new(asked)),
            Media::Opaque => Form::Opaque,
        };
        Self { form, seen_data: false, is_cut: false }
    }

    /// The same, of a stream of which whole events leave (larger ones than
    /// [`EVENT_BYTES_MAX`](crate::strip::EVENT_BYTES_MAX) as they come), with usage as
    /// `strip` says. Anything else than a stream passes as before.
    #[must_use]
    pub fn with_usage(mut self, strip: Strip) -> Self {
        if let Form::EventStream(stream) = self.form {
            self.form = Form::EventStream(stream.holding(strip));
        }
        self
    }

    /// The same, of a stream of completions with several prompts: `answers` to each
    /// of them, so that the running usage of the prompts can be told apart.
    #[must_use]
    pub fn with_answers_per_prompt(mut self, answers: u64) -> Self {
        if let Form::EventStream(stream) = &mut self.form {
            stream.scanner_mut().set_answers_per_prompt(answers);
        }
        self
    }

    /// The same, of an engine whose errors are told again: an answer with a `status` of none
    /// or more, whatever its form, in one piece that is JSON; `length` is how long the engine
    /// says that it is.
    #[must_use]
    pub fn with_errors(mut self, status: u16, length: Option<usize>, retelling: Retelling) -> Self {
        self.form = match self.form {
            form if is_engine_error(status) => {
                let scanner = if let Form::Json(scanner) = form { Some(scanner) } else { None };
                Form::Refused(Box::new(Refused::new(status, length, retelling, scanner)))
            }
            Form::EventStream(mut stream) => {
                stream.scanner_mut().set_retelling(retelling);
                Form::EventStream(stream)
            }
            Form::Json(mut scanner) => {
                scanner.set_retelling(retelling);
                Form::Json(scanner)
            }
            form => form,
        };
        self
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
        if self.is_cut {
            return Pushed { replacement: Some(Vec::new()), ..Pushed::default() };
        }
        let before = self.usage();
        let replacement = match &mut self.form {
            Form::EventStream(stream) => stream.push(chunk),
            Form::Json(scanner) => {
                let mut out = Splice::new(chunk);
                scanner.push(0..chunk.len(), &mut out);
                out.finish()
            }
            Form::Refused(refused) => Some(refused.push(chunk)),
            Form::Opaque => None,
        };
        Pushed {
            replacement,
            usage_changed: before != self.usage(),
            first_data: self.first_data(chunk),
        }
    }

    /// The answer has ended: the bytes that were held back and leave now.
    /// A second call gives none.
    pub fn finish(&mut self) -> Vec<u8> {
        if self.is_cut {
            return Vec::new();
        }
        match &mut self.form {
            Form::EventStream(stream) => stream.finish(),
            Form::Json(scanner) => scanner.finish(),
            Form::Refused(refused) => refused.finish(),
            Form::Opaque => Vec::new(),
        }
    }

    /// Ends the answer: what leaves behind that of the chunks so far, and is the last
    /// of it. An event that is kept back is dropped; what was read of it is counted.
    ///
    /// In a stream that is the path's own error event (for OpenAI's paths with the
    /// `[DONE]` that ends them); in any other answer nothing can be said.
    pub fn cut(&mut self, api: &Api<'_>, refusal: &Refusal) -> Vec<u8> {
        let was_cut = std::mem::replace(&mut self.is_cut, true);
        let Form::EventStream(stream) = &self.form else { return Vec::new() };
        if was_cut {
            return Vec::new();
        }
        let mut bytes = Vec::new();
        if !stream.is_between_events() {
            bytes.extend_from_slice(b"\n\n");
        }
        bytes.extend(cut::event(api, refusal, stream.scanner().findings()));
        bytes
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

    /// What was generated and read so far, whether the engine counts or not.
    #[must_use]
    pub fn delivered(&self) -> Delivered {
        self.findings().map(|found| found.delivered).unwrap_or_default()
    }

    /// Whether the engine has told a count of what was generated.
    #[must_use]
    pub fn counts_output(&self) -> bool {
        self.findings().is_some_and(|found| found.usage.counts_output())
    }

    /// How much of that had been generated when the engine counted last.
    #[must_use]
    pub fn counted(&self) -> Delivered {
        self.findings().map(|found| found.counted).unwrap_or_default()
    }

    /// Milliseconds of sound that the engine says it has heard, of a transcription.
    #[must_use]
    pub fn audio_ms(&self) -> Option<u64> {
        let found = self.findings()?;
        found.usage.audio_ms().or(found.duration_ms)
    }

    /// Whether some answer was as long as its cap allowed.
    #[must_use]
    pub fn stopped_by_length(&self) -> bool {
        self.findings().is_some_and(|found| found.stopped_by_length)
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
            Form::Refused(refused) => refused.is_told(),
            Form::Opaque => false,
        }
    }

    /// Events with data so far, `[DONE]` not counted; 0 for other forms.
    #[must_use]
    pub fn events(&self) -> u64 {
        match &self.form {
            Form::EventStream(stream) => stream.events(),
            Form::Json(_) | Form::Refused(_) | Form::Opaque => 0,
        }
    }

    fn findings(&self) -> Option<&Findings> {
        match &self.form {
            Form::EventStream(stream) => Some(stream.scanner().findings()),
            Form::Json(scanner) => Some(scanner.findings()),
            Form::Refused(refused) => refused.scanner().map(AnswerScanner::findings),
            Form::Opaque => None,
        }
    }

    fn first_data(&mut self, chunk: &[u8]) -> bool {
        let has_data = match &self.form {
            Form::EventStream(stream) => stream.events() > 0,
            Form::Json(_) | Form::Refused(_) | Form::Opaque => !chunk.is_empty(),
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
