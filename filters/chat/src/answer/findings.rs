//! What was noticed in an answer.

use crate::usage::{UsageKeeper, milliseconds};

/// What was generated and read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Events of a stream that carried text; of another answer one, if it has any.
    pub events: u64,
    /// Bytes of the text, unescaped. Calls of tools are text too.
    pub bytes: u64,
}

/// What was noticed in an answer, over all of its documents.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// The token counts.
    pub usage: UsageKeeper,
    /// `error` or `response.error` was there and not null, or the document said
    /// by its `object` or `type` that it is an error.
    pub error: bool,
    /// An event said that it is the last of its stream: `message_stop`,
    /// `response.completed`, `response.failed`, `response.incomplete`.
    pub last_event: bool,
    /// What was generated.
    pub delivered: Delivered,
    /// What of it the engine's last count was for: all up to the end of its event.
    pub counted: Delivered,
    /// Some answer was as long as its cap.
    pub stopped_by_length: bool,
    /// The last number of an event (`sequence_number`).
    pub sequence: Option<u64>,
    /// The id of the response.
    pub response_id: Option<Box<str>>,
    /// Milliseconds of sound (`duration` of a transcription).
    pub duration_ms: Option<u64>,
}

impl Findings {
    pub(super) fn kind(&mut self, word: &[u8]) {
        match word {
            b"error" => self.error = true,
            b"response.failed" => (self.error, self.last_event) = (true, true),
            b"message_stop" | b"response.completed" | b"response.incomplete" => {
                self.last_event = true;
            }
            _ => {}
        }
    }

    /// `finish_reason` of chat and completions, `stop_reason` of messages,
    /// `incomplete_details.reason` of responses.
    pub(super) fn finish(&mut self, reason: &[u8]) {
        self.stopped_by_length |=
            matches!(reason, b"length" | b"max_tokens" | b"max_output_tokens");
    }

    pub(super) fn id(&mut self, id: &[u8]) {
        if self.response_id.is_none() {
            self.response_id = std::str::from_utf8(id).ok().map(Into::into);
        }
    }

    pub(super) fn sequence(&mut self, number: &[u8]) {
        self.sequence = self.sequence.max(whole(number));
    }

    pub(super) fn duration(&mut self, seconds: &[u8]) {
        let seconds = std::str::from_utf8(seconds).ok();
        self.duration_ms = self.duration_ms.max(seconds.and_then(milliseconds));
    }
}

pub(super) fn whole(number: &[u8]) -> Option<u64> {
    std::str::from_utf8(number).ok()?.parse().ok()
}
