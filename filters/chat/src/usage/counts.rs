//! What one usage object says.

use serde_json::value::RawValue;

use super::COUNT_MAX;
use crate::object::each_member;

/// Counts that were told; `None`: nothing was said of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The cached ones included.
    pub(super) input: Option<u64>,
    pub(super) cached_input: Option<u64>,
    pub(super) output: Option<u64>,
    pub(super) reasoning: Option<u64>,
}

impl Told {
    /// Of each count the larger.
    pub(super) fn merge(&mut self, more: Self) {
        self.input = self.input.max(more.input);
        self.cached_input = self.cached_input.max(more.cached_input);
        self.output = self.output.max(more.output);
        self.reasoning = self.reasoning.max(more.reasoning);
    }
}

/// The members of the object.
#[derive(Default)]
pub(super) struct Counts {
    prompt: Option<u64>,
    output: Option<u64>,
    total: Option<u64>,
    cached: Option<u64>,
    reasoning: Option<u64>,
    /// Anthropic: prompt tokens read from or written to the cache, which its
    /// `input_tokens` leaves out.
    cache_read: Option<u64>,
    cache_written: Option<u64>,
    /// OpenAI: sound is billed by its time (`"type":"duration"`).
    pub(super) audio_ms: Option<u64>,
}

impl Counts {
    /// `None` when the text is no object.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut counts = Self::default();
        each_member(text, |name, value| counts.note(name, value)).ok()?;
        Some(counts)
    }

    fn note(&mut self, name: &str, value: &RawValue) {
        let slot = match name {
            "prompt_tokens" | "input_tokens" => &mut self.prompt,
            "completion_tokens" | "output_tokens" => &mut self.output,
            "total_tokens" => &mut self.total,
            "reasoning_tokens" => &mut self.reasoning,
            "prompt_cache_hit_tokens" => &mut self.cached,
            "cache_read_input_tokens" => &mut self.cache_read,
            "cache_creation_input_tokens" => &mut self.cache_written,
            "prompt_tokens_details" | "input_tokens_details" => {
                return self.cached = self.cached.max(detail(value, "cached_tokens"));
            }
            "completion_tokens_details" | "output_tokens_details" => {
                return self.reasoning = self.reasoning.max(detail(value, "reasoning_tokens"));
            }
            "seconds" => return self.audio_ms = self.audio_ms.max(milliseconds(value.get())),
            _ => return,
        };
        *slot = (*slot).max(count(value));
    }

    /// The counts of an answer; `None` when no count is named.
    pub(super) fn told(&self) -> Option<Told> {
        let read_or_written = self.cache_read.or(self.cache_written);
        let beside =
            read_or_written.map(|_| self.cache_read.unwrap_or(0) + self.cache_written.unwrap_or(0));
        let any = [self.prompt, self.output, self.total, beside].iter().any(Option::is_some);
        any.then(|| Told {
            input: self.input(beside),
            cached_input: self.cached.max(self.cache_read),
            output: self.output,
            reasoning: self.reasoning,
        })
    }

    /// Prompt tokens with the cached ones. Rerankers and embedders may say the
    /// total alone: then what was not generated was the prompt.
    fn input(&self, beside: Option<u64>) -> Option<u64> {
        let told = self.prompt.map(|prompt| prompt + beside.unwrap_or(0)).or(beside);
        let rest = || Some(self.total?.saturating_sub(self.output.unwrap_or(0)));
        told.or_else(rest).map(|input| input.min(COUNT_MAX))
    }
}

fn count(value: &RawValue) -> Option<u64> {
    value.get().parse().ok().filter(|count| *count <= COUNT_MAX)
}

fn detail(details: &RawValue, wanted: &str) -> Option<u64> {
    let mut found = None;
    let note = |name: &str, value: &RawValue| {
        if name == wanted {
            found = found.max(count(value));
        }
    };
    each_member(details.get(), note).ok()?;
    found
}

/// Seconds, written as a plain decimal, in milliseconds, rounded half up. `None`:
/// negative, with an exponent, larger than [`COUNT_MAX`], or no number.
pub(crate) fn milliseconds(seconds: &str) -> Option<u64> {
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    // Four places behind the point: the last one rounds.
    let places = fraction.bytes().chain(*b"0000").take(4);
    let tenths = places.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    let whole: u64 = whole.parse().ok()?;
    let whole_ms = whole.checked_mul(1000)?;
    Some(whole_ms.checked_add((tenths + 5) / 10)?).filter(|sum| *sum <= COUNT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_milliseconds() {
        for (seconds, expected) in [
            ("0", Some(0)),
            ("9", Some(9_000)),
            ("8.470000267028809", Some(8_470)),
            ("0.0004", Some(0)),
            ("0.0005", Some(1)),
            ("1.9999", Some(2_000)),
            ("1.5", Some(1_500)),
            ("4294967", Some(4_294_967_000)),
            ("4294968", None),
            ("18446744073709551616", None),
            ("18446744073709551615", None),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1e3", None),
            ("1.", None),
            (".5", None),
            ("null", None),
            ("\"5\"", None),
        ] {
            assert_eq!(milliseconds(seconds), expected, "{seconds}");
        }
    }
}
