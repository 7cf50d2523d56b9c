//! The weights that commands gave to models' splits, on their way into the plan.

use admin::Splits;
use ledger::{Ledger, WeightStanding, Weights};
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
    /// What does not fit, as far as it was told.
    told: Mutex<BTreeMap<String, Weights>>,
    splits: watch::Sender<Splits>,
}

/// What is said of weights by command that the configuration does not take.
const UNFIT: &str =
    "weights by command do not fit the configuration's split; they are not in force";

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

    /// Says what does not fit `config`, each once for as long as it stays so. It is not in force
    /// and it is kept: another control plane may have another configuration, and this one may
    /// have its pools again tomorrow. A command puts it out of the way.
    pub fn tell_misfits(&self, config: &Config) {
        let now = self.misfits(config);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for (model, weights) in
            now.iter().filter(|(model, weights)| told.get(*model) != Some(weights))
        {
            tracing::warn!(model, ?weights, "{UNFIT}");
        }
        *told = now;
    }

    fn misfits(&self, config: &Config) -> BTreeMap<String, Weights> {
        let fits = |standing: &WeightStanding| {
            let rollout = rollout(standing);
            rollout.is_some_and(|(name, weights)| {
                config.routed(name.as_str()).is_some_and(|model| model.takes(&weights))
            })
        };
        let standings = self.standings();
        let unfit = standings.iter().filter(|standing| !fits(standing));
        unfit.filter_map(|one| Some((one.model.clone(), one.weights.clone()?))).collect()
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
    use ledger::{Actor, Cause, WeightChange};
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
        let cause = Cause::Set { weights: weights(of), configured: weights(of) };
        let (model, actor, at_ms) = (model.to_owned(), Actor::Admin, 1);
        let change = WeightChange { model, cause, actor, at_ms };
        assert!(ledger.change_weights(&change).await.unwrap());
    }

    #[tokio::test]
    async fn what_does_not_fit_is_told_and_kept() {
        let data = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(data.path()).await.unwrap();
        set(&ledger, "chat", &[("a", 10), ("b", 90)]).await;
        set(&ledger, "gone", &[("a", 1), ("b", 1)]).await;
        let commanded = Commanded::default();
        commanded.read(&ledger).await.unwrap();
        let standings = ledger.weights().await.unwrap();
        let told = |split: &str| -> Vec<String> {
            commanded.tell_misfits(&config(split));
            commanded.told.lock().unwrap().keys().cloned().collect()
        };
        // Other weights in the file change nothing of what a command said.
        assert_eq!(told("{ pool: a, weight: 1 }, { pool: b, weight: 1 }"), ["gone"]);
        assert_eq!(told("{ pool: a, weight: 1 }, { pool: c, weight: 1 }"), ["chat", "gone"]);
        assert_eq!(told("{ pool: a, weight: 1 }"), ["chat", "gone"]);
        // With the split as it was it is in force again, and would be told of anew.
        assert_eq!(told(TWO), ["gone"]);
        commanded.read(&ledger).await.unwrap();
        let names: Vec<_> = commanded.rollouts().into_keys().map(String::from).collect();
        assert_eq!(names, ["chat", "gone"]);
        assert_eq!(ledger.weights().await.unwrap(), standings);
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
