//! How well the scanner does on made-up texts, Korean and English, whose values are known.
//!
//! ```sh
//! cargo run --release -p masking --example scores
//! cargo run --release -p masking --example scores -- --misses KR_RRN --tricks
//! ```
//!
//! The texts come from templates, the values from generators: nothing here knows the
//! detectors. The same `--seed` gives the same texts.

use std::io::Write as _;
use std::time::Instant;

use crate::cases::Wanted;
use crate::report::{Report, Speed};
use crate::rng::Rng;
use crate::sample::{Labelled, Sample};
use crate::score::Scores;
use crate::tricks::Trick;

mod cases;
mod checks;
mod corpus;
mod labels;
mod look_alikes;
mod neutral;
mod records;
mod report;
mod rng;
mod sample;
mod score;
mod slots;
mod templates;
mod tricks;
mod values;

const USAGE: &str = "scores [--seed N] [--texts N] [--misses TYPE|all] [--over] [--tricks] [--most N] [--details] [--show N] [--write]";

/// Between these lines of the page the tables stand.
const BEGIN: &str = "<!-- scores:begin -->";
const END: &str = "<!-- scores:end -->";
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/masking.md");

struct Asked {
    seed: u64,
    texts: usize,
    wanted: Wanted,
    details: bool,
    show: usize,
    write: bool,
}

fn asked(mut args: impl Iterator<Item = String>) -> Option<Asked> {
    let wanted = Wanted { misses: None, over: false, tricks: false, most: 40 };
    let mut asked = Asked { seed: 5, texts: 3000, wanted, details: false, show: 0, write: false };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--seed" => asked.seed = args.next()?.parse().ok()?,
            "--texts" => asked.texts = args.next()?.parse().ok()?,
            "--most" => asked.wanted.most = args.next()?.parse().ok()?,
            "--show" => asked.show = args.next()?.parse().ok()?,
            "--misses" => {
                let name = args.next()?;
                let of = report::type_of(&name);
                if of.is_none() && name != "all" {
                    return None;
                }
                asked.wanted.misses = Some(of);
            }
            "--over" => asked.wanted.over = true,
            "--tricks" => asked.wanted.tricks = true,
            "--details" => asked.details = true,
            "--write" => asked.write = true,
            _ => return None,
        }
    }
    Some(asked)
}

fn scan(text: &str) -> Vec<masking::Finding> {
    masking::scan(text)
}

