//! What changes of pools.

use super::{changes, named};
use crate::{Plan, PoolPlan};
use contract::policy::PoolConfig;
use std::collections::BTreeMap;

/// Both sides of a pool: what Envoy does and what the filter does.
type BothSides<'p> = (&'p PoolPlan, Option<&'p PoolConfig>);

/// What only follows from the models that name a pool is told with those.
pub(super) fn pools(old: &Plan, new: &Plan) -> Vec<String> {
    changes("pool", &by_name(old), &by_name(new), pool)
}

fn by_name(plan: &Plan) -> BTreeMap<&str, BothSides<'_>> {
    let both = |pool: &'_ PoolPlan| plan.filter.pools.get(&pool.name);
    plan.pools.iter().map(|pool| (pool.name.as_str(), (pool, both(pool)))).collect()
}

fn pool((a, filter_a): &BothSides<'_>, (b, filter_b): &BothSides<'_>) -> String {
    let parts = [envoy(a, b), told(*filter_a, *filter_b)];
    let parts: Vec<_> = parts.into_iter().filter(|parts| !parts.is_empty()).collect();
    if parts.is_empty() { String::new() } else { format!("{} changed", parts.join(", ")) }
}

fn envoy(a: &PoolPlan, b: &PoolPlan) -> String {
    named(&[
        ("endpoints", a.endpoints != b.endpoints || a.tls != b.tls),
        ("balance", a.balance != b.balance),
        ("health", a.health != b.health),
        ("ejection", a.ejection != b.ejection),
        ("timeout", a.timeout != b.timeout),
        ("protocol", a.protocol != b.protocol),
        ("tls.ca", a.ca != b.ca),
        ("credentials", a.credentials != b.credentials),
        ("breakers", a.breakers != b.breakers),
        ("slow_start", a.slow_start != b.slow_start),
        ("panic_threshold", a.panic_percent != b.panic_percent),
    ])
}

fn told(a: Option<&PoolConfig>, b: Option<&PoolConfig>) -> String {
    let differs = |part: fn(&PoolConfig) -> String| a.map(part) != b.map(part);
    named(&[
        ("model", differs(|pool| pool.model.clone())),
        ("base_path", differs(|pool| pool.base_path.clone())),
        ("context", differs(|pool| pool.context.to_string())),
        ("max_tokens", differs(|pool| format!("{:?}", pool.max_tokens))),
        ("template_tokens", differs(|pool| pool.template_tokens.to_string())),
        ("medium_tokens", differs(|pool| pool.medium_tokens.to_string())),
        ("price", differs(|pool| pool.price_version.clone())),
        ("engine", differs(|pool| format!("{:?}", pool.engine))),
        ("allow_fields", differs(|pool| pool.allow_fields.join(","))),
        ("cache_salt", differs(|pool| pool.cache_salt.to_string())),
        ("media", differs(|pool| format!("{:?}", pool.media))),
        ("retries", differs(|pool| pool.retries.to_string())),
        ("first_token_timeout", differs(|pool| format!("{:?}", pool.first_token_timeout_ms))),
        ("affinity", differs(|pool| format!("{:?}", pool.affinity))),
    ])
}
