//! Attempts in a real Envoy: from pool to pool, what each pool gets to read, and copies. A
//! filter of Envoy's own stands in for the gateway's: it says by header what that one would.
//! The Envoy is `$ENVOY`, or the one that `make build` links; going from pool to pool is for
//! those that can.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod peer;
#[cfg(test)]
mod process;
#[cfg(test)]
mod stand_in;

use peer::Peer;
use plan::{Endpoints, Member, Plan, PoolPlan};
use process::{Gateway, Reply, can_chain, for_this_envoy, module};
use resources::secrets::Credential;
use resources::{Material, Placement, translate};
use stand_in::{chain, said};
use std::net::SocketAddr;

/// A pool with these servers that others may follow where this Envoy can do it, without health checks.
fn pool(name: &str, servers: &[SocketAddr]) -> PoolPlan {
    let plain = fixture::plan("192.0.2.1:1".parse().unwrap()).pools.remove(0);
    PoolPlan {
        name: name.to_owned(),
        cluster: format!("pool/{name}"),
        endpoints: Endpoints::Members(servers.iter().copied().map(Member::at).collect()),
        health: None,
        slow_start: None,
        ..plain
    }
}

fn with_credential(pool: PoolPlan, header: &str) -> PoolPlan {
    let credentials = Some(fixture::credential(&pool.name, header));
    PoolPlan { credentials, ..pool }
}

fn material() -> Material {
    let of =
        |pool: &str| (format!("credential/{pool}"), Credential::new(&format!("secret of {pool}")));
    Material { credentials: ["a", "b"].map(of).into(), ..fixture::material() }
}

fn plan(pools: Vec<PoolPlan>) -> Plan {
    let mut plan = fixture::plan("192.0.2.1:1".parse().unwrap());
    plan.pools = pools;
    plan.credential_headers = vec!["api-key".to_owned(), "authorization".to_owned()];
    for_this_envoy(plan)
}

fn gateway(plan: &Plan) -> Gateway {
    Gateway::with(|folder| {
        let (wasm, spool_file) = (module(folder), folder.join("usage.jsonl"));
        let mut all = translate(plan, &Placement { wasm, spool_file }, &material()).unwrap();
        stand_in::put(&mut all);
        all
    })
}

fn post(gateway: &Gateway, headers: &str) -> Reply {
    let caller = "authorization: Bearer the caller's\r\napi-key: the caller's\r\n";
    let request = format!(
        "POST /v1/x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{caller}{headers}\
         content-length: 5\r\n\r\nwhole"
    );
    gateway.ask(request.as_bytes())
}

/// What of a request nobody but the gateway may read, or the pool's own credential.
fn secrets_in(request: &str) -> Vec<&str> {
    let lines = request.lines().filter(|line| {
        let own = ["x-tollgate-", "x-envoy-", "said-"].iter().any(|p| line.starts_with(p));
        own || line.starts_with("authorization") || line.starts_with("api-key")
    });
    lines.collect()
}

#[test]
fn each_pool_of_a_chain_gets_the_body_and_its_own_credential_alone() {
    if !can_chain() {
        return;
    }
    let (a, b, c) = (Peer::answering(503), Peer::answering(429), Peer::answering(200));
    let pools = vec![
        with_credential(pool("a", &[a.address]), "authorization"),
        with_credential(pool("b", &[b.address]), "api-key"),
        pool("c", &[c.address]),
    ];
    let gateway = gateway(&plan(pools));
    for form in ["", "said-stream: 1\r\n"] {
        let way = chain(&["pool/a", "pool/b", "pool/c"]);
        let reply = post(&gateway, &format!("{way}{}{form}", said("retries", "2")));
        assert_eq!((reply.status, reply.body.as_str()), (200, "served"), "{reply:?}");
        let got = [a.next(), b.next(), c.next()];
        assert_eq!(secrets_in(&got[0]), ["authorization: secret of a"]);
        assert_eq!(secrets_in(&got[1]), ["api-key: secret of b"]);
        assert_eq!(secrets_in(&got[2]), Vec::<&str>::new());
        assert!(got.iter().all(|request| request.ends_with("\r\n\r\nwhole")), "{got:?}");
    }
}

