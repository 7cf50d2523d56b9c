use super::*;
use crate::Table;
use crate::table::tests::config;
use contract::policy::{ModelConfig, RuleConfig, ShadowConfig, ShareConfig, WhenConfig};
use std::cell::Cell;
use std::collections::BTreeMap;

/// A request of which everything can be said.
#[derive(Default)]
struct Request {
    tenant: &'static str,
    roles: Vec<&'static str>,
    path: &'static str,
    stream: bool,
    headers: BTreeMap<&'static str, String>,
    media: Vec<MediaKind>,
    tokens: u64,
    is_korean: bool,
    /// How often the prompt was read.
    reads: Cell<usize>,
}

impl Facts for Request {
    fn tenant(&self) -> &str {
        self.tenant
    }
    fn has_role(&self, role: &str) -> bool {
        self.roles.contains(&role)
    }
    fn path(&self) -> &str {
        self.path
    }
    fn stream(&self) -> bool {
        self.stream
    }
    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        self.headers.get(name).map(|value| value.as_str().into())
    }
    fn has_media(&self, kind: MediaKind) -> bool {
        self.media.contains(&kind)
    }
    fn prompt_tokens(&self) -> u64 {
        self.reads.set(self.reads.get() + 1);
        self.tokens
    }
    fn language(&self) -> Language {
        self.reads.set(self.reads.get() + 1);
        if self.is_korean { Language::Korean } else { Language::Other }
    }
}

const DRAW: Draw<'_> = Draw { user: None, key: "key-1", request_id: "r-1" };

fn compiled(model: ModelConfig) -> Rc<Model> {
    let table = Table::compile(&config(&["a", "b", "c"], &[("m", model)])).unwrap();
    Rc::clone(table.resolve("", "m").unwrap())
}

fn all_of(pool: &str) -> Vec<ShareConfig> {
    vec![ShareConfig { pool: pool.into(), weight: 1 }]
}

/// A model that goes to `b` when the condition is true, and to `a` otherwise.
fn with_rule(when: WhenConfig) -> Rc<Model> {
    let rule = RuleConfig { when, split: all_of("b") };
    compiled(ModelConfig { rules: vec![rule], ..ModelConfig::of_pool("a") })
}

