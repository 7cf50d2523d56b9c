//! Everybody who may ask, and what is said to who may not.

use super::*;
use auth::hmac::{Draft, Times, sign};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contract::keyring::HmacEntry;
use contract::names::jwt_payload_header;
use contract::policy::{DenyConfig, GatewayConfig, IssuerConfig};

const SECRET: &str = "a made-up secret of ours";

fn with(change: impl FnOnce(&mut GatewayConfig)) -> Policy {
    let mut config = config();
    change(&mut config);
    Policy::compile(&config).unwrap()
}

fn with_issuer() -> Policy {
    with(|config| {
        config.auth.issuers = vec![IssuerConfig {
            issuer: "https://login.example".into(),
            tenant_claim: Some("org".into()),
            user_claim: "sub".into(),
            roles_claim: None,
            tenants: vec!["acme".into()],
            roles: vec![],
        }];
    })
}

fn token_request(payload: Option<&str>) -> Headers {
    let payload = payload.map(|claims| URL_SAFE_NO_PAD.encode(claims));
    let mut lines = vec![
        (":method", "POST"),
        (":path", "/v1/chat/completions"),
        ("content-type", "application/json"),
        ("authorization", "Bearer eyJhbGciOiJFUzI1NiJ9.bbbb.cccc"),
    ];
    let header = jwt_payload_header("https://login.example");
    lines.extend(payload.as_deref().map(|payload| (header.as_str(), payload)));
    Headers::of(&lines)
}

#[test]
fn a_verified_token_names_its_caller() {
    let claims = r#"{"iss":"https://login.example","exp":2000,"org":"acme","sub":"ann"}"#;
    let headers = token_request(Some(claims));
    let (claim, _, edits) = claimed(&with_issuer(), arrival(&headers, false));
    let Claim::Caller(caller) = claim else { panic!("no caller") };
    assert_eq!((&*caller.tenant, caller.user.as_deref()), ("acme", Some("ann")));
    assert_eq!(caller.key, "jwt:https://login.example");
    let removed: Vec<&str> = edits.iter().map(|edit| &*edit.name).collect();
    assert_eq!(removed, ["authorization", &*jwt_payload_header("https://login.example")]);
}

#[test]
fn a_token_that_nobody_verified_is_none() {
    let headers = token_request(None);
    let (claim, opened, _) = claimed(&with_issuer(), arrival(&headers, false));
    let Claim::Refused(refusal) = claim else { panic!("a caller") };
    assert_eq!(refusal.code, Code::InvalidToken);
    assert_eq!(on_refused(&refusal, &opened).status, 401);
    // Without issuers it is a key of another kind, and nobody's.
    let (claim, ..) = claimed(&policy(), arrival(&headers, false));
    assert!(matches!(claim, Claim::Key(_)));
}

fn signed_request(path: &str, body: &[u8]) -> Headers {
    let draft = Draft { method: "POST", path, timestamp_s: 1_000, nonce: "0123456789abcdef", body };
    let authorization = sign("partner-1", SECRET, &draft);
    let lines = [
        (":method", "POST"),
        (":path", path),
        ("content-type", "application/json"),
        ("authorization", authorization.as_str()),
    ];
    Headers::of(&lines)
}

fn entry_of_partner() -> HmacEntry {
    HmacEntry {
        id: "partner-1".into(),
        secret: SECRET.into(),
        tenant: "acme".into(),
        user: None,
        roles: vec![],
        masking: None,
    }
}

fn signer(headers: &Headers) -> Result<(Opened, Signer), Refusal> {
    let (claim, opened, _) = claimed(&policy(), arrival(headers, false));
    let Claim::Signed(signed) = claim else { panic!("not signed") };
    let times = Times { now_s: 1_000, started_s: 1, max_skew_s: 300, remembered_s: 0 };
    let accepted = on_signature(headers, &signed, Some(entry_of_partner()), times)?;
    Ok((opened, Signer { caller: accepted.caller, body: Some(accepted.body) }))
}

