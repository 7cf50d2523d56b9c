//! Processes, by `/proc`: an adopted Envoy is not our child, and its end is
//! seen by looking.

use rustix::process::{Pid, Signal, kill_process};
use std::path::Path;
use std::time::Duration;
use tokio::process::Child;

/// How often a process that is not our child is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Fields of `/proc/PID/stat` after the command's name: the state is the first,
/// the start time the 20th (fields 3 and 22 in proc(5)).
const START_AFTER_NAME: usize = 19;

/// What `/proc` says of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When it began, in clock ticks since the machine did.
    pub start: u64,
    /// Whether it has ended and waits to be buried by its parent.
    pub dead: bool,
    /// Whether its command line names our bootstrap file.
    pub is_ours: bool,
}

/// Looks at process `pid`; `None` when there is none. `bootstrap` is the file
/// that our Envoy was started with.
pub fn look(pid: u32, bootstrap: &Path) -> Option<Seen> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (dead, start) = parse_stat(&stat)?;
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let bootstrap = bootstrap.as_os_str().as_encoded_bytes();
    let is_ours = line.split(|b| *b == 0).any(|word| word == bootstrap);
    Some(Seen { start, dead, is_ours })
}

/// Whether it has ended, and when it began. The name stands in parentheses and
/// may itself hold some.
fn parse_stat(stat: &str) -> Option<(bool, u64)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let dead = matches!(fields.next()?, "Z" | "X" | "x");
    let start = fields.nth(START_AFTER_NAME - 1)?.parse().ok()?;
    Some((dead, start))
}

/// When process `pid` began.
pub fn start_of(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    parse_stat(&stat).map(|(_, start)| start)
}

/// An Envoy that runs.
pub enum Process {
    /// We started it.
    Child {
        /// The process.
        child: Child,
        /// Its number.
        pid: u32,
    },
    /// A Tollgate before us did.
    Adopted {
        /// Its number.
        pid: u32,
        /// When it began.
        start: u64,
    },
}

impl Process {
    /// Its number.
    pub fn pid(&self) -> u32 {
        match self {
            Process::Child { pid, .. } | Process::Adopted { pid, .. } => *pid,
        }
    }

    /// Whether a Tollgate before us started it.
    pub fn is_adopted(&self) -> bool {
        matches!(self, Process::Adopted { .. })
    }

    /// Waits for its end and says how it came. Can be given up and called again.
    pub async fn ended(&mut self) -> String {
        match self {
            Process::Child { child, .. } => match child.wait().await {
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            },
            Process::Adopted { pid, start } => {
                while alive(*pid, *start) {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                "gone".to_owned()
            }
        }
    }

    /// Sends it a signal; nothing if it has ended.
    pub fn signal(&self, signal: Signal) {
        let there = match self {
            // A child that was not waited for keeps its number.
            Process::Child { child, .. } => child.id().is_some(),
            Process::Adopted { pid, start } => alive(*pid, *start),
        };
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid.filter(|_| there)
            && let Err(error) = kill_process(pid, signal)
        {
            tracing::debug!(%error, "the signal did not reach envoy");
        }
    }
}

fn alive(pid: u32, start: u64) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| parse_stat(&stat))
        .is_some_and(|(dead, began)| !dead && began == start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_parentheses_and_spaces() {
        let rest = "0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0";
        assert_eq!(parse_stat(&format!("7 (en) (voy) S {rest}")), Some((false, 4711)));
        assert_eq!(parse_stat(&format!("7 (envoy) Z {rest}")), Some((true, 4711)));
        assert_eq!(parse_stat("7 (envoy) S 0 1"), None);
        assert_eq!(parse_stat(""), None);
    }

    #[tokio::test]
    async fn a_process_is_seen_until_it_ends() {
        let mut child = tokio::process::Command::new("sleep").arg("600").spawn().unwrap();
        let pid = child.id().unwrap();
        let start = start_of(pid).unwrap();
        // The command line is there a moment after the process is.
        while !look(pid, Path::new("600")).unwrap().is_ours {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(!look(pid, Path::new("60")).unwrap().is_ours);
        let mut adopted = Process::Adopted { pid, start };
        adopted.signal(Signal::TERM);
        assert_eq!(adopted.ended().await, "gone");
        // Not yet buried, and still seen as dead.
        assert!(!alive(pid, start));
        child.wait().await.unwrap();
        assert_eq!(look(pid, Path::new("600")), None);
    }
}
