//! From the model that was asked for to the pool that serves it, in one look-up.

use contract::policy::{GatewayConfig, PoolConfig};
use hashbrown::HashMap;
use std::rc::Rc;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The pool's name.
    pub pool: String,
    /// What is known of the pool.
    pub config: PoolConfig,
}

/// Models and their routes.
#[derive(Clone, Debug, Default)]
pub struct Table {
    models: HashMap<String, Rc<Route>>,
    names: Vec<String>,
}

impl Table {
    /// The table of a configuration.
    ///
    /// # Errors
    /// A line for every model whose pool does not exist.
    pub fn compile(config: &GatewayConfig) -> Result<Table, Vec<String>> {
        let mut faults = Vec::new();
        let mut models = HashMap::with_capacity(config.models.len());
        let pools: HashMap<&str, Rc<Route>> = config
            .pools
            .iter()
            .map(|(name, pool)| {
                (name.as_str(), Rc::new(Route { pool: name.clone(), config: pool.clone() }))
            })
            .collect();
        for (name, model) in &config.models {
            let pool = model.split.first().map(|share| share.pool.as_str()).unwrap_or_default();
            match pools.get(pool) {
                Some(route) => {
                    models.insert(name.clone(), Rc::clone(route));
                }
                None => faults.push(format!("model `{name}`: there is no pool `{pool}`")),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Table { models, names: config.models.keys().cloned().collect() })
    }

    /// The route of a model.
    #[must_use]
    pub fn choose(&self, model: &str) -> Option<&Rc<Route>> {
        self.models.get(model)
    }

    /// All models, in the order of their names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::masking::MaskingConfig;
    use contract::policy::{AuthConfig, Engine, MediaConfig, ModelConfig};

    fn config(models: &[(&str, &str)]) -> GatewayConfig {
        let pool = PoolConfig {
            cluster: "pool/p".into(),
            model: "engine-name".into(),
            context: 0,
            timeout_ms: 1,
            prices: contract::price::Prices::default(),
            max_tokens: None,
            template_tokens: 0,
            medium_tokens: 0,
            price_version: "v".into(),
            engine: Engine::Vllm,
            allow_fields: Vec::new(),
            cache_salt: true,
            media: MediaConfig::default(),
            retries: 0,
            first_token_timeout_ms: None,
            affinity: contract::policy::AffinityConfig::None,
        };
        GatewayConfig {
            limits: [].into(),
            organisations_with_budget: vec![],
            control_cluster: "control".into(),
            max_body_bytes: 1,
            expose_pool: false,
            journal: false,
            auth: AuthConfig::default(),
            masking: MaskingConfig::default(),
            replay_bytes: 0,
            chains: true,
            families: vec![],
            aliases: [].into(),
            pools: [("p".to_owned(), pool)].into(),
            models: models
                .iter()
                .map(|(name, pool)| ((*name).to_owned(), ModelConfig::of_pool(pool)))
                .collect(),
            roles: [].into(),
            tenants: [].into(),
        }
    }

    #[test]
    fn a_model_leads_to_its_pool() {
        let table = Table::compile(&config(&[("b", "p"), ("a", "p")])).unwrap();
        assert_eq!(table.choose("a").unwrap().config.model, "engine-name");
        assert_eq!(table.choose("c"), None);
        assert_eq!(table.names(), ["a", "b"]);
    }

    #[test]
    fn every_missing_pool_is_named() {
        let faults = Table::compile(&config(&[("a", "x"), ("b", "p"), ("c", "y")])).unwrap_err();
        assert_eq!(faults, ["model `a`: there is no pool `x`", "model `c`: there is no pool `y`"]);
    }
}
