//! How many bytes of text a second a policy looks over: in the gateway, and the same code
//! in this process.

use std::hint::black_box;
use std::ops::Range;
use std::rc::Rc;

use contract::masking::MaskingPolicyConfig;
use integration::{Failure, Result};
use masking::{Policy, Redaction, Rules, TagKey};

use super::texts::Kind;
use super::{MASKED_TENANT, Question, Way, World};
use crate::columns::{BUSY, CPU_PER_REQUEST, REQUESTS, WAITED};
use crate::cores::{Cores, own_time};
use crate::figures::{Spread, micros};
use crate::load::Sample;
use crate::markdown::markdown;
use crate::report::Column;
use crate::request::LARGE_BYTES;
use crate::scenarios::{Row, Runs, Schedule, alternate};
use crate::sink::Sink;
use crate::tell::{tell_ledger, tell_pairs};

/// The heading.
pub const TITLE: &str = "Masking: chats of 1 MB with and without a policy, 2 connections";
const CONNECTIONS: usize = 2;
const COLUMNS: &[Column] = &[REQUESTS, CPU_PER_REQUEST, BUSY, WAITED];
/// Of the key that tags are made with here.
const KEY_BYTES: usize = 32;

/// Measures and prints both tables; how many failures there were.
pub async fn measure(schedule: &Schedule, cores: &Cores) -> Result<u64> {
    let engine = Sink::start()?;
    let mut world = World::start(engine.address(), cores).await?;
    let questions = Kind::ALL.map(|kind| Question::new(kind, LARGE_BYTES));
    let mut natives = questions.each_ref().map(|_| Native::default());
    let mut rows = Vec::new();
    for question in &questions {
        rows.extend(rows_of(&mut world, question).await?);
    }
    let mut measure_natives = || measure_natives(&questions, &mut natives, schedule.rounds);
    measure_natives()?;
    let runs = Runs { title: TITLE.to_owned(), connections: CONNECTIONS, columns: COLUMNS };
    let samples = alternate(&runs, &rows, &mut world.sides, schedule).await?;
    measure_natives()?;
    let names: Vec<String> = rows.into_iter().map(|row| row.name).collect();
    let pairs: Vec<_> = (0..Kind::ALL.len()).map(|at| (2 * at + 1, 2 * at)).collect();
    let failures = tell_pairs(TITLE, COLUMNS, &names, &samples, &pairs);
    println!("\n## Masking: MB/s\n\n{}", told(&questions, &natives, &samples).trim_end());
    Ok(failures + tell_ledger("Masking: ledger of the large chats", &world.sides).await?)
}

async fn rows_of(world: &mut World, question: &Question) -> Result<[Row; 2]> {
    let name = |way: &str| format!("{}, {way}", question.kind.name());
    let unmasked = world.row(Way::Unmasked, &name("no policy"), question).await?;
    let masked = world.row(Way::Masked, &name("policy"), question).await?;
    Ok([unmasked, masked])
}

/// What was measured in this process, in MB/s.
#[derive(Default)]
struct Native {
    scan: Vec<f64>,
    redact: Vec<f64>,
}

fn measure_natives(questions: &[Question], natives: &mut [Native], rounds: u64) -> Result<()> {
    let policy = Policy::compile(&MaskingPolicyConfig::default());
    let policy = Rc::new(policy.map_err(|faults| Failure::new(faults.join("; ")))?);
    let rules = Rules::all();
    for _ in 0..rounds {
        for (question, native) in questions.iter().zip(&mut *natives) {
            let text = question.text.as_str();
            native.scan.push(speed(text, |text| rules.scan(text).len()));
            native.redact.push(speed(text, |text| redacted(&policy, text)));
        }
    }
    Ok(())
}

fn speed(text: &str, work: impl Fn(&str) -> usize) -> f64 {
    let begun = own_time();
    black_box(work(black_box(text)));
    text.len() as f64 / micros(own_time() - begun)
}

/// All that the gateway does with a text once it has it, but for writing the body; the
/// bytes of all placeholders.
fn redacted(policy: &Rc<Policy>, text: &str) -> usize {
    let key = TagKey::for_tenant(&[0; KEY_BYTES], MASKED_TENANT);
    let mut redaction = Redaction::new(Rc::clone(policy), key);
    let found = redaction.look(text);
    let settled = redaction.settle();
    let value = |span: &Range<usize>| text.get(span.clone()).unwrap_or_default();
    let placeholders = found.iter().filter_map(|it| settled.replacement(it.of, value(&it.span)));
    placeholders.map(|placeholder| placeholder.len()).sum()
}

/// A row for each text; `samples` has two for each: without a policy and with it.
fn told(questions: &[Question], natives: &[Native], samples: &[Vec<Sample>]) -> String {
    let heading =
        ["text", "in the gateway", "native: scan alone", "native: with placeholders", "values"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for ((question, native), samples) in questions.iter().zip(natives).zip(samples.chunks(2)) {
        let [without, with] = samples else { continue };
        let bytes = question.text.len() as f64;
        rows.push(vec![
            question.kind.name().to_owned(),
            spread(added(without, with).into_iter().map(|added| bytes / added)),
            spread(native.scan.iter().copied()),
            spread(native.redact.iter().copied()),
            Rules::all().scan(&question.text).len().to_string(),
        ]);
    }
    markdown(&rows)
}

/// CPU µs a request that the policy adds, round by round.
fn added(without: &[Sample], with: &[Sample]) -> Vec<f64> {
    let cpu = CPU_PER_REQUEST.value;
    without.iter().zip(with).map(|(without, with)| cpu(with) - cpu(without)).collect()
}

fn spread(values: impl Iterator<Item = f64>) -> String {
    Spread::of(values).map_or_else(String::new, |it| format!("{it:.1}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn sample(cpu_us: u64) -> Sample {
        let mut sample = Sample { answers: 10, ..Sample::default() };
        sample.envoy.on_core = Duration::from_micros(10 * cpu_us);
        sample
    }

    #[test]
    fn a_speed_is_bytes_by_what_the_policy_adds() {
        let questions = [Question::new(Kind::Dense, 2_000)];
        let natives = [Native { scan: vec![50.0], redact: vec![30.0, 40.0] }];
        let samples = [vec![sample(100), sample(100)], vec![sample(200), sample(300)]];
        let told = told(&questions, &natives, &samples);
        let cells: Vec<&str> = told.lines().last().unwrap().split('|').map(str::trim).collect();
        let bytes = questions[0].text.len() as f64;
        let due = format!("{:.1}", Spread::of([bytes / 100.0, bytes / 200.0]).unwrap());
        assert_eq!(cells[1..5], ["dense, English", &due, "50.0 (50.0–50.0)", "35.0 (30.0–40.0)"]);
    }

    #[test]
    fn placeholders_are_made_of_values_alone() {
        let policy = Policy::compile(&MaskingPolicyConfig::default()).ok().map(Rc::new).unwrap();
        let redacted = |kind: Kind| redacted(&policy, &kind.text(2_000));
        assert_eq!(redacted(Kind::Prose), 0);
        assert!(redacted(Kind::Dense) > 15 * 10, "{}", redacted(Kind::Dense));
    }
}
