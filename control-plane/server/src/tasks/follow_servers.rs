//! Publishes anew when the servers of a pool, their weights or a file that is named
//! changed, and not more often than a gateway is well with.

use crate::debounce::Debounce;
use crate::publish::{Publisher, Refresh};
use admin::CLOCK;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// How long nothing is waited for when nothing is due, in milliseconds.
const LOOK_EVERY_MS: u64 = 5_000;

/// After how long a publication that failed is tried again, in milliseconds.
const RETRY_AFTER_MS: u64 = 5_000;

/// The watch over everything but the configuration file.
pub struct ServerWatch {
    /// Where changes go; it has the roster.
    pub publisher: Arc<Publisher>,
    /// Counts up when the content of a file is to be published.
    pub materials: watch::Receiver<u64>,
}

impl ServerWatch {
    /// Watches for ever.
    pub async fn run(mut self) {
        let mut waiting = Debounce::default();
        let mut what = Refresh::Servers;
        loop {
            let certificate = self.wait(&waiting).await;
            let now_ms = CLOCK.now_ms();
            if self.publisher.roster.look(now_ms) || certificate {
                waiting.note(now_ms);
            }
            if certificate {
                what = Refresh::Everything;
            }
            if waiting.is_due(now_ms) {
                waiting = Debounce::default();
                if self.publish(what).await {
                    what = Refresh::Servers;
                } else {
                    waiting.note(now_ms + RETRY_AFTER_MS);
                }
            }
        }
    }

    /// Returns when there may be something to do; whether a certificate changed.
    async fn wait(&mut self, waiting: &Debounce) -> bool {
        let now_ms = CLOCK.now_ms();
        let deadlines = [self.publisher.roster.next_deadline_ms(), waiting.due_ms()];
        let next_ms = deadlines.into_iter().flatten().min().unwrap_or(u64::MAX);
        let pause_ms = next_ms.saturating_sub(now_ms).clamp(1, LOOK_EVERY_MS);
        tokio::select! {
            () = self.publisher.roster.changed() => false,
            () = next(&mut self.materials) => true,
            () = sleep(Duration::from_millis(pause_ms)) => false,
        }
    }

    async fn publish(&self, what: Refresh) -> bool {
        let published = self.publisher.refresh(what).await;
        match &published {
            Ok(changes) => tracing::debug!(?changes, "the servers changed"),
            Err(error) => tracing::error!(%error, "the changed servers cannot be published"),
        }
        published.is_ok()
    }
}

/// Returns at the next change; never, once nobody can make one.
async fn next(changes: &mut watch::Receiver<u64>) {
    if changes.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}