/// Scores of some texts, and the cases that are wanted.
fn scored(texts: &[(&'static str, Labelled)], wanted: Option<&Wanted>) -> (Scores, Vec<String>) {
    let mut scores = Scores::default();
    let mut cases = Vec::new();
    for (genre, labelled) in texts {
        let found = scan(&labelled.said);
        let outcome = scores.add(genre, labelled, &found);
        let Some(wanted) = wanted else { continue };
        if let Some(of) = wanted.misses {
            cases.extend(cases::misses(labelled, &outcome, of));
        }
        if wanted.over {
            cases.extend(cases::over(labelled, &outcome));
        }
    }
    (scores, cases)
}

/// Texts with values, each with one trick of those that fit.
fn tricked(samples: &[Sample], seed: u64) -> Vec<(Trick, &'static str, Labelled)> {
    let mut rng = Rng::new(seed ^ 0x7215);
    let play = |sample: &Sample| {
        let fitting = tricks::fitting(sample);
        let trick = fitting.get(rng.below(fitting.len())).copied()?;
        Some((trick, sample.genre, tricks::played(&mut rng, sample, trick)))
    };
    samples.iter().filter(|sample| sample.has_pii()).filter_map(play).collect()
}

/// Nanoseconds that this thread was on a core; by the clock where the system does not say.
fn core_time_ns(since: Instant) -> u128 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let on_core = stat.split(' ').next().and_then(|time| time.parse().ok());
    on_core.unwrap_or_else(|| since.elapsed().as_nanos())
}

/// MB/s of one thread over texts, each scanned for itself; the best of three.
#[expect(clippy::cast_precision_loss, reason = "some megabytes")]
fn speed<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> f64 {
    let bytes: usize = texts.clone().map(str::len).sum();
    let clock = Instant::now();
    let mut best = 0.0_f64;
    for _ in 0..3 {
        let start = core_time_ns(clock);
        let found: usize = texts.clone().map(|text| scan(text).len()).sum();
        let passed = core_time_ns(clock).saturating_sub(start);
        std::hint::black_box(found);
        best = best.max(bytes as f64 * 1e3 / passed.max(1) as f64);
    }
    best
}

fn measured(asked: &Asked) -> (Report, Vec<String>) {
    let samples = corpus::corpus(asked.seed, asked.texts);
    let plain: Vec<_> = samples.iter().map(|sample| (sample.genre, sample.plain())).collect();
    let tricked = tricked(&samples, asked.seed);
    let wanted = |tricks| (asked.wanted.tricks == tricks).then_some(&asked.wanted);
    let mut by_trick = Vec::new();
    for trick in Trick::ALL {
        let texts = tricked.iter().filter(|(one, ..)| one == trick);
        let texts: Vec<_> = texts.map(|(_, genre, said)| (*genre, said.clone())).collect();
        by_trick.push((*trick, scored(&texts, None).0.leaking));
    }
    let texts: Vec<_> = tricked.into_iter().map(|(_, genre, said)| (genre, said)).collect();
    let (plain_scores, mut cases) = scored(&plain, wanted(false));
    let (tricked_scores, more) = scored(&texts, wanted(true));
    cases.extend(more);
    let (telling, silent): (Vec<_>, Vec<_>) =
        plain.iter().map(|(_, said)| said).partition(|said| said.pii().next().is_some());
    let prose = corpus::prose(asked.seed);
    let report = Report {
        seed: asked.seed,
        texts: asked.texts,
        plain: plain_scores,
        tricked: tricked_scores,
        tricks: by_trick,
        speed: Speed {
            telling: speed(telling.iter().map(|text| text.said.as_str())),
            silent: speed(silent.iter().map(|text| text.said.as_str())),
            prose: speed(prose.iter().map(String::as_str)),
        },
    };
    (report, cases)
}

fn shown(asked: &Asked) -> String {
    let mut out = String::new();
    for sample in corpus::corpus(asked.seed, asked.show) {
        let labelled = sample.plain();
        out.push_str(&format!("--- {}\n{}\n", sample.genre, labelled.said));
        for mark in &labelled.marks {
            let said = labelled.said.get(mark.span.clone()).unwrap_or_default();
            out.push_str(&format!("    {:?} {}: {said}\n", mark.what, mark.kind));
        }
    }
    out
}

/// Puts the tables into the page, which is made where it is not there.
fn write_page(report: &Report) -> std::io::Result<()> {
    let page =
        std::fs::read_to_string(PAGE).unwrap_or_else(|_| format!("# Masking\n\n{BEGIN}\n{END}\n"));
    let absent = || std::io::Error::other(format!("{PAGE} has no {BEGIN} and {END}"));
    let (before, rest) = page.split_once(BEGIN).ok_or_else(absent)?;
    let (_, behind) = rest.split_once(END).ok_or_else(absent)?;
    let command = format!(
        "```sh\ncargo run --release -p masking --example scores -- --seed {} --texts {} --write\n```",
        report.seed, report.texts
    );
    let tables = report.markdown();
    std::fs::write(PAGE, format!("{before}{BEGIN}\n{command}\n\n{tables}{END}{behind}"))
}

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let Some(asked) = asked(std::env::args().skip(1)) else {
        return writeln!(out, "{USAGE}");
    };
    if asked.show > 0 {
        return out.write_all(shown(&asked).as_bytes());
    }
    let (report, cases) = measured(&asked);
    let count = cases.len();
    for case in cases.into_iter().take(asked.wanted.most) {
        writeln!(out, "{case}")?;
    }
    if asked.wanted.misses.is_some() || asked.wanted.over {
        return writeln!(out, "{count} cases");
    }
    out.write_all(report.markdown().as_bytes())?;
    if asked.details {
        out.write_all(report.details().as_bytes())?;
    }
    if asked.write {
        write_page(&report)?;
    }
    Ok(())
}
