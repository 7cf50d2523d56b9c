//! The table of a configuration.

use super::{Route, Table};
use crate::chain::Chain;
use crate::family::Families;
use crate::model::{Model, Shadow};
use crate::rendezvous::hash;
use crate::rules::{Rule, When};
use crate::split::Split;
use contract::policy::{AffinityConfig, GatewayConfig, ModelConfig, PoolConfig, ShareConfig};
use hashbrown::HashMap;
use std::collections::BTreeMap;
use std::rc::Rc;

type Models = HashMap<String, Rc<Model>>;

pub(super) fn compile(config: &GatewayConfig) -> Result<Table, Vec<String>> {
    let mut compiler = Compiler::new(config);
    let mut models: Models = HashMap::with_capacity(config.models.len());
    for (name, model) in &config.models {
        models.extend(compiler.model(name, model).map(|model| (name.clone(), model)));
    }
    let mut families = Families::default();
    for family in &config.families {
        if let Some(model) = compiler.model(&family.pattern, &family.model) {
            families.push(&family.pattern, model);
        }
    }
    // After a fault the names of some models are missing: what leads to them is no fault.
    if !compiler.faults.is_empty() {
        return Err(compiler.faults);
    }
    let targets = Targets { models, families, aliases: &config.aliases };
    let aliases = targets.all(&config.aliases, "", &mut compiler.faults);
    let tenants = tenants(config, &targets, &mut compiler.faults);
    if !compiler.faults.is_empty() {
        return Err(compiler.faults);
    }
    let Targets { mut models, families, .. } = targets;
    let mut names: Vec<String> = models.keys().chain(aliases.keys()).cloned().collect();
    names.sort_unstable();
    names.dedup();
    models.extend(aliases);
    let has_prefix = |pool: &PoolConfig| matches!(pool.affinity, AffinityConfig::Prefix(_));
    let reads_prompts = compiler.reads_prompts || config.pools.values().any(has_prefix);
    Ok(Table { headers: compiler.headers(), models, families, tenants, names, reads_prompts })
}

fn tenants(
    config: &GatewayConfig,
    targets: &Targets<'_>,
    faults: &mut Vec<String>,
) -> HashMap<String, Models> {
    let with = config.tenants.iter().filter(|(_, tenant)| !tenant.aliases.is_empty());
    with.map(|(name, tenant)| {
        let whose = format!("tenant `{name}`: ");
        (name.clone(), targets.all(&tenant.aliases, &whose, faults))
    })
    .collect()
}

/// What an alias can stand for.
struct Targets<'c> {
    models: Models,
    families: Families,
    aliases: &'c BTreeMap<String, String>,
}

impl Targets<'_> {
    fn all(
        &self,
        aliases: &BTreeMap<String, String>,
        whose: &str,
        faults: &mut Vec<String>,
    ) -> Models {
        let mut found = HashMap::with_capacity(aliases.len());
        for (alias, target) in aliases {
            match self.find(aliases, target) {
                Ok(model) => {
                    found.insert(alias.clone(), model);
                }
                Err(fault) => faults.push(format!("{whose}alias `{alias}`: {fault}")),
            }
        }
        found
    }

    fn find(&self, aliases: &BTreeMap<String, String>, target: &str) -> Result<Rc<Model>, String> {
        if aliases.contains_key(target) || self.aliases.contains_key(target) {
            return Err(format!("`{target}` is an alias itself"));
        }
        let model = self.models.get(target).or_else(|| self.families.find(target));
        model.cloned().ok_or_else(|| format!("there is no model `{target}`"))
    }
}

/// What is compiled, and what is wrong with it.
struct Compiler<'c> {
    pools: HashMap<&'c str, Rc<Route>>,
    /// Whether there are fallbacks.
    chains: bool,
    /// Chains by the pools that they are made of: thousands of models have few.
    made: HashMap<Vec<&'c str>, Rc<Chain>>,
    headers: Vec<String>,
    reads_prompts: bool,
    faults: Vec<String>,
}

impl<'c> Compiler<'c> {
    fn new(config: &'c GatewayConfig) -> Compiler<'c> {
        let route = |(name, pool): (&'c String, &'c contract::policy::PoolConfig)| {
            (name.as_str(), Rc::new(Route { pool: name.clone(), config: pool.clone() }))
        };
        Compiler {
            pools: config.pools.iter().map(route).collect(),
            chains: config.chains,
            made: HashMap::new(),
            headers: Vec::new(),
            reads_prompts: false,
            faults: Vec::new(),
        }
    }

    /// The names of headers that models ask for.
    fn headers(mut self) -> Vec<String> {
        self.headers.sort_unstable();
        self.headers.dedup();
        self.headers
    }

    fn model(&mut self, name: &str, config: &'c ModelConfig) -> Option<Rc<Model>> {
        let faults = self.faults.len();
        let of = format!("model `{name}`");
        let split = self.split(&of, &config.split, config);
        let rules = config.rules.iter().enumerate().filter_map(|(number, rule)| {
            let of = format!("model `{name}`, rule {}", number + 1);
            let split = self.split(&of, &rule.split, config)?;
            Some(Rule { when: When::compile(&rule.when), split })
        });
        let rules: Box<[Rule]> = rules.collect();
        let shadow = self.shadow(&of, config);
        if self.faults.len() > faults {
            return None;
        }
        let word = if config.experiment.is_empty() { name } else { &config.experiment };
        let model = Model {
            name: name.into(),
            masking: config.masking.clone(),
            limits: config.limits.clone(),
            sticky: config.sticky.clone(),
            experiment: hash(0, word.as_bytes()),
            rules,
            split: split?,
            shadow,
        };
        self.headers.extend(model.headers().map(str::to_owned));
        self.reads_prompts |= model.reads_prompt();
        Some(Rc::new(model))
    }

    fn split(
        &mut self,
        of: &str,
        shares: &'c [ShareConfig],
        config: &'c ModelConfig,
    ) -> Option<Split> {
        let chains: Vec<(Rc<Chain>, u32)> = shares
            .iter()
            .filter_map(|share| {
                Some((self.chain(of, &share.pool, &config.fallback)?, share.weight))
            })
            .collect();
        if chains.len() < shares.len() {
            return None;
        }
        let split = Split::new(chains);
        if split.is_none() {
            self.faults.push(format!("{of}: no pool has a share"));
        }
        split
    }

    fn chain(&mut self, of: &str, first: &'c str, fallback: &'c [String]) -> Option<Rc<Chain>> {
        let fallback = fallback.iter().map(String::as_str);
        let names: Vec<&'c str> = std::iter::once(first).chain(fallback).collect();
        let mut routes: Vec<Rc<Route>> = Vec::with_capacity(names.len());
        for name in &names {
            routes.push(self.pool(of, name)?);
        }
        if !self.chains {
            routes.truncate(1);
        }
        let (first, fallback) = routes.split_first()?;
        let made = self.made.entry(names);
        Some(Rc::clone(made.or_insert_with(|| Rc::new(Chain::new(first, fallback)))))
    }

    fn shadow(&mut self, of: &str, config: &ModelConfig) -> Option<Shadow> {
        let shadow = config.shadow.as_ref()?;
        let route = self.pool(of, &shadow.pool)?;
        Some(Shadow { route, per_million: shadow.per_million })
    }

    fn pool(&mut self, of: &str, pool: &str) -> Option<Rc<Route>> {
        let route = self.pools.get(pool).cloned();
        if route.is_none() {
            let fault = format!("{of}: there is no pool `{pool}`");
            if !self.faults.contains(&fault) {
                self.faults.push(fault);
            }
        }
        route
    }
}
