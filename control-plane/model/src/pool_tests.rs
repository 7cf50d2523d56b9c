//! Pools: where their endpoints come from, how one is picked, when it is passed
//! over.

use crate::load_tests::{accepted, check_pool};
use crate::{
    Balance, Consul, Discovery, Dns, Ejection, Kubernetes, MediaConfig, MediaKind, Metrics, Pool,
    Secret, Source,
};
use std::time::Duration;

fn pool(rest: &str) -> Pool {
    let text = format!("version: 1\npools:\n  a: {{ engine: vllm, model: m, {rest} }}");
    accepted(&text).pools.remove("a").unwrap()
}

fn discovery(source: &str) -> Discovery {
    let pool = pool(&format!("discover: {{ {source} }}"));
    assert!(pool.endpoints.is_empty());
    pool.discover.unwrap()
}

fn dns(name: &str, port: Option<u16>, server: Option<&str>) -> Source {
    let server = server.map(|server| server.parse().unwrap());
    Source::Dns(Dns { name: name.into(), port, server })
}

#[test]
fn sources_in_short() {
    let table = [
        ("dns: Llama.gpu.svc:8000", dns("llama.gpu.svc", Some(8000), None)),
        ("dns: llama.gpu.svc.:8000", dns("llama.gpu.svc.", Some(8000), None)),
        ("dns: _http._tcp.llama.svc", dns("_http._tcp.llama.svc", None, None)),
        (
            "dns: { name: a.b, port: 1, server: '[::1]:5353' }",
            dns("a.b", Some(1), Some("[::1]:5353")),
        ),
        ("dns: { name: a.b }", dns("a.b", None, None)),
        ("env: LLAMA_ENDPOINTS", Source::Env("LLAMA_ENDPOINTS".into())),
        ("file: llama.yaml", Source::File("/etc/tollgate/llama.yaml".into())),
    ];
    for (text, source) in table {
        let discovery = discovery(text);
        assert!(discovery.source == source, "{text}");
        assert_eq!((discovery.tls, discovery.hold_empty), (false, Duration::from_secs(30)));
    }
    let discovery = discovery("env: A, scheme: https, hold_empty: 0s");
    assert_eq!((discovery.tls, discovery.hold_empty), (true, Duration::ZERO));
}

#[test]
fn kubernetes_and_consul() {
    let text =
        "kubernetes: { namespace: gpu, service: llama, port: http, api: http://127.0.0.1:8001/ }";
    let expected = Kubernetes {
        namespace: "gpu".into(),
        service: "llama".into(),
        port: Some("http".into()),
        api: Some("http://127.0.0.1:8001".into()),
    };
    assert!(discovery(text).source == Source::Kubernetes(expected));
    let least = Consul {
        service: "llama".into(),
        address: "http://127.0.0.1:8500".into(),
        tag: None,
        datacenter: None,
        token: None,
    };
    assert!(discovery("consul: { service: llama }").source == Source::Consul(least.clone()));
    let text = "consul: { service: llama, address: https://c:1, tag: gpu, datacenter: eu, token: '${TOKEN}' }";
    let all = Consul {
        address: "https://c:1".into(),
        tag: Some("gpu".into()),
        datacenter: Some("eu".into()),
        token: Some(Secret::new("0123456789abcdef-secret".to_owned())),
        ..least
    };
    assert!(discovery(text).source == Source::Consul(all));
}

#[test]
fn what_is_wrong_with_sources() {
    check_pool(&[
        (
            "endpoints: [http://b:1], discover: { env: A }",
            "3:32: pools.a.endpoints: stands beside `discover`; give one of the two",
        ),
        (
            "discover: {}",
            "3:32: pools.a.discover: names no source; give one of env, file, dns, kubernetes, consul",
        ),
        (
            "discover: { file: b, env: A }",
            "3:44: pools.a.discover.file: is a second source; give one of env, file, dns, kubernetes, consul",
        ),
        (
            "discover: { dns: 10.0.0.1:80 }",
            "3:49: pools.a.discover.dns: `10.0.0.1:80` is not a name in the DNS; write NAME:PORT, or NAME for one with SRV records, and addresses into `endpoints`",
        ),
        (
            "discover: { dns: { name: b, server: 127.0.0.1 } }",
            "3:68: pools.a.discover.dns.server: `127.0.0.1` is not the address of a DNS server; write IP:PORT, such as 127.0.0.1:53",
        ),
        (
            "discover: { dns: { name: b, port: 70000 } }",
            "3:66: pools.a.discover.dns.port: `70000` is not a whole number from 1 to 65535",
        ),
        (
            "discover: { env: 7A }",
            "3:49: pools.a.discover.env: `7A` is not the name of an environment variable; write it without ${}, such as LLAMA_ENDPOINTS",
        ),
        (
            "discover: { env: A, scheme: ftp }",
            "3:60: pools.a.discover.scheme: `ftp` is not known; allowed: http, https",
        ),
        (
            "discover: { env: A, hold_empty: 2d }",
            "3:64: pools.a.discover.hold_empty: `2d` is out of range; allowed: 0s to 1d",
        ),
        (
            "discover: { kubernetes: { service: Llama } }",
            "3:44: pools.a.discover.kubernetes: `namespace` is missing; the namespace of the service\n3:67: pools.a.discover.kubernetes.service: `Llama` is not a name in Kubernetes; allowed: 1 to 63 lower-case letters, digits and -, no - at either end",
        ),
        (
            "discover: { kubernetes: { namespace: a, service: b, port: 0 } }",
            "3:90: pools.a.discover.kubernetes.port: `0` is not a port; write its name or a number from 1 to 65535",
        ),
        (
            "discover: { consul: { service: b, address: 'http://u:hunter2@c:1' } }",
            "3:75: pools.a.discover.consul.address: the value holds a user; credentials do not belong into an address",
        ),
        (
            "discover: { consul: { service: b, address: c } }",
            "3:75: pools.a.discover.consul.address: the value is not a base URL; write http://HOST:PORT or https://HOST:PORT",
        ),
    ]);
}

