use super::*;
use contract::masking::MaskingConfig;
use contract::policy::{
    AffinityConfig, AuthConfig, Engine, FamilyConfig, MediaConfig, ModelConfig, RuleConfig,
    ShadowConfig, ShareConfig, TenantConfig, WhenConfig,
};

/// A pool that nothing special is said of.
pub(crate) fn pool(name: &str) -> PoolConfig {
    PoolConfig {
        cluster: format!("pool/{name}"),
        model: "engine-name".into(),
        base_path: String::new(),
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
        affinity: AffinityConfig::None,
    }
}

/// A configuration of these pools and models.
pub(crate) fn config(pools: &[&str], models: &[(&str, ModelConfig)]) -> GatewayConfig {
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
        stream_idle_timeout_ms: 60_000,
        chains: true,
        families: vec![],
        aliases: [].into(),
        pools: pools.iter().map(|name| ((*name).to_owned(), pool(name))).collect(),
        models: models.iter().map(|(name, model)| ((*name).to_owned(), model.clone())).collect(),
        roles: [].into(),
        tenants: [].into(),
    }
}

fn of(pool: &str) -> ModelConfig {
    ModelConfig::of_pool(pool)
}

#[test]
fn a_model_leads_to_its_pool() {
    let table = Table::compile(&config(&["p"], &[("b", of("p")), ("a", of("p"))])).unwrap();
    let model = table.resolve("acme", "a").unwrap();
    let route = &model.chains().next().unwrap().attempts()[0];
    assert_eq!((route.pool.as_str(), route.config.model.as_str()), ("p", "engine-name"));
    assert!(table.resolve("acme", "c").is_none());
    assert_eq!(table.names_of("acme"), ["a", "b"]);
}

#[test]
fn every_missing_pool_is_named() {
    let models = [("a", of("x")), ("b", of("p")), ("c", of("y"))];
    let faults = Table::compile(&config(&["p"], &models)).unwrap_err();
    assert_eq!(faults, ["model `a`: there is no pool `x`", "model `c`: there is no pool `y`"]);
}

/// A family that one pool serves.
pub(crate) fn family(pattern: &str, pool: &str) -> FamilyConfig {
    FamilyConfig { pattern: pattern.into(), model: of(pool) }
}

fn aliases(of: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    of.iter().map(|(alias, model)| ((*alias).to_owned(), (*model).to_owned())).collect()
}

fn tenant(of: &[(&str, &str)]) -> TenantConfig {
    TenantConfig { aliases: aliases(of), ..TenantConfig::default() }
}

#[test]
fn an_alias_of_the_tenant_wins_over_an_alias_over_a_name_over_a_family() {
    let mut config = config(&["p"], &[("a", of("p")), ("b", of("p")), ("c", of("p"))]);
    config.families = vec![family("f*", "p")];
    config.aliases = aliases(&[("x", "a"), ("y", "fast"), ("c", "b")]);
    config.tenants =
        [("acme".to_owned(), tenant(&[("x", "b"), ("a", "c-1"), ("own", "b")]))].into();
    config.families.push(family("c-*", "p"));
    let table = Table::compile(&config).unwrap();
    let found = |tenant, asked| table.resolve(tenant, asked).map(|model| model.name());
    assert_eq!(found("other", "x"), Some("a"));
    assert_eq!(found("acme", "x"), Some("b"));
    assert_eq!(found("acme", "a"), Some("c-*"), "it hides the model");
    assert_eq!(found("other", "a"), Some("a"));
    assert_eq!(found("other", "c"), Some("b"), "so does an alias");
    assert_eq!(found("other", "y"), Some("f*"));
    assert_eq!(found("other", "own"), None);
    assert_eq!(found("other", "fx"), Some("f*"));
    assert_eq!(table.names_of("acme"), ["a", "b", "c", "own", "x", "y"]);
    assert_eq!(table.names_of("other"), ["a", "b", "c", "x", "y"]);
}

#[test]
fn aliases_that_lead_nowhere_are_faults() {
    let mut config = config(&["p"], &[("a", of("p"))]);
    config.aliases = aliases(&[("x", "gone"), ("y", "x"), ("z", "a")]);
    config.tenants = [("acme".to_owned(), tenant(&[("o", "gone"), ("p", "o"), ("q", "z")]))].into();
    let faults = Table::compile(&config).unwrap_err();
    assert_eq!(
        faults,
        [
            "alias `x`: there is no model `gone`",
            "alias `y`: `x` is an alias itself",
            "tenant `acme`: alias `o`: there is no model `gone`",
            "tenant `acme`: alias `p`: `o` is an alias itself",
            "tenant `acme`: alias `q`: `z` is an alias itself",
        ]
    );
}

#[test]
fn every_place_that_names_a_pool_is_looked_at() {
    let share = |pool: &str, weight| ShareConfig { pool: pool.into(), weight };
    let model = ModelConfig {
        split: vec![share("p", 0)],
        fallback: vec!["gone-1".into()],
        rules: vec![
            RuleConfig { when: WhenConfig::default(), split: vec![share("gone-2", 1)] },
            RuleConfig { when: WhenConfig::default(), split: vec![] },
        ],
        shadow: Some(ShadowConfig { pool: "gone-3".into(), per_million: 1 }),
        ..ModelConfig::default()
    };
    let empty = ModelConfig { split: vec![share("p", 0)], ..ModelConfig::default() };
    let mut config = config(&["p"], &[("a", model), ("b", empty)]);
    config.families = vec![family("f*", "gone-4")];
    assert_eq!(
        Table::compile(&config).unwrap_err(),
        [
            "model `a`: there is no pool `gone-1`",
            "model `a`, rule 1: there is no pool `gone-2`",
            "model `a`, rule 2: no pool has a share",
            "model `a`: there is no pool `gone-3`",
            "model `b`: no pool has a share",
            "model `f*`: there is no pool `gone-4`",
        ]
    );
}

#[test]
fn without_chains_fallbacks_are_passed_over() {
    let model = ModelConfig { fallback: vec!["q".into()], ..of("p") };
    let mut config = config(&["p", "q"], &[("a", model)]);
    let pools = |config: &GatewayConfig| {
        let table = Table::compile(config).unwrap();
        table.resolve("", "a").unwrap().chains().next().unwrap().attempts().len()
    };
    assert_eq!(pools(&config), 2);
    config.chains = false;
    assert_eq!(pools(&config), 1);
}

#[test]
fn models_of_the_same_pools_share_a_chain() {
    let table = Table::compile(&config(&["p"], &[("a", of("p")), ("b", of("p"))])).unwrap();
    let chain = |name| Rc::clone(table.resolve("", name).unwrap().chains().next().unwrap());
    assert!(Rc::ptr_eq(&chain("a"), &chain("b")));
}
