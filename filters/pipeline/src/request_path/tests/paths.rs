//! Where each pool is asked.

use super::chains::{BODY, chained, leave, leave_held, shadowed};
use super::*;
use contract::attempt::PoolBody;
use contract::policy::GatewayConfig;

/// What each pool is asked at, when asked for this: the header of the request that leaves, and
/// what the role `engine` is told of each pool.
fn paths(config: &GatewayConfig, asked: &str) -> (Option<String>, Vec<Option<String>>) {
    let policy = Policy::compile(config).unwrap();
    let bearer = format!("Bearer {}", key());
    let lines = [
        (":method", "POST"),
        (":path", asked),
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    let headers = Headers::of(&lines);
    let arrival = Arrival { headers: &headers, end_of_stream: false, certificate: None, now_s: 0 };
    let opened = on_headers(&policy, arrival).opened;
    let Identified::Hold(held) = identify(opened, "acme") else { panic!("not held") };
    let left = leave_held(config, &held, BODY);
    let told = left.bodies.as_ref().map(|bodies| bodies.pools.clone()).unwrap_or_default();
    let told = told.into_iter().map(|pool| pool.path).collect();
    (left.header(":path").map(str::to_owned), told)
}

#[test]
fn each_pool_is_asked_at_its_own_path() {
    const ASKED: &str = "/v1/chat/completions?x=1";
    let at = |pool: &'static str| {
        move |config: &mut GatewayConfig| {
            config.pools.get_mut(pool).unwrap().base_path = "/openai".into();
        }
    };
    let some = |text: &str| Some(text.to_owned());
    let own = some("/openai/v1/chat/completions?x=1");
    assert_eq!(paths(&chained(|_| {}), ASKED), (None, vec![]), "all have the same");
    let second = vec![some(ASKED), own.clone(), some(ASKED)];
    assert_eq!(paths(&chained(at("small")), ASKED), (None, second));
    let first = vec![own.clone(), some(ASKED), some(ASKED)];
    assert_eq!(paths(&chained(at("big")), ASKED), (None, first));
    let once = |config: &mut GatewayConfig| {
        at("big")(config);
        config.pools.get_mut("big").unwrap().retries = 1;
        config.replay_bytes = 1;
    };
    assert_eq!(paths(&chained(once), ASKED), (own.clone(), vec![]), "it is sent once");
    let mut alone = config();
    at("big")(&mut alone);
    assert_eq!(paths(&alone, ASKED), (own, vec![]));
    let mut other = config();
    at("small")(&mut other);
    assert_eq!(paths(&other, ASKED), (None, vec![]), "it has no say in this request");
}

#[test]
fn a_copy_is_told_its_path_where_it_is_another() {
    for (pool, expected) in [
        ("big", Some("/v1/chat/completions")),
        ("spare", Some("/openai/v1/chat/completions")),
        ("small", None),
    ] {
        let mut config = shadowed(1_000_000, "spare");
        config.pools.get_mut(pool).unwrap().base_path = "/openai".into();
        let left = leave(&config, BODY);
        let body = left.header("x-tollgate-shadow-body").unwrap();
        let told: PoolBody = serde_json::from_str(body).unwrap();
        assert_eq!(told.path.as_deref(), expected, "{pool}");
    }
}
