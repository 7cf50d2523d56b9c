use super::*;
use crate::Policy;
use crate::command::HeaderEdit;
use crate::exchange::{CertificateNames, Forwarded, Held};
use crate::headers::Headers;
use crate::policy::tests::config;
use crate::privacy::Material;
use crate::spending::Till;
use crate::spending::trial::till;
use auth::Caller;
use billing::memory::Memory;
use contract::fleet::Fleet;
use contract::keyring::KeyEntry;
use contract::policy::{PoolConfig, RoleConfig};

mod affine;
mod bodies;
mod callers;
mod chains;
mod masked;
mod paid;
mod paid_chains;
mod paths;
mod routed;

fn policy() -> Policy {
    Policy::compile(&config()).unwrap()
}

fn key() -> String {
    auth::key::generate(&[1; 32])
}

fn entry(tenant: &str) -> KeyEntry {
    KeyEntry {
        id: "key_1".into(),
        tenant: tenant.into(),
        user: Some("ann".into()),
        roles: vec![],
        models: vec![],
        masking: None,
        limits: None,
        budget: false,
        expires_at_s: Some(100),
    }
}

fn request(method: &str, path: &str, more: &[(&str, &str)]) -> Headers {
    let bearer = format!("Bearer {}", key());
    let mut lines = vec![(":method", method), (":path", path), ("authorization", &*bearer)];
    if method == "POST" {
        lines.push(("content-type", "application/json"));
    }
    lines.extend(more);
    Headers::of(&lines)
}

fn arrival(headers: &Headers, end_of_stream: bool) -> Arrival<'_> {
    Arrival { headers, end_of_stream, certificate: None, now_s: 1_000 }
}

fn claimed<'h>(policy: &Policy, arrival: Arrival<'h>) -> (Claim<'h>, Opened, Vec<HeaderEdit>) {
    let Opening { claim, opened, edits } = on_headers(policy, arrival);
    (claim, opened, edits)
}

fn open(headers: &Headers, end: bool) -> (Opened, Vec<HeaderEdit>) {
    let (claim, opened, edits) = claimed(&policy(), arrival(headers, end));
    assert!(matches!(claim, Claim::Key(digest) if digest == auth::key::digest(&key())));
    (opened, edits)
}

fn caller(tenant: &str) -> Caller {
    on_key(Some(entry(tenant)), 0).unwrap()
}

fn identify(opened: Opened, tenant: &str) -> Identified {
    on_caller(&policy(), opened, caller(tenant).into())
}

fn hold(tenant: &str) -> Held {
    let (opened, _) = open(&request("POST", "/v1/chat/completions", &[]), false);
    match identify(opened, tenant) {
        Identified::Hold(held) => held,
        other => panic!("{other:?}"),
    }
}

/// The body of a request that nothing is masked in.
fn decided(policy: &Policy, held: &Held, body: &[u8]) -> Decision {
    decided_at(policy, held, body, &till(&Memory::default()), true)
}

/// The same, paid at `till`.
fn decided_at(
    policy: &Policy,
    held: &Held,
    body: &[u8],
    till: &Till<'_, Memory>,
    may_ask: bool,
) -> Decision {
    let fleet = Fleet::default();
    let setting = Setting { material: Material::default(), till, fleet: &fleet, may_ask };
    on_body(policy, held, body, &setting)
}

fn finish(identified: Identified) -> Finish {
    match identified {
        Identified::Finish(finish) => finish,
        other => panic!("{other:?}"),
    }
}

#[test]
fn health_needs_no_key() {
    let headers = Headers::of(&[(":method", "GET"), (":path", "/healthz?x")]);
    for (ready, status) in [(true, 200), (false, 503)] {
        assert_eq!(health(&headers, ready).map(|reply| reply.status), Some(status));
    }
    assert_eq!(health(&request("GET", "/healthz/", &[]), true), None);
}

#[test]
fn without_a_key_nothing_is_told_of_paths() {
    for path in ["/v1/chat/completions", "/nothing", "/v1/models?api_key=tg_x"] {
        let headers = Headers::of(&[(":method", "GET"), (":path", path)]);
        let (claim, opened, _) = claimed(&policy(), arrival(&headers, true));
        let Claim::Refused(refusal) = claim else { panic!("{path} needs no key") };
        let reply = on_refused(&refusal, &opened);
        assert_eq!(reply.status, 401);
        assert!(reply.body.contains("missing_credentials"), "{}", reply.body);
    }
}

