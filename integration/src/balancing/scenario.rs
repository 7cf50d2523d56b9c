//! What is asked of how many engines.

/// A pool and its traffic.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it is called in the table.
    pub name: &'static str,
    /// Engines.
    pub engines: usize,
    /// Their speeds, one after another and from the start again.
    pub speeds: &'static [f64],
    /// Gateways, each with as many of the callers as another.
    pub gateways: usize,
    /// Conversations that begin in a second for each engine of speed 1.
    pub begun_per_second: f64,
    /// Times as many begin in 6 of 30 seconds, and fewer in the others.
    pub burst: f64,
    /// System prompts; 0: none, every conversation begins with words of its own.
    pub system_prompts: usize,
    /// How unevenly they are used: the exponent of Zipf's law.
    pub exponent: f64,
    /// Their length in tokens, the middle one's.
    pub system_tokens: f64,
    /// The first question's length in tokens, the middle one's.
    pub question_tokens: f64,
    /// The answers' length in tokens, the middle one's.
    pub answer_tokens: f64,
    /// Questions of a conversation, in the mean.
    pub turns: f64,
    /// Seconds that are simulated; what begins in the first quarter is not counted.
    pub seconds: u64,
}

const EQUAL: &[f64] = &[1.0];
/// Two generations of GPUs and one that is shared with another job.
const UNEQUAL: &[f64] = &[1.0, 1.0, 0.6, 0.35];

impl Scenario {
    /// Chats of several turns with the assistants of a company.
    #[must_use]
    pub const fn chats(engines: usize, gateways: usize) -> Scenario {
        Scenario {
            name: "chats",
            engines,
            speeds: EQUAL,
            gateways,
            begun_per_second: 0.7,
            burst: 1.0,
            system_prompts: 300,
            exponent: 1.0,
            system_tokens: 1_500.0,
            question_tokens: 60.0,
            answer_tokens: 150.0,
            turns: 5.0,
            seconds: 240,
        }
    }

    /// The same on unequal GPUs and in bursts.
    #[must_use]
    pub const fn bursts(engines: usize, gateways: usize) -> Scenario {
        let chats = Scenario::chats(engines, gateways);
        Scenario { name: "bursts, unequal GPUs", speeds: UNEQUAL, burst: 2.5, ..chats }
    }

    /// Questions about long documents.
    #[must_use]
    pub const fn documents(engines: usize, gateways: usize) -> Scenario {
        Scenario {
            name: "long documents",
            begun_per_second: 0.45,
            system_prompts: 150,
            system_tokens: 12_000.0,
            turns: 2.0,
            ..Scenario::chats(engines, gateways)
        }
    }

    /// Most requests have one system prompt.
    #[must_use]
    pub const fn one_hot(engines: usize, gateways: usize) -> Scenario {
        let chats = Scenario::chats(engines, gateways);
        Scenario {
            name: "one hot prompt",
            exponent: 3.0,
            burst: 2.0,
            turns: 2.0,
            begun_per_second: 1.8,
            ..chats
        }
    }

    /// Nothing that two requests have in common.
    #[must_use]
    pub const fn nothing_shared(engines: usize, gateways: usize) -> Scenario {
        Scenario {
            name: "nothing shared",
            begun_per_second: 2.2,
            system_prompts: 0,
            question_tokens: 1_000.0,
            turns: 1.0,
            ..Scenario::chats(engines, gateways)
        }
    }

    /// Short questions with long answers: no prompt is long enough to matter.
    #[must_use]
    pub const fn short(engines: usize, gateways: usize) -> Scenario {
        Scenario {
            name: "short questions",
            begun_per_second: 2.6,
            system_prompts: 0,
            question_tokens: 25.0,
            answer_tokens: 300.0,
            turns: 1.0,
            speeds: UNEQUAL,
            ..Scenario::chats(engines, gateways)
        }
    }

    /// All kinds of traffic.
    #[must_use]
    pub const fn all(engines: usize, gateways: usize) -> [Scenario; 6] {
        [
            Scenario::chats(engines, gateways),
            Scenario::bursts(engines, gateways),
            Scenario::documents(engines, gateways),
            Scenario::one_hot(engines, gateways),
            Scenario::nothing_shared(engines, gateways),
            Scenario::short(engines, gateways),
        ]
    }

    /// Whether requests have beginnings in common, without which no cache helps.
    #[must_use]
    pub const fn has_common_beginnings(&self) -> bool {
        self.system_prompts > 0 || self.turns > 1.0
    }

    /// The speeds of all engines.
    #[must_use]
    pub fn engine_speeds(&self) -> Vec<f64> {
        self.speeds.iter().copied().cycle().take(self.engines).collect()
    }
}
