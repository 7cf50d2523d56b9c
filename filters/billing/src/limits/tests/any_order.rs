//! Any order of requests and settlements, beside a bucket that is slow and knows the truth.

use super::*;
use proptest::prelude::*;

/// Ten tokens a second.
const LIMIT: u32 = 600;
const PERIOD: u64 = SECOND / 10;
const FULL: u64 = LIMIT as u64 * PERIOD;

#[derive(Clone, Debug)]
enum Step {
    Wait {
        ms: u64,
    },
    Admit {
        tokens: u64,
    },
    /// Some open request ends with so many hundredths of what was taken.
    Settle {
        which: usize,
        percent: u64,
    },
}

fn step(percent_max: u64) -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..20_000_u64).prop_map(|ms| Step::Wait { ms }),
        (1..=u64::from(LIMIT)).prop_map(|tokens| Step::Admit { tokens }),
        (1..60_u64).prop_map(|tokens| Step::Admit { tokens }),
        (0..100_usize, 0..=percent_max)
            .prop_map(|(which, percent)| Step::Settle { which, percent }),
    ]
}

struct Request {
    at: u64,
    /// As far as is known.
    tokens: u64,
    open: Option<Admitted>,
}

struct Run {
    table: Memory,
    now: u64,
    requests: Vec<Request>,
}

impl Run {
    fn new() -> Run {
        Run { table: Memory::default(), now: NOW, requests: Vec::new() }
    }

    fn cell(&self) -> u64 {
        let key = scope(Kind::Key, "k");
        let admitted = admit(&Memory::default(), &ask(&[(key, &tokens(LIMIT))], 1)).unwrap();
        let slot = Slot::of(self.table.read(&name(key.slot)).as_deref());
        slot.full_at(admitted.taken[0].tag).unwrap_or(0)
    }

    /// The cell if all had been known at once.
    fn slow_cell(&self) -> u64 {
        self.requests.iter().fold(0, |cell, request| cell.max(request.at) + request.tokens * PERIOD)
    }

    fn take(&mut self, step: &Step) -> Option<bool> {
        match step {
            Step::Wait { ms } => self.now += ms * 1_000_000,
            Step::Admit { tokens: many } => {
                let scopes = [(scope(Kind::Key, "k"), &tokens(LIMIT))];
                let ask = Ask { now_ns: self.now, ..ask(&scopes, *many) };
                let admitted = admit(&self.table, &ask);
                let is_admitted = admitted.is_ok();
                let request = |open| Request { at: self.now, tokens: *many, open: Some(open) };
                self.requests.extend(admitted.ok().map(request));
                return Some(is_admitted);
            }
            Step::Settle { which, percent } => {
                let open: Vec<usize> =
                    (0..self.requests.len()).filter(|n| self.requests[*n].open.is_some()).collect();
                if let Some(n) = open.get(which % open.len().max(1)) {
                    let request = &mut self.requests[*n];
                    request.tokens = request.tokens * percent / 100;
                    let open = request.open.take().unwrap();
                    settle(&self.table, &open, request.tokens, self.now);
                }
            }
        }
        None
    }
}

proptest! {
    /// Without settling it is the plain bucket, to the nanosecond.
    #[test]
    fn it_is_the_plain_bucket(steps in proptest::collection::vec(step(100), 1..60)) {
        let mut run = Run::new();
        for step in steps.iter().filter(|step| !matches!(step, Step::Settle { .. })) {
            let slow = run.slow_cell().max(run.now);
            let admitted = run.take(step);
            if let Step::Admit { tokens } = step {
                prop_assert_eq!(admitted, Some(slow + tokens * PERIOD <= run.now + FULL));
            }
        }
    }

    /// Whatever is settled when: no more than if the truth had been known at once, and in no
    /// window more than a bucket and what it refills.
    #[test]
    fn settling_is_never_more_generous_than_the_truth(
        steps in proptest::collection::vec(step(100), 1..80)
    ) {
        let mut run = Run::new();
        for step in &steps {
            run.take(step);
            prop_assert!(run.cell().max(run.now) >= run.slow_cell());
        }
        for (n, first) in run.requests.iter().enumerate() {
            let mut sum = 0;
            for last in &run.requests[n..] {
                sum += last.tokens;
                prop_assert!(sum <= u64::from(LIMIT) + (last.at - first.at) / PERIOD);
            }
        }
    }

    /// Answers that use more than was taken bring debt, of a bucket at the most.
    #[test]
    fn debt_is_paid_first(steps in proptest::collection::vec(step(400), 1..80)) {
        let mut run = Run::new();
        for step in &steps {
            let in_debt = run.cell() > run.now + FULL - PERIOD;
            let admitted = run.take(step);
            prop_assert!(!(in_debt && admitted == Some(true)), "an empty bucket gave something");
            prop_assert!(run.cell() <= run.now + 2 * FULL);
        }
    }
}

/// Requests that ask for five times what they use do not use up the bucket, though they last
/// long: three a second of 200 ms each, for a minute and a half.
#[test]
fn what_is_under_the_limit_is_admitted() {
    let (table, limits, key) = (Memory::default(), tokens(60_000), scope(Kind::Key, "k"));
    let scopes = [(key, &limits)];
    let mut open = std::collections::VecDeque::new();
    for n in 0..270 {
        let now = NOW + n * SECOND / 3;
        let asked = Ask { now_ns: now, ..ask(&scopes, 1_000) };
        open.push_back(admit(&table, &asked).expect("600 of 1,000 a second are used"));
        if open.len() > 30 {
            settle(&table, &open.pop_front().unwrap(), 200, now);
        }
    }
}