#[test]
fn a_signature_is_of_one_path_and_one_body() {
    let body = br#"{"model":"llama"}"#;
    let headers = signed_request("/v1/chat/completions?a=1", body);
    let (opened, signer) = signer(&headers).unwrap();
    let Identified::Hold(held) = on_caller(&policy(), opened, signer) else { panic!("not held") };
    assert!(matches!(decided(&policy(), &held, body), Decision::Forward { .. }));
    let other = decided(&policy(), &held, br#"{"model":"hidden"}"#);
    let Decision::Refused(refusal) = other else { panic!("another body went on") };
    assert_eq!(refusal.code, Code::InvalidSignature);
    let mut elsewhere = headers;
    elsewhere.0[1].1 = b"/v1/chat/completions?a=2".to_vec();
    assert_eq!(super::callers::signer(&elsewhere).unwrap_err().code, Code::InvalidSignature);
}

#[test]
fn no_body_is_a_body_too() {
    let headers = signed_request("/v1/models", b"something");
    let (mut opened, signer) = signer(&headers).unwrap();
    opened.end_of_stream = true;
    let Identified::Refused(refusal, _) = on_caller(&policy(), opened, signer) else {
        panic!("a caller")
    };
    assert_eq!(refusal.code, Code::InvalidSignature);
}

fn with_certificates() -> Policy {
    with(|config| {
        config.auth.client_certificates = true;
        config.tenants.get_mut("acme").unwrap().mtls = vec!["spiffe://acme/*".into()];
    })
}

fn shown(uri: Option<&str>) -> Option<CertificateNames> {
    Some(CertificateNames { uri: uri.map(str::to_owned), dns: None })
}

#[test]
fn a_certificate_alone_is_a_credential() {
    let headers = Headers::of(&[(":method", "GET"), (":path", "/v1/models")]);
    for (uri, code) in [
        (Some("spiffe://acme/batch"), None),
        (Some("spiffe://other/batch"), Some(Code::MissingCredentials)),
        (None, Some(Code::MissingCredentials)),
    ] {
        let arrival = Arrival { certificate: shown(uri), ..arrival(&headers, true) };
        match (claimed(&with_certificates(), arrival).0, code) {
            (Claim::Caller(caller), None) => assert_eq!(caller.key, "mtls:spiffe://acme/batch"),
            (Claim::Refused(refusal), Some(code)) => assert_eq!(refusal.code, code),
            _ => panic!("{uri:?}"),
        }
    }
}

#[test]
fn a_certificate_beside_a_key_is_of_the_same_tenant() {
    for (uri, tenant, good) in [
        (Some("spiffe://acme/batch"), "acme", true),
        (Some("spiffe://acme/batch"), "other", false),
        (None, "acme", false),
    ] {
        let headers = request("POST", "/v1/chat/completions", &[]);
        let arrival = Arrival { certificate: shown(uri), ..arrival(&headers, false) };
        let (_, opened, _) = claimed(&with_certificates(), arrival);
        match on_caller(&with_certificates(), opened, caller(tenant).into()) {
            Identified::Hold(_) => assert!(good, "{uri:?} {tenant}"),
            Identified::Refused(refusal, _) => {
                assert!(!good && refusal.code == Code::Forbidden, "{uri:?} {tenant}");
            }
            Identified::Finish(finish) => panic!("{finish:?}"),
        }
    }
}

#[test]
fn a_path_that_is_denied_is_told_before_the_body() {
    let policy = with(|config| {
        let deny = DenyConfig { models: vec![], paths: vec!["/v1/embeddings".into()] };
        config.tenants.get_mut("acme").unwrap().may.deny = deny;
    });
    let (opened, _) = open(&request("POST", "/v1/embeddings", &[]), false);
    let finish = finish(on_caller(&policy, opened, caller("acme").into()));
    assert_eq!(finish.reply.status, 403);
    assert_eq!(finish.who.unwrap().code.as_deref(), Some("forbidden"));
}

#[test]
fn a_model_is_allowed_by_the_path_or_forbidden() {
    let policy = with(|config| {
        let role = config.roles.get_mut("user").unwrap();
        role.paths = vec!["/v1/embeddings".into()];
        let chat = RoleConfig { models: vec!["hidden".into()], ..role.clone() };
        config.roles.insert("chat".into(), RoleConfig { paths: vec!["*".into()], ..chat });
    });
    let (opened, _) = open(&request("POST", "/v1/chat/completions", &[]), false);
    let roles = auth::Roles::Of(vec!["user".into(), "chat".into()]);
    let caller = Caller { roles, ..caller("acme") };
    let Identified::Hold(held) = on_caller(&policy, opened, caller.into()) else { panic!("held") };
    let status = |body: &[u8]| match decided(&policy, &held, body) {
        Decision::Forward { .. } => 200,
        Decision::Finish(finish) => finish.reply.status,
        Decision::Refused(refusal) => refusal.code.status(),
        other => panic!("{other:?}"),
    };
    assert_eq!(status(br#"{"model":"hidden"}"#), 200);
    assert_eq!(status(br#"{"model":"llama"}"#), 403);
    assert_eq!(status(br#"{"model":"nothing"}"#), 404);
}

#[test]
fn who_is_put_off_is_told_for_how_long() {
    let (opened, _) = open(&request("POST", "/v1/chat/completions", &[]), false);
    for why in [Throttled::Failures { retry_after_s: 7 }, Throttled::Nonces { retry_after_s: 7 }] {
        let reply = on_throttled(&opened, why);
        assert_eq!(reply.status, 429);
        assert!(reply.headers.contains(&("retry-after", "7".to_owned())), "{:?}", reply.headers);
    }
}

#[test]
fn the_paths_that_roles_speak_of_are_those_of_the_api() {
    let served = auth::authorize::INFERENCE_PATHS.map(|path| {
        let api = chat::path::Api::of(path).unwrap();
        assert!(!api.is_list(), "{path}");
        api.path()
    });
    assert_eq!(served, auth::authorize::INFERENCE_PATHS);
}
