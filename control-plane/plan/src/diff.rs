//! What changes from one plan to the next, for people.

mod models;
mod pools;

use crate::{IssuerPlan, Plan};
use contract::keyring::KeyEntry;
use contract::lease::Account;
use contract::masking::{MaskingPolicyConfig, PiiType};
use contract::policy::{IssuerConfig, LimitsConfig, RoleConfig, TenantConfig, UsersConfig};
use model::Budget;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// Short lines, one a change, in a stable order; none when nothing changes.
#[must_use]
pub fn diff(old: &Plan, new: &Plan) -> Vec<String> {
    let (a, b) = (&old.filter, &new.filter);
    let mut lines = listener(old, new);
    lines.extend(pools::pools(old, new));
    lines.extend(models::models(a, b));
    let policies = (by_name(&a.masking.policies), by_name(&b.masking.policies));
    lines.extend(changes("masking policy", &policies.0, &policies.1, |old, new| policy(old, new)));
    lines.extend(auth(old, new));
    lines.extend(changes("issuer", &issuers(old), &issuers(new), issuer));
    lines.extend(changes("role", &by_name(&a.roles), &by_name(&b.roles), |old, new| {
        rules(old, new).join("; ")
    }));
    lines.extend(changes("limits", &by_name(&a.limits), &by_name(&b.limits), |old, new| {
        limits(old, new)
    }));
    lines.extend(organisations(old, new));
    lines.extend(changes("tenant", &tenants(old), &tenants(new), tenant));
    lines.extend(changes("key", &keys(old), &keys(new), key));
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
        ("tls.client_ca", a.client_certificates != b.client_certificates),
        ("replay_body", old.filter.replay_bytes != new.filter.replay_bytes),
        ("retry", old.retry != new.retry),
        ("use of fallbacks", old.filter.chains != new.filter.chains),
    ]);
    one("gateway", &parts)
}

/// What holds for all callers; changes of who may sign are told by whoever has the secrets.
fn auth(old: &Plan, new: &Plan) -> Vec<String> {
    let (a, b) = (&old.filter.auth, &new.filter.auth);
    let parts = named(&[
        ("stale_for", a.stale_for_ms != b.stale_for_ms),
        ("failures_per_minute", a.failures_per_minute != b.failures_per_minute),
        ("hmac.max_skew", a.hmac.max_skew_s != b.hmac.max_skew_s),
        ("use of signed requests", a.hmac.used != b.hmac.used),
        ("hmac.nonces", a.hmac.shared_nonces != b.hmac.shared_nonces),
    ]);
    one("auth", &parts)
}

/// One line about a thing of which there is one, or none where nothing changes.
fn one(thing: &str, parts: &str) -> Vec<String> {
    if parts.is_empty() { Vec::new() } else { vec![format!("{thing}: {parts} changed")] }
}

/// Both sides of an issuer: what Envoy verifies and what the filter believes.
type BothOfIssuer<'p> = (&'p IssuerPlan, &'p IssuerConfig);

/// Issuers by their names, whatever their places in the list.
fn issuers(plan: &Plan) -> BTreeMap<&str, BothOfIssuer<'_>> {
    let both = plan.issuers.iter().zip(&plan.filter.auth.issuers);
    both.map(|(a, b)| (a.issuer.as_str(), (a, b))).collect()
}

fn issuer((a, filter_a): &BothOfIssuer<'_>, (b, filter_b): &BothOfIssuer<'_>) -> String {
    let claims = |of: &IssuerConfig| {
        (of.tenant_claim.clone(), of.user_claim.clone(), of.roles_claim.clone())
    };
    let parts = named(&[
        ("audiences", a.audiences != b.audiences),
        ("jwks", a.jwks != b.jwks),
        ("refresh", a.refresh != b.refresh),
        ("claims", claims(filter_a) != claims(filter_b)),
    ]);
    let parts = (!parts.is_empty()).then(|| format!("{parts} changed"));
    let lists = [
        parts,
        list("tenants", &filter_a.tenants, &filter_b.tenants),
        list("roles", &filter_a.roles, &filter_b.roles),
    ];
    lists.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// A key of the configuration, with what its id stands for and what it may spend.
type BudgetedKey<'p> = (&'p str, &'p KeyEntry, Option<Budget>);

fn keys(plan: &Plan) -> BTreeMap<&str, BudgetedKey<'_>> {
    let budget = |id: &str| plan.budgets.of(&Account::Key(id.to_owned()));
    let keys = plan.static_keys.iter().map(|key| (key.sha256.as_str(), &key.entry));
    keys.map(|(sha256, entry)| (&*entry.id, (sha256, entry, budget(&entry.id)))).collect()
}

