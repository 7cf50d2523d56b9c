//! This program once more, in another role: told by lines, answering by lines.

use integration::{Failure, Result};
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::figures::Used;

/// Longest time that anything asked of a peer may take.
const PATIENCE: Duration = Duration::from_secs(400);

/// A peer; it ends with the value.
pub struct Peer {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// Starts the peer and returns what it said first.
    pub async fn start(words: &[&str]) -> Result<(Peer, Value)> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (Some(stdin), Some(stdout)) = (stdin, stdout) else {
            return Err(Failure::new("no pipes"));
        };
        let mut peer = Peer { child, stdin, lines: BufReader::new(stdout).lines() };
        let first = peer.answer().await?;
        Ok((peer, first))
    }

    /// Asks, and waits for the answer.
    pub async fn ask(&mut self, line: &str) -> Result<Value> {
        self.stdin.write_all(format!("{line}\n").as_bytes()).await?;
        self.answer().await
    }

    async fn answer(&mut self) -> Result<Value> {
        let line = timeout(PATIENCE, self.lines.next_line()).await;
        match line.map_err(|_| Failure::new("the peer does not answer"))?? {
            Some(line) => Ok(serde_json::from_str(&line)?),
            None => Err(Failure::new("the peer has ended")),
        }
    }

    /// What it has used so far.
    pub fn used(&self) -> Used {
        Used::by(self.child.id().unwrap_or(0))
    }
}
