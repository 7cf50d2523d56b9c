//! Rotates the usage spool when it is long, so that what was read can go.

use crate::supervise::envoy_admin::EnvoyAdmin;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How often the spool is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The spool of one Envoy.
pub struct Rotation<F> {
    /// Its folder.
    pub spool: PathBuf,
    /// Where Envoy's admin interface is, while there is one that can be asked to
    /// open a new file. Not while several Envoys write the one there is: the
    /// others would go on with the old one, which is removed once it is read.
    pub envoy_admin: F,
    /// For questions to Envoy.
    pub http: reqwest::Client,
}

impl<F: Fn() -> Option<SocketAddr>> Rotation<F> {
    /// Rotates for ever.
    pub async fn run(self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if let Some(address) = (self.envoy_admin)()
                && let Err(error) = self.look(address).await
            {
                tracing::warn!(error, "the usage spool could not be rotated");
            }
        }
    }

    /// Renames a file that is long. Envoy is asked to open a new one until it
    /// did: it may have been away the first time.
    async fn look(&self, address: SocketAddr) -> Result<(), String> {
        let long = ledger::live_bytes(&self.spool).map_err(|e| e.to_string())?;
        if long >= ledger::LIVE_BYTES_MAX {
            ledger::rotate_live(&self.spool).map_err(|e| e.to_string())?;
        }
        if ledger::awaits_reopen(&self.spool).map_err(|e| e.to_string())? {
            let envoy = EnvoyAdmin::new(self.http.clone(), address);
            envoy.reopen_logs().await.map_err(|e| e.to_string())?;
        }
        Ok(())
    }
}
