//! What changes from one plan to the next, for people.

use crate::{Plan, PoolPlan};
use contract::keyring::KeyEntry;
use contract::policy::PoolConfig;
use std::collections::{BTreeMap, BTreeSet};

/// Short lines, one a change, in a stable order; none when nothing changes.
#[must_use]
pub fn diff(old: &Plan, new: &Plan) -> Vec<String> {
    let (a, b) = (&old.filter, &new.filter);
    let mut lines = listener(old, new);
    lines.extend(changes("pool", &pools(old), &pools(new), pool));
    lines.extend(changes("model", &by_name(&a.models), &by_name(&b.models), |old, new| {
        format!("pool {} -> {}", old.pool, new.pool)
    }));
    lines.extend(changes("role", &by_name(&a.roles), &by_name(&b.roles), |old, new| {
        globs(&old.models, &new.models)
    }));
    lines.extend(changes("tenant", &by_name(&a.tenants), &by_name(&b.tenants), |old, new| {
        globs(&old.models, &new.models)
    }));
    lines.extend(changes("key", &keys(old), &keys(new), |_, _| "changed".to_owned()));
    lines
}

fn listener(old: &Plan, new: &Plan) -> Vec<String> {
    let (a, b) = (&old.listener, &new.listener);
    let (exposed, exposes) = (old.filter.expose_pool, new.filter.expose_pool);
    let parts = named(&[
        ("listen", a.address != b.address),
        ("max_body", a.max_body_bytes != b.max_body_bytes),
        ("stream_idle_timeout", a.stream_idle_timeout != b.stream_idle_timeout),
        ("expose_pool", exposed != exposes),
        ("usage_flush", a.usage_flush != b.usage_flush),
        ("usage_interval", a.usage_interval != b.usage_interval),
    ]);
    if parts.is_empty() { Vec::new() } else { vec![format!("gateway: {parts} changed")] }
}

/// Both sides of a pool: what Envoy does and what the filter does.
type BothSides<'p> = (&'p PoolPlan, Option<&'p PoolConfig>);

fn pools(plan: &Plan) -> BTreeMap<&str, BothSides<'_>> {
    let both = |pool: &'_ PoolPlan| plan.filter.pools.get(&pool.name);
    plan.pools.iter().map(|pool| (pool.name.as_str(), (pool, both(pool)))).collect()
}

fn pool((a, filter_a): &BothSides<'_>, (b, filter_b): &BothSides<'_>) -> String {
    let differs = |part: fn(&PoolConfig) -> String| filter_a.map(part) != filter_b.map(part);
    let parts = named(&[
        ("endpoints", a.endpoints != b.endpoints || a.tls != b.tls),
        ("balance", a.balance != b.balance),
        ("health", a.health != b.health),
        ("ejection", a.ejection != b.ejection),
        ("timeout", a.timeout != b.timeout),
        ("model", differs(|pool| pool.model.clone())),
        ("context", differs(|pool| pool.context.to_string())),
        ("price", differs(|pool| pool.price_version.clone())),
    ]);
    format!("{parts} changed")
}

/// Keys by their ids, with what the id stands for.
fn keys(plan: &Plan) -> BTreeMap<&str, (&str, &KeyEntry)> {
    plan.static_keys
        .iter()
        .map(|key| (key.entry.id.as_str(), (key.sha256.as_str(), &key.entry)))
        .collect()
}

fn by_name<T>(all: &BTreeMap<String, T>) -> BTreeMap<&str, &T> {
    all.iter().map(|(name, item)| (name.as_str(), item)).collect()
}

/// The names of what is true, with commas.
fn named(parts: &[(&str, bool)]) -> String {
    let names: Vec<_> = parts.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
    names.join(", ")
}

fn globs(old: &[String], new: &[String]) -> String {
    format!("models [{}] -> [{}]", old.join(", "), new.join(", "))
}

fn changes<T: PartialEq>(
    kind: &str,
    old: &BTreeMap<&str, T>,
    new: &BTreeMap<&str, T>,
    describe: impl Fn(&T, &T) -> String,
) -> Vec<String> {
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let line = |name: &&&str| match (old.get(**name), new.get(**name)) {
        (Some(a), Some(b)) if a != b => Some(format!("{kind} {name}: {}", describe(a, b))),
        (Some(_), None) => Some(format!("{kind} {name}: removed")),
        (None, Some(_)) => Some(format!("{kind} {name}: added")),
        _ => None,
    };
    names.iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::tests::{EXAMPLE, plan};

    fn after(replaced: &str, with: &str) -> Vec<String> {
        assert!(EXAMPLE.contains(replaced), "{replaced}");
        diff(&plan(EXAMPLE), &plan(&EXAMPLE.replace(replaced, with)))
    }

    #[test]
    fn each_change_is_a_line() {
        let table: [(&str, &str, &[&str]); 12] = [
            ("workers: 2", "workers: 3", &[]),
            ("max_body: 1MiB", "max_body: 2MiB", &["gateway: max_body changed"]),
            ("expose_pool: true", "expose_pool: false", &["gateway: expose_pool changed"]),
            ("  small: {", "  tiny: {", &["pool small: removed", "pool tiny: added"]),
            ("10.0.0.2:8000", "10.0.0.3:8000", &["pool big: endpoints changed"]),
            ("input: 0.60", "input: 0.61", &["pool big: price changed"]),
            ("model: Big", "model: Bigger", &["pool big: model changed"]),
            ("chat: big", "chat: other", &["model chat: pool big -> other"]),
            ("[\"*\"]", "[a]", &["role user: models [*] -> [a]"]),
            ("[chat]", "[chat, b]", &["tenant acme: models [chat] -> [chat, b]"]),
            ("name: ci", "name: cd", &["key yaml:acme/cd: added", "key yaml:acme/ci: removed"]),
            ("user: kim", "user: lee", &["key yaml:acme/ci: changed"]),
        ];
        for (replaced, with, expected) in table {
            assert_eq!(after(replaced, with), expected, "{replaced} -> {with}");
        }
    }

    #[test]
    fn nothing_changes_into_itself() {
        assert_eq!(diff(&plan(EXAMPLE), &plan(EXAMPLE)), Vec::<String>::new());
    }
}
