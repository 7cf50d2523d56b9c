//! What changes from one plan to the next, for people.

use crate::{IssuerPlan, Plan, PoolPlan};
use contract::keyring::KeyEntry;
use contract::masking::{MaskingPolicyConfig, PiiType};
use contract::policy::{IssuerConfig, ModelConfig, PoolConfig, RoleConfig, TenantConfig};
use std::collections::{BTreeMap, BTreeSet};

/// Short lines, one a change, in a stable order; none when nothing changes.
#[must_use]
pub fn diff(old: &Plan, new: &Plan) -> Vec<String> {
    let (a, b) = (&old.filter, &new.filter);
    let mut lines = listener(old, new);
    lines.extend(changes("pool", &pools(old), &pools(new), pool));
    lines.extend(changes("model", &by_name(&a.models), &by_name(&b.models), |old, new| {
        model(old, new)
    }));
    let policies = (by_name(&a.masking.policies), by_name(&b.masking.policies));
    lines.extend(changes("masking policy", &policies.0, &policies.1, |old, new| policy(old, new)));
    lines.extend(auth(old, new));
    lines.extend(changes("issuer", &issuers(old), &issuers(new), issuer));
    lines.extend(changes("role", &by_name(&a.roles), &by_name(&b.roles), |old, new| {
        rules(old, new).join("; ")
    }));
    lines.extend(changes("tenant", &by_name(&a.tenants), &by_name(&b.tenants), |old, new| {
        tenant(old, new)
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
        ("tls.client_ca", a.client_certificates != b.client_certificates),
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
        ("engine", differs(|pool| format!("{:?}", pool.engine))),
        ("allow_fields", differs(|pool| pool.allow_fields.join(","))),
        ("cache_salt", differs(|pool| pool.cache_salt.to_string())),
        ("media", differs(|pool| format!("{:?}", pool.media))),
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

fn tenant(old: &TenantConfig, new: &TenantConfig) -> String {
    let mut parts = rules(&old.may, &new.may);
    parts.extend(list("mtls", &old.mtls, &new.mtls));
    // Not whose: the names of users are nobody else's business.
    let users = old.user_roles != new.user_roles;
    parts.extend(users.then(|| "users.roles changed".to_owned()));
    parts.extend(masking(old.masking.as_deref(), new.masking.as_deref()));
    parts.join("; ")
}

fn model(old: &ModelConfig, new: &ModelConfig) -> String {
    let pool = (old.pool != new.pool).then(|| format!("pool {} -> {}", old.pool, new.pool));
    let masking = masking(old.masking.as_deref(), new.masking.as_deref());
    pool.into_iter().chain(masking).collect::<Vec<_>>().join("; ")
}

/// Which policy is named, in words; nothing where it stays.
fn masking(old: Option<&str>, new: Option<&str>) -> Option<String> {
    let shown = |name: Option<&str>| name.unwrap_or("none").to_owned();
    (old != new).then(|| format!("masking {} -> {}", shown(old), shown(new)))
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
    fn who_is_calling_and_what_he_may_do() {
        let table: [(&str, &str, &[&str]); 20] = [
            (", nonces: shared }\n  jwt", " }\n  jwt", &["auth: hmac.nonces changed"]),
            ("stale_for: 1m", "stale_for: 2m", &["auth: stale_for changed"]),
            ("minute: 9", "minute: 8", &["auth: failures_per_minute changed"]),
            ("max_skew: 60s", "max_skew: 61s", &["auth: hmac.max_skew changed"]),
            (
                "hmac: [{ id: partner, secret: 0123456789abcdef }]",
                "",
                &["auth: use of signed requests changed"],
            ),
            ("secret: 0123456789abcdef", "secret: fedcba9876543210", &[]),
            ("issuer: ci", "issuer: cd", &["issuer cd: added", "issuer ci: removed"]),
            ("[gate]", "[door]", &["issuer login: audiences changed"]),
            ("login.example/keys", "login.example/k", &["issuer login: jwks changed"]),
            ("refresh: 5m", "refresh: 6m", &["issuer login: refresh changed"]),
            ("tenants: [zoo]", "tenants: [acme]", &["issuer ci: tenants [zoo] -> [acme]"]),
            ("user: mail", "user: sub", &["issuer login: claims changed"]),
            ("[/v1/*]", "['*']", &["role user: paths [/v1/*] -> [*]"]),
            ("[secret]", "[]", &["role user: deny.models [secret] -> []"]),
            ("[/v1/embeddings]", "[]", &["tenant acme: deny.paths [/v1/embeddings] -> []"]),
            (
                "spiffe://acme",
                "spiffe://a",
                &["tenant acme: mtls [spiffe://acme/*] -> [spiffe://a/*]"],
            ),
            ("lee: [user]", "kay: [user]", &["tenant acme: users.roles changed"]),
            ("[\"chat*\"]", "[chat]", &["key yaml:acme/ci: changed"]),
            ("allow_fields: [top_k]", "", &["pool big: allow_fields changed"]),
            ("max_pages: 7", "max_pages: 8", &["pool big: media changed"]),
        ];
        for (replaced, with, expected) in table {
            assert_eq!(after(replaced, with), expected, "{replaced} -> {with}");
        }
    }

    #[test]
    fn what_is_masked() {
        let table: [(&str, &str, &[&str]); 8] = [
            ("key: made-up-key-of-tags", "key: another-key-of-tags", &[]),
            (", masking: strict }", " }", &["model chat-2: masking strict -> none"]),
            (
                "    masking: default",
                "    masking: strict",
                &["tenant acme: masking default -> strict"],
            ),
            ("        masking: strict\n", "", &["key yaml:acme/ci: changed"]),
            ("default: mask", "default: off", &["masking policy strict: types changed"]),
            (
                "types: { default: mask }",
                "types: { default: mask, EMAIL: mask }",
                &["masking policy strict: written otherwise"],
            ),
            ("[bluefin]", "[orca]", &["masking policy strict: deny_words changed"]),
            ("timeout: 1s", "timeout: 2s", &["masking policy strict: external changed"]),
        ];
        for (replaced, with, expected) in table {
            assert_eq!(after(replaced, with), expected, "{replaced} -> {with}");
        }
    }

    #[test]
    fn whether_callers_are_asked_for_certificates() {
        let asked = EXAMPLE.replace("mtls: [\"spiffe://acme/*\"]", "");
        let not = asked.replace(", client_ca: a", "");
        assert_eq!(diff(&plan(&asked), &plan(&not)), ["gateway: tls.client_ca changed"]);
    }

    #[test]
    fn the_place_of_an_issuer_is_no_change() {
        let ci = "    - { issuer: ci, jwks: file:jwks.json, tenants: [zoo] }\n";
        assert!(EXAMPLE.contains(ci));
        let behind = EXAMPLE.replace(ci, "") + ci;
        assert_ne!(plan(&behind), plan(EXAMPLE));
        assert_eq!(diff(&plan(EXAMPLE), &plan(&behind)), Vec::<String>::new());
    }

    #[test]
    fn nothing_changes_into_itself() {
        assert_eq!(diff(&plan(EXAMPLE), &plan(EXAMPLE)), Vec::<String>::new());
    }
}
