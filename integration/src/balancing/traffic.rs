//! Who asks what, and when.

use super::Micros;
use super::engine::{BLOCK_TOKENS, Job};
use super::random::{Random, Zipf, mixed};
use super::scenario::Scenario;
use std::collections::HashMap;
use std::rc::Rc;

/// Bytes of a token's text.
const TOKEN_BYTES: usize = 4;
/// Of this many seconds ...
const CYCLE_S: f64 = 30.0;
/// ... these are a burst.
const BURST_S: f64 = 6.0;
/// Seconds between an answer and the next question, in the mean.
const PAUSE_S: f64 = 8.0;

/// A text, as the gateway and as the engine see it.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    name: u64,
    tokens: usize,
    text: Rc<str>,
}

impl Piece {
    fn new(name: u64, tokens: f64) -> Piece {
        let tokens = tokens.clamp(4.0, 32_000.0) as usize;
        let mut random = Random::new(name);
        let words = tokens * TOKEN_BYTES / 16;
        let mut text: String = (0..=words).map(|_| format!("{:016x}", random.next())).collect();
        text.truncate(tokens * TOKEN_BYTES);
        Piece { name, tokens, text: text.into() }
    }
}

/// A caller who asks, reads and asks again.
#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) gateway: usize,
    pub(super) user: String,
    pieces: Vec<Piece>,
    turns_left: usize,
    random: Random,
}

impl Conversation {
    /// The texts of the next request.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().map(|piece| &*piece.text)
    }

    /// The next request. The answer is known before it is asked for.
    pub(super) fn ask(&mut self, number: usize, answer_tokens: f64) -> Job {
        let prompt_tokens = self.tokens();
        let answer = self.random.around(answer_tokens, 2.0).min(1_500.0);
        self.pieces.push(Piece::new(self.random.next(), answer));
        let answer_tokens = self.tokens() - prompt_tokens;
        Job { number, blocks: block_names(&self.pieces), prompt_tokens, answer_tokens }
    }

    fn tokens(&self) -> usize {
        self.pieces.iter().map(|piece| piece.tokens).sum()
    }

    /// After an answer: how long until the next question; `None`: there is none.
    pub(super) fn go_on(&mut self, question_tokens: f64) -> Option<Micros> {
        self.turns_left = self.turns_left.checked_sub(1).filter(|left| *left > 0)?;
        let tokens = self.random.around(question_tokens, 2.0);
        self.pieces.push(Piece::new(self.random.next(), tokens));
        Some((self.random.exponential(PAUSE_S) * 1e6) as Micros)
    }
}

/// The names of the full blocks of texts: each is of all that stands before its end.
fn block_names(pieces: &[Piece]) -> Vec<u64> {
    let (mut names, mut name, mut filled) = (Vec::new(), 0, 0);
    for piece in pieces {
        let mut from = 0;
        while from < piece.tokens {
            let taken = (piece.tokens - from).min(BLOCK_TOKENS - filled);
            name = mixed(name ^ mixed(piece.name.wrapping_add((from << 16 | taken) as u64)));
            from += taken;
            filled = (filled + taken) % BLOCK_TOKENS;
            if filled == 0 {
                names.push(name);
            }
        }
    }
    names
}

/// The traffic of a scenario.
#[derive(Debug)]
pub(super) struct Traffic {
    scenario: Scenario,
    random: Random,
    zipf: Zipf,
    system_prompts: HashMap<usize, Piece>,
    rate_per_second: f64,
    begun: usize,
}

impl Traffic {
    pub(super) fn new(scenario: &Scenario, seed: u64) -> Traffic {
        let speed: f64 = scenario.engine_speeds().iter().sum();
        Traffic {
            random: Random::new(seed),
            zipf: Zipf::new(scenario.system_prompts.max(1), scenario.exponent),
            system_prompts: HashMap::new(),
            rate_per_second: speed * scenario.begun_per_second,
            begun: 0,
            scenario: scenario.clone(),
        }
    }

    /// When the next conversation begins after `now`.
    pub(super) fn next_begin(&mut self, now: Micros) -> Micros {
        let seconds = now as f64 / 1e6;
        // As many in the mean as without bursts.
        let calm = (CYCLE_S - BURST_S * self.scenario.burst) / (CYCLE_S - BURST_S);
        let factor = if seconds % CYCLE_S < BURST_S { self.scenario.burst } else { calm };
        let wait = self.random.exponential(1.0 / (self.rate_per_second * factor.max(0.05)));
        now + (wait * 1e6) as Micros
    }

    /// The conversation that begins.
    pub(super) fn begin(&mut self) -> Conversation {
        self.begun += 1;
        let mut random = Random::new(self.random.next());
        let mut pieces = Vec::new();
        if self.scenario.system_prompts > 0 {
            pieces.push(self.system_prompt());
        }
        let question = random.around(self.scenario.question_tokens, 2.0);
        pieces.push(Piece::new(random.next(), question));
        let turns = random.exponential(self.scenario.turns - 0.5).round().max(0.0) as usize + 1;
        let turns_left = if self.scenario.turns > 1.0 { turns } else { 1 };
        Conversation {
            gateway: self.begun % self.scenario.gateways,
            user: format!("user-{}", self.begun),
            pieces,
            turns_left,
            random,
        }
    }

    fn system_prompt(&mut self) -> Piece {
        let rank = self.zipf.draw(&mut self.random);
        let median = self.scenario.system_tokens;
        let make = || {
            let mut random = Random::new(mixed(rank as u64 + 1));
            let tokens = random.around(median, 2.0).min(median * 4.0);
            Piece::new(random.next(), tokens)
        };
        self.system_prompts.entry(rank).or_insert_with(make).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_shared_as_far_as_texts_are() {
        let piece = |name, tokens| Piece::new(name, tokens);
        let one = block_names(&[piece(1, 200.0), piece(2, 100.0)]);
        let two = block_names(&[piece(1, 200.0), piece(3, 100.0)]);
        let longer = block_names(&[piece(1, 200.0), piece(2, 100.0), piece(4, 64.0)]);
        assert_eq!((one.len(), &one[..3]), (4, &two[..3]));
        assert_ne!(one[3], two[3]);
        assert_eq!(longer[..4], one);
    }

    #[test]
    fn a_second_question_has_the_first_one_and_its_answer_before_it() {
        let mut traffic = Traffic::new(&Scenario { turns: 50.0, ..Scenario::chats(4, 1) }, 1);
        let mut conversation = traffic.begin();
        let first = conversation.ask(1, 100.0);
        assert!(conversation.go_on(50.0).is_some());
        let second = conversation.ask(2, 100.0);
        assert!(second.prompt_tokens > first.prompt_tokens + first.answer_tokens);
        assert_eq!(second.blocks[..first.blocks.len()], first.blocks);
    }
}
