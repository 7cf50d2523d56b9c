//! What engines counted between two moments, from samples of counters that begin anew
//! whenever an engine does.

use super::Tokens;
use ledger::EngineCounters;
use std::collections::BTreeMap;

/// What the samples of a pool come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// From the first sample to the last; none without two of one engine.
    pub window: Option<(u64, u64)>,
    /// What was counted in it.
    pub tokens: Option<Tokens>,
    /// How often each engine began anew.
    pub restarts: BTreeMap<String, u64>,
    /// Engines whose samples do not reach from one end of the window to the other.
    pub partly: Vec<(String, u64, u64)>,
    /// Engines that were sampled once.
    pub once: Vec<String>,
}

/// How far the samples of two engines may be apart at an end of the window and still
/// count as taken at the same moment, in milliseconds: they are taken each minute.
const APART_MS: u64 = 90_000;

/// One engine so far.
#[derive(Clone, Copy, Debug)]
struct Engine {
    first_ms: u64,
    last_ms: u64,
    last: Tokens,
    counted: Tokens,
    samples: u64,
    restarts: u64,
}

/// Takes in the samples of a pool, one after the other; as large as the pool has engines.
#[derive(Clone, Debug, Default)]
pub struct Counters(BTreeMap<String, Engine>);

impl Counters {
    /// Takes in the next sample of an engine; one that is older than the last is left out.
    pub fn add(&mut self, sample: &EngineCounters) {
        let (at_ms, now) =
            (sample.at_ms, Tokens { input: sample.input_tokens, output: sample.output_tokens });
        let engine = self.0.entry(sample.endpoint.clone()).or_insert(Engine {
            first_ms: at_ms,
            last_ms: at_ms,
            last: now,
            counted: Tokens::default(),
            samples: 0,
            restarts: 0,
        });
        if at_ms >= engine.last_ms {
            engine.next(at_ms, now);
        }
    }

    /// What they come to.
    pub fn read(&self) -> Read {
        let mut read = Read::default();
        let (more, once): (Vec<_>, Vec<_>) = self.0.iter().partition(|(_, one)| one.samples > 1);
        read.once = once.into_iter().map(|(endpoint, _)| endpoint.clone()).collect();
        let spans = more.iter().map(|(_, engine)| (engine.first_ms, engine.last_ms));
        read.window = spans.reduce(|all, span| (all.0.min(span.0), all.1.max(span.1)));
        for (endpoint, engine) in more {
            read.tokens.get_or_insert_default().add(engine.counted);
            if engine.restarts > 0 {
                read.restarts.insert(endpoint.clone(), engine.restarts);
            }
            if read.window.is_some_and(|window| !engine.reaches(window)) {
                read.partly.push((endpoint.clone(), engine.first_ms, engine.last_ms));
            }
        }
        read
    }
}

impl Engine {
    fn next(&mut self, at_ms: u64, now: Tokens) {
        let began_anew = now.input < self.last.input || now.output < self.last.output;
        let before = if began_anew { Tokens::default() } else { self.last };
        self.counted.add(Tokens {
            input: now.input.saturating_sub(before.input),
            output: now.output.saturating_sub(before.output),
        });
        self.restarts += u64::from(began_anew);
        (self.last_ms, self.last) = (at_ms, now);
        self.samples += 1;
    }

    fn reaches(&self, (from_ms, to_ms): (u64, u64)) -> bool {
        self.first_ms.saturating_sub(from_ms) <= APART_MS
            && to_ms.saturating_sub(self.last_ms) <= APART_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at_ms: u64, endpoint: &str, input: u64, output: u64) -> EngineCounters {
        EngineCounters {
            at_ms,
            pool: "a".into(),
            endpoint: endpoint.into(),
            engine: "vllm".into(),
            input_tokens: input,
            cached_input_tokens: None,
            output_tokens: output,
        }
    }

    fn read(samples: &[EngineCounters]) -> Read {
        let mut counters = Counters::default();
        samples.iter().for_each(|sample| counters.add(sample));
        counters.read()
    }

    #[test]
    fn counters_of_engines() {
        type Row<'a> = (&'a [(u64, &'a str, u64, u64)], Option<(u64, u64)>, Option<(u64, u64)>);
        let table: [Row<'_>; 7] = [
            (&[], None, None),
            (&[(0, "e1", 5, 5)], None, None),
            (&[(0, "e1", 5, 5), (60, "e1", 5, 5)], Some((0, 60)), Some((0, 0))),
            (&[(0, "e1", 5, 5), (60, "e1", 105, 25)], Some((0, 60)), Some((100, 20))),
            // Two engines, and a sample that comes too late.
            (
                &[
                    (0, "e1", 5, 5),
                    (1, "e2", 0, 7),
                    (60, "e1", 105, 25),
                    (59, "e1", 99, 9),
                    (61, "e2", 1, 7),
                ],
                Some((0, 61)),
                Some((101, 20)),
            ),
            // It began anew: what it says then is what it counted since.
            (
                &[(0, "e1", 900, 900), (60, "e1", 950, 960), (120, "e1", 10, 2)],
                Some((0, 120)),
                Some((60, 62)),
            ),
            (
                &[(0, "e1", u64::MAX, 0), (1, "e1", 0, 0), (2, "e1", u64::MAX, 0), (3, "e1", 1, 0)],
                Some((0, 3)),
                Some((u64::MAX, 0)),
            ),
        ];
        for (samples, window, tokens) in table {
            let samples: Vec<_> = samples
                .iter()
                .map(|(at, of, input, output)| sample(*at, of, *input, *output))
                .collect();
            let read = read(&samples);
            assert_eq!(read.window, window, "{samples:?}");
            assert_eq!(read.tokens.map(|all| (all.input, all.output)), tokens, "{samples:?}");
        }
    }

    #[test]
    fn what_the_samples_lack_is_told() {
        let samples = [
            sample(0, "e1", 5, 5),
            sample(60_000, "e3", 0, 0),
            sample(200_000, "e2", 0, 0),
            sample(600_000, "e1", 4, 5),
            sample(600_000, "e2", 0, 0),
        ];
        let read = read(&samples);
        assert_eq!(read.restarts, [("e1".to_owned(), 1)].into());
        assert_eq!(read.partly, [("e2".to_owned(), 200_000, 600_000)]);
        assert_eq!(read.once, ["e3"]);
    }
}
