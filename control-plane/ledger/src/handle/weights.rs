//! The ledger's word on weights of splits.

use super::{Ledger, tell};
use crate::audit::Actor;
use crate::error::Error;
use crate::weights::{WeightChange, WeightStanding};
use tokio::sync::watch;

impl Ledger {
    /// Gives a model other weights; whether they are others than held.
    ///
    /// # Errors
    ///
    /// [`Error::NoShare`] when no pool would get a request.
    pub async fn change_weights(&self, change: &WeightChange) -> Result<bool, Error> {
        let changed = self.store.change_weights(change).await?;
        self.tell_weights().await?;
        Ok(changed)
    }

    /// Takes the last step of a model's weights back that was not yet; whether there was one.
    pub async fn undo_weights(&self, model: &str, actor: Actor, at_ms: u64) -> Result<bool, Error> {
        let undone = self.store.undo_weights(model, actor, at_ms).await?;
        self.tell_weights().await?;
        Ok(undone)
    }

    /// How the weights stand of each model that ever had a step.
    pub async fn weights(&self) -> Result<Vec<WeightStanding>, Error> {
        self.store.weights().await
    }

    /// Goes up with every step that this control plane makes, or hears of.
    #[must_use]
    pub fn watch_weights(&self) -> watch::Receiver<u64> {
        self.weights.subscribe()
    }

    pub(super) async fn tell_weights(&self) -> Result<(), Error> {
        tell(&self.weights, self.store.weights_version().await?);
        Ok(())
    }
}