fn fits(when: WhenConfig, request: &Request) -> bool {
    with_rule(when).choose(request, &DRAW).unwrap().first().unwrap().pool == "b"
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn every_condition_is_true_or_false() {
    let when = WhenConfig::default;
    let headers = |value: &str| [("x-team".to_owned(), value.to_owned())].into();
    let conditions = [
        WhenConfig { headers: headers("blue*"), ..when() },
        WhenConfig { tenants: words(&["zeta", "acme"]), ..when() },
        WhenConfig { roles: words(&["admin", "batch"]), ..when() },
        WhenConfig { paths: words(&["/v1/embeddings", "/v1/chat/*"]), ..when() },
        WhenConfig { stream: Some(true), ..when() },
        WhenConfig { prompt_tokens_over: Some(99), ..when() },
        WhenConfig { prompt_tokens_over: Some(9), prompt_tokens_up_to: Some(100), ..when() },
        WhenConfig { language: Some(Language::Korean), ..when() },
        WhenConfig { media: vec![MediaKind::Audio, MediaKind::Image], ..when() },
    ];
    let request = Request {
        tenant: "acme",
        roles: vec!["user", "batch"],
        path: "/v1/chat/completions",
        stream: true,
        headers: [("x-team", "blue-2".to_owned())].into(),
        media: vec![MediaKind::Image],
        tokens: 100,
        is_korean: true,
        reads: Cell::default(),
    };
    for condition in conditions {
        assert!(fits(condition.clone(), &request), "{condition:?}");
        assert!(!fits(condition.clone(), &Request::default()), "{condition:?}");
    }
    assert!(fits(when(), &Request::default()), "nothing is asked");
    let up_to = WhenConfig { prompt_tokens_up_to: Some(99), ..when() };
    assert!(!fits(up_to.clone(), &request));
    assert!(fits(up_to, &Request::default()));
    let other = WhenConfig { language: Some(Language::Other), ..when() };
    assert!(!fits(other, &request));
}

#[test]
fn the_first_rule_that_fits_decides() {
    let rule = |stream, pool| RuleConfig {
        when: WhenConfig { stream, ..WhenConfig::default() },
        split: all_of(pool),
    };
    let rules = vec![rule(Some(true), "b"), rule(None, "c")];
    let model = compiled(ModelConfig { rules, ..ModelConfig::of_pool("a") });
    let chosen = |stream| {
        let request = Request { stream, ..Request::default() };
        model.choose(&request, &DRAW).unwrap().first().unwrap().pool.clone()
    };
    assert_eq!(chosen(true), "b");
    assert_eq!(chosen(false), "c");
    assert_eq!(model.chains().count(), 3);
}

#[test]
fn the_prompt_is_read_once_and_only_where_it_matters() {
    let over = |bound| WhenConfig { prompt_tokens_over: Some(bound), ..WhenConfig::default() };
    let rule = |when| RuleConfig { when, split: all_of("b") };
    let reads = |rules| {
        let model = compiled(ModelConfig { rules, ..ModelConfig::of_pool("a") });
        let request = Request::default();
        model.choose(&request, &DRAW).unwrap();
        (request.reads.get(), model.reads_prompt())
    };
    assert_eq!(reads(vec![]), (0, false));
    assert_eq!(reads(vec![rule(over(1)), rule(over(2))]), (1, true));
    let streamed = WhenConfig { stream: Some(true), ..over(1) };
    assert_eq!(reads(vec![rule(streamed)]), (0, true), "what is cheap is asked first");
}

#[test]
fn headers_that_are_asked_for_are_told_in_lower_case() {
    let headers = [("X-Team".to_owned(), "*".to_owned())].into();
    let rule =
        RuleConfig { when: WhenConfig { headers, ..WhenConfig::default() }, split: all_of("b") };
    let model = ModelConfig {
        rules: vec![rule],
        sticky: Sticky::Header("x-session".into()),
        ..ModelConfig::of_pool("a")
    };
    let table =
        Table::compile(&config(&["a", "b"], &[("m", model.clone()), ("n", model)])).unwrap();
    assert_eq!(table.headers(), ["x-session", "x-team"]);
}

/// The pools that a hundred requests come to, each with another id.
fn pools(sticky: Sticky, request: &Request, draw: Draw<'_>) -> Vec<String> {
    let share = |pool: &str| ShareConfig { pool: pool.into(), weight: 1 };
    let split = vec![share("a"), share("b"), share("c")];
    let model = compiled(ModelConfig { split, sticky, ..ModelConfig::default() });
    let ids: Vec<String> = (0..100).map(|number| format!("r-{number}")).collect();
    let chosen = ids.iter().map(|id| {
        let chosen = model.choose(request, &Draw { request_id: id, ..draw }).unwrap();
        chosen.first().unwrap().pool.clone()
    });
    let mut pools: Vec<String> = chosen.collect();
    pools.sort_unstable();
    pools.dedup();
    pools
}

#[test]
fn who_sticks_stays() {
    let named = Request { headers: [("x-s", "7".to_owned())].into(), ..Request::default() };
    let kim = Draw { user: Some("kim"), ..DRAW };
    assert_eq!(pools(Sticky::None, &named, kim), ["a", "b", "c"]);
    let header = || Sticky::Header("x-s".into());
    for sticky in [Sticky::User, Sticky::Key, header()] {
        assert_eq!(pools(sticky.clone(), &named, kim).len(), 1, "{sticky:?}");
        assert_eq!(pools(sticky.clone(), &Request::default(), DRAW).len(), 1, "{sticky:?}");
    }
}

/// Which of what is known decides: two requests that differ in it come to different pools for
/// some of a hundred values, and never if they differ in anything else.
#[test]
fn only_what_a_split_sticks_by_moves_a_caller() {
    let of = |sticky: &Sticky, tenant, user: &str, key: &str| {
        let request = Request { tenant, ..Request::default() };
        let draw = Draw { user: Some(user).filter(|user| !user.is_empty()), key, ..DRAW };
        pools(sticky.clone(), &request, draw)
    };
    let differ = |sticky: Sticky, one: [&'static str; 2], other: [&'static str; 2]| {
        (0..20).any(|number| {
            let name = |base: &str| {
                if base.is_empty() { String::new() } else { format!("{base}{number}") }
            };
            let [one, other] =
                [one, other].map(|[tenant, user]| of(&sticky, tenant, &name(user), "k"));
            one != other
        })
    };
    assert!(differ(Sticky::User, ["acme", "kim"], ["acme", "lee"]));
    assert!(differ(Sticky::User, ["acme", "kim"], ["zeta", "kim"]), "two users of one name");
    assert!(!differ(Sticky::Key, ["acme", "kim"], ["zeta", "lee"]));
    assert!(!differ(Sticky::User, ["acme", ""], ["zeta", ""]), "without a user by the key");
}

#[test]
fn a_share_of_the_requests_is_copied() {
    let of = |per_million| {
        let shadow = Some(ShadowConfig { pool: "b".into(), per_million });
        let model = compiled(ModelConfig { shadow, ..ModelConfig::of_pool("a") });
        (0..10_000).filter(|number| model.shadow(&format!("r-{number}")).is_some()).count()
    };
    assert_eq!((of(0), of(1_000_000)), (0, 10_000));
    assert!(of(100_000).abs_diff(1_000) < 130, "{}", of(100_000));
    assert!(compiled(ModelConfig::of_pool("a")).shadow("r").is_none());
}

#[test]
fn a_model_tells_what_it_is_under() {
    let config = ModelConfig {
        masking: Some("strict".into()),
        limits: Some("small".into()),
        ..ModelConfig::of_pool("a")
    };
    let model = compiled(config);
    assert_eq!(
        (model.name(), model.masking(), model.limits()),
        ("m", Some("strict"), Some("small"))
    );
}
