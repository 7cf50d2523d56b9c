//! The weights that commands gave to models' splits, on their way into the plan.

use admin::Splits;
use ledger::{Actor, Cause, Ledger, WeightChange, WeightStanding};
use model::Config;
use model::ids::{ModelName, PoolName};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// What commands made of the splits, as it was last read, and the splits that the
/// configuration in force has.
#[derive(Default)]
pub struct Commanded {
    standings: Mutex<Vec<WeightStanding>>,
    splits: watch::Sender<Splits>,
}

/// Weights by pool, by model.
pub type Rollouts = BTreeMap<ModelName, BTreeMap<PoolName, u32>>;

impl Commanded {
    /// Reads them anew.
    pub async fn read(&self, ledger: &Ledger) -> Result<(), ledger::Error> {
        let standings = ledger.weights().await?;
        *self.standings() = standings;
        Ok(())
    }

    /// All that holds, whether it fits a configuration or not.
    pub fn rollouts(&self) -> Rollouts {
        self.standings().iter().filter_map(rollout).collect()
    }

    /// From now on the API knows the splits of `config`.
    pub fn in_force(&self, config: &Config) {
        let weights = |model: &model::Model| {
            model.weights().into_iter().map(|(pool, weight)| (pool.into(), weight)).collect()
        };
        let splits = config.routes().map(|(name, model)| (name.to_owned(), weights(model)));
        self.splits.send_replace(splits.collect());
    }

    /// The splits of the configuration in force.
    pub fn watch_splits(&self) -> watch::Receiver<Splits> {
        self.splits.subscribe()
    }

    /// Forgets what does not fit `config` any more, and says so: the split of that model has
    /// other pools now. A failure is told and changes nothing: what does not fit does not
    /// hold either way.
    pub async fn drop_misfits(&self, config: &Config, ledger: &Ledger, at_ms: u64) {
        for model in self.misfits(config) {
            tracing::warn!(model, "its split has other pools: the weights by command are dropped");
            let (cause, actor) = (Cause::Dropped, Actor::Config);
            let change = WeightChange { model, weights: None, cause, actor, at_ms };
            if let Err(error) = ledger.change_weights(&change).await {
                tracing::error!(%error, "the weights by command could not be dropped");
            }
        }
    }

    fn misfits(&self, config: &Config) -> Vec<String> {
        let standings = self.standings();
        let fits = |name: &ModelName, weights: &BTreeMap<PoolName, u32>| {
            config.routed(name.as_str()).is_some_and(|model| model.takes(weights))
        };
        let held = standings.iter().filter_map(rollout);
        held.filter(|(name, weights)| !fits(name, weights)).map(|(name, _)| name.into()).collect()
    }

    /// The state is whole after every method, so a panic elsewhere does not spoil it.
    fn standings(&self) -> MutexGuard<'_, Vec<WeightStanding>> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What holds for a model; none where that is the configuration, or no name of today.
fn rollout(standing: &WeightStanding) -> Option<(ModelName, BTreeMap<PoolName, u32>)> {
    let pool = |(name, weight): (&String, &u32)| Some((PoolName::parse(name).ok()?, *weight));
    let weights = standing.weights.as_ref()?.iter().map(pool).collect::<Option<_>>()?;
    Some((ModelName::parse(&standing.model).ok()?, weights))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config_file::load_text;
    use ledger::Weights;
    use std::path::Path;

    fn config(split: &str) -> Config {
        let pools = ["a", "b", "c"].map(|pool| {
            format!("  {pool}: {{ engine: vllm, model: m, endpoints: [\"http://10.0.0.1:1\"] }}\n")
        });
        let pools = pools.concat();
        let models = format!("models:\n  chat: {{ split: [{split}] }}\n  'gpt-*': a\n");
        let text = format!("version: 1\npools:\n{pools}{models}");
        match load_text(Path::new("/t/tollgate.yaml"), &text) {
            Ok(loaded) => loaded.config,
            Err(invalid) => panic!("{:?}", invalid.0),
        }
    }

    const TWO: &str = "{ pool: a, weight: 95 }, { pool: b, weight: 5 }";

    fn weights(of: &[(&str, u32)]) -> Weights {
        of.iter().map(|(pool, weight)| ((*pool).to_owned(), *weight)).collect()
    }

    async fn set(ledger: &Ledger, model: &str, of: &[(&str, u32)]) {
        let (cause, actor, at_ms) = (Cause::Set, Actor::Admin, 1);
        let model = model.to_owned();
        let change = WeightChange { model, weights: Some(weights(of)), cause, actor, at_ms };
        assert!(ledger.change_weights(&change).await.unwrap());
    }

    #[tokio::test]
    async fn what_fits_holds_until_the_split_has_other_pools() {
        let data = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(data.path()).await.unwrap();
        set(&ledger, "chat", &[("a", 10), ("b", 90)]).await;
        set(&ledger, "gone", &[("a", 1), ("b", 1)]).await;
        let commanded = Commanded::default();
        commanded.read(&ledger).await.unwrap();
        let names: Vec<_> = commanded.rollouts().into_keys().map(String::from).collect();
        assert_eq!(names, ["chat", "gone"]);
        // Other weights in the file change nothing of what a command said.
        let other = config("{ pool: a, weight: 1 }, { pool: b, weight: 1 }");
        commanded.drop_misfits(&other, &ledger, 2).await;
        commanded.read(&ledger).await.unwrap();
        let held: Vec<_> = commanded.rollouts().into_iter().collect();
        assert_eq!((held.len(), held[0].0.as_str()), (1, "chat"));
        let three = config("{ pool: a, weight: 1 }, { pool: c, weight: 1 }");
        commanded.drop_misfits(&three, &ledger, 3).await;
        commanded.read(&ledger).await.unwrap();
        assert!(commanded.rollouts().is_empty());
    }

    #[test]
    fn the_api_knows_the_splits_in_force() {
        let commanded = Commanded::default();
        commanded.in_force(&config(TWO));
        let splits = commanded.watch_splits().borrow().clone();
        assert_eq!(splits["chat"], weights(&[("a", 95), ("b", 5)]));
        assert_eq!(splits["gpt-*"], weights(&[("a", 1)]));
    }
}