#[test]
fn a_pool_without_a_well_server_is_passed() {
    if !can_chain() {
        return;
    }
    let last = Peer::answering(200);
    let mut leaving = pool("a", &[]);
    let gone = Member { draining: true, ..Member::at("192.0.2.9:1".parse().unwrap()) };
    leaving.endpoints = Endpoints::Members(vec![gone]);
    let refusing = pool("c", &[peer::nowhere()]);
    let gateway = gateway(&plan(vec![leaving, pool("b", &[last.address]), refusing]));
    for first in [&["pool/a", "pool/b"][..], &["pool/c", "pool/b"], &["pool/c", "pool/a", "pool/b"]]
    {
        let way = chain(first);
        let retries = said("retries", &(first.len() - 1).to_string());
        assert_eq!(post(&gateway, &format!("{way}{retries}")).status, 200, "{first:?}");
        assert!(last.next().starts_with("POST /v1/x"));
    }
    let alone = post(&gateway, &chain(&["pool/a"]));
    assert_eq!(alone.status, contract::names::NOBODY_STATUS, "what the filter makes a 503 of");
}

#[test]
fn a_pool_that_envoy_does_not_know_is_nobodys() {
    if !can_chain() {
        return;
    }
    let (a, b) = (Peer::answering(503), Peer::answering(200));
    let gateway = gateway(&plan(vec![pool("a", &[a.address]), pool("b", &[b.address])]));
    for names in [&["pool/gone", "pool/b"][..], &["pool/a", "pool/gone", "pool/b"], &["pool/gone"]]
    {
        let reply = post(&gateway, &format!("{}{}", chain(names), said("retries", "2")));
        assert_eq!(reply.status, 503, "{names:?}: {reply:?}");
        assert_eq!(reply.json()["error"]["code"], "no_healthy_engine");
    }
    assert!(b.is_unasked());
}

#[test]
fn a_copy_gets_the_credential_of_its_own_pool() {
    let (a, copy) = (Peer::answering(200), Peer::answering(503));
    let mut plan = plan(vec![
        with_credential(pool("a", &[a.address]), "authorization"),
        with_credential(pool("far", &[copy.address]), "api-key"),
        pool("b", &[peer::nowhere()]),
    ]);
    plan.pools[1].credentials = Some(fixture::credential("b", "api-key"));
    let gateway = gateway(&plan);
    let to = said("pool", "pool/a");
    let reply = post(&gateway, &format!("{to}{}", said("shadow", "pool/far")));
    assert_eq!(reply.status, 200);
    assert_eq!(secrets_in(&a.next()), ["authorization: secret of a"]);
    let copied = copy.next();
    assert_eq!(secrets_in(&copied), ["api-key: secret of b"]);
    assert!(copied.ends_with("\r\n\r\nwhole") && copied.contains("host: a\r\n"), "{copied}");
    // What is no model's shadow gets nothing, and the request is not lost to it.
    assert_eq!(post(&gateway, &format!("{to}{}", said("shadow", "pool/b"))).status, 200);
}

#[test]
fn another_attempt_is_on_another_server_and_only_if_the_filter_says_so() {
    let (bad, good) = (Peer::answering(500), Peer::answering(200));
    let gateway = gateway(&plan(vec![pool("a", &[bad.address, good.address])]));
    let (to, pick) = (said("pool", "pool/a"), said("pick", &bad.address.to_string()));
    assert_eq!(post(&gateway, &format!("{to}{pick}")).status, 500);
    assert_eq!(post(&gateway, &format!("{to}{pick}{}", said("retries", "1"))).status, 200);
    let both = said("pick", &format!("{},{}", good.address, bad.address));
    assert_eq!(post(&gateway, &format!("{to}{both}")).status, 200);
    assert_eq!((bad.count(), good.count()), (2, 2));
}

#[test]
fn a_server_that_is_silent_is_left_for_the_next() {
    let (silent, good) = (Peer::silent(), Peer::answering(200));
    let gateway = gateway(&plan(vec![pool("a", &[silent.address, good.address])]));
    let to = format!("{}{}", said("pool", "pool/a"), said("pick", &silent.address.to_string()));
    let limits = format!("{}{}", said("retries", "1"), said("attempt-timeout", "200"));
    assert_eq!(post(&gateway, &format!("{to}{limits}")).status, 200);
    let alone = post(&gateway, &format!("{to}{}", said("attempt-timeout", "200")));
    assert_eq!(alone.status, 504);
    assert_eq!(alone.json()["error"]["code"], "engine_timeout");
}