fn key((sha_a, a, budget_a): &BudgetedKey<'_>, (sha_b, b, budget_b): &BudgetedKey<'_>) -> String {
    let rest = |of: &KeyEntry| KeyEntry { limits: None, budget: false, ..of.clone() };
    let parts = [
        (sha_a != sha_b || rest(a) != rest(b)).then(|| "changed".to_owned()),
        change("limits", a.limits.as_deref(), b.limits.as_deref()),
        change("budget", *budget_a, *budget_b),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Organisations of which a budget comes, goes or changes.
fn organisations(old: &Plan, new: &Plan) -> Vec<String> {
    let of = |account: &Account| match account {
        Account::Organisation(name) => Some(name.clone()),
        _ => None,
    };
    let accounts = old.budgets.accounts.keys().chain(new.budgets.accounts.keys());
    let names: BTreeSet<String> = accounts.filter_map(of).collect();
    let line = |name: String| {
        let account = Account::Organisation(name.clone());
        let changed = change("budget", old.budgets.of(&account), new.budgets.of(&account))?;
        Some(format!("organisation {name}: {changed}"))
    };
    names.into_iter().filter_map(line).collect()
}

/// A tenant with what it and each of its users may spend.
type BudgetedTenant<'p> = (&'p TenantConfig, Option<Budget>, Option<Budget>);

fn tenants(plan: &Plan) -> BTreeMap<&str, BudgetedTenant<'_>> {
    let own = |name: &str| plan.budgets.of(&Account::Tenant(name.to_owned()));
    let users = |name: &str| plan.budgets.users.get(name).copied();
    let tenants = by_name(&plan.filter.tenants).into_iter();
    tenants.map(|(name, tenant)| (name, (tenant, own(name), users(name)))).collect()
}

fn limits(old: &LimitsConfig, new: &LimitsConfig) -> String {
    let parts = [
        change("requests_per_minute", old.requests_per_minute, new.requests_per_minute),
        change("burst", old.burst, new.burst),
        change("tokens_per_minute", old.tokens_per_minute, new.tokens_per_minute),
        change("concurrent", old.concurrent, new.concurrent),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn by_name<T>(all: &BTreeMap<String, T>) -> BTreeMap<&str, &T> {
    all.iter().map(|(name, item)| (name.as_str(), item)).collect()
}

/// The names of what is true, with commas.
fn named(parts: &[(&str, bool)]) -> String {
    let names: Vec<_> = parts.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
    names.join(", ")
}

/// What changes of a list, in words; nothing where it stays.
fn list(what: &str, old: &[String], new: &[String]) -> Option<String> {
    (old != new).then(|| format!("{what} [{}] -> [{}]", old.join(", "), new.join(", ")))
}

fn rules(old: &RoleConfig, new: &RoleConfig) -> Vec<String> {
    let parts = [
        list("models", &old.models, &new.models),
        list("paths", &old.paths, &new.paths),
        list("deny.models", &old.deny.models, &new.deny.models),
        list("deny.paths", &old.deny.paths, &new.deny.paths),
    ];
    parts.into_iter().flatten().collect()
}

fn tenant(old: &BudgetedTenant<'_>, new: &BudgetedTenant<'_>) -> String {
    let (a, b) = (old.0, new.0);
    let mut parts = rules(&a.may, &b.may);
    parts.extend(list("mtls", &a.mtls, &b.mtls));
    // Not whose: the names of users are nobody else's business.
    let users = a.user_roles != b.user_roles;
    parts.extend(users.then(|| "users.roles changed".to_owned()));
    let source = |users: &UsersConfig| if users.from_body { "body" } else { "credential" };
    let named = [
        change("masking", a.masking.as_deref(), b.masking.as_deref()),
        change("organisation", a.organisation.as_deref(), b.organisation.as_deref()),
        change("limits", a.limits.as_deref(), b.limits.as_deref()),
        change("budget", old.1, new.1),
        change("users.limits", a.users.limits.as_deref(), b.users.limits.as_deref()),
        change("users.budget", old.2, new.2),
        change("users.from", Some(source(&a.users)), Some(source(&b.users))),
    ];
    parts.extend(named.into_iter().flatten());
    parts.extend(list("aliases", &aliases(a), &aliases(b)));
    parts.join("; ")
}

/// What a tenant's callers call models, in words.
fn aliases(tenant: &TenantConfig) -> Vec<String> {
    tenant.aliases.iter().map(|(name, model)| format!("{name} is {model}")).collect()
}

/// What takes whose place, in words; nothing where it stays.
fn change<T: PartialEq + Display>(what: &str, old: Option<T>, new: Option<T>) -> Option<String> {
    let shown = |value: &Option<T>| value.as_ref().map_or("none".to_owned(), T::to_string);
    (old != new).then(|| format!("{what} {} -> {}", shown(&old), shown(&new)))
}

/// Not which words and patterns: they may be names of what nobody is to know of.
fn policy(a: &MaskingPolicyConfig, b: &MaskingPolicyConfig) -> String {
    let parts = named(&[
        ("on_failure", a.on_failure != b.on_failure),
        ("placeholder", a.placeholder != b.placeholder),
        ("types", PiiType::ALL.iter().any(|of| a.action(*of) != b.action(*of))),
        ("deny_words", a.deny_words != b.deny_words),
        ("custom", a.custom != b.custom),
        ("answers", a.answers != b.answers),
        ("external", a.external != b.external),
    ]);
    // Types may be named one by one or by `default`.
    if parts.is_empty() { "written otherwise".to_owned() } else { format!("{parts} changed") }
}

/// A line for each that comes, goes or changes; none where there is nothing to say of it.
fn changes<T: PartialEq>(
    kind: &str,
    old: &BTreeMap<&str, T>,
    new: &BTreeMap<&str, T>,
    describe: impl Fn(&T, &T) -> String,
) -> Vec<String> {
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let line = |name: &&&str| match (old.get(**name), new.get(**name)) {
        (Some(a), Some(b)) if a != b => Some(describe(a, b))
            .filter(|how| !how.is_empty())
            .map(|how| format!("{kind} {name}: {how}")),
        (Some(_), None) => Some(format!("{kind} {name}: removed")),
        (None, Some(_)) => Some(format!("{kind} {name}: added")),
        _ => None,
    };
    names.iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests;
