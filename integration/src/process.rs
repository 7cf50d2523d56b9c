//! A child process with its output in files, ended by its own pid.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Lines of a log that a failure shows.
const TAIL_LINES: usize = 40;
/// Between two looks at a child's output or end.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A running child; what still runs when the value goes is killed.
pub struct Process {
    child: Child,
    /// What it printed.
    pub stdout: PathBuf,
    /// What it logged.
    pub stderr: PathBuf,
}

impl Process {
    /// Starts the command; its output goes to `NAME.out` and `NAME.err` in `logs`.
    pub fn spawn(mut command: Command, logs: &Path, name: &str) -> io::Result<Process> {
        let stdout = logs.join(format!("{name}.out"));
        let stderr = logs.join(format!("{name}.err"));
        command.stdin(Stdio::null());
        command.stdout(File::create(&stdout)?).stderr(File::create(&stderr)?);
        let program = command.get_program().to_owned();
        let child = command.spawn().map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", program.to_string_lossy()))
        })?;
        Ok(Process { child, stdout, stderr })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What follows `prefix` on the first line of output that has it.
    ///
    /// # Errors
    /// The process ended, or printed no such line in time; both with its logs.
    pub async fn line_after(&mut self, prefix: &str, timeout: Duration) -> io::Result<String> {
        let until = Instant::now() + timeout;
        loop {
            let ended = self.child.try_wait()?;
            let printed = std::fs::read_to_string(&self.stdout)?;
            let whole_lines = printed.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            let found = whole_lines.filter_map(|line| line.strip_prefix(prefix)).next();
            if let Some(rest) = found {
                return Ok(rest.trim().to_owned());
            }
            if let Some(status) = ended {
                return Err(self.failed(&format!("ended with {status} before {prefix:?}")));
            }
            if Instant::now() >= until {
                return Err(self.failed(&format!("no line {prefix:?} within {timeout:?}")));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// SIGTERM, and SIGKILL when that did not end it within `patience`; `None`
    /// when it came to that.
    pub fn terminate(&mut self, patience: Duration) -> Option<ExitStatus> {
        signal(self.pid(), Signal::TERM);
        let until = Instant::now() + patience;
        while Instant::now() < until {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            std::thread::sleep(LOOK_EVERY);
        }
        self.kill();
        None
    }

    fn failed(&self, what: &str) -> io::Error {
        io::Error::other(format!("{what}\n{}", self.tails()))
    }

    /// The last lines of both logs, and where the rest is.
    pub fn tails(&self) -> String {
        [&self.stdout, &self.stderr].map(|log| tail(log)).join("")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_running() {
            self.kill();
        }
    }
}

/// The last lines of a log, under its path.
pub fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(TAIL_LINES);
    format!("--- {} ({} lines)\n{}\n", log.display(), lines.len(), lines[from..].join("\n"))
}

/// Sends a signal to a process that need not be our child.
pub fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// Whether a process of this id runs; one that only waits to be reaped does not.
pub fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    state.is_some_and(|state| !"ZX".contains(state))
}

/// The command line of a process, its words joined by spaces.
pub fn command_line(pid: u32) -> String {
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&words).replace('\0', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn a_line_is_waited_for_and_the_end_is_noticed() {
        let logs = tempfile::tempdir().unwrap();
        let script = "echo noise; echo trouble >&2; echo ready: here; while :; do sleep 0.05; done";
        let mut process = Process::spawn(shell(script), logs.path(), "one").unwrap();
        let line = process.line_after("ready: ", Duration::from_secs(5)).await.unwrap();
        assert_eq!(line, "here");
        assert!(runs(process.pid()) && command_line(process.pid()).contains("noise"));
        assert!(process.terminate(Duration::from_secs(5)).is_some());
        assert!(process.tails().contains("trouble"));
    }

    #[tokio::test]
    async fn an_early_end_shows_the_logs() {
        let logs = tempfile::tempdir().unwrap();
        let mut process = Process::spawn(shell("echo why >&2; exit 3"), logs.path(), "x").unwrap();
        let error = process.line_after("ready: ", Duration::from_secs(5)).await.unwrap_err();
        assert!(error.to_string().contains("why"), "{error}");
    }

    #[test]
    fn what_ignores_sigterm_is_killed() {
        let logs = tempfile::tempdir().unwrap();
        let script = "trap '' TERM; echo on; while :; do sleep 0.05; done";
        let mut process = Process::spawn(shell(script), logs.path(), "deaf").unwrap();
        while std::fs::read_to_string(&process.stdout).unwrap().is_empty() {
            std::thread::sleep(LOOK_EVERY);
        }
        assert_eq!(process.terminate(Duration::from_millis(200)), None);
        assert!(!process.is_running());
    }
}
