//! The scenarios in which nothing is killed: they run against any gateway.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{Leave, Question};
use super::verdict::{Bar, Row};
use super::world::World;
use crate::Result;

/// Between two tokens of a stream that a client leaves.
const PACE: Duration = Duration::from_millis(8);
/// Tokens of such a stream.
const TOKENS: u64 = 12;
/// Events beyond its tokens, at most: the first ones, the last ones and `[DONE]`.
const FURTHER_EVENTS: u64 = 4;
/// How often a client repeats its own id.
const REPEATS: usize = 100;

/// A scenario: its name, what it promises and what is asked.
pub struct Plain {
    /// As in the report.
    pub name: &'static str,
    /// What it promises.
    pub bar: Bar,
    /// What is asked before, so that a gateway that learns can learn.
    pub lessons: fn(&str) -> Vec<Question>,
    /// What is asked, of this model.
    pub questions: fn(&str) -> Vec<Question>,
}

/// All of them, in the order of the report.
pub const PLAIN: &[Plain] = &[
    exact("whole answers on every path", every_path),
    exact("events cut into random pieces", split),
    exact("several choices, interleaved", choices),
    exact("hang-up after each event", each_event),
    exact("hang-up at random bytes", random_bytes),
    exact("hang-up while several choices come", each_event_of_choices),
    exact("engine breaks off or reports an error", faults),
    exact("engine that refuses", refusals),
    exact("answers without a token", explicit_zero),
    exact("one id of a client's, 100 times", repeated_id),
    // Behind what is estimated by events: the pool learns that an event is no token.
    exact("several tokens an event", several_tokens),
    Plain { lessons: with_usage, ..estimated("hang-up before the first token", before_first) },
    Plain { lessons: with_usage, ..estimated("engine without usage", no_usage) },
    Plain {
        lessons: with_usage,
        ..estimated("usage at the end alone, hang-up before", final_only)
    },
    Plain { lessons: with_usage, ..estimated("no usage, several tokens an event", no_usage_steps) },
];

const fn exact(name: &'static str, questions: fn(&str) -> Vec<Question>) -> Plain {
    Plain { name, bar: Bar::Exact, lessons: none, questions }
}

const fn estimated(name: &'static str, questions: fn(&str) -> Vec<Question>) -> Plain {
    Plain { name, bar: Bar::Estimated, lessons: none, questions }
}

impl Plain {
    /// Runs it.
    ///
    /// # Errors
    /// As [`World::run`].
    pub async fn run(&self, world: &World) -> Result<Row> {
        let model = match self.bar {
            Bar::Estimated => &world.estimated,
            Bar::Exact | Bar::Untold => &world.model,
        };
        let lessons = (self.lessons)(model);
        if !lessons.is_empty() {
            world.run("lessons", Bar::Untold, lessons).await?;
        }
        world.run(self.name, self.bar, (self.questions)(model)).await
    }
}

fn none(_: &str) -> Vec<Question> {
    Vec::new()
}

