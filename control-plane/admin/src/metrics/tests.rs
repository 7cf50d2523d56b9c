//! The text, read back as a scraper reads it.

use super::family::{Family, exposition};
use super::{access, envoys, families, pools};
use crate::envoy::{EnvoyStatus, MessageCounts, Refusal, TypeStatus};
use crate::overview::{
    ConfigStatus, EndpointStatus, PoolStatus, RefusedConfig, ServerLoad, SourceStatus, Status,
    Supervised,
};
use crate::refusals::{Counted, Door};
use crate::rollout::Rollout;
use std::collections::{BTreeMap, BTreeSet};

/// Samples by name and labels as written, types and units by family.
#[derive(Debug, Default)]
struct Scrape {
    samples: BTreeMap<String, f64>,
    types: BTreeMap<String, String>,
}

/// Reads an exposition and refuses what OpenMetrics 1.0 forbids.
fn read(text: &str) -> Scrape {
    let body = text.strip_suffix("# EOF\n").expect("the end is marked");
    let mut scrape = Scrape::default();
    let (mut family, mut kind) = (String::new(), String::new());
    for line in body.lines() {
        if let Some(described) = line.strip_prefix("# ") {
            let words: Vec<_> = described.splitn(3, ' ').collect();
            family = words[1].to_owned();
            match words[0] {
                "HELP" => assert!(words[2].ends_with('.'), "{line}"),
                "TYPE" => {
                    kind = words[2].to_owned();
                    let before = scrape.types.insert(family.clone(), kind.clone());
                    assert_eq!(before, None, "{family} is there twice");
                }
                "UNIT" => assert!(family.ends_with(words[2]), "{line}"),
                _ => panic!("{line}"),
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let name = series.split('{').next().unwrap();
        let suffix = match kind.as_str() {
            "counter" => "_total",
            "gauge" => "",
            "info" => "_info",
            other => panic!("{other}"),
        };
        assert_eq!(name, format!("{family}{suffix}"), "{line}");
        let before = scrape.samples.insert(series.to_owned(), value.parse().unwrap());
        assert_eq!(before, None, "{series} is there twice");
    }
    scrape
}

fn scrape(status: &Status) -> Scrape {
    read(&exposition(families(status)).unwrap())
}

fn envoy(node: &str) -> EnvoyStatus {
    EnvoyStatus {
        node: node.to_owned(),
        envoy_version: "1.40.0".into(),
        wasm_v8: Some(true),
        protocol: "delta".into(),
        converged: true,
        connected_since_ms: 1_000,
        converged_to: Some("s1".into()),
        ..EnvoyStatus::default()
    }
    .judged()
}

fn refusing() -> EnvoyStatus {
    let nack = Refusal { error: "no \"such\" thing".into(), at_ms: 2_500, ..Refusal::default() };
    let state = TypeStatus {
        acked: 3,
        refused: BTreeMap::from([("pool/a".to_owned(), nack.clone())]),
        last_nack: Some(nack),
        ..TypeStatus::default()
    };
    EnvoyStatus {
        converged: false,
        canary: true,
        duplicate: true,
        types: BTreeMap::from([("cluster".to_owned(), state)]),
        counts: BTreeMap::from([(
            "cluster".to_owned(),
            MessageCounts { responses: 7, acks: 6, nacks: 1 },
        )]),
        ..envoy("edge \"1\"\n")
    }
}

fn pool() -> PoolStatus {
    let endpoint = |port: u16, health: &str, draining| EndpointStatus {
        address: format!("127.0.0.1:{port}"),
        health: Some(health.to_owned()),
        active_requests: Some(4),
        load: ServerLoad {
            draining,
            resting_until_ms: None,
            zone: Some("east".into()),
            weight: Some(128),
            running: Some(2.5),
            waiting: Some(0.0),
            kv_use: Some(0.25),
        },
    };
    PoolStatus {
        name: "a".into(),
        model: "m".into(),
        source: SourceStatus {
            kind: "dns".into(),
            state: "doubted".into(),
            since_ms: Some(1),
            confirmed_at_ms: Some(1_700_000_000_250),
            ..SourceStatus::default()
        },
        endpoints: vec![
            endpoint(1, "healthy", false),
            endpoint(2, "failed_active_health_check", true),
            EndpointStatus { address: "127.0.0.1:3".into(), ..EndpointStatus::default() },
            EndpointStatus {
                address: "127.0.0.1:4".into(),
                load: ServerLoad { resting_until_ms: Some(1), ..ServerLoad::default() },
                ..EndpointStatus::default()
            },
        ],
        ..PoolStatus::default()
    }
}

fn full() -> Status {
    let listed = PoolStatus {
        name: "b".into(),
        source: SourceStatus { kind: "list".into(), ..SourceStatus::default() },
        ..PoolStatus::default()
    };
    let gone = EnvoyStatus {
        disconnected_at_ms: Some(3_000),
        converged: false,
        envoy_version: "1.38.3".into(),
        ..envoy("gone")
    };
    Status {
        version: "1.2.3".into(),
        config: ConfigStatus {
            version: "c1".into(),
            snapshot: Some("s1".into()),
            loaded_at: "2026-11-21T12:21:46.072Z".into(),
            refused: Some(RefusedConfig::default()),
            pending_restart: vec!["control.xds".into()],
            ..ConfigStatus::default()
        },
        supervised: Some(Supervised { pid: Some(7), restarts: 2, ..Supervised::default() }),
        envoys: vec![envoy("gateway"), refusing(), gone.judged()],
        rollout: Some(Rollout::Soaking { since_ms: 1, waits_for: Vec::new(), until_ms: None }),
        pools: vec![pool(), listed],
        ledger: Some(ledger::Status {
            position: ledger::Position { generation: 1, offset: 0 },
            lag_bytes: 9,
            counts: ledger::Counts { lines: 11, recovered: 1, lost: 2, ..Default::default() },
        }),
        ..Status::default()
    }
}

/// One series each, with its value.
const EXPECTED: &[(&str, f64)] = &[
    (r#"tollgate_build_info{version="1.2.3"}"#, 1.0),
    (r#"tollgate_config_info{version="c1",snapshot="s1"}"#, 1.0),
    ("tollgate_config_loaded_timestamp_seconds", 1_795_263_706.072),
    ("tollgate_config_refused", 1.0),
    ("tollgate_config_pending_restart", 1.0),
    ("tollgate_envoys_connected", 2.0),
    ("tollgate_envoy_running", 1.0),
    ("tollgate_envoy_restarts_total", 2.0),
    (
        r#"tollgate_envoy_info{node="gateway",version="1.40.0",protocol="delta",canary="false"}"#,
        1.0,
    ),
    (r#"tollgate_envoy_connected{node="gone"}"#, 0.0),
    (r#"tollgate_envoy_supported{node="gateway"}"#, 1.0),
    (r#"tollgate_envoy_supported{node="gone"}"#, 0.0),
    (r#"tollgate_envoy_duplicate{node="gateway"}"#, 0.0),
    (r#"tollgate_envoy_duplicate{node="edge \"1\"\n"}"#, 1.0),
    (r#"tollgate_xds_converged{node="gateway"}"#, 1.0),
    (r#"tollgate_xds_converged{node="gone"}"#, 0.0),
    (r#"tollgate_xds_converged{node="edge \"1\"\n"}"#, 0.0),
    (r#"tollgate_xds_resources{node="edge \"1\"\n",type="cluster"}"#, 3.0),
    (r#"tollgate_xds_refused_resources{node="edge \"1\"\n",type="cluster"}"#, 1.0),
    (r#"tollgate_xds_last_nack_timestamp_seconds{node="edge \"1\"\n",type="cluster"}"#, 2.5),
    (r#"tollgate_xds_responses_total{node="edge \"1\"\n",type="cluster"}"#, 7.0),
    (r#"tollgate_xds_acks_total{node="edge \"1\"\n",type="cluster"}"#, 6.0),
    (r#"tollgate_xds_nacks_total{node="edge \"1\"\n",type="cluster"}"#, 1.0),
    (r#"tollgate_xds_rollout{state="idle"}"#, 0.0),
    (r#"tollgate_xds_rollout{state="soaking"}"#, 1.0),
    (r#"tollgate_pool_endpoints{pool="a",state="active"}"#, 2.0),
    (r#"tollgate_pool_endpoints{pool="a",state="draining"}"#, 1.0),
    (r#"tollgate_pool_endpoints{pool="a",state="resting"}"#, 1.0),
    (r#"tollgate_pool_endpoints{pool="b",state="active"}"#, 0.0),
    (r#"tollgate_discovery_up{pool="a",source="dns"}"#, 1.0),
    (r#"tollgate_discovery_doubted{pool="a",source="dns"}"#, 1.0),
    (
        r#"tollgate_discovery_last_confirmed_timestamp_seconds{pool="a",source="dns"}"#,
        1_700_000_000.25,
    ),
    (r#"tollgate_endpoint_healthy{pool="a",endpoint="127.0.0.1:1"}"#, 1.0),
    (r#"tollgate_endpoint_healthy{pool="a",endpoint="127.0.0.1:2"}"#, 0.0),
    (r#"tollgate_endpoint_weight{pool="a",endpoint="127.0.0.1:1"}"#, 128.0),
    (r#"tollgate_endpoint_requests_active{pool="a",endpoint="127.0.0.1:1"}"#, 4.0),
    (r#"tollgate_endpoint_requests_running{pool="a",endpoint="127.0.0.1:1"}"#, 2.5),
    (r#"tollgate_endpoint_requests_waiting{pool="a",endpoint="127.0.0.1:1"}"#, 0.0),
    (r#"tollgate_endpoint_kv_use_ratio{pool="a",endpoint="127.0.0.1:1"}"#, 0.25),
    ("tollgate_ledger_lag_bytes", 9.0),
    ("tollgate_ledger_lines_total", 11.0),
    ("tollgate_ledger_recovered_requests_total", 1.0),
    ("tollgate_ledger_lost_requests_total", 2.0),
    (r#"tollgate_metrics_left_out{of="envoys"}"#, 0.0),
    (r#"tollgate_metrics_left_out{of="endpoints"}"#, 0.0),
];

#[test]
fn every_series_is_there_with_its_value() {
    let scrape = scrape(&full());
    for (series, value) in EXPECTED {
        assert_eq!(scrape.samples.get(*series), Some(value), "{series}");
    }
}

#[test]
fn who_was_refused_is_counted() {
    let counted = Counted {
        callers: BTreeMap::from([("invalid_api_key", 4), ("rate_limit_exceeded", 2)]),
        admin: BTreeMap::from([(Door::WrongToken, 3)]),
    };
    let figures = access::Figures { counted, audit_rows: Some(12), keys: Some(100_000) };
    let samples = read(&exposition(access::families(&figures)).unwrap()).samples;
    for (series, value) in [
        (r#"tollgate_auth_refused_total{code="invalid_api_key"}"#, 4.0),
        (r#"tollgate_auth_refused_total{code="rate_limit_exceeded"}"#, 2.0),
        (r#"tollgate_auth_refused_total{code="key_expired"}"#, 0.0),
        (r#"tollgate_admin_refused_total{reason="wrong_token"}"#, 3.0),
        (r#"tollgate_admin_refused_total{reason="origin"}"#, 0.0),
        ("tollgate_audit_rows_total", 12.0),
        ("tollgate_keyring_keys", 100_000.0),
    ] {
        assert_eq!(samples.get(series), Some(&value), "{series}");
    }
    assert!(!samples.contains_key(r#"tollgate_auth_refused_total{code="engine_error"}"#));
    // Without a ledger.
    let samples = read(&exposition(access::families(&access::Figures::default())).unwrap()).samples;
    assert!(!samples.contains_key("tollgate_keyring_keys"));
}

#[test]
fn what_is_not_known_is_not_there() {
    let scrape = scrape(&full());
    let absent = [
        r#"tollgate_endpoint_healthy{pool="a",endpoint="127.0.0.1:3"}"#,
        r#"tollgate_endpoint_kv_use_ratio{pool="a",endpoint="127.0.0.1:3"}"#,
        r#"tollgate_discovery_up{pool="b",source="list"}"#,
        r#"tollgate_xds_responses_total{node="gateway",type="cluster"}"#,
    ];
    for series in absent {
        assert_eq!(scrape.samples.get(series), None, "{series}");
    }
    // A control plane that knows nothing yet.
    let bare = self::scrape(&Status::default());
    for start in ["tollgate_ledger", "tollgate_envoy_restarts", "tollgate_config_loaded"] {
        assert!(bare.samples.keys().all(|series| !series.starts_with(start)), "{start}");
    }
}

#[test]
fn a_source_is_up_while_it_answers() {
    let table = [("fresh", 1.0, 0.0), ("doubted", 1.0, 1.0), ("failing", 0.0, 0.0)];
    for (state, up, doubted) in table {
        let mut status = Status { pools: vec![pool()], ..Status::default() };
        state.clone_into(&mut status.pools[0].source.state);
        let scrape = scrape(&status);
        let of = |name| scrape.samples[&format!(r#"{name}{{pool="a",source="dns"}}"#)];
        assert_eq!((of("tollgate_discovery_up"), of("tollgate_discovery_doubted")), (up, doubted));
    }
}

#[test]
fn no_text_of_an_error_becomes_a_label() {
    let mut status = full();
    status.pools[0].source.error = Some("made-up cause".into());
    let text = exposition(families(&status)).unwrap();
    assert!(!text.contains("thing") && !text.contains("made-up"), "{text}");
}

#[test]
fn series_are_bounded_and_connected_envoys_come_first() {
    let gone = |number| EnvoyStatus {
        disconnected_at_ms: Some(1),
        ..envoy(&format!("a-gone-{number:05}"))
    };
    let mut status = Status::default();
    status.envoys.extend((0..envoys::ENVOYS_MAX + 5).map(gone));
    status.envoys.push(envoy("z-here"));
    status.envoys.push(envoy(&"x".repeat(envoys::NODE_BYTES_MAX + 1)));
    let endpoint = |number| EndpointStatus {
        address: format!("127.0.0.1:{number}"),
        active_requests: Some(0),
        ..EndpointStatus::default()
    };
    let endpoints = (0..pools::ENDPOINTS_MAX + 3).map(endpoint).collect();
    status.pools.push(PoolStatus { name: "a".into(), endpoints, ..PoolStatus::default() });
    let scrape = scrape(&status);
    assert_eq!(scrape.samples[r#"tollgate_envoy_connected{node="z-here"}"#], 1.0);
    assert_eq!(scrape.samples["tollgate_envoys_connected"], 2.0);
    assert_eq!(scrape.samples[r#"tollgate_metrics_left_out{of="envoys"}"#], 7.0);
    assert_eq!(scrape.samples[r#"tollgate_metrics_left_out{of="endpoints"}"#], 3.0);
    let of = |name: &str| scrape.samples.keys().filter(|key| key.starts_with(name)).count();
    assert_eq!(of("tollgate_envoy_connected{"), envoys::ENVOYS_MAX);
    assert_eq!(of("tollgate_endpoint_requests_active{"), pools::ENDPOINTS_MAX);
}

#[test]
fn an_endpoint_that_is_listed_twice_has_one_series() {
    let mut twice = pool();
    twice.endpoints = vec![twice.endpoints[0].clone(), twice.endpoints[0].clone()];
    // Reading refuses a series that is there twice.
    scrape(&Status { pools: vec![twice], ..Status::default() });
}

#[test]
fn names_follow_the_conventions() {
    let scrape = scrape(&full());
    let names: BTreeSet<_> = scrape.types.keys().collect();
    assert!(names.len() > 30, "{names:?}");
    for (name, kind) in &scrape.types {
        assert!(name.starts_with("tollgate_"), "{name}");
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        assert!(name.bytes().all(plain), "{name}");
        assert!(!name.ends_with("_total") && !name.ends_with("_info"), "{name}: {kind}");
        assert!(!name.contains("timestamp") || name.ends_with("_timestamp_seconds"), "{name}");
    }
}

#[test]
fn large_counts_stay_exact() {
    let large = 1_u64 << 53;
    let family = Family::counter("large", "A large count.").with([], large);
    let text = exposition(vec![family]).unwrap();
    assert_eq!(read(&text).samples["tollgate_large_total"], 9_007_199_254_740_992.0);
}
