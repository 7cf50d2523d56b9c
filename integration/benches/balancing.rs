//! How fast first tokens come under each way of balancing, in a simulation.
//!
//! `cargo bench --package integration --bench balancing [-- ENGINES...]`

use integration::balancing::{Figures, Policy, Scenario, run};
use integration::{Failure, Result};

/// Sizes of pools, when the command line does not say.
const ENGINES: [usize; 3] = [4, 16, 64];
const GATEWAYS: [usize; 2] = [1, 3];
/// Engines that are simulated together, at least: small pools are run several times, because
/// the slowest hundredth of few requests is chance.
const ENGINES_LEAST: usize = 48;
const FIRST_SEED: u64 = 7;

fn main() -> Result<()> {
    let words = std::env::args().skip(1).filter(|word| word != "--bench");
    let sizes: Vec<usize> =
        words.map(|word| word.parse()).collect::<std::result::Result<_, _>>()?;
    let sizes = if sizes.is_empty() { ENGINES.to_vec() } else { sizes };
    println!("| engines | gateways | traffic | policy | mean ms | p99 ms | hits | busiest |");
    println!("| ---: | ---: | --- | --- | ---: | ---: | ---: | ---: |");
    let mut missed = Vec::new();
    for (engines, gateways) in sizes.iter().flat_map(|size| GATEWAYS.map(|count| (*size, count))) {
        for scenario in Scenario::all(engines, gateways) {
            missed.extend(measure(&scenario));
        }
    }
    for line in &missed {
        println!("MISSED {line}");
    }
    if missed.is_empty() { Ok(()) } else { Err(Failure::new("the bar is missed")) }
}

/// Prints a line for each policy; what the bar is missed by.
fn measure(scenario: &Scenario) -> Vec<String> {
    let runs = (ENGINES_LEAST / scenario.engines).max(1) as u64;
    let seeds: Vec<u64> = (FIRST_SEED..FIRST_SEED + runs).collect();
    let figures = Policy::ALL.map(|policy| {
        let figures = run(scenario, policy, &seeds);
        print(scenario, policy, &figures);
        figures
    });
    let [round_robin, least_request, .., prefix] = &figures;
    let mut bars = vec![
        ("p99 against least_request", least_request.p99_ms, prefix.p99_ms),
        ("mean against least_request", least_request.mean_ms, prefix.mean_ms),
    ];
    if scenario.has_common_beginnings() {
        bars.push(("p99 against half of round_robin", round_robin.p99_ms / 2.0, prefix.p99_ms));
    }
    let missed = bars.into_iter().filter(|(_, bar, found)| found > bar);
    let Scenario { name, engines, gateways, .. } = scenario;
    let told = |(what, bar, found)| {
        format!("{engines} engines, {gateways} gateways, {name}: {what}: {found:.0} > {bar:.0}")
    };
    missed.map(told).collect()
}

fn print(scenario: &Scenario, policy: Policy, figures: &Figures) {
    let Scenario { name, engines, gateways, .. } = scenario;
    let Figures { mean_ms, p99_ms, hits, imbalance, .. } = figures;
    let (policy, hits) = (policy.name(), hits * 100.0);
    println!(
        "| {engines} | {gateways} | {name} | {policy} | {mean_ms:.0} | {p99_ms:.0} | {hits:.0} % | {imbalance:.2} |"
    );
}
