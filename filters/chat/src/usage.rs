//! Token counts, out of the usage objects of every API and engine.

mod counts;

pub(crate) use counts::milliseconds;
use counts::{Counts, Told};

/// Largest count that is believed: no answer has four billion tokens, and sums of such
/// counts would be beyond every ledger. A count that is larger, negative, not whole or not
/// a number is taken as if it were not there.
pub const COUNT_MAX: u64 = 1 << 32;

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

/// Most choices of one stream that are counted apart; any beyond count as the last.
const CHOICES_MAX: usize = 4_096;

/// Collects the usage objects of one answer.
///
/// Every object that an engine sends holds totals up to that moment, of all or
/// of some counts, so counts are never summed: of each one the largest stands.
/// A count that is absent or null changes nothing.
///
/// vLLM and SGLang, asked for usage in every event, tell in each what the event's own
/// choice has used (`stream_options.continuous_usage_stats`): the answer has used what
/// all choices have. An engine that tells of all choices in each is known by its counts,
/// which always grow. What they tell at the end, of no choice, is the total and stands.
#[derive(Clone, Debug, Default)]
pub struct UsageKeeper {
    /// Told of the whole answer.
    total: Told,
    running: Running,
    /// Whether the last object was of the whole.
    is_total_last: bool,
    objects: u32,
    audio_ms: Option<u64>,
}

impl UsageKeeper {
    /// How many choices each prompt has, where a completion has several prompts.
    pub(crate) fn set_answers_per_prompt(&mut self, answers: u64) {
        self.running.answers_per_prompt = Some(answers.max(1));
    }

    /// Takes a usage object in, as it stands in an answer. True when it changed
    /// what [`Self::usage`] says; what is not an object, or has no count that
    /// is known, does not count as one.
    pub fn merge(&mut self, object: &[u8]) -> bool {
        self.merge_of(None, object, false)
    }

    /// The same of an object in an event of one choice, by its number, which had text or not.
    pub fn merge_of(&mut self, choice: Option<u64>, object: &[u8], has_text: bool) -> bool {
        let Some(seen) = std::str::from_utf8(object).ok().and_then(Counts::read) else {
            return false;
        };
        self.audio_ms = self.audio_ms.max(seen.audio_ms);
        let Some(told) = seen.told() else { return false };
        let before = self.usage();
        self.objects = self.objects.saturating_add(1);
        self.is_total_last = choice.is_none();
        match choice {
            Some(choice) => self.running.merge(choice, told, has_text),
            None => self.total.merge(told),
        }
        before != self.usage()
    }

    /// The counts so far; `None` before the first object.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        if self.objects == 0 {
            return None;
        }
        let count = |told: Option<u64>, running: u64| match told {
            Some(told) if self.is_total_last => told,
            Some(told) => told.max(running),
            None => running,
        };
        let running = self.running.usage();
        let input = count(self.total.input, running.input);
        let output = count(self.total.output, running.output);
        Some(Usage {
            input,
            cached_input: count(self.total.cached_input, running.cached_input).min(input),
            output,
            reasoning: count(self.total.reasoning, running.reasoning).min(output),
        })
    }

    /// Whether some object had a count of what was generated.
    #[must_use]
    pub fn counts_output(&self) -> bool {
        self.total.output.is_some() || self.running.counts_output
    }

    /// How many usage objects were seen. More than one before a stream's end:
    /// the engine counts as it goes, and the last one is a running total.
    #[must_use]
    pub fn objects(&self) -> u32 {
        self.objects
    }

    /// Milliseconds of sound, where the answer is billed by its time.
    #[must_use]
    pub fn audio_ms(&self) -> Option<u64> {
        self.audio_ms
    }
}

/// What was told of each choice.
#[derive(Clone, Debug, Default)]
struct Running {
    /// `None`: there is one prompt.
    answers_per_prompt: Option<u64>,
    /// Input of each prompt, output of each choice.
    prompts: Vec<Usage>,
    choices: Vec<Usage>,
    sum: Usage,
    /// The largest that was told at once.
    most: Usage,
    last: u64,
    /// Whether what is told is of the event's own choice, and not of all.
    is_of_choice: bool,
    counts_output: bool,
}

impl Running {
    /// Each event of an engine that tells of all choices tells of more than those before it;
    /// one that comes with new text and does not, tells of its own choice.
    fn usage(&self) -> Usage {
        if self.is_of_choice { self.sum } else { self.most }
    }

    fn merge(&mut self, choice: u64, told: Told, has_text: bool) {
        let is_no_more = told.output.is_some_and(|output| output <= self.most.output);
        self.is_of_choice |= has_text && is_no_more && choice != self.last;
        self.last = choice;
        self.counts_output |= told.output.is_some();
        let prompt = self.answers_per_prompt.map_or(0, |answers| choice / answers);
        let count = |told: Option<u64>| told.unwrap_or(0);
        let (input, cached_input) = (count(told.input), count(told.cached_input));
        let (output, reasoning) = (count(told.output), count(told.reasoning));
        let of_prompt = Usage { input, cached_input, ..Usage::default() };
        let of_choice = Usage { output, reasoning, ..Usage::default() };
        self.sum.grow(largest(&mut self.prompts, prompt, of_prompt));
        self.sum.grow(largest(&mut self.choices, choice, of_choice));
        let Usage { input: of_all, cached_input: cached, .. } = self.most;
        self.most = Usage {
            input: of_all.max(input),
            cached_input: cached.max(cached_input),
            output: self.most.output.max(output),
            reasoning: self.most.reasoning.max(reasoning),
        };
    }
}

/// Has each count of one in a list be the largest yet; by how much they grew.
fn largest(list: &mut Vec<Usage>, index: u64, seen: Usage) -> Usage {
    let index = usize::try_from(index).unwrap_or(usize::MAX).min(CHOICES_MAX - 1);
    if list.len() <= index {
        list.resize(index + 1, Usage::default());
    }
    let Some(known) = list.get_mut(index) else { return Usage::default() };
    let grown = Usage {
        input: seen.input.saturating_sub(known.input),
        cached_input: seen.cached_input.saturating_sub(known.cached_input),
        output: seen.output.saturating_sub(known.output),
        reasoning: seen.reasoning.saturating_sub(known.reasoning),
    };
    known.grow(grown);
    grown
}

impl Usage {
    /// Adds, up to [`COUNT_MAX`].
    fn grow(&mut self, more: Self) {
        let add = |count: &mut u64, more: u64| *count = count.saturating_add(more).min(COUNT_MAX);
        add(&mut self.input, more.input);
        add(&mut self.cached_input, more.cached_input);
        add(&mut self.output, more.output);
        add(&mut self.reasoning, more.reasoning);
    }
}

#[cfg(test)]
mod tests;
