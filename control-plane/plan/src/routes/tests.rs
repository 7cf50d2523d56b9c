use super::*;
use crate::build::build;
use crate::build::tests::{config, inputs, plan};
use contract::policy::{AffinityBounds, AffinityConfig, Language, MediaKind, Sticky};

const ROUTED: &str = r#"
version: 1
gateway: { replay_body: 1MiB }
pools:
  big:
    engine: vllm
    model: m
    endpoints: [http://10.0.0.1:1]
    retries: 3
    first_token_timeout: 20s
    balance: { affinity: user, bound: 200%, remember: 1m }
  small: { engine: vllm, model: m, endpoints: [http://10.0.0.2:1] }
models:
  chat:
    split: [{ pool: big, weight: 95 }, { pool: small, weight: 5 }]
    sticky: header:x-session
    experiment: tone
    fallback: [small]
    rules:
      - when:
          header: { X-Tier: "batch*" }
          tenant: acme
          role: user
          path: "/v1/*"
          stream: true
          prompt_tokens_over: 10
          prompt_tokens_up_to: 20
          language: korean
          media: image
        to: small
    shadow: { pool: small, share: 0.5% }
  plain: small
  talk: { alias: chat }
  "gpt-*": { split: [{ pool: big }, { pool: small, weight: 0 }] }
  "gpt-4o*": big
roles: { user: { models: ["*"] } }
tenants: { acme: { aliases: { best: talk } } }
"#;

fn share(pool: &str, weight: u32) -> ShareConfig {
    ShareConfig { pool: pool.to_owned(), weight }
}

#[test]
fn what_serves_a_name() {
    let filter = plan(ROUTED).filter;
    let texts = |text: &str| vec![text.to_owned()];
    let when = WhenConfig {
        headers: BTreeMap::from([("x-tier".to_owned(), "batch*".to_owned())]),
        tenants: texts("acme"),
        roles: texts("user"),
        paths: texts("/v1/*"),
        stream: Some(true),
        prompt_tokens_over: Some(10),
        prompt_tokens_up_to: Some(20),
        language: Some(Language::Korean),
        media: vec![MediaKind::Image],
    };
    let expected = ModelConfig {
        split: vec![share("big", 95), share("small", 5)],
        sticky: Sticky::Header("x-session".to_owned()),
        experiment: "tone".to_owned(),
        fallback: texts("small"),
        rules: vec![RuleConfig { when, split: vec![share("small", 1)] }],
        shadow: Some(ShadowConfig { pool: "small".to_owned(), per_million: 5_000 }),
        masking: None,
        limits: None,
    };
    assert_eq!(filter.models["chat"], expected);
    assert_eq!(filter.models["plain"], ModelConfig::of_pool("small"));
    assert_eq!(filter.models.len(), 2);
}

#[test]
fn families_and_aliases() {
    let filter = plan(ROUTED).filter;
    let patterns: Vec<_> = filter.families.iter().map(|family| &*family.pattern).collect();
    assert_eq!(patterns, ["gpt-4o*", "gpt-*"]);
    assert_eq!(filter.families[1].model.split, [share("big", 1), share("small", 0)]);
    assert_eq!(filter.aliases["talk"], "chat");
    assert_eq!(filter.tenants["acme"].aliases["best"], "chat");
}

#[test]
fn what_the_filter_knows_of_attempts() {
    let filter = plan(ROUTED).filter;
    let [big, small] = ["big", "small"].map(|name| &filter.pools[name]);
    let bounds = AffinityBounds { bound_percent: 200, remember_s: 60 };
    assert_eq!(
        (big.affinity, small.affinity),
        (AffinityConfig::User(bounds), AffinityConfig::None)
    );
    assert_eq!((big.retries, big.first_token_timeout_ms), (3, Some(20_000)));
    assert_eq!((small.retries, small.first_token_timeout_ms), (1, None));
    assert_eq!((filter.replay_bytes, filter.chains), (1 << 20, false));
}

#[test]
fn weights_by_command_come_before_those_of_the_configuration() {
    let config = config(ROUTED);
    let [big, small] = ["big", "small"].map(|name| PoolName::parse(name).unwrap());
    let table: [(&str, &[_], [u32; 2]); 5] = [
        ("chat", &[(&big, 10), (&small, 90)], [10, 90]),
        ("chat", &[(&big, 0), (&small, 1)], [0, 1]),
        ("chat", &[(&big, 0), (&small, 0)], [95, 5]),
        ("chat", &[(&big, 10)], [95, 5]),
        ("plain", &[(&big, 10), (&small, 90)], [95, 5]),
    ];
    for (name, weights, expected) in table {
        let weights = weights.iter().map(|(pool, weight)| ((*pool).clone(), *weight)).collect();
        let rollouts = BTreeMap::from([(ModelName::parse(name).unwrap(), weights)]);
        let plan = build(&Inputs { rollouts: &rollouts, ..inputs(&config) });
        let told = plan.filter.models["chat"].split.iter().map(|share| share.weight);
        assert_eq!(told.collect::<Vec<_>>(), expected, "{name} {rollouts:?}");
    }
}

#[test]
fn a_step_of_a_rollout_changes_no_cluster() {
    let config = config(ROUTED);
    let [big, small] = ["big", "small"].map(|name| PoolName::parse(name).unwrap());
    let family = ModelName::parse("gpt-*").unwrap();
    let rollouts = BTreeMap::from([(family, BTreeMap::from([(big, 0), (small, 1)]))]);
    let before = Inputs { chains: true, ..inputs(&config) };
    let (old, new) = (build(&before), build(&Inputs { rollouts: &rollouts, ..before }));
    assert_eq!(new.filter.families[1].model.split, [share("big", 0), share("small", 1)]);
    assert_eq!((old.pools, old.retry), (new.pools, new.retry));
}
