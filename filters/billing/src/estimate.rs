//! How many tokens there were where no engine has said so: learned, for each pool, from the
//! answers of which an engine has.
//!
//! An answer's tokens are told by two predictors, tokens for an event of a stream and tokens
//! for a byte of text, and the one that was less wrong until now is believed: an engine that
//! sends each token as an event is counted to the token, one that sends several at a time is
//! counted by bytes.

mod ratio;

use crate::bytes::{Reader, Record, read, write};
use crate::table::Table;
use ratio::{ONE, Ratio};

/// Answers of a pool that are all learned from; afterwards it is one in [`LEARNED_EACH`].
const LEARNED_FIRST: u32 = 64;

/// Of so many answers one is learned from: what is known changes slowly, and the writes of
/// all workers meet in one value.
const LEARNED_EACH: u64 = 8;

/// Bytes of a token before anything is known: English prose in today's vocabularies.
const BYTES_PER_TOKEN: u64 = 4;

/// How wrong the predictor by bytes is held to be before anything is known: a fifth. The one
/// by events is held to be right.
const BYTES_ERROR: u32 = ONE / 5;

/// An error beyond this says no more, so that one odd answer is not remembered for long.
const ERROR_MAX: u64 = 4 * ONE as u64;

/// What has been delivered of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Events of a stream that had text in them; 0: it was no stream.
    pub events: u64,
    /// Bytes of text.
    pub bytes: u64,
}

/// An answer of which the engine has told the usage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// What was delivered of it: all.
    pub delivered: Delivered,
    /// Its tokens, without those that nobody was shown.
    pub output: u64,
    /// Bytes of the request as the engine was sent it.
    pub request_bytes: u64,
    /// Its tokens, those of media not among them.
    pub input: u64,
}

/// What is known of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learned {
    answers: u32,
    by_events: Ratio,
    by_bytes: Ratio,
    input: Ratio,
    events_error: u32,
    bytes_error: u32,
}

impl Default for Learned {
    fn default() -> Self {
        Learned {
            answers: 0,
            by_events: Ratio::new(1, 1),
            by_bytes: Ratio::new(1, BYTES_PER_TOKEN),
            input: Ratio::new(1, BYTES_PER_TOKEN),
            events_error: 0,
            bytes_error: BYTES_ERROR,
        }
    }
}

impl Learned {
    /// What is known of `pool`.
    #[must_use]
    pub fn of(table: &impl Table, pool: &str) -> Learned {
        known(table.read(&name(pool)).as_deref())
    }

    /// Tokens of what was delivered: at least one where there was text, and never more than
    /// it has bytes.
    #[must_use]
    pub fn output_tokens(&self, delivered: Delivered) -> u64 {
        let by_events = delivered.events > 0 && self.events_error <= self.bytes_error;
        let tokens = match by_events {
            true => self.by_events.times(delivered.events),
            false => self.by_bytes.times(delivered.bytes),
        };
        tokens.max(1).min(delivered.bytes)
    }

    /// Tokens of a request of so many bytes: at least one where there are any.
    #[must_use]
    pub fn input_tokens(&self, request_bytes: u64) -> u64 {
        self.input.times(request_bytes).max(1).min(request_bytes)
    }

    fn and(mut self, seen: &Seen) -> Learned {
        let Delivered { events, bytes } = seen.delivered;
        if events > 0 && bytes > 0 && seen.output > 0 {
            learn_error(&mut self.events_error, self.by_events.times(events), seen.output);
            learn_error(&mut self.bytes_error, self.by_bytes.times(bytes), seen.output);
            self.by_events.learn(seen.output, events);
        }
        self.by_bytes.learn(seen.output, bytes);
        self.input.learn(seen.input, seen.request_bytes);
        self.answers = self.answers.saturating_add(1);
        self
    }
}

/// The mean of how wrong a predictor was, the last answers counting most.
fn learn_error(mean: &mut u32, predicted: u64, truth: u64) {
    let off = u128::from(predicted.abs_diff(truth)) * u128::from(ONE) / u128::from(truth.max(1));
    let off = u64::try_from(off).unwrap_or(ERROR_MAX).min(ERROR_MAX);
    let mixed = (u64::from(*mean) * 15).saturating_add(off) / 16;
    *mean = u32::try_from(mixed).unwrap_or(u32::MAX);
}

/// Learns from an answer. `turn` counts the answers of this worker.
pub fn learn(table: &impl Table, pool: &str, turn: u64, seen: &Seen) {
    let name = name(pool);
    let is_new = || known(table.read(&name).as_deref()).answers < LEARNED_FIRST;
    if turn.is_multiple_of(LEARNED_EACH) || is_new() {
        let mut more = |value: Option<&[u8]>| (Some(write(&[known(value).and(seen)])), ());
        // Where others always were faster they have learned enough.
        let _ = table.change(&name, &mut more);
    }
}

fn name(pool: &str) -> String {
    format!("est/{pool}")
}

fn known(value: Option<&[u8]>) -> Learned {
    read::<Learned>(value).pop().unwrap_or_default()
}

impl Record for Learned {
    const VERSION: u8 = 1;
    const BYTES: usize = 60;

    fn read(reader: &mut Reader) -> Option<Learned> {
        Some(Learned {
            answers: reader.u32()?,
            by_events: Ratio::read(reader)?,
            by_bytes: Ratio::read(reader)?,
            input: Ratio::read(reader)?,
            events_error: reader.u32()?,
            bytes_error: reader.u32()?,
        })
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.answers.to_le_bytes());
        for ratio in [&self.by_events, &self.by_bytes, &self.input] {
            ratio.write(bytes);
        }
        bytes.extend_from_slice(&self.events_error.to_le_bytes());
        bytes.extend_from_slice(&self.bytes_error.to_le_bytes());
    }
}

#[cfg(test)]
mod tests;
