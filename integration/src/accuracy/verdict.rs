//! A bill, held against what the engine has sent and what the clients have read.

use std::collections::HashMap;

use serde::Serialize;

use super::books::Billed;
use super::client::Heard;
use crate::engine::{Attempt, Delivered};

/// Largest error of a sum of estimates, in percent.
pub const ESTIMATE_PERCENT_MAX: f64 = 2.0;

/// Wrong records of a scenario that are shown.
const EXAMPLES_MAX: usize = 12;

/// What a scenario promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bar {
    /// Every record lies between what its client has read and what the engine has sent.
    Exact,
    /// The sum of all does, to [`ESTIMATE_PERCENT_MAX`].
    Estimated,
    /// Nothing is said of tokens: the engine itself has told other ones.
    Untold,
}

/// Tokens of one kind, summed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// What the clients have read at least.
    pub read: u64,
    /// What the engines have sent at most.
    pub sent: u64,
    /// What was billed.
    pub billed: u64,
}

impl Sum {
    /// Adds one record.
    pub(super) fn add(&mut self, read: u64, sent: u64, billed: u64) {
        self.read += read;
        self.sent += sent;
        self.billed += billed;
    }

    /// How far the bill is outside of what was delivered, in percent of what was sent;
    /// below 0: too little was billed.
    pub fn error_percent(&self) -> f64 {
        let off = match self.billed {
            billed if billed < self.read => billed as f64 - self.read as f64,
            billed if billed > self.sent => (billed - self.sent) as f64,
            _ => return 0.0,
        };
        100.0 * off / self.sent.max(1) as f64
    }

    fn has(read: u64, sent: u64, billed: u64) -> bool {
        (read.min(sent)..=sent).contains(&billed)
    }
}

/// A line of the report.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Row {
    /// What was done.
    pub scenario: String,
    /// Requests that an engine has seen.
    pub requests: u64,
    /// Generated tokens of answers that no gateway was killed under.
    pub output: Sum,
    /// Prompt tokens of those.
    pub input: Sum,
    /// Records outside of what was delivered, where they have to be inside.
    pub wrong: u64,
    /// Requests that were answered and have no record.
    pub lost: u64,
    /// Records too many of one id.
    pub doubled: u64,
    /// Records with tokens of what no engine has seen.
    pub invented: u64,
    /// Spent beyond the budget, in nano-dollars.
    pub overspent_nanodollars: u64,
    /// Answers that a killed gateway has cut.
    pub cut: u64,
    /// Their generated tokens: between `read` and `sent`, and billed to the last line
    /// that the gateway had written.
    pub cut_output: Sum,
    /// Which bar holds, in words.
    pub bar: &'static str,
    /// What was missed, in words; empty: nothing.
    pub missed: Vec<String>,
    /// Some of the records that are wrong, or are not there.
    pub examples: Vec<String>,
    /// What else there is to say.
    pub note: String,
    /// Cut answers that have no record, and may get one yet.
    #[serde(skip)]
    pub awaited: u64,
}

/// What happened in a scenario.
pub struct Evidence<'a> {
    /// Its name.
    pub scenario: &'a str,
    /// What it promises.
    pub bar: Bar,
    /// What the clients heard.
    pub heard: &'a [Heard],
    /// What the engines say.
    pub delivered: &'a [Delivered],
    /// What was billed.
    pub billed: &'a [Billed],
    /// Whether gateways were killed meanwhile.
    pub killed: bool,
}

impl Row {
    /// The line of a scenario.
    pub fn of(evidence: &Evidence<'_>) -> Row {
        let mut row = Row { scenario: evidence.scenario.to_owned(), ..Row::default() };
        let heard: HashMap<&str, &Heard> =
            evidence.heard.iter().filter_map(|it| Some((it.id.as_deref()?, it))).collect();
        let mut billed: HashMap<&str, Vec<&Billed>> = HashMap::new();
        evidence.billed.iter().for_each(|it| billed.entry(&it.id).or_default().push(it));
        for delivered in evidence.delivered {
            let records = billed.remove(delivered.id.as_str()).unwrap_or_default();
            row.one(evidence, delivered, heard.get(delivered.id.as_str()).copied(), &records);
        }
        let tokens = |it: &&&Billed| it.input_tokens + it.output_tokens > 0;
        row.invented = billed.values().flatten().filter(tokens).count() as u64;
        row.judge(evidence.bar);
        row
    }

