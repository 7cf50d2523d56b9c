//! An engine with continuous batching: in every step each running request gets a token, and
//! prompts are computed in pieces beside them.

use super::Micros;
use super::cache::Cache;
use std::collections::VecDeque;

/// Tokens of a block of the KV cache.
pub(super) const BLOCK_TOKENS: usize = 64;
/// Blocks of an engine: 200,000 tokens, as a model of 8 billion parameters leaves on a GPU of
/// 48 GB.
const CACHE_BLOCKS: usize = 3_125;
/// Most requests that run at once.
pub(super) const RUNNING_MAX: usize = 64;
/// Most tokens of prompts that one step computes.
const STEP_PROMPT_TOKENS: usize = 2_048;
/// What a step takes, in microseconds at speed 1: whatever it does, for each running request,
/// and for each token of a prompt.
const STEP_US: f64 = 12_000.0;
const STEP_REQUEST_US: f64 = 150.0;
const STEP_TOKEN_US: f64 = 100.0;

/// A request as an engine sees it.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) number: usize,
    /// Names of the blocks of the prompt and of the answer behind it.
    pub(super) blocks: Vec<u64>,
    pub(super) prompt_tokens: usize,
    pub(super) answer_tokens: usize,
}

impl Job {
    /// Full blocks of the prompt.
    const fn prompt_blocks(&self) -> usize {
        self.prompt_tokens / BLOCK_TOKENS
    }

    /// All blocks that it will need.
    const fn all_blocks(&self) -> usize {
        (self.prompt_tokens + self.answer_tokens).div_ceil(BLOCK_TOKENS)
    }
}

#[derive(Debug)]
struct Running {
    job: Job,
    known_blocks: usize,
    prompt_left: usize,
    answer_left: usize,
}

/// What came out of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Happened {
    /// The first token of a request's answer; so many tokens of its prompt were cached.
    Began { number: usize, cached_tokens: usize },
    /// The last one.
    Ended { number: usize },
}

/// What an engine tells of itself.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    pub(super) running: usize,
    pub(super) waiting: usize,
    pub(super) cache_used: f64,
    /// Answers that have begun.
    pub(super) first_tokens: u64,
    /// Seconds that all of their first tokens took.
    pub(super) first_tokens_s: f64,
}

/// A simulated engine.
#[derive(Debug)]
pub(super) struct SimEngine {
    speed: f64,
    cache: Cache,
    waiting: VecDeque<Job>,
    running: Vec<Running>,
    is_stepping: bool,
    first_tokens: u64,
    first_tokens_us: Micros,
}

impl SimEngine {
    /// One that is `speed` times as fast as the figures of a step.
    pub(super) fn new(speed: f64) -> SimEngine {
        SimEngine {
            speed,
            cache: Cache::new(CACHE_BLOCKS),
            waiting: VecDeque::new(),
            running: Vec::new(),
            is_stepping: false,
            first_tokens: 0,
            first_tokens_us: 0,
        }
    }

    /// Requests in it.
    pub(super) fn active(&self) -> usize {
        self.running.len() + self.waiting.len()
    }

    /// Requests in it for its speed.
    pub(super) fn load(&self) -> f64 {
        self.active() as f64 / self.speed
    }

    /// An answer's first token came after `took`.
    pub(super) fn began(&mut self, took: Micros) {
        self.first_tokens += 1;
        self.first_tokens_us += took;
    }

    pub(super) fn told(&self) -> Told {
        Told {
            running: self.running.len(),
            waiting: self.waiting.len(),
            cache_used: self.cache.used_share(),
            first_tokens: self.first_tokens,
            first_tokens_s: self.first_tokens_us as f64 / 1e6,
        }
    }

    /// Takes a request; returns how long the step takes that begins, if none is under way.
    pub(super) fn take(&mut self, job: Job) -> Option<Micros> {
        self.waiting.push_back(job);
        if self.is_stepping { None } else { self.begin_step() }
    }

    /// Ends a step, and begins the next one if there is something to do.
    pub(super) fn step(&mut self, happened: &mut Vec<Happened>) -> Option<Micros> {
        let mut budget = STEP_PROMPT_TOKENS;
        let cache = &mut self.cache;
        self.running.retain_mut(|running| !advance(running, &mut budget, cache, happened));
        self.begin_step()
    }

