//! The end of an Envoy: no new connections, the running requests finished, then
//! the process.

use super::envoy_admin::EnvoyAdmin;
use super::process::Process;
use crate::stop::Stopping;
use rustix::process::Signal;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How long running requests are waited for.
const DRAINING: Duration = Duration::from_secs(10);
/// How long Envoy may take to end once it was told to.
const ENDING: Duration = Duration::from_secs(5);
/// How often it is asked whether requests are running.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// Ends `process`. Nothing of it is left afterwards.
pub async fn end(process: &mut Process, admin: Option<&EnvoyAdmin>, stopping: &Stopping) {
    let mut hurry = stopping.clone();
    tokio::select! {
        () = drain(admin) => {}
        _ = process.ended() => return,
        () = hurry.hurried() => tracing::warn!("envoy is ended with requests running"),
    }
    let patience = if stopping.now().is_hurry() { Duration::ZERO } else { ENDING };
    process.signal(Signal::TERM);
    let ended = tokio::select! {
        ended = timeout(patience, process.ended()) => ended.is_ok(),
        () = hurry.hurried() => false,
    };
    if !ended {
        process.signal(Signal::KILL);
        process.ended().await;
    }
    tracing::info!("envoy ended");
}

/// Waits until no request is running, at most [`DRAINING`].
async fn drain(admin: Option<&EnvoyAdmin>) {
    let Some(admin) = admin else { return };
    if let Err(error) = admin.drain().await {
        tracing::warn!(%error, "envoy could not be drained");
        return;
    }
    let deadline = Instant::now() + DRAINING;
    while Instant::now() < deadline {
        match admin.active_requests().await {
            Ok(0) => return,
            Ok(_) => sleep(ASK_EVERY).await,
            Err(error) => {
                tracing::warn!(%error, "envoy could not be asked for its running requests");
                return;
            }
        }
    }
    tracing::warn!("requests are still running after {DRAINING:?}");
}
