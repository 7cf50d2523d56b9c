//! One honest client beside many wrong keys.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures::future::join_all;
use integration::{Failure, Result, Tollgate};

use crate::admin::counter;
use crate::columns::{BUSY, P50, P99, REQUESTS, WAITED};
use crate::cores::Cores;
use crate::dialogue::Dialogue;
use crate::figures::Spread;
use crate::load::{Sample, Target, Times, run};
use crate::made_up::Series;
use crate::markdown::markdown;
use crate::memory::resident_mib;
use crate::report::Column;
use crate::request::{Ask, SMALL_BYTES};
use crate::requests::Requests;
use crate::scenarios::Schedule;
use crate::sides::{Side, TENANT, with};
use crate::sink::Sink;
use crate::tell::{tell, tell_ledger};

/// The heading.
pub const TITLE: &str = "Flood: a client with a key beside wrong keys from its own address";
/// From which wrong keys come.
const CONNECTIONS: usize = 16;
/// The flood yields to the honest client where they share a core: it is the gateway that
/// is to keep the client waiting, and not the machine of the load.
const NICE: i32 = 19;
/// What the honest client may lose: its p99 beside the flood by its calm one.
const P99_RATIO_MAX: f64 = 2.0;
/// What the control plane says of a key that nobody has; nothing else is answered so.
const LOOKUPS: &str = "cluster.control.upstream_rq_404";
const COLUMNS: &[Column] = &[P50, P99, REQUESTS, BUSY, WAITED];
/// A connection that was refused is tried again after that.
const AFTER_FAILURE: Duration = Duration::from_millis(1);

/// Measures and prints both tables; how many failures the honest client had.
pub async fn measure(schedule: &Schedule, cores: &Cores) -> Result<u64> {
    let engine = Sink::start()?;
    let sections = format!("tenants:\n  {TENANT}: {{}}\n");
    let mut side = Side::gate("Tollgate", with("line", &sections), engine.address(), cores).await?;
    let request = side.chat(Ask::Json, SMALL_BYTES).request(&side.bearer());
    let target = side.target(Requests::same(request), 0).await?;
    let heating = Times { warm_up: schedule.heat, measured: schedule.times.measured };
    side.answers += run(&target, 1, heating).await?.whole;
    let (mut samples, mut floods) = ([Vec::new(), Vec::new()], Vec::new());
    for round in 1..=schedule.rounds {
        eprintln!("{TITLE}: round {round} of {}", schedule.rounds);
        samples[0].push(run(&target, 1, schedule.times).await?);
        let (sample, flooded) = beside(&target, &side, schedule.times).await?;
        samples[1].push(sample);
        floods.push(flooded);
        side.settle().await?;
    }
    side.answers += samples.iter().flatten().map(|sample| sample.whole).sum::<u64>();
    let names = ["alone", "beside the flood"].map(str::to_owned);
    let failures = tell(TITLE, COLUMNS, &names, &samples);
    println!("\n{}", judged(&samples));
    println!("\n## Flood: what became of it\n\n{}", told(&floods).trim_end());
    Ok(failures + tell_ledger("Flood: ledger", &[side]).await?)
}

/// The honest client's run beside the flood.
async fn beside(target: &Target, side: &Side, times: Times) -> Result<(Sample, Flooded)> {
    let gate = side.gateway().ok_or_else(|| Failure::new("plain Envoy refuses nobody"))?;
    let before = State::of(gate, side).await?;
    let flood = Flood::start(side.address())?;
    let sample = run(target, 1, times).await;
    let counted = flood.stop()?;
    let after = State::of(gate, side).await?;
    Ok((sample?, Flooded { counted, before, after }))
}

/// What the gateway is like at one time.
struct State {
    lookups: u64,
    envoy_mib: f64,
}

impl State {
    async fn of(gate: &Tollgate, side: &Side) -> Result<State> {
        let lookups = counter(gate, LOOKUPS).await?;
        Ok(State { lookups, envoy_mib: resident_mib(side.envoy())? })
    }
}

/// What became of a flood.
struct Flooded {
    counted: Counted,
    before: State,
    after: State,
}

/// What the flood itself saw.
#[derive(Debug, Default)]
struct Counted {
    elapsed: Duration,
    by_status: BTreeMap<u16, u64>,
    /// Requests that had no answer, because the connection ended.
    unanswered: u64,
}

impl Counted {
    fn of(&self, status: u16) -> u64 {
        self.by_status.get(&status).copied().unwrap_or_default()
    }

    fn answers(&self) -> u64 {
        self.by_status.values().sum()
    }
}

