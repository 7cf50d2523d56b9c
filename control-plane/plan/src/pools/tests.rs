use super::*;
use crate::build::build;
use crate::build::tests::{EXAMPLE, config, inputs, plan};
use crate::{Balance, Breakers, Protocol};

#[test]
fn a_pool_of_addresses() {
    let member = |address: &str| Member::at(address.parse().unwrap());
    let addresses = ["10.0.0.1:8000", "10.0.0.2:8000", "[fd00::1]:8000"];
    let expected = PoolPlan {
        name: "big".to_owned(),
        cluster: "pool/big".to_owned(),
        endpoints: Endpoints::Members(addresses.map(member).to_vec()),
        tls: false,
        named: false,
        balance: Balance::RoundRobin,
        affinity: false,
        health: Some(HealthPlan {
            path: "/health".to_owned(),
            interval: Duration::from_secs(30),
            unhealthy_interval: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
        }),
        ejection: crate::Ejection::default(),
        connect_timeout: Duration::from_secs(2),
        timeout: Duration::from_secs(2),
        protocol: Protocol::Http1,
        ca: None,
        credentials: None,
        breakers: Breakers::default(),
        slow_start: None,
        panic_percent: None,
        chained: false,
        ends: true,
        rewritten: false,
    };
    assert_eq!(plan(EXAMPLE).pools[0], expected);
}

#[test]
fn one_name_makes_a_pool_of_names() {
    let pool = &plan(EXAMPLE).pools[1];
    let ip = Host::Ip("10.0.0.9".parse().unwrap());
    let name = Host::Name("engine.example".to_owned());
    let named = |host| Named { host, port: 443, weight: None, priority: 0 };
    assert_eq!(pool.endpoints, Endpoints::Names(vec![named(ip), named(name)]));
    assert_eq!((pool.tls, &pool.health, pool.balance), (true, &None, Balance::LeastRequest));
    assert_eq!(pool.connect_timeout, Duration::from_secs(5));
}

#[test]
fn the_servers_of_now_take_the_place_of_the_configured_ones() {
    let config = config(EXAMPLE);
    let member = |address: &str, draining| Member {
        hostname: Some("engine.example".to_owned()),
        draining,
        weight: Some(7),
        ..Member::at(address.parse().unwrap())
    };
    let now = vec![member("10.0.0.2:8000", true), member("10.0.0.1:8000", false)];
    let small = PoolName::parse("small").unwrap();
    let members = BTreeMap::from([(small.clone(), now.clone())]);
    let plan = build(&Inputs { members: &members, ..inputs(&config) });
    let expected = vec![now[1].clone(), now[0].clone()];
    assert_eq!(plan.pools[2].endpoints, Endpoints::Members(expected));
    let nobody = BTreeMap::from([(small, Vec::new())]);
    let plan = build(&Inputs { members: &nobody, ..inputs(&config) });
    assert_eq!(plan.pools[2].endpoints, Endpoints::Members(Vec::new()));
}

const REACHED: &str = r#"
version: 1
gateway: { zone: here }
pools:
  a:
    engine: vllm
    model: m
    endpoints:
      - { url: "https://10.0.0.1:1", zone: there, weight: 3 }
      - { url: "https://10.0.0.2:1", zone: here }
      - https://10.0.0.3:1
    balance: { by: latency, affinity: prefix }
    spill: 70%
    credentials: { header: X-Api-Key, value: made-up-engine-key }
    protocol: http2
    tls: { ca: ca.pem }
    breakers: { requests: 5 }
    slow_start: 30s
    panic_threshold: 20%
  b:
    engine: vllm
    model: m
    endpoints: [{ url: "http://b:1", zone: there, weight: 9 }, { url: "http://c:1", zone: here }]
    credentials: { header: authorization, value: Bearer made-up-engine-key }
  c:
    engine: vllm
    model: m
    endpoints: [{ url: "http://10.0.0.9:1", zone: there }, { url: "http://10.0.0.8:1", zone: away }]
    credentials: { header: x-api-key, value: made-up-engine-key }
"#;

/// The servers of a pool: the last digits of the address, zone, weight and priority.
fn placed(pool: &PoolPlan) -> Vec<(String, Option<u32>, u32)> {
    let Endpoints::Members(members) = &pool.endpoints else { panic!("{pool:?}") };
    let shown = |member: &Member| {
        let zone = member.zone.as_deref().unwrap_or("-");
        (format!("{} {zone}", member.address), member.weight, member.priority)
    };
    members.iter().map(shown).collect()
}

