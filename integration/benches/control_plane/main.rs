//! What the control plane costs: one changed endpoint among ten thousand, a
//! thousand connected Envoys, a thousand reloads, a hundred scraped engines.
//!
//! `cargo bench --package integration --bench control_plane [-- SCENARIO…]`. The
//! control plane and the simulated Envoys are processes of their own, started
//! from this same program, so that CPU and memory are of the one alone.

mod engines_peer;
mod envoys;
mod figures;
mod peer;
mod plane;
mod real_envoy;
mod scenarios;
mod sovereign;
mod world;

use integration::Result;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    more_open_files()?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(run(&words.iter().map(String::as_str).collect::<Vec<_>>()))
}

async fn run(words: &[&str]) -> Result<()> {
    match words {
        ["plane", clusters, endpoints] => plane::serve(clusters.parse()?, endpoints.parse()?).await,
        ["envoys", port, count] => envoys::connect(port.parse()?, count.parse()?).await,
        ["engines", count] => engines_peer::serve(count.parse()?).await,
        chosen => scenarios::all(chosen).await,
    }
}

/// A thousand connections need more files than a shell allows at first.
fn more_open_files() -> Result<()> {
    let limits = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: limits.maximum, ..limits })?)
}