#[test]
fn balance_by_load() {
    let pool_of = |rest: &str| pool(&format!("endpoints: [http://10.0.0.1:1], {rest}"));
    let plain = pool_of("");
    assert_eq!((plain.balance, plain.max_active), (Balance::LeastRequest, 32));
    assert_eq!(plain.metrics, None);
    let load = pool_of("balance: { by: load, max_active: 8 }");
    assert_eq!((load.balance, load.max_active), (Balance::Load, 8));
    assert_eq!(load.metrics, Some(Metrics::default()), "on by default");
    let metrics = pool_of("metrics: { path: /m, port: 8002, interval: 250ms, stale_after: 3 }");
    let interval = Duration::from_millis(250);
    let expected = Metrics { path: "/m".into(), port: Some(8002), interval, stale_after: 3 };
    assert_eq!(metrics.metrics, Some(expected));
    assert_eq!(pool_of("metrics: {}").metrics, Some(Metrics::default()));
}

#[test]
fn ejection_and_drain() {
    let pool_of = |rest: &str| pool(&format!("endpoints: [http://b:1], {rest}"));
    let plain = pool_of("");
    assert_eq!((plain.ejection, plain.drain), (Ejection::default(), Duration::from_secs(300)));
    let pool = pool_of(
        "drain: 0s, ejection: { failures: 2, error_rate: 100%, base: 1s, retry_after: 0s }",
    );
    let (base, retry_after) = (Duration::from_secs(1), Duration::ZERO);
    assert_eq!(pool.ejection, Ejection { failures: 2, error_percent: 100, base, retry_after });
    assert_eq!(pool.drain, Duration::ZERO);
}

#[test]
fn what_is_wrong_with_load_and_ejection() {
    check_pool(&[
        (
            "endpoints: [http://b:1], balance: { max_active: 8 }",
            "3:68: pools.a.balance.max_active: counts only with `by: load`; remove it, or balance by load",
        ),
        (
            "endpoints: [http://10.0.0.1:1], balance: { by: load, max_active: 0 }",
            "3:97: pools.a.balance.max_active: `0` is not a whole number from 1 to 100000",
        ),
        (
            "endpoints: [http://10.0.0.1:1], metrics: { interval: 10ms }",
            "3:85: pools.a.metrics.interval: `10ms` is out of range; allowed: 100ms to 1m",
        ),
        (
            "endpoints: [http://b:1], ejection: { error_rate: 0.5 }",
            "3:81: pools.a.ejection.error_rate: `0.5` is not a percentage; write a whole number from 1% to 100%, such as 50%",
        ),
        (
            "endpoints: [http://b:1], ejection: { base: 9s }",
            "3:75: pools.a.ejection.base: `9s` is out of range; allowed: 1s to 8s",
        ),
        (
            "endpoints: [http://b:1], drain: 2d",
            "3:64: pools.a.drain: `2d` is out of range; allowed: 0s to 1d",
        ),
    ]);
}

#[test]
fn an_engine_whose_metrics_are_not_known() {
    let mute = "asks for metrics, and those of the engine `openai` are not known; name the engine \
        if it is another, or balance by least_request";
    let pool = |rest: &str| {
        format!("pools:\n  a: {{ engine: openai, model: m, endpoints: [http://b:1], {rest} }}")
    };
    crate::load_tests::check(&[
        (&pool("balance: { by: load }"), &format!("3:74: pools.a.balance.by: {mute}")),
        (&pool("metrics: {}"), &format!("3:59: pools.a.metrics: {mute}")),
    ]);
}

