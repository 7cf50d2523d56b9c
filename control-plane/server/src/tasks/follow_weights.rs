//! Publishes the weights of models' splits when a command has moved them, here or at another
//! control plane on the same database.

use crate::publish::{Publisher, Refresh};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// After how long a publication that failed is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The watch over the steps.
pub struct WeightsWatch {
    /// Where changes go.
    pub publisher: Arc<Publisher>,
    /// Goes up with every step.
    pub steps: watch::Receiver<u64>,
}

impl WeightsWatch {
    /// Watches for ever. It begins with a look: a step may have come before it.
    pub async fn run(mut self) {
        self.steps.mark_changed();
        while self.steps.changed().await.is_ok() {
            while !self.publish().await {
                sleep(RETRY_AFTER).await;
            }
        }
    }

    async fn publish(&self) -> bool {
        let published = self.publisher.refresh(Refresh::Splits).await;
        match &published {
            Ok(changes) if changes.is_empty() => {}
            Ok(changes) => tracing::info!(?changes, "the weights of splits were moved"),
            Err(error) => tracing::error!(%error, "the weights of splits cannot be published"),
        }
        published.is_ok()
    }
}
