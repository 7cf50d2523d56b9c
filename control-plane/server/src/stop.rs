//! When to stop: at the first signal in peace, at a second Ctrl-C at once.

use crate::error::Failure;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Go on.
    No,
    /// End what is running first.
    Gently,
    /// End at once.
    Now,
}

/// Signals that come so close together are one press of Ctrl-C: the terminal
/// signals a whole group, and a script in it may pass the signal on.
const ONE_KEY: Duration = Duration::from_millis(300);

/// The word that it is time to stop. Clones hear the same word.
#[derive(Clone)]
pub struct Stopping(watch::Receiver<Stop>);

impl Stopping {
    /// Listens to SIGINT and SIGTERM.
    pub fn by_signals() -> Result<Self, Failure> {
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::internal)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::internal)?;
        let (sender, receiver) = watch::channel(Stop::No);
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            say(&sender, Stop::Gently);
            let begun = Instant::now();
            while interrupt.recv().await.is_some() && begun.elapsed() < ONE_KEY {}
            say(&sender, Stop::Now);
            // Nobody is to take the end of the channel for a word.
            std::future::pending::<()>().await;
        });
        Ok(Stopping(receiver))
    }

    /// The word as of now.
    pub fn now(&self) -> Stop {
        *self.0.borrow()
    }

    /// Waits until it is time to stop.
    pub async fn asked(&mut self) {
        self.until(Stop::Gently).await;
    }

    /// Waits until there is a hurry.
    pub async fn hurried(&mut self) {
        self.until(Stop::Now).await;
    }

    async fn until(&mut self, least: Stop) {
        if self.0.wait_for(|word| *word >= least).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn say(sender: &watch::Sender<Stop>, word: Stop) {
    tracing::info!(how = ?word, "stopping");
    sender.send_replace(word);
}

#[cfg(test)]
impl Stopping {
    /// Over a channel: whoever holds the other end decides.
    pub fn of(receiver: watch::Receiver<Stop>) -> Self {
        Stopping(receiver)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    const SOON: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn the_second_word_is_the_hurry() {
        let (sender, receiver) = watch::channel(Stop::No);
        let mut stopping = Stopping(receiver);
        assert!(timeout(SOON, stopping.asked()).await.is_err());
        sender.send_replace(Stop::Gently);
        assert!(timeout(SOON, stopping.asked()).await.is_ok());
        assert!(timeout(SOON, stopping.hurried()).await.is_err());
        sender.send_replace(Stop::Now);
        assert!(timeout(SOON, stopping.hurried()).await.is_ok());
        assert!(timeout(SOON, stopping.asked()).await.is_ok());
    }

    #[tokio::test]
    async fn silence_is_no_word() {
        let (sender, receiver) = watch::channel(Stop::No);
        drop(sender);
        let mut stopping = Stopping(receiver);
        assert!(timeout(SOON, stopping.asked()).await.is_err());
    }
}