#[test]
fn servers_nearby_come_first() {
    let pools = plan(REACHED).pools;
    let expected = [
        ("10.0.0.1:1 there".to_owned(), Some(3), 1),
        ("10.0.0.2:1 here".to_owned(), None, 0),
        ("10.0.0.3:1 -".to_owned(), None, 0),
    ];
    assert_eq!(placed(&pools[0]), expected);
    let Endpoints::Names(named) = &pools[1].endpoints else { panic!() };
    let shown: Vec<_> = named.iter().map(|named| (named.weight, named.priority)).collect();
    assert_eq!(shown, [(Some(9), 1), (None, 0)]);
    let nobody_near: Vec<_> =
        placed(&pools[2]).into_iter().map(|(.., priority)| priority).collect();
    assert_eq!(nobody_near, [0, 0], "Envoy wants no gap");
}

#[test]
fn others_take_part_where_those_nearby_are_busy() {
    let config = config(REACHED);
    let a = PoolName::parse("a").unwrap();
    let shares = |share| BTreeMap::from([(a.clone(), share)]);
    let placed_with = |share| {
        let all = build(&Inputs { spilling: &shares(share), ..inputs(&config) }).pools;
        let placed = placed(&all[0]).into_iter();
        placed.map(|(_, weight, priority)| (weight, priority)).collect::<Vec<_>>()
    };
    // The first one is far, and can take three times as much as another.
    assert_eq!(placed_with(25), [(Some(75), 0), (Some(100), 0), (Some(100), 0)]);
    assert_eq!(placed_with(1), [(Some(3), 0), (Some(100), 0), (Some(100), 0)]);
    assert_eq!(placed_with(100), [(Some(3), 0), (None, 0), (None, 0)]);
    let told = |zone: &str| Member {
        zone: Some(zone.to_owned()),
        weight: Some(7),
        priority: 9,
        ..Member::at("10.0.0.7:1".parse().unwrap())
    };
    let near = Member::at("10.0.0.1:1".parse().unwrap());
    let members = BTreeMap::from([(a, vec![told("here"), near])]);
    let pools = build(&Inputs { members: &members, ..inputs(&config) }).pools;
    let expected =
        [("10.0.0.1:1 there".to_owned(), Some(3), 1), ("10.0.0.7:1 here".to_owned(), Some(7), 0)];
    assert_eq!(placed(&pools[0]), expected);
}

#[test]
fn how_servers_are_spoken_to() {
    let plan = plan(REACHED);
    let pool = &plan.pools[0];
    assert_eq!((pool.balance, pool.affinity), (Balance::Latency, true));
    assert_eq!((pool.protocol, pool.slow_start), (Protocol::Http2, Some(Duration::from_secs(30))));
    assert_eq!(pool.panic_percent, Some(20));
    assert_eq!(pool.ca.as_deref(), Some(std::path::Path::new("/ca.pem")));
    assert_eq!(pool.breakers.requests.map(u32::from), Some(5));
    let (header, secret) = ("x-api-key".to_owned(), "credential/a".to_owned());
    assert_eq!(pool.credentials, Some(CredentialPlan { header, secret }));
    assert_eq!(plan.credential_headers, ["authorization", "x-api-key"]);
    assert!(!format!("{plan:?}").contains("made-up-engine-key"));
}

/// Of four servers, each near, far, or nobody knows where.
#[test]
fn priorities_have_no_gap_and_nobody_near_is_behind() {
    let here = ZoneName::parse("here").unwrap();
    let zones = [None, Some("here"), Some("there")];
    for drawn in 0..81_usize {
        let zones: Vec<_> = (0..4).map(|at| zones[drawn / 3_usize.pow(at) % 3]).collect();
        for (zone, share) in [(None, 0), (Some(&here), 0), (Some(&here), 30)] {
            let priorities = Near { zone, share }.priorities(zones.iter().copied());
            assert!(priorities.contains(&0) && priorities.iter().all(|it| *it <= 1), "{zones:?}");
            let near = |zone: &Option<&str>| zone.is_none_or(|zone| zone == "here");
            let behind = zones.iter().zip(&priorities).any(|(zone, it)| near(zone) && *it > 0);
            assert!(!behind, "{zones:?} {priorities:?}");
            if zone.is_none() || share > 0 {
                assert_eq!(priorities, [0; 4], "{zones:?}");
            }
        }
    }
}