/// Wrong keys on their way, from a thread of their own.
struct Flood {
    stopped: Arc<AtomicBool>,
    thread: JoinHandle<Result<Counted>>,
}

impl Flood {
    fn start(address: SocketAddr) -> io::Result<Flood> {
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        let name = std::thread::Builder::new().name("flood".to_owned());
        let thread = name.spawn(move || {
            // Of this thread alone, as Linux counts (setpriority(2), C library/kernel
            // differences).
            rustix::process::setpriority_process(None, NICE)?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(pour(address, &stop))
        })?;
        Ok(Flood { stopped, thread })
    }

    fn stop(self) -> Result<Counted> {
        self.stopped.store(true, Relaxed);
        self.thread.join().map_err(|_| Failure::new("the flood ended early"))?
    }
}

async fn pour(address: SocketAddr, stopped: &AtomicBool) -> Result<Counted> {
    let (requests, begun) = (Requests::strangers(Series::any())?, Instant::now());
    let each = (0..CONNECTIONS).map(|_| one(address, &requests, stopped));
    let mut counted = Counted::default();
    for (by_status, unanswered) in join_all(each).await {
        for (status, count) in by_status {
            *counted.by_status.entry(status).or_default() += count;
        }
        counted.unanswered += unanswered;
    }
    Ok(Counted { elapsed: begun.elapsed(), ..counted })
}

async fn one(
    address: SocketAddr,
    requests: &Requests,
    stopped: &AtomicBool,
) -> (BTreeMap<u16, u64>, u64) {
    let (mut dialogue, mut request) = (Dialogue::with(address), requests.template());
    let (mut by_status, mut unanswered) = (BTreeMap::new(), 0);
    while !stopped.load(Relaxed) {
        requests.renew(&mut request);
        match dialogue.ask(&request).await {
            Ok(status) => *by_status.entry(status).or_default() += 1,
            Err(_) => {
                unanswered += 1;
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
    }
    (by_status, unanswered)
}

/// The bar, and whether it holds.
fn judged(samples: &[Vec<Sample>; 2]) -> String {
    let p99 = |sample: &Sample| sample.p99.as_secs_f64();
    let [alone, beside] = samples;
    let ratios = beside.iter().zip(alone).map(|(beside, alone)| p99(beside) / p99(alone));
    match Spread::of(ratios) {
        Some(it) if it.median <= P99_RATIO_MAX => {
            format!(
                "p99 beside the flood is {it:.2} of the calm one, at most {P99_RATIO_MAX}: holds"
            )
        }
        Some(it) => format!(
            "p99 beside the flood is {it:.2} of the calm one, at most {P99_RATIO_MAX}: DOES NOT HOLD"
        ),
        None => "no round".to_owned(),
    }
}

fn told(floods: &[Flooded]) -> String {
    let heading = [
        "round",
        "requests/s",
        "401",
        "429",
        "other answers",
        "unanswered",
        "look-ups in the control plane",
        "Envoy before, MiB",
        "after, MiB",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for (at, Flooded { counted, before, after }) in floods.iter().enumerate() {
        let answers = counted.answers();
        let (refused, throttled) = (counted.of(401), counted.of(429));
        rows.push(vec![
            (at + 1).to_string(),
            format!("{:.0}", answers as f64 / counted.elapsed.as_secs_f64()),
            refused.to_string(),
            throttled.to_string(),
            (answers - refused - throttled).to_string(),
            counted.unanswered.to_string(),
            after.lookups.saturating_sub(before.lookups).to_string(),
            format!("{:.1}", before.envoy_mib),
            format!("{:.1}", after.envoy_mib),
        ]);
    }
    markdown(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p99(micros: u64) -> Vec<Sample> {
        vec![Sample { p99: Duration::from_micros(micros), ..Sample::default() }]
    }

    #[test]
    fn the_bar_is_twice_the_calm_p99() {
        assert!(judged(&[p99(100), p99(200)]).ends_with(": holds"));
        assert!(judged(&[p99(100), p99(201)]).ends_with("DOES NOT HOLD"));
    }

    #[tokio::test]
    async fn a_flood_is_counted_by_status_until_it_is_stopped() {
        let flood = Flood::start(Sink::start().unwrap().address()).unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        let counted = flood.stop().unwrap();
        assert!(counted.of(200) > 0 && counted.answers() == counted.of(200), "{counted:?}");
        let state = |lookups| State { lookups, envoy_mib: 1.0 };
        let told = told(&[Flooded { counted, before: state(1), after: state(3) }]);
        assert!(told.lines().last().unwrap().contains("| 2 "), "{told}");
    }
}