    /// The line of a scenario that could not be run to its end.
    pub fn failed(scenario: &str, failure: &crate::Failure) -> Row {
        let missed = vec![format!("failed: {failure}")];
        Row { scenario: scenario.to_owned(), missed, ..Row::default() }
    }

    fn one(
        &mut self,
        evidence: &Evidence<'_>,
        delivered: &Delivered,
        heard: Option<&Heard>,
        records: &[&Billed],
    ) {
        self.requests += 1;
        self.doubled += records.len().saturating_sub(1) as u64;
        let sent = answering(&delivered.attempts);
        let read = heard.map_or(0, |heard| heard.tokens);
        let whole = heard.is_some_and(|heard| heard.whole);
        let record = records.first();
        let output = record.map_or(0, |it| it.output_tokens);
        let lost_gate = record.is_none_or(|record| record.end == "gateway_lost");
        if evidence.killed && !whole && lost_gate {
            self.cut += 1;
            self.awaited += u64::from(record.is_none());
            self.cut_output.add(read, sent.output_tokens, output);
            // A killed gateway may know less than went out, never more.
            self.wrong += u64::from(output > sent.output_tokens);
            return;
        }
        let Some(record) = record else {
            let lost = whole || sent.prompt_tokens > 0;
            self.lost += u64::from(lost);
            self.show(lost, || format!("{delivered:?}: no record, {heard:?}"));
            return;
        };
        // What ended in an error was no delivery, whatever an engine has read for it.
        let is_error = record.status >= 400 || heard.is_some_and(|it| it.status >= 400);
        let sent = if is_error { Attempt::default() } else { sent };
        self.output.add(read, sent.output_tokens, output);
        // What an engine has not told yet, nobody can know: only scenarios of estimates look.
        let is_told = record.source != "estimated";
        if is_told || evidence.bar == Bar::Estimated {
            self.input.add(sent.prompt_tokens, sent.prompt_tokens, record.input_tokens);
        }
        let right = Sum::has(read, sent.output_tokens, output)
            && (!is_told || record.input_tokens == sent.prompt_tokens);
        let wrong = evidence.bar == Bar::Exact && !right;
        self.wrong += u64::from(wrong);
        let told = || format!("{}: read {read}, sent {sent:?}, {record:?}", delivered.path);
        self.show(wrong, told);
    }

    /// Keeps the first few of what is wrong.
    fn show(&mut self, wrong: bool, told: impl FnOnce() -> String) {
        if wrong && self.examples.len() < EXAMPLES_MAX {
            self.examples.push(told());
        }
    }

    /// Whether no record is awaited any more.
    pub fn is_settled(&self) -> bool {
        self.lost == 0 && self.awaited == 0
    }

    /// Holds the sums against the bars.
    pub fn judge(&mut self, bar: Bar) {
        self.bar = match bar {
            Bar::Exact => "to the token",
            Bar::Estimated => "within 2 %",
            Bar::Untold => "0 lost, 0 doubled",
        };
        let counts = [
            ("lost", self.lost),
            ("doubled", self.doubled),
            ("invented", self.invented),
            ("outside of what was delivered", self.wrong),
            ("nano-dollars overspent", self.overspent_nanodollars),
        ];
        self.missed =
            counts.iter().filter(|it| it.1 > 0).map(|(name, n)| format!("{n} {name}")).collect();
        let most = match bar {
            Bar::Exact | Bar::Estimated => ESTIMATE_PERCENT_MAX,
            Bar::Untold => f64::INFINITY,
        };
        for (name, sum) in [("output", self.output), ("input", self.input)] {
            let percent = sum.error_percent();
            if percent.abs() > most {
                self.missed.push(format!("{percent:+.1} % of {name}"));
            }
        }
        if self.requests == 0 {
            self.missed.push("no engine has seen a request".to_owned());
        }
    }
}

