//! Token counts, out of the usage objects of every API and engine.

use serde_json::value::RawValue;

use crate::object::each_member;

/// Largest count that is believed: what every JSON reader can hold exactly
/// (RFC 8259 §6). A count that is larger, negative, not whole or not a number
/// is taken as if it were not there.
pub const COUNT_MAX: u64 = 1 << 53;

/// The tokens of one answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Prompt tokens, the cached ones included.
    pub input: u64,
    /// Prompt tokens that came from a cache; never more than `input`.
    pub cached_input: u64,
    /// Generated tokens, the reasoning ones included.
    pub output: u64,
    /// Generated tokens of reasoning; never more than `output`.
    pub reasoning: u64,
}

/// Collects the usage objects of one answer.
///
/// Every object that an engine sends holds totals up to that moment, of all or
/// of some counts, so counts are never summed: of each one the largest stands.
/// A count that is absent or null changes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct UsageKeeper {
    usage: Usage,
    objects: u32,
}

impl UsageKeeper {
    /// Takes a usage object in, as it stands in an answer. True when it changed
    /// what [`Self::usage`] says; what is not an object, or has no count that
    /// is known, does not count as one.
    pub fn merge(&mut self, object: &[u8]) -> bool {
        let Some(seen) = std::str::from_utf8(object).ok().and_then(Counts::read) else {
            return false;
        };
        let before = self.usage();
        self.objects = self.objects.saturating_add(1);
        let usage = &mut self.usage;
        usage.input = usage.input.max(seen.input());
        usage.cached_input = usage.cached_input.max(seen.cached.unwrap_or(0));
        usage.output = usage.output.max(seen.output.unwrap_or(0));
        usage.reasoning = usage.reasoning.max(seen.reasoning.unwrap_or(0));
        before != self.usage()
    }

    /// The counts so far; `None` before the first object.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        let Usage { input, cached_input, output, reasoning } = self.usage;
        (self.objects > 0).then(|| Usage {
            input,
            cached_input: cached_input.min(input),
            output,
            reasoning: reasoning.min(output),
        })
    }

    /// How many usage objects were seen. More than one before a stream's end:
    /// the engine counts as it goes, and the last one is a running total.
    #[must_use]
    pub fn objects(&self) -> u32 {
        self.objects
    }
}

/// What one object says.
#[derive(Default)]
struct Counts {
    prompt: Option<u64>,
    output: Option<u64>,
    total: Option<u64>,
    cached: Option<u64>,
    reasoning: Option<u64>,
    /// Anthropic: prompt tokens read from or written to the cache, which its
    /// `input_tokens` leaves out.
    beside: Option<u64>,
    cache_read: Option<u64>,
    cache_written: Option<u64>,
}

impl Counts {
    /// `None` when the text is no object or names no count.
    fn read(text: &str) -> Option<Self> {
        let mut counts = Self::default();
        each_member(text, |name, value| counts.note(name, value)).ok()?;
        let read_or_written = counts.cache_read.or(counts.cache_written);
        counts.beside = read_or_written
            .map(|_| counts.cache_read.unwrap_or(0) + counts.cache_written.unwrap_or(0));
        counts.cached = counts.cached.max(counts.cache_read);
        counts.any().then_some(counts)
    }

    fn note(&mut self, name: &str, value: &RawValue) {
        let slot = match name {
            "prompt_tokens" | "input_tokens" => &mut self.prompt,
            "completion_tokens" | "output_tokens" => &mut self.output,
            "total_tokens" => &mut self.total,
            "reasoning_tokens" => &mut self.reasoning,
            "cache_read_input_tokens" => &mut self.cache_read,
            "cache_creation_input_tokens" => &mut self.cache_written,
            "prompt_tokens_details" | "input_tokens_details" => {
                return self.cached = self.cached.max(detail(value, "cached_tokens"));
            }
            "completion_tokens_details" | "output_tokens_details" => {
                return self.reasoning = self.reasoning.max(detail(value, "reasoning_tokens"));
            }
            _ => return,
        };
        *slot = (*slot).max(count(value));
    }

    fn any(&self) -> bool {
        [self.prompt, self.output, self.total, self.beside].iter().any(Option::is_some)
    }

