//! Rows as tables: records and samples in, difference and reasons out.

use super::*;
use crate::tests::record;
use contract::usage::{End, Source};
use ledger::EngineCounters;

fn sample(at_ms: u64, input_tokens: u64, output_tokens: u64) -> EngineCounters {
    EngineCounters {
        at_ms,
        pool: "a".into(),
        endpoint: "127.0.0.1:9".into(),
        engine: "vllm".into(),
        input_tokens,
        cached_input_tokens: None,
        output_tokens,
    }
}

fn posted(records: &[ledger::UsageRecord]) -> Posted {
    let mut posted = Posted::default();
    records.iter().for_each(|record| posted.add(record, 1_000, 61_000));
    posted
}

fn row(engine: Engine, records: &[ledger::UsageRecord], samples: &[EngineCounters]) -> PoolRow {
    let of = Compared { pool: "a", engine, shared: &BTreeSet::new() };
    let mut counters = Counters::default();
    samples.iter().for_each(|sample| counters.add(sample));
    of.row(&posted(records), &counters.read())
}

/// 16 input and 14 output tokens that ended in the window.
fn one() -> ledger::UsageRecord {
    ledger::UsageRecord { at_ms: 2_000, duration_ms: 90, ..record("r1") }
}

#[test]
fn differences_and_their_reasons() {
    let begin = sample(1_000, 100, 100);
    let left = ledger::UsageRecord { end: End::ClientLeft, ..one() };
    let lost = ledger::UsageRecord { end: End::GatewayLost, ..one() };
    let guessed = ledger::UsageRecord { source: Source::Estimated, ..one() };
    let again = ledger::UsageRecord { attempts: 3, ..one() };
    let long = ledger::UsageRecord { at_ms: 900, duration_ms: 5_000, ..one() };
    let early = ledger::UsageRecord { at_ms: 900, duration_ms: 50, ..one() };
    type Row<'a> = (Engine, &'a ledger::UsageRecord, u64, u64, (i64, i64), &'a [&'a str]);
    let table: [Row<'_>; 9] = [
        (Engine::Vllm, &one(), 116, 114, (0, 0), &[]),
        (Engine::Vllm, &early, 100, 100, (0, 0), &[]),
        (Engine::Vllm, &left, 116, 116, (0, 2), &["1 answers were cut", "vLLM counts", "warm-up"]),
        (Engine::Sglang, &left, 100, 100, (-16, -14), &["SGLang counts a request when it has"]),
        (Engine::Vllm, &lost, 116, 120, (0, 6), &["lost with their gateway", "warm-up"]),
        (
            Engine::Vllm,
            &guessed,
            115,
            114,
            (-1, 0),
            &["1 requests have estimated tokens, 16 input"],
        ),
        (Engine::Vllm, &again, 148, 114, (32, 0), &["2 attempts failed", "warm-up"]),
        (Engine::Vllm, &long, 100, 114, (-16, 0), &["1 requests were under way"]),
        (Engine::Vllm, &one(), 7, 9, (-9, -5), &["127.0.0.1:9 began anew 1 times"]),
    ];
    for (engine, record, input, output, difference, reasons) in table {
        let samples = [begin.clone(), sample(61_000, input, output)];
        let row = row(engine, std::slice::from_ref(record), &samples);
        let tokens = |of: &Option<Difference>| of.as_ref().unwrap().tokens;
        let found = (tokens(&row.input_difference), tokens(&row.output_difference));
        assert_eq!(found, difference, "{row:?}");
        assert_eq!(row.explanations.len(), reasons.len(), "{row:?}");
        for (said, expected) in row.explanations.iter().zip(reasons) {
            assert!(said.contains(expected), "{said}: {expected}");
        }
    }
}

#[test]
fn engines_that_do_not_tell() {
    for (engine, samples, says) in [
        (Engine::Openai, vec![], "does not tell"),
        (Engine::Vllm, vec![], "no counters were sampled"),
        (Engine::Vllm, vec![sample(1_000, 1, 1)], "sampled once"),
    ] {
        let row = row(engine, &[one()], &samples);
        assert_eq!((row.engines, &row.input_difference), (None, &None));
        assert_eq!(row.ledger, Tokens { input: 16, output: 14 });
        assert!(row.explanations[0].contains(says), "{row:?}");
    }
}

#[test]
fn percentages_are_towards_zero_and_never_of_nothing() {
    let table = [
        (0, 1, Some("0.00")),
        (1, 3, Some("33.33")),
        (-1, 3, Some("-33.33")),
        (-1, 100_000, Some("0.00")),
        (300, 100, Some("300.00")),
        (5, 0, None),
    ];
    for (part, whole, expected) in table {
        assert_eq!(percent(part, whole).as_deref(), expected, "{part} of {whole}");
    }
}
