//! What changes of the names that callers ask for.

use super::{by_name, change, changes, list};
use contract::policy::{
    GatewayConfig, Language, ModelConfig, RuleConfig, ShadowConfig, ShareConfig, Sticky, WhenConfig,
};
use std::collections::BTreeMap;

/// Models, families by their patterns, and aliases.
pub(super) fn models(old: &GatewayConfig, new: &GatewayConfig) -> Vec<String> {
    let mut lines = changes("model", &all(old), &all(new), |old, new| model(old, new));
    let aliases = (by_name(&old.aliases), by_name(&new.aliases));
    lines.extend(changes("alias", &aliases.0, &aliases.1, |old, new| format!("{old} -> {new}")));
    lines
}

fn all(config: &GatewayConfig) -> BTreeMap<&str, &ModelConfig> {
    let families = config.families.iter().map(|family| (&*family.pattern, &family.model));
    by_name(&config.models).into_iter().chain(families).collect()
}

fn model(old: &ModelConfig, new: &ModelConfig) -> String {
    let one = old.split.len() == 1 && new.split.len() == 1;
    let pools = if one { "pool" } else { "split" };
    let shadows = [old, new].map(|model| model.shadow.as_ref().map(shadow));
    let parts = [
        change(pools, Some(split(&old.split)), Some(split(&new.split))),
        change("sticky", Some(sticky(&old.sticky)), Some(sticky(&new.sticky))),
        change("experiment", named(&old.experiment), named(&new.experiment)),
        list("fallback", &old.fallback, &new.fallback),
        list("rules", &rules(&old.rules), &rules(&new.rules)),
        change("shadow", shadows[0].as_ref(), shadows[1].as_ref()),
        change("masking", old.masking.as_deref(), new.masking.as_deref()),
        change("limits", old.limits.as_deref(), new.limits.as_deref()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Who serves, in words: `big`, or `big 95, small 5`.
fn split(shares: &[ShareConfig]) -> String {
    match shares {
        [only] => only.pool.clone(),
        shares => {
            let shares = shares.iter().map(|share| format!("{} {}", share.pool, share.weight));
            shares.collect::<Vec<_>>().join(", ")
        }
    }
}

fn sticky(sticky: &Sticky) -> String {
    match sticky {
        Sticky::None => "none".to_owned(),
        Sticky::User => "user".to_owned(),
        Sticky::Key => "key".to_owned(),
        Sticky::Header(name) => format!("header:{name}"),
    }
}

fn named(word: &str) -> Option<&str> {
    Some(word).filter(|word| !word.is_empty())
}

fn shadow(shadow: &ShadowConfig) -> String {
    format!("{} {}", shadow.pool, per_cent(shadow.per_million))
}

/// Millionths as percent, with no digit more than it takes.
fn per_cent(per_million: u32) -> String {
    let (whole, rest) = (per_million / 10_000, per_million % 10_000);
    let digits = format!("{whole}.{rest:04}");
    format!("{}%", digits.trim_end_matches('0').trim_end_matches('.'))
}

fn rules(rules: &[RuleConfig]) -> Vec<String> {
    rules.iter().map(|rule| format!("{}: {}", when(&rule.when), split(&rule.split))).collect()
}

/// What has to be true, in words: `stream, header x-tier batch`.
fn when(when: &WhenConfig) -> String {
    let mut parts: Vec<String> =
        when.headers.iter().map(|(name, pattern)| format!("header {name} {pattern}")).collect();
    let lists = [("tenant", &when.tenants), ("role", &when.roles), ("path", &when.paths)];
    let lists = lists.into_iter().filter(|(_, all)| !all.is_empty());
    parts.extend(lists.map(|(what, all)| format!("{what} {}", all.join(" or "))));
    parts.extend(when.stream.map(|is| if is { "stream" } else { "no stream" }.to_owned()));
    parts.extend(when.prompt_tokens_over.map(|tokens| format!("prompt over {tokens}")));
    parts.extend(when.prompt_tokens_up_to.map(|tokens| format!("prompt up to {tokens}")));
    parts.extend(when.language.map(|language| match language {
        Language::Korean => "Korean".to_owned(),
        Language::Other => "not Korean".to_owned(),
    }));
    let kinds: Vec<_> = when.media.iter().map(|kind| format!("{kind:?}").to_lowercase()).collect();
    parts.extend((!kinds.is_empty()).then(|| kinds.join(" or ")));
    parts.join(", ")
}
