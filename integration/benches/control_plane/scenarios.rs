//! What is measured, and how it is told.

use integration::{Failure, Result};
use serde_json::Value;
use std::time::{Duration, Instant};

use crate::figures::{Used, percentile};
use crate::peer::Peer;
use crate::real_envoy::RealEnvoy;
use crate::sovereign::Sovereign;

/// Pools, and endpoints of each, of the large configuration.
const POOLS: &str = "1000";
const ENDPOINTS: &str = "10";
/// Changes of one endpoint that are timed.
const MOVES: usize = 200;
/// Envoys at once.
const ENVOYS: usize = 1_000;
/// Changes that all of them get.
const BROADCASTS: usize = 10;
/// Reloads in a row.
const RELOADS: usize = 1_000;
/// Engines that are scraped, and for how long.
const ENGINES: u16 = 100;
const SCRAPING: Duration = Duration::from_secs(10);

/// Changes that are compared with sovereign's.
const COMPARED: usize = 20;

/// Runs the chosen scenarios, all when none is named.
pub async fn all(chosen: &[&str]) -> Result<()> {
    let is_chosen = |name: &str| chosen.is_empty() || chosen.contains(&name);
    let known = ["change", "envoys", "reloads", "scraping", "sovereign"];
    if let Some(unknown) = chosen.iter().find(|name| !known.contains(name)) {
        return Err(Failure::new(format!("{unknown} is no scenario; there are {known:?}")));
    }
    if is_chosen("change") {
        change().await?;
    }
    if is_chosen("envoys") {
        envoys().await?;
    }
    if is_chosen("reloads") {
        reloads().await?;
    }
    if is_chosen("scraping") {
        scraping().await?;
    }
    if is_chosen("sovereign") {
        compared().await?;
    }
    Ok(())
}

async fn plane(pools: &str, endpoints: &str) -> Result<(Peer, u16)> {
    let (plane, first) = Peer::start(&["plane", pools, endpoints]).await?;
    let port = first["port"].as_u64().and_then(|port| u16::try_from(port).ok());
    Ok((plane, port.ok_or_else(|| Failure::new("no port"))?))
}

fn figure(answer: &Value, name: &str) -> f64 {
    answer[name].as_f64().unwrap_or(f64::NAN)
}