    /// Prompt tokens with the cached ones. Rerankers and embedders may say the
    /// total alone: then what was not generated was the prompt.
    fn input(&self) -> u64 {
        let told = self.prompt.map(|prompt| prompt + self.beside.unwrap_or(0));
        let told = told.or(self.beside);
        let rest = || Some(self.total?.saturating_sub(self.output.unwrap_or(0)));
        told.or_else(rest).unwrap_or(0).min(COUNT_MAX)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(objects: &[&str]) -> Option<[u64; 4]> {
        let mut keeper = UsageKeeper::default();
        for object in objects {
            keeper.merge(object.as_bytes());
        }
        keeper.usage().map(|u| [u.input, u.cached_input, u.output, u.reasoning])
    }

    #[test]
    fn reads_every_shape() {
        for (object, expected) in [
            (r#"{"prompt_tokens":16,"total_tokens":30,"completion_tokens":14}"#, [16, 0, 14, 0]),
            (
                r#"{"prompt_tokens":16,"completion_tokens":14,"prompt_tokens_details":
                {"cached_tokens":15},"completion_tokens_details":{"reasoning_tokens":4}}"#,
                [16, 15, 14, 4],
            ),
            (
                r#"{"prompt_tokens":16,"completion_tokens":14,"prompt_tokens_details":null,
                "reasoning_tokens":9,"completion_tokens_details":null}"#,
                [16, 0, 14, 9],
            ),
            (r#"{"prompt_tokens":9,"total_tokens":9}"#, [9, 0, 0, 0]),
            (r#"{"total_tokens":9}"#, [9, 0, 0, 0]),
            (
                r#"{"input_tokens":20,"output_tokens":5,"input_tokens_details":
                {"cached_tokens":3,"per_turn":[]},"output_tokens_details":{"reasoning_tokens":2}}"#,
                [20, 3, 5, 2],
            ),
            (
                r#"{"cache_read_input_tokens":15,"input_tokens":1,"output_tokens":14,
                "cache_creation_input_tokens":4}"#,
                [20, 15, 14, 0],
            ),
            (
                r#"{"input_tokens":1,"output_tokens":2,"cache_read_input_tokens":null}"#,
                [1, 0, 2, 0],
            ),
        ] {
            assert_eq!(of(&[object]), Some(expected), "{object}");
        }
    }

    #[test]
    fn what_is_no_count_is_not_there() {
        for value in ["-1", "1.0", "1e3", "\"5\"", "null", "[1]", "{}", "true", "-0"] {
            let object = format!(r#"{{"prompt_tokens":{value},"completion_tokens":2}}"#);
            assert_eq!(of(&[&object]), Some([0, 0, 2, 0]), "{object}");
        }
        for value in ["9007199254740993", "99999999999999999999999999", "18446744073709551615"] {
            let object = format!(r#"{{"prompt_tokens":{value},"completion_tokens":2}}"#);
            assert_eq!(of(&[&object]), Some([0, 0, 2, 0]), "{object}");
        }
        let most = format!(
            r#"{{"input_tokens":{COUNT_MAX},"cache_read_input_tokens":{COUNT_MAX},
            "cache_creation_input_tokens":{COUNT_MAX}}}"#
        );
        assert_eq!(of(&[&most]), Some([COUNT_MAX, COUNT_MAX, 0, 0]));
    }

    #[test]
    fn what_is_no_usage_leaves_nothing() {
        for object in ["", "{}", "null", "[1]", "{", r#"{"type":"duration","seconds":3}"#, "\u{0}"]
        {
            assert_eq!(of(&[object]), None, "{object}");
        }
        assert_eq!(of(&[r#"{"prompt_tokens":null}"#]), None);
        assert!(!UsageKeeper::default().merge(b"{\"prompt_tokens\":\xff}"));
    }

    #[test]
    fn running_totals_are_totals() {
        let steps = [
            r#"{"prompt_tokens":16,"completion_tokens":1}"#,
            r#"{"prompt_tokens":16,"completion_tokens":2}"#,
            r#"{"prompt_tokens":16,"completion_tokens":3}"#,
        ];
        assert_eq!(of(&steps), Some([16, 0, 3, 0]));
        let mut keeper = UsageKeeper::default();
        let changed: Vec<_> = [steps[0], steps[0], steps[1], "null"]
            .iter()
            .map(|o| keeper.merge(o.as_bytes()))
            .collect();
        assert_eq!(changed, [true, false, true, false]);
        assert_eq!(keeper.objects(), 3);
    }

    #[test]
    fn anthropic_starts_with_the_prompt_and_ends_with_the_answer() {
        let start = r#"{"input_tokens":1,"cache_read_input_tokens":15,"output_tokens":0}"#;
        assert_eq!(of(&[start, r#"{"output_tokens":14}"#]), Some([16, 15, 14, 0]));
        let restated = r#"{"input_tokens":1,"output_tokens":14}"#;
        assert_eq!(of(&[start, restated]), Some([16, 15, 14, 0]));
    }

    #[test]
    fn parts_are_never_larger_than_the_whole() {
        let object = r#"{"prompt_tokens":2,"completion_tokens":3,"reasoning_tokens":7,
            "prompt_tokens_details":{"cached_tokens":9}}"#;
        assert_eq!(of(&[object]), Some([2, 2, 3, 3]));
    }

    #[test]
    fn a_repeated_count_has_its_largest_value() {
        assert_eq!(of(&[r#"{"prompt_tokens":5,"prompt_tokens":2}"#]), Some([5, 0, 0, 0]));
    }
}