#[test]
fn servers_that_only_envoy_knows_are_not_asked_for_their_load() {
    let named = "asks every server for metrics, and of a host name in `endpoints` the servers are \
        not known; give addresses, or the name to `discover: { dns: NAME:PORT }`";
    check_pool(&[
        (
            "endpoints: [http://b:1], balance: { by: load }",
            &format!("3:72: pools.a.balance.by: {named}"),
        ),
        ("endpoints: [http://b:1], metrics: {}", &format!("3:57: pools.a.metrics: {named}")),
        (
            "endpoints: ['http://[::1]:1', http://b:1], metrics: {}",
            &format!("3:75: pools.a.metrics: {named}"),
        ),
    ]);
    let addresses = "endpoints: ['http://[::1]:1', http://10.0.0.1:1]";
    let discovered = "discover: { dns: llama.gpu.svc:8000 }";
    for servers in [addresses, discovered] {
        let asked = pool(&format!("{servers}, balance: {{ by: load }}, metrics: {{}}"));
        assert_eq!(asked.metrics, Some(Metrics::default()), "{servers}");
    }
}

#[test]
fn caches_are_kept_apart_where_the_engine_can() {
    let servers = "model: m, endpoints: [http://b:1]";
    for (engine, salted) in [("vllm", true), ("sglang", true), ("tgi", false), ("openai", false)] {
        let text = format!("version: 1\npools:\n  a: {{ engine: {engine}, {servers} }}");
        assert_eq!(accepted(&text).pools["a"].cache_salt, salted, "{engine}");
    }
    assert!(!pool("endpoints: [http://b:1], cache_salt: none").cache_salt);
    assert!(pool("endpoints: [http://b:1], cache_salt: tenant").cache_salt);
    let tgi = format!("pools:\n  a: {{ engine: tgi, {servers}, cache_salt: tenant }}");
    crate::load_tests::check(&[(
        &tgi,
        "3:68: pools.a.cache_salt: `tenant` is not what this engine can do; vllm and sglang keep the caches of tenants apart. Write none, or remove it",
    )]);
}

#[test]
fn fields_of_the_engine() {
    let names = |pool: Pool| pool.allow_fields.into_iter().map(String::from).collect::<Vec<_>>();
    let pool_of = |rest: &str| pool(&format!("endpoints: [http://b:1], {rest}"));
    assert_eq!(names(pool_of("allow_fields: [top_k, min_p]")), ["top_k", "min_p"]);
    assert_eq!(names(pool_of("allow_fields: [cache_salt], cache_salt: none")), ["cache_salt"]);
    assert_eq!(names(pool_of("")), Vec::<String>::new());
    check_pool(&[
        (
            "endpoints: [http://b:1], allow_fields: [guided_*]",
            "3:72: pools.a.allow_fields[0]: `guided_*` is not a name; allowed: letters, digits and . _ : @ / -, a letter or digit first",
        ),
        (
            "endpoints: [http://b:1], allow_fields: [cache_salt]",
            "3:72: pools.a.allow_fields[0]: `cache_salt` is what the gateway puts in for each tenant; with `cache_salt: none` callers may set it",
        ),
    ]);
}

#[test]
fn media_of_a_pool() {
    let all = accepted(crate::load_tests::WHOLE);
    let expected = MediaConfig {
        kinds: vec![MediaKind::Image, MediaKind::Document],
        hosts: vec!["images.example.com".into(), "*.cdn.example.com".into()],
        bytes_max: 1 << 20,
        pixels_max: 1_000_000,
        pages_max: 5,
    };
    assert_eq!(all.pools["llama-70b"].media, expected);
    assert_eq!(all.pools["plain"].media, MediaConfig::default());
    let none = pool("endpoints: [http://b:1], media: { kinds: [] }").media;
    assert_eq!(none, MediaConfig { kinds: vec![], ..MediaConfig::default() });
    check_pool(&[
        (
            "endpoints: [http://b:1], media: { kinds: [pdf] }",
            "3:74: pools.a.media.kinds[0]: `pdf` is not known; allowed: image, audio, video, document",
        ),
        (
            "endpoints: [http://b:1], media: { kinds: all }",
            "3:73: pools.a.media.kinds: must be a list, not one value",
        ),
        (
            "endpoints: [http://b:1], media: { hosts: ['https://a/'] }",
            "3:74: pools.a.media.hosts[0]: `https://a/` is not the name of a host; write one such as images.example.com, or *.example.com for all below it, without scheme, port or path",
        ),
        (
            "endpoints: [http://b:1], media: { max_bytes: 65MiB }",
            "3:77: pools.a.media.max_bytes: `65MiB` is out of range; allowed: 1KiB to 64MiB",
        ),
        (
            "endpoints: [http://b:1], media: { max_pixels: 0 }",
            "3:78: pools.a.media.max_pixels: `0` is not a whole number from 1 to 1000000000",
        ),
        (
            "endpoints: [http://b:1], media: { max_page: 1 }",
            "3:66: pools.a.media.max_page: unknown field `max_page`; did you mean max_pages? allowed: kinds, hosts, max_bytes, max_pixels, max_pages",
        ),
    ]);
}
