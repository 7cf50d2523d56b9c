//! Which pools serve which names, as the filter is told.

use crate::Inputs;
use crate::filter::{named, text, texts};
use contract::policy::{
    FamilyConfig, ModelConfig, RuleConfig, ShadowConfig, ShareConfig, WhenConfig,
};
use model::ids::{ModelName, PoolName};
use model::{Family, Model, Rule, Shadow, Share, When};
use std::collections::BTreeMap;

/// Weights by command, for the models that take them.
type Rollouts<'a> = &'a BTreeMap<ModelName, BTreeMap<PoolName, u32>>;

pub(crate) fn models(inputs: &Inputs<'_>) -> BTreeMap<String, ModelConfig> {
    named(&inputs.config.models, |name, item| model(name.as_str(), item, inputs.rollouts))
}

/// In the order in which they are tried.
pub(crate) fn families(inputs: &Inputs<'_>) -> Vec<FamilyConfig> {
    let family = |family: &Family| FamilyConfig {
        pattern: family.pattern.to_string(),
        model: model(family.pattern.as_str(), &family.model, inputs.rollouts),
    };
    inputs.config.families.iter().map(family).collect()
}

pub(crate) fn aliases(all: &BTreeMap<ModelName, ModelName>) -> BTreeMap<String, String> {
    named(all, |_, model| model.to_string())
}

fn model(name: &str, model: &Model, rollouts: Rollouts<'_>) -> ModelConfig {
    let weights = rollouts.get(name).filter(|weights| model.takes(weights));
    let moved = |share: &Share| weights.and_then(|weights| weights.get(&share.pool)).copied();
    let moved =
        |share| ShareConfig { weight: moved(share).unwrap_or(share.weight), ..self::share(share) };
    ModelConfig {
        split: model.split.iter().map(moved).collect(),
        sticky: model.sticky.clone(),
        experiment: text(model.experiment.as_ref()).unwrap_or_default(),
        fallback: texts(&model.fallback),
        rules: model.rules.iter().map(rule).collect(),
        shadow: model.shadow.as_ref().map(shadow),
        masking: text(model.masking.as_ref()),
        limits: text(model.limits.as_ref()),
    }
}

fn share(share: &Share) -> ShareConfig {
    ShareConfig { pool: share.pool.to_string(), weight: share.weight }
}

fn shadow(shadow: &Shadow) -> ShadowConfig {
    ShadowConfig { pool: shadow.pool.to_string(), per_million: shadow.per_million }
}

fn rule(rule: &Rule) -> RuleConfig {
    RuleConfig { when: when(&rule.when), split: rule.split.iter().map(share).collect() }
}

fn when(when: &When) -> WhenConfig {
    WhenConfig {
        headers: named(&when.headers, |_, pattern| pattern.to_string()),
        tenants: texts(&when.tenants),
        roles: texts(&when.roles),
        paths: texts(&when.paths),
        stream: when.stream,
        prompt_tokens_over: when.prompt_tokens_over,
        prompt_tokens_up_to: when.prompt_tokens_up_to,
        language: when.language,
        media: when.media.clone(),
    }
}

#[cfg(test)]
mod tests;