/// One of 10,000 endpoints changes, and a real Envoy takes it.
async fn change() -> Result<()> {
    let (mut plane, port) = plane(POOLS, ENDPOINTS).await?;
    let envoy = RealEnvoy::start(port)?;
    plane.ask("settle 1").await?;
    let (mut published, mut acknowledged, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..MOVES {
        let before = envoy.received().await?;
        let answer = plane.ask(&format!("move {}", turn % 1_000)).await?;
        published.push(figure(&answer, "published_ms"));
        acknowledged.push(figure(&answer, "acknowledged_ms"));
        #[expect(clippy::cast_precision_loss, reason = "some hundred bytes")]
        bytes.push((envoy.received().await? - before) as f64);
    }
    head(&format!(
        "{POOLS} pools of {ENDPOINTS} endpoints, a real Envoy; {MOVES} times one endpoint moves"
    ));
    row("planned, checked and published, ms", &published);
    row("… and acknowledged by Envoy, ms", &acknowledged);
    row("bytes from the control plane", &bytes);
    used("control plane", plane.used());
    used("Envoy", Used::by(envoy.pid()));
    Ok(())
}

/// Many Envoys, one change.
async fn envoys() -> Result<()> {
    let (mut plane, port) = plane(POOLS, ENDPOINTS).await?;
    let alone = plane.used();
    let start = Instant::now();
    let (mut envoys, _) = Peer::start(&["envoys", &port.to_string(), &ENVOYS.to_string()]).await?;
    plane.ask(&format!("settle {ENVOYS}")).await?;
    let settled = start.elapsed().as_secs_f64();
    let first = plane.used();
    let (mut acknowledged, mut cpu, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..BROADCASTS {
        let came = envoys.ask("").await?;
        let before = plane.used();
        let answer = plane.ask(&format!("move {turn}")).await?;
        acknowledged.push(figure(&answer, "acknowledged_ms"));
        cpu.push(plane.used().cpu_s - before.cpu_s);
        bytes.push(figure(&envoys.ask("").await?, "bytes") - figure(&came, "bytes"));
    }
    head(&format!(
        "{ENVOYS} simulated Envoys (a connection each), {POOLS} pools of {ENDPOINTS} endpoints; {BROADCASTS} times one endpoint moves"
    ));
    row("from the change to the last acknowledgement, ms", &acknowledged);
    row("CPU of the control plane for it, s", &cpu);
    row("bytes to all Envoys", &bytes);
    line("all connected and served, s", settled);
    line("CPU of the control plane until then, s", first.cpu_s - alone.cpu_s);
    line("memory before they came, MiB", alone.rss_mib);
    line("memory with all of them, MiB", first.rss_mib);
    line("memory after the changes, MiB", plane.used().rss_mib);
    Ok(())
}

/// Reload after reload.
async fn reloads() -> Result<()> {
    let (mut plane, port) = plane("100", ENDPOINTS).await?;
    let (_envoys, _) = Peer::start(&["envoys", &port.to_string(), "10"]).await?;
    plane.ask("settle 10").await?;
    let mut memory = Vec::new();
    let mut acknowledged = Vec::new();
    for turn in 0..=RELOADS {
        if turn % (RELOADS / 10) == 0 {
            memory.push((turn, plane.used().rss_mib));
        }
        acknowledged.push(figure(&plane.ask("reload").await?, "acknowledged_ms"));
    }
    head(&format!(
        "{RELOADS} reloads in a row, 100 pools of {ENDPOINTS} endpoints, 10 simulated Envoys"
    ));
    row("from the text to the last acknowledgement, ms", &acknowledged);
    for (turn, rss_mib) in memory {
        line(&format!("memory after {turn} reloads, MiB"), rss_mib);
    }
    Ok(())
}

/// A hundred engines are asked four times a second.
async fn scraping() -> Result<()> {
    let (mut plane, _) = plane("1", "1").await?;
    let (_engines, first) = Peer::start(&["engines", &ENGINES.to_string()]).await?;
    plane.ask(&format!("scrape {} {ENGINES}", first["port"])).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (start, before) = (Instant::now(), plane.used());
    tokio::time::sleep(SCRAPING).await;
    let cores = (plane.used().cpu_s - before.cpu_s) / start.elapsed().as_secs_f64();
    head(&format!(
        "{ENGINES} engines scraped every 250 ms, {} bytes each (a vLLM's)",
        first["bytes"]
    ));
    line("cores of the control plane", cores);
    Ok(())
}

/// The same change here and there, in turns.
async fn compared() -> Result<()> {
    let (pools, endpoints) = (POOLS.parse()?, ENDPOINTS.parse()?);
    let Some(mut sovereign) = Sovereign::start(pools, endpoints).await? else {
        line("sovereign is not installed: its comparison is left out", f64::NAN);
        return Ok(());
    };
    let (mut plane, port) = plane(POOLS, ENDPOINTS).await?;
    let (mut envoys, _) = Peer::start(&["envoys", &port.to_string(), "1"]).await?;
    plane.ask("settle 1").await?;
    let (mut ours, mut ours_cpu, mut theirs, mut theirs_cpu, mut bytes) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let came = figure(&envoys.ask("").await?, "bytes");
    for turn in 1..=COMPARED {
        let before = plane.used();
        ours.push(figure(&plane.ask("move 0").await?, "acknowledged_ms"));
        ours_cpu.push(plane.used().cpu_s - before.cpu_s);
        let change = sovereign.change(pools, endpoints, turn).await?;
        theirs.push(change.seen_ms);
        theirs_cpu.push(change.cpu_s);
        #[expect(clippy::cast_precision_loss, reason = "a megabyte")]
        bytes.push(change.bytes as f64);
    }
    let came = figure(&envoys.ask("").await?, "bytes") - came;
    head(&format!(
        "sovereign 0.32.12 (one worker, REST) and Tollgate: {POOLS} pools of {ENDPOINTS} endpoints, one client, {COMPARED} times one endpoint moves, in turns"
    ));
    row("Tollgate: change to acknowledgement, ms", &ours);
    row(
        "sovereign: change to the poll that shows it (context read every 1 s, polled every 50 ms), ms",
        &theirs,
    );
    row("Tollgate: CPU for it, s", &ours_cpu);
    row("sovereign: CPU for it, the polls among it, s", &theirs_cpu);
    line("Tollgate: bytes for a change", came / f64::from(u32::try_from(COMPARED)?));
    row("sovereign: bytes for a change", &bytes);
    line("sovereign: CPU of a poll that finds nothing new, s", sovereign.idle_poll(20).await?);
    line("Tollgate: memory, MiB", plane.used().rss_mib);
    line("sovereign: memory, MiB", sovereign.rss_mib());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the result of the measurement")]
fn head(title: &str) {
    println!("\n### {title}\n\n| | p50 | p99 | max |\n| --- | --- | --- | --- |");
}

#[expect(clippy::print_stdout, reason = "the result of the measurement")]
fn row(name: &str, values: &[f64]) {
    let at = |share| percentile(values, share);
    println!("| {name} | {:.2} | {:.2} | {:.2} |", at(0.5), at(0.99), at(1.0));
}

fn used(who: &str, used: Used) {
    line(&format!("CPU of {who} in all, s"), used.cpu_s);
    line(&format!("memory of {who}, MiB"), used.rss_mib);
}

#[expect(clippy::print_stdout, reason = "the result of the measurement")]
fn line(name: &str, value: f64) {
    println!("| {name} | {value:.2} | | |");
}
