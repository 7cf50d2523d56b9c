//! Several control planes on one database: each tells the others which gateways it hears,
//! so that all know between how many the limits are shared.

use admin::{CLOCK, Gateways};
use contract::limits::GATEWAY_SEEN_MS;
use ledger::Ledger;
use std::time::Duration;

/// How often: several times within [`GATEWAY_SEEN_MS`].
const TELL_EVERY: Duration = Duration::from_millis(1_000);

/// The teller.
pub struct GatewayCount {
    /// Those of this control plane, and where the count of all goes.
    pub gateways: Gateways,
    /// Where the others are.
    pub ledger: Ledger,
}

impl GatewayCount {
    /// Tells for ever.
    pub async fn run(self) {
        loop {
            if let Err(error) = self.tell(CLOCK.now_ms()).await {
                tracing::debug!(%error, "the gateways of other control planes are not known");
            }
            tokio::time::sleep(TELL_EVERY).await;
        }
    }

    async fn tell(&self, now_ms: u64) -> Result<(), ledger::Error> {
        for process in self.gateways.here(now_ms) {
            self.ledger.gateway_seen(&process, now_ms).await?;
        }
        let all = self.ledger.gateways(now_ms.saturating_sub(GATEWAY_SEEN_MS)).await?;
        self.gateways.note_all(all, now_ms);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn two_control_planes_count_the_gateways_of_both() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path()).await.unwrap();
        let plane = || GatewayCount { gateways: Gateways::default(), ledger: ledger.clone() };
        let (one, two) = (plane(), plane());
        one.gateways.note("a", 100_000);
        two.gateways.note("b", 100_000);
        two.gateways.note("c", 100_000);
        for plane in [&one, &two, &one] {
            plane.tell(100_001).await.unwrap();
        }
        assert_eq!((*one.gateways.watch().borrow(), *two.gateways.watch().borrow()), (3, 3));
        one.tell(100_002 + 2 * GATEWAY_SEEN_MS).await.unwrap();
        assert_eq!(*one.gateways.watch().borrow(), 0);
    }
}
