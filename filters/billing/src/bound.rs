//! The most that a request can cost: what is reserved before an engine sees it.

use crate::price::{MICROS, cost_nanodollars, micros};
use contract::limits::UNBOUNDED_ANSWER_TOKENS;
use contract::policy::PoolConfig;
use contract::price::Prices;
use contract::usage::{Source, Tally};

/// Fewest bytes of a second of sound: 4 kbit/s, below the narrowest voice codec that media
/// checks let through (AMR at 4.75 kbit/s). Sound that says nothing for long may be coded in
/// less: what it costs beyond the bound is spent all the same when the request is settled.
const AUDIO_BYTES_PER_SECOND: u64 = 500;

/// How much of an engine's time a stream has paid for ahead, in milliseconds: its length is
/// not known, and the reservation is extended by as much again.
pub const GPU_SLICE_MS: u64 = 30_000;

/// What bounds a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Bytes of the body as the engine gets it.
    pub body_bytes: u64,
    /// Images, sounds, films and pages of documents in it.
    pub media: u64,
    /// The images among them.
    pub images: u64,
    /// The pages among them.
    pub pages: u64,
    /// Bytes of sound for which seconds are paid.
    pub audio_bytes: u64,
    /// Prompts, texts or documents, each of which is looked at by itself; 0 is read as 1.
    pub prompts: u64,
    /// Bytes that are put before each of those again: a rerank's query.
    pub repeated_bytes: u64,
    /// Answers that are made of each prompt: the larger of `n` and `best_of`; 0 is read as 1.
    pub choices: u64,
    /// Tokens of one answer that the caller has asked for.
    pub max_tokens: Option<u64>,
    /// Whether there are tokens of an answer: embeddings have none.
    pub generates: bool,
    /// Whether the answer is streamed.
    pub stream: bool,
    /// How long all attempts at an answer may take together, in milliseconds, where it is not
    /// streamed; 0: as long as the pool says for one.
    pub attempts_ms: u64,
}

impl Default for Asked {
    fn default() -> Self {
        Asked {
            body_bytes: 0,
            media: 0,
            images: 0,
            pages: 0,
            audio_bytes: 0,
            prompts: 1,
            repeated_bytes: 0,
            choices: 1,
            max_tokens: None,
            generates: true,
            stream: false,
            attempts_ms: 0,
        }
    }
}

/// The most that a request can use and cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    prices: Prices,
    /// Without the tokens of answers.
    most: Tally,
    max_tokens: u64,
    /// Answers of all prompts together.
    answers: u64,
}

impl Bound {
    /// The bound of what was asked of `pool`.
    #[must_use]
    pub fn of(pool: &PoolConfig, asked: &Asked) -> Bound {
        let prompts = asked.prompts.max(1);
        let most = Tally {
            input: input_tokens(pool, asked, prompts),
            images: asked.images,
            pages: asked.pages,
            audio_ms: audio_ms(asked.audio_bytes),
            gpu_ms: if asked.stream {
                pool.timeout_ms.min(GPU_SLICE_MS)
            } else {
                pool.timeout_ms.max(asked.attempts_ms)
            },
            source: Source::Engine,
            ..Tally::default()
        };
        let answers =
            if asked.generates { asked.choices.max(1).saturating_mul(prompts) } else { 0 };
        Bound { prices: dearest(pool.prices), most, max_tokens: max_tokens(pool, asked), answers }
    }

    /// What is to be reserved, in nano-dollars.
    #[must_use]
    pub fn nanodollars(&self) -> u64 {
        let most = Tally { output: self.output_tokens(), ..self.most };
        cost_nanodollars(&self.prices, &most).unsigned_abs()
    }

    /// Most tokens of all prompts together.
    #[must_use]
    pub const fn input_tokens(&self) -> u64 {
        self.most.input
    }

    /// Most tokens of all answers together.
    #[must_use]
    pub const fn output_tokens(&self) -> u64 {
        self.max_tokens.saturating_mul(self.answers)
    }

    /// Most tokens of one answer.
    #[must_use]
    pub const fn max_tokens(&self) -> u64 {
        self.max_tokens
    }

    /// The same with answers of at most so many tokens.
    #[must_use]
    pub fn with_max_tokens(self, max_tokens: u64) -> Bound {
        Bound { max_tokens: self.max_tokens.min(max_tokens), ..self }
    }

    /// The most tokens of one answer whose bound `available` nano-dollars can pay for, at most
    /// [`Bound::max_tokens`]; `None`: they cannot pay for the request and one token.
    #[must_use]
    pub fn affordable_max_tokens(&self, available: u64) -> Option<u64> {
        // The largest sum that is not rounded to more.
        let sum = (u128::from(available) * MICROS).saturating_add(MICROS / 2 - 1);
        let left = sum.checked_sub(micros(&self.prices, &self.most))?;
        let token = u128::from(self.prices.output).saturating_mul(u128::from(self.answers));
        let tokens =
            left.checked_div(token).map_or(u64::MAX, |n| u64::try_from(n).unwrap_or(u64::MAX));
        Some(self.max_tokens.min(tokens)).filter(|tokens| *tokens >= 1 || token == 0)
    }

    /// What one more slice of a stream costs, in nano-dollars, rounded up: what its
    /// reservation is extended by when the last one is used up. 0: time is free.
    #[must_use]
    pub fn gpu_slice_nanodollars(&self) -> u64 {
        let millis = u128::from(self.prices.gpu_second) * u128::from(GPU_SLICE_MS);
        u64::try_from(millis.div_ceil(1_000)).unwrap_or(u64::MAX)
    }
}

/// Most tokens of the prompts: a token is at least a byte of the body, and what templates and
/// media add is stated. No prompt is longer than the context.
fn input_tokens(pool: &PoolConfig, asked: &Asked, prompts: u64) -> u64 {
    let again = asked.repeated_bytes.saturating_mul(prompts.saturating_sub(1));
    // The quotes and the comma of a text that is only embedded are more than its two marks.
    let templates = if asked.generates || asked.repeated_bytes > 0 { prompts } else { 1 };
    let tokens = asked
        .body_bytes
        .saturating_add(again)
        .saturating_add(pool.template_tokens.saturating_mul(templates))
        .saturating_add(asked.media.saturating_mul(pool.medium_tokens));
    match pool.context {
        0 => tokens,
        context => tokens.min(context.saturating_mul(prompts)),
    }
}

/// Most tokens of one answer. What the context leaves is not less than all but one token of
/// it: how long a prompt is will be known to the engine alone.
fn max_tokens(pool: &PoolConfig, asked: &Asked) -> u64 {
    let context = match pool.context {
        0 => None,
        context => Some(context.saturating_sub(1).max(1)),
    };
    let named = asked.max_tokens.or(pool.max_tokens).or(context);
    named.unwrap_or(UNBOUNDED_ANSWER_TOKENS).min(context.unwrap_or(u64::MAX))
}

fn audio_ms(bytes: u64) -> u64 {
    bytes.div_ceil(AUDIO_BYTES_PER_SECOND).saturating_mul(1_000)
}

/// Nobody knows what an engine will have in its cache.
fn dearest(prices: Prices) -> Prices {
    Prices { input: prices.input.max(prices.cached_input), ..prices }
}

#[cfg(test)]
mod tests;