/// The attempt that answered: the last one that got anywhere.
fn answering(attempts: &[Attempt]) -> Attempt {
    let answered = |it: &&Attempt| it.whole || it.output_tokens > 0;
    attempts.iter().rev().find(answered).or(attempts.last()).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(id: &str, tokens: u64, whole: bool) -> Heard {
        Heard { id: Some(id.into()), status: 200, tokens, whole, ..Heard::default() }
    }

    fn delivered(id: &str, tokens: u64, whole: bool) -> Delivered {
        let attempt =
            Attempt { prompt_tokens: 5, output_tokens: tokens, whole, ..Attempt::default() };
        Delivered { id: id.into(), path: "/".into(), attempts: vec![attempt] }
    }

    fn billed(id: &str, output_tokens: u64, end: &str) -> Billed {
        Billed {
            id: id.into(),
            input_tokens: 5,
            output_tokens,
            end: end.into(),
            ..Billed::default()
        }
    }

    fn row(
        heard: &[Heard],
        delivered: &[Delivered],
        billed: &[Billed],
        bar: Bar,
        killed: bool,
    ) -> Row {
        Row::of(&Evidence { scenario: "x", bar, heard, delivered, billed, killed })
    }

    #[test]
    fn what_lies_between_the_two_ends_is_right() {
        for (tokens, wrong) in [(3, 1), (4, 0), (6, 0), (7, 1)] {
            let row = row(
                &[heard("a", 4, false)],
                &[delivered("a", 6, false)],
                &[billed("a", tokens, "client_left")],
                Bar::Exact,
                false,
            );
            assert_eq!((row.wrong, row.missed.is_empty()), (wrong, wrong == 0), "{tokens}");
        }
    }

    #[test]
    fn lost_doubled_and_invented_are_counted() {
        let row = row(
            &[heard("a", 4, true), heard("b", 4, true)],
            &[delivered("a", 4, true), delivered("b", 4, true)],
            &[billed("b", 4, ""), billed("b", 4, ""), billed("c", 1, "")],
            Bar::Exact,
            false,
        );
        assert_eq!((row.lost, row.doubled, row.invented), (1, 1, 1), "{row:?}");
        assert_eq!(row.missed.len(), 3, "{row:?}");
    }

    #[test]
    fn what_a_killed_gateway_cut_is_told_apart_and_what_was_whole_is_not_excused() {
        let row = row(
            &[heard("a", 4, false), heard("b", 4, true)],
            &[delivered("a", 6, false), delivered("b", 4, true), delivered("c", 2, false)],
            &[billed("a", 3, "gateway_lost")],
            Bar::Exact,
            true,
        );
        assert_eq!((row.cut, row.lost, row.wrong), (2, 1, 0), "{row:?}");
        assert_eq!(row.cut_output, Sum { read: 4, sent: 8, billed: 3 });
    }

    #[test]
    fn estimates_are_held_to_their_sum() {
        let estimate = |tokens| {
            let all = [heard("a", 1000, true)];
            row(
                &all,
                &[delivered("a", 1000, true)],
                &[billed("a", tokens, "")],
                Bar::Estimated,
                false,
            )
        };
        assert!(estimate(1015).missed.is_empty());
        assert_eq!(estimate(970).missed, ["-3.0 % of output"]);
    }

    #[test]
    fn the_attempt_that_answered_counts() {
        let failed = Attempt { prompt_tokens: 5, ..Attempt::default() };
        let good = Attempt { output_tokens: 4, whole: true, ..failed };
        assert_eq!(answering(&[failed, good]), good);
        assert_eq!(answering(&[good, failed]), good);
        assert_eq!(answering(&[failed]), failed);
    }
}
