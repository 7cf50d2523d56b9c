//! Keeps one Envoy alive: adopts the one of the last run or starts one, starts
//! another when it dies, and ends it in peace.

pub mod adopt;
mod backoff;
pub mod command;
mod drain;
pub mod envoy_admin;
pub mod process;
#[cfg(test)]
mod tests;

use crate::error::Failure;
use crate::run_file::{Run, RunFile};
use crate::stop::{Stop, Stopping};
use crate::tasks::envoy_log::EnvoyLog;
use admin::Supervised;
use adopt::Decision;
use backoff::Backoff;
use command::Launch;
use envoy_admin::EnvoyAdmin;
use process::Process;
use rustix::process::Signal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// How often the file with the admin interface's address is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long Envoy may take to open its admin interface.
const OPENING: Duration = Duration::from_secs(30);

/// Keeps one Envoy alive.
pub struct Supervisor {
    /// What it is started with.
    pub launch: Launch,
    /// Where its process is written down.
    pub run_file: RunFile,
    /// The folder of the usage spool that it writes.
    pub spool: PathBuf,
    /// Its own log, for people.
    pub log: EnvoyLog,
    /// For its admin interface.
    pub http: reqwest::Client,
    /// What `status` shows of it.
    pub shown: watch::Sender<Supervised>,
}

impl Supervisor {
    /// Runs until `stopping` says so; no Envoy is left then.
    pub async fn run(self, mut stopping: Stopping) -> Result<(), Failure> {
        let mut backoff = Backoff::default();
        let mut next = self.first(&stopping).await?;
        loop {
            let since = Instant::now();
            let how = match next {
                Ok(mut process) => {
                    tokio::select! {
                        how = process.ended() => how,
                        () = stopping.asked() => return self.end(process, &stopping).await,
                    }
                }
                Err(failure) => failure.to_string(),
            };
            self.forget()?;
            if let Err(error) = self.bury() {
                tracing::warn!(%error, "what the dead envoy wrote is left for later");
            }
            let wait = backoff.after(since.elapsed());
            let log = self.log.path().display();
            tracing::error!(how, ?wait, %log, "envoy died and is started again");
            tokio::select! {
                () = sleep(wait) => {}
                () = stopping.asked() => return Ok(()),
            }
            self.shown.send_modify(|shown| shown.restarts = shown.restarts.saturating_add(1));
            next = self.start().await;
        }
    }

    /// The Envoy of the last run, if it is fit to go on; else a new one.
    async fn first(&self, stopping: &Stopping) -> Result<Result<Process, Failure>, Failure> {
        let run = self.run_file.get();
        let seen = run.envoy_pid.and_then(|pid| process::look(pid, &self.launch.bootstrap_file));
        match adopt::decide(&run, seen.as_ref(), &self.launch.digest()) {
            Decision::Start => {}
            Decision::Adopt { pid, start } => {
                tracing::info!(pid, "envoy of the last run goes on");
                let process = Process::Adopted { pid, start };
                self.show(&process, run.envoy_admin);
                return Ok(Ok(process));
            }
            Decision::Replace { pid, start } => {
                tracing::warn!(pid, "envoy of the last run was started with other settings");
                self.end(Process::Adopted { pid, start }, stopping).await?;
            }
        }
        Ok(self.start().await)
    }

    /// Starts an Envoy. None runs now.
    async fn start(&self) -> Result<Process, Failure> {
        self.bury()?;
        let child = self.launch.spawn()?;
        let pid = child.id().ok_or_else(ended_at_once)?;
        let mut process = Process::Child { child, pid };
        match self.write_down(&mut process).await {
            Ok(admin) => {
                tracing::info!(pid, %admin, "envoy started");
                self.show(&process, Some(admin));
                Ok(process)
            }
            Err(failure) => {
                process.signal(Signal::KILL);
                process.ended().await;
                Err(failure)
            }
        }
    }

    /// Writes down who it is and, once it says so, where its admin interface is.
    async fn write_down(&self, process: &mut Process) -> Result<SocketAddr, Failure> {
        let pid = process.pid();
        self.run_file.change(|run| {
            run.envoy_pid = Some(pid);
            run.envoy_start = process::start_of(pid);
            run.bootstrap_digest = Some(self.launch.digest());
        })?;
        let admin = tokio::select! {
            opened = self.admin_address() => opened?,
            _ = process.ended() => return Err(ended_at_once()),
        };
        self.run_file.change(|run| run.envoy_admin = Some(admin))?;
        Ok(admin)
    }

    /// Where its admin interface listens, as soon as it says so.
    async fn admin_address(&self) -> Result<SocketAddr, Failure> {
        let deadline = Instant::now() + OPENING;
        while Instant::now() < deadline {
            let text = std::fs::read_to_string(&self.launch.admin_address_file);
            if let Some(address) = text.ok().and_then(|text| text.trim().parse().ok()) {
                return Ok(address);
            }
            sleep(LOOK_EVERY).await;
        }
        Err(Failure::Envoy("its admin interface did not open".to_owned()))
    }

    /// Ends it: drained, unless there is a hurry.
    async fn end(&self, mut process: Process, stopping: &Stopping) -> Result<(), Failure> {
        let admin = self.run_file.get().envoy_admin;
        let admin = admin.map(|address| EnvoyAdmin::new(self.http.clone(), address));
        drain::end(&mut process, admin.as_ref(), stopping).await;
        self.forget()?;
        self.bury()
    }

    /// No Envoy runs now, so what the last one wrote is final: what it said goes
    /// to its log, and what it knew of usage to the ledger.
    fn bury(&self) -> Result<(), Failure> {
        self.log.close(|| ledger::rotate_for_dead_gateway(&self.spool).map(|_| ()))
    }

    fn forget(&self) -> Result<(), Failure> {
        self.shown.send_modify(|shown| {
            *shown = Supervised { restarts: shown.restarts, ..Supervised::default() };
        });
        self.run_file.change(Run::without_envoy)
    }

    fn show(&self, process: &Process, admin: Option<SocketAddr>) {
        let (pid, adopted) = (process.pid(), process.is_adopted());
        self.shown.send_modify(|shown| {
            *shown = Supervised { pid: Some(pid), adopted, restarts: shown.restarts, admin };
        });
    }
}

fn ended_at_once() -> Failure {
    Failure::Envoy("it ended at once".to_owned())
}

impl Stop {
    /// Whether there is no time to drain.
    fn is_hurry(self) -> bool {
        matches!(self, Stop::Now)
    }
}