    fn begin_step(&mut self) -> Option<Micros> {
        while self.running.len() < RUNNING_MAX && self.admit() {}
        self.is_stepping = !self.running.is_empty();
        if !self.is_stepping {
            return None;
        }
        let left: usize = self.running.iter().map(|running| running.prompt_left).sum();
        let tokens = left.min(STEP_PROMPT_TOKENS);
        let took =
            STEP_US + STEP_REQUEST_US * self.running.len() as f64 + STEP_TOKEN_US * tokens as f64;
        Some((took / self.speed) as Micros)
    }

    /// Lets the next request in, if there is room. The last token of a prompt is always
    /// computed: the answer begins with it.
    fn admit(&mut self) -> bool {
        let Some(job) = self.waiting.front() else { return false };
        let prompt = &job.blocks[..job.prompt_blocks()];
        let mut known = self.cache.known(prompt);
        if known * BLOCK_TOKENS == job.prompt_tokens {
            known -= 1;
        }
        if !self.cache.admit(prompt, known, job.all_blocks() - known) {
            return false;
        }
        let Some(job) = self.waiting.pop_front() else { return false };
        self.running.push(Running {
            known_blocks: known,
            prompt_left: job.prompt_tokens - known * BLOCK_TOKENS,
            answer_left: job.answer_tokens,
            job,
        });
        true
    }
}

/// A request's part of a step; whether it has ended.
fn advance(
    running: &mut Running,
    budget: &mut usize,
    cache: &mut Cache,
    happened: &mut Vec<Happened>,
) -> bool {
    let number = running.job.number;
    if running.prompt_left > 0 {
        let computed = running.prompt_left.min(*budget);
        *budget -= computed;
        running.prompt_left -= computed;
        if running.prompt_left > 0 {
            return false;
        }
        cache.name(&running.job.blocks[running.known_blocks..running.job.prompt_blocks()]);
        let cached_tokens = running.known_blocks * BLOCK_TOKENS;
        happened.push(Happened::Began { number, cached_tokens });
    }
    running.answer_left = running.answer_left.saturating_sub(1);
    if running.answer_left > 0 {
        return false;
    }
    leave(&running.job, cache);
    happened.push(Happened::Ended { number });
    true
}

/// The answer stays in the cache as well: it is part of the conversation's next prompt.
fn leave(job: &Job, cache: &mut Cache) {
    cache.name(&job.blocks[job.prompt_blocks()..]);
    cache.release(&job.blocks, job.all_blocks() - job.blocks.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(number: usize, blocks: &[u64], answer_tokens: usize) -> Job {
        let prompt_tokens = blocks.len() * BLOCK_TOKENS;
        Job { number, blocks: blocks.to_vec(), prompt_tokens, answer_tokens }
    }

    /// Runs until nothing is left to do; what happened, and how long it took.
    fn run(engine: &mut SimEngine, job: Job) -> (Vec<Happened>, Micros) {
        let (mut happened, mut took) = (Vec::new(), 0);
        let mut step = engine.take(job);
        while let Some(us) = step {
            took += us;
            step = engine.step(&mut happened);
        }
        (happened, took)
    }

    #[test]
    fn a_prompt_that_was_there_before_is_computed_from_where_it_differs() {
        let mut engine = SimEngine::new(1.0);
        let (_, first) = run(&mut engine, job(1, &[1, 2, 3], 2));
        let (happened, second) = run(&mut engine, job(2, &[1, 2, 4], 2));
        let began = Happened::Began { number: 2, cached_tokens: 128 };
        assert_eq!(happened, [began, Happened::Ended { number: 2 }]);
        assert_eq!(first - second, 12_800, "128 tokens");
        assert_eq!(engine.active(), 0);
    }

    #[test]
    fn a_long_prompt_takes_several_steps_and_half_a_speed_twice_the_time() {
        let blocks: Vec<u64> = (0..64).collect();
        let (_, fast) = run(&mut SimEngine::new(1.0), job(1, &blocks, 1));
        let (_, slow) = run(&mut SimEngine::new(0.5), job(1, &blocks, 1));
        assert_eq!(fast, 2 * (12_000 + 150 + 204_800));
        assert_eq!(slow, 2 * fast);
    }
}