/// A stream on each path that has one.
fn streams(model: &str) -> Vec<Question> {
    let messages = json!([{"role": "user", "content": "Count with me"}]);
    let bodies = [
        ("/v1/chat/completions", json!({"messages": messages})),
        ("/v1/completions", json!({"prompt": "Count with me"})),
        ("/v1/messages", json!({"messages": messages, "max_tokens": 64})),
        ("/v1/responses", json!({"input": "Count with me"})),
    ];
    let stream = |(path, body): (&'static str, Value)| Question::at(path, model, body).stream();
    bodies.into_iter().map(stream).collect()
}

fn every_path(model: &str) -> Vec<Question> {
    let told = json!({"include_usage": true});
    let every = json!({"include_usage": true, "continuous_usage_stats": true});
    let mut all = streams(model);
    all.extend(streams(model).into_iter().map(|it| it.field("stream", json!(false))));
    all.extend([told, every].map(|it| Question::chat(model).stream().field("stream_options", it)));
    all.extend([
        Question::at("/v1/embeddings", model, json!({"input": ["one two", "three"]})),
        Question::at("/v1/rerank", model, json!({"query": "one", "documents": ["two", "three"]})),
        Question::at("/v1/completions", model, json!({"prompt": ["one two", "three"], "n": 2})),
        Question::chat(model).field("max_tokens", json!(3)),
        Question::chat(model).stream().field("max_tokens", json!(3)),
    ]);
    vec![all; 4].concat()
}

fn split(model: &str) -> Vec<Question> {
    let seeds = (1..=10).flat_map(|seed: u64| {
        streams(model).into_iter().map(move |it| it.header("x-sim-split", &seed.to_string()))
    });
    seeds.map(|it| it.tokens(TOKENS, Duration::ZERO)).collect()
}

fn several_tokens(model: &str) -> Vec<Question> {
    let cuts = (1..=TOKENS / 3 + FURTHER_EVENTS).map(Leave::AfterEvents).chain([Leave::Never]);
    let steps = |it: Question| it.header("x-sim-tokens-per-event", "3").tokens(TOKENS, PACE);
    cuts.map(|leave| steps(Question::chat(model).stream()).leaving(leave)).collect()
}

fn choices(model: &str) -> Vec<Question> {
    let of = |n: u64| Question::chat(model).field("n", json!(n)).tokens(TOKENS, Duration::ZERO);
    (1..=8).flat_map(|n| [of(n), of(n).stream()]).collect()
}

fn each_event(model: &str) -> Vec<Question> {
    let leave = |events| {
        let cut = move |it: Question| it.tokens(TOKENS, PACE).leaving(Leave::AfterEvents(events));
        streams(model).into_iter().map(cut)
    };
    (1..=TOKENS + FURTHER_EVENTS).flat_map(leave).collect()
}

fn random_bytes(model: &str) -> Vec<Question> {
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    let asked = (0..20).flat_map(|_| streams(model));
    asked
        .map(|it| it.tokens(TOKENS, PACE).leaving(Leave::AfterBytes(1 + random.below(6_000))))
        .collect()
}

fn each_event_of_choices(model: &str) -> Vec<Question> {
    let three = || Question::chat(model).stream().field("n", json!(3)).tokens(6, PACE);
    (1..=18 + FURTHER_EVENTS).map(|events| three().leaving(Leave::AfterEvents(events))).collect()
}

fn faults(model: &str) -> Vec<Question> {
    let kinds = ["reset-after=2", "reset-after=7", "error-event", "no-done", "malformed-sse"];
    let asked = kinds
        .iter()
        .flat_map(|kind| streams(model).into_iter().map(move |it| it.header("x-sim-fault", kind)));
    asked.map(|it| it.tokens(TOKENS, PACE)).collect()
}

fn refusals(model: &str) -> Vec<Question> {
    let kinds = ["status=400", "status=429", "status=500", "status=503"];
    let asked = kinds.iter().flat_map(|kind| {
        [Question::chat(model), Question::chat(model).stream()]
            .map(|it| it.header("x-sim-fault", kind))
    });
    asked.collect()
}

fn explicit_zero(model: &str) -> Vec<Question> {
    let silent = [Question::chat(model), Question::chat(model).stream()];
    vec![silent.map(|it| it.tokens(0, Duration::ZERO)); 8].concat()
}

fn repeated_id(model: &str) -> Vec<Question> {
    let asked = Question::chat(model)
        .header("x-request-id", "one-and-the-same")
        .header("x-client-request-id", "one-and-the-same");
    vec![asked; REPEATS]
}

/// Clients that leave while the engine reads.
fn before_first(model: &str) -> Vec<Question> {
    let leave = |at: u64| Leave::AfterTime(Duration::from_millis(60 + 10 * at));
    let slow = || long(model).stream().header("x-sim-ttft", "600ms");
    (0..24).map(|at| slow().leaving(leave(at))).collect()
}

/// Answers of the kind that is to be estimated, with usage.
fn with_usage(model: &str) -> Vec<Question> {
    let whole = uneven(model, 40);
    let streams = uneven(model, 40).into_iter().map(Question::stream);
    let steps = uneven(model, 40).into_iter().map(|it| it.header("x-sim-tokens-per-event", "4"));
    whole.into_iter().chain(streams).chain(steps.map(Question::stream)).collect()
}

fn no_usage(model: &str) -> Vec<Question> {
    let streams = uneven(model, 30).into_iter().map(Question::stream);
    let all = uneven(model, 30).into_iter().chain(streams);
    all.map(|it| it.header("x-sim-usage", "none")).collect()
}

fn no_usage_steps(model: &str) -> Vec<Question> {
    let steps = |it: Question| it.stream().header("x-sim-tokens-per-event", "4");
    no_usage(model).into_iter().map(steps).collect()
}

fn final_only(model: &str) -> Vec<Question> {
    let paced = |tokens: u64| long(model).stream().tokens(tokens, PACE);
    let cut = |at: u64| {
        let asked = paced(40).header("x-sim-words", "uneven").header("x-sim-usage", "final");
        asked.leaving(Leave::AfterEvents(5 + at))
    };
    (0..30).map(cut).collect()
}

/// A chat with a prompt of some length: of a short one the estimate is mostly of the JSON
/// around it.
fn long(model: &str) -> Question {
    let prompt = "Tell the story of the wide river and of those who live beside it. ".repeat(40);
    let messages = json!([{"role": "user", "content": prompt}]);
    Question::chat(model).field("messages", messages)
}

/// Answers of 20 to 220 tokens that are of many lengths.
fn uneven(model: &str, count: u64) -> Vec<Question> {
    let tokens = |at: u64| long(model).tokens(20 + 7 * (at % 30), Duration::ZERO);
    (0..count).map(|at| tokens(at).header("x-sim-words", "uneven")).collect()
}

/// Marsaglia's xorshift64: a benchmark is to be the same each time.
pub(super) struct Random(pub u64);

impl Random {
    /// The next number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_asks_something_under_a_name_of_its_own() {
        let mut names: Vec<_> = PLAIN.iter().map(|it| it.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), PLAIN.len());
        assert!(PLAIN.iter().all(|it| (it.questions)("m").len() >= 6));
    }

    #[test]
    fn clients_leave_after_each_event_of_each_path() {
        let all = each_event("m");
        for path in ["/v1/chat/completions", "/v1/completions", "/v1/messages", "/v1/responses"] {
            for events in 1..=TOKENS {
                let leave = Leave::AfterEvents(events);
                assert!(all.iter().any(|it| it.path == path && it.leave == leave), "{path}");
            }
        }
    }
}