#[test]
fn what_must_not_go_on_is_removed_and_nothing_else() {
    let more = [
        ("x-api-version", "1"),
        ("accept-encoding", "gzip"),
        ("x-tollgate-pool", "pool/small"),
        ("x-tollgate-pool", "pool/big"),
        ("x-envoy-upstream-rq-timeout-ms", "1"),
        ("x-envoy-internal", "true"),
        ("user-agent", "test"),
    ];
    let (_, edits) = open(&request("POST", "/v1/chat/completions", &more), false);
    let names: Vec<&str> = edits.iter().map(|edit| &*edit.name).collect();
    let removed =
        ["authorization", "accept-encoding", "x-tollgate-pool", "x-envoy-upstream-rq-timeout-ms"];
    assert_eq!(names, removed);
    assert!(edits.iter().all(|edit| edit.value.is_none()));
}

#[test]
fn keys_that_are_none_expired_or_lost_their_tenant() {
    assert_eq!(on_key(None, 0).unwrap_err().code, Code::InvalidApiKey);
    assert_eq!(on_key(Some(entry("acme")), 100).unwrap_err().code, Code::KeyExpired);
    let (opened, _) = open(&request("POST", "/nothing", &[]), false);
    let Identified::Refused(refusal, _) = identify(opened, "gone") else { panic!("a caller") };
    assert_eq!(refusal.code, Code::InvalidApiKey);
}

#[test]
fn a_refusal_of_a_known_caller_is_recorded() {
    let (opened, _) =
        open(&request("GET", "/secret/path", &[("x-client-request-id", "c-1")]), true);
    let finish = finish(identify(opened, "acme"));
    assert_eq!(finish.reply.status, 404);
    let who = finish.who.unwrap();
    assert_eq!(who.code.as_deref(), Some("not_found"));
    assert_eq!(who.path.as_deref(), Some("other"));
    assert_eq!(who.client_request_id.as_deref(), Some("c-1"));
    let echoed = finish.reply.headers.iter().find(|(name, _)| *name == "x-client-request-id");
    assert_eq!(echoed.map(|(_, id)| id.as_str()), Some("c-1"));
}

#[test]
fn a_wrong_method_is_told_the_right_one() {
    for (method, path, allow) in
        [("GET", "/v1/embeddings", "POST"), ("POST", "/v1/models/a%2Fb", "GET")]
    {
        let (opened, _) = open(&request(method, path, &[]), false);
        let reply = finish(identify(opened, "acme")).reply;
        assert_eq!(reply.status, 405);
        assert!(reply.headers.contains(&("allow", allow.to_owned())), "{:?}", reply.headers);
    }
}

#[test]
fn an_id_that_could_do_harm_goes_nowhere() {
    let headers = request("GET", "/v1/models", &[("x-client-request-id", "a b\"<")]);
    let (opened, edits) = open(&headers, true);
    assert_eq!(opened.client_request_id, None);
    assert!(edits.contains(&HeaderEdit::remove("x-client-request-id")));
}

