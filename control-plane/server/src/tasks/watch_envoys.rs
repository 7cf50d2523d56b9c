//! Looks which Envoys are connected: an old one among them changes what all of them get.

use crate::publish::{Publisher, Refresh};
use crate::run_file::RunFile;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;
use xds::Registry;

/// How often it is looked.
const INTERVAL: Duration = Duration::from_millis(500);

/// The watch over the Envoys.
pub struct EnvoyWatch {
    /// Where changes go; it has the decision.
    pub publisher: Arc<Publisher>,
    /// Who is connected.
    pub registry: Registry,
    /// Where the decision is kept for the next start.
    pub run_file: RunFile,
}

impl EnvoyWatch {
    /// Watches for ever.
    pub async fn run(self) {
        let mut due = false;
        loop {
            due |= self.publisher.chains.judge(&self.registry.snapshot());
            if due {
                due = !self.publish().await;
            }
            sleep(INTERVAL).await;
        }
    }

    async fn publish(&self) -> bool {
        let published = self.publisher.refresh(Refresh::Everything).await;
        let on = self.publisher.chains.are_on();
        let kept = self.run_file.change(|run| run.chains = Some(on));
        if let Err(error) = published.as_ref().and(kept.as_ref()) {
            tracing::error!(%error, "what the Envoys can do together cannot be published");
        }
        published.is_ok()
    }
}