#[test]
fn the_list_of_models_is_the_callers_own() {
    let list = |tenant, path| {
        let (opened, _) = open(&request("GET", path, &[]), true);
        finish(identify(opened, tenant)).reply
    };
    assert!(list("acme", "/v1/models").body.contains(r#""id":"hidden""#));
    let other = list("other", "/v1/models");
    assert!(other.body.contains(r#""id":"llama""#) && !other.body.contains("hidden"));
    assert_eq!(list("other", "/v1/models/llama").status, 200);
    assert_eq!(list("other", "/v1/models/hidden").status, 404);
    assert_eq!(list("other", "/v1/models/nothing").status, 404);
}

type Sent = (Vec<HeaderEdit>, Option<Vec<u8>>, Forwarded);

fn forward(tenant: &str, body: &str) -> Result<Sent, Box<Finish>> {
    match decided(&policy(), &hold(tenant), body.as_bytes()) {
        Decision::Forward { edits, body, forwarded, .. } => Ok((edits, body, *forwarded)),
        Decision::Finish(finish) => Err(Box::new(finish)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_body_goes_to_its_pool_under_the_engines_name() {
    let (edits, body, forwarded) =
        forward("other", r#"{"model" : "llama","messages":[],"top_p":1.0e0}"#).unwrap();
    assert_eq!(
        String::from_utf8(body.unwrap()).unwrap(),
        r#"{"model" : "meta/Llama","messages":[],"top_p":1.0e0}"#
    );
    assert_eq!(edits[0], HeaderEdit::set("x-tollgate-pool", "pool/big"));
    assert_eq!(edits[1], HeaderEdit::set("x-envoy-upstream-rq-timeout-ms", "120000"));
    assert_eq!(forwarded.asked, "llama");
    assert_eq!(forwarded.who.tenant, "other");
    assert_eq!(forwarded.who.user.as_deref(), Some("ann"));
    assert_eq!(forwarded.who.pool.as_deref(), Some("big"));
    assert_eq!(forwarded.who.price_version.as_deref(), Some("v1"));
    assert_eq!(forwarded.who.code, None);
}

#[test]
fn a_stream_has_no_limit_for_the_whole_answer() {
    let (edits, _, forwarded) = forward("acme", r#"{"model":"llama","stream":true}"#).unwrap();
    assert_eq!(edits[1], HeaderEdit::set("x-tollgate-stream", "1"));
    assert!(forwarded.who.stream);
}

#[test]
fn a_body_that_needs_no_change_has_none() {
    let mut config = config();
    let pool: PoolConfig = PoolConfig { model: "llama".into(), ..config.pools["big"].clone() };
    config.pools.insert("big".into(), pool);
    let policy = Policy::compile(&config).unwrap();
    let decision = decided(&policy, &hold("acme"), br#"{"model":"llama"}"#);
    assert!(matches!(decision, Decision::Forward { body: None, .. }));
}

#[test]
fn bodies_that_are_refused() {
    let table = [
        ("", 400, "invalid_json"),
        ("{", 400, "invalid_json"),
        ("[]", 400, "invalid_request"),
        ("{}", 400, "invalid_request"),
        (r#"{"model":1}"#, 400, "invalid_request"),
        (r#"{"model":"llama","model":"llama"}"#, 400, "duplicate_key"),
        (r#"{"model":"llama","mod\u0065l":"hidden"}"#, 400, "duplicate_key"),
        (r#"{"model":"llama","stream":"yes"}"#, 400, "invalid_request"),
        (r#"{"model":"nothing"}"#, 404, "model_not_found"),
        (r#"{"model":"hidden"}"#, 404, "model_not_found"),
        (r#"{"model":"llama","n":0}"#, 400, "invalid_request"),
        (r#"{"model":"llama","n":17}"#, 400, "invalid_request"),
        (r#"{"model":"llama","max_tokens":4097}"#, 400, "invalid_request"),
        (r#"{"model":"llama","max_completion_tokens":0}"#, 400, "invalid_request"),
        (r#"{"model":"llama","max_output_tokens":4097}"#, 400, "invalid_request"),
        (r#"{"model":"llama","best_of":17}"#, 400, "invalid_request"),
    ];
    for (body, status, code) in table {
        let finish = forward("other", body).map(|_| ()).unwrap_err();
        assert_eq!(finish.reply.status, status, "{body}");
        assert!(finish.reply.body.contains(code), "{body}: {}", finish.reply.body);
        assert_eq!(finish.who.unwrap().code.as_deref(), Some(code), "{body}");
    }
}

#[test]
fn a_model_that_is_refused_is_in_no_record() {
    let finish = forward("other", r#"{"model":"hidden"}"#).map(|_| ()).unwrap_err();
    assert_eq!(finish.who.unwrap().model, None);
}

#[test]
fn the_limits_themselves_are_allowed() {
    for body in [
        r#"{"model":"llama","n":16,"max_tokens":4096}"#,
        r#"{"model":"llama","n":null,"max_tokens":1}"#,
        r#"{"model":"hidden","max_tokens":99999999}"#,
    ] {
        assert!(forward("acme", body).is_ok(), "{body}");
    }
}

#[test]
fn a_body_that_is_too_large_is_refused_and_recorded() {
    let finish = on_body_too_large(&policy(), &hold("acme"));
    assert_eq!(finish.reply.status, 413);
    assert_eq!(finish.who.unwrap().code.as_deref(), Some("request_too_large"));
}

#[test]
fn errors_on_messages_are_in_anthropics_shape() {
    let headers = request("POST", "/v1/messages", &[("content-encoding", "gzip")]);
    let (opened, _) = open(&headers, false);
    let finish = finish(identify(opened, "acme"));
    assert!(finish.reply.body.contains(r#""type":"error""#), "{}", finish.reply.body);
}

#[test]
fn a_key_that_cannot_be_checked_is_not_refused_for_good() {
    let (opened, _) = open(&request("POST", "/v1/chat/completions", &[]), false);
    let reply = on_unavailable(&opened);
    assert_eq!(reply.status, 503);
    assert!(reply.body.contains("control_unavailable"));
    assert!(reply.headers.contains(&("retry-after", "1".to_owned())));
}
