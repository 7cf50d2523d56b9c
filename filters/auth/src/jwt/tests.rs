use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

const NOW_S: u64 = 1_000_000;

fn issuer() -> IssuerConfig {
    IssuerConfig {
        issuer: "https://login.example".into(),
        tenant_claim: Some("org".into()),
        user_claim: "sub".into(),
        roles_claim: Some("realm_access.roles".into()),
        tenants: vec!["acme".into(), "beta".into()],
        roles: vec!["user".into(), "batch".into()],
    }
}

fn good() -> Value {
    json!({
        "iss": "https://login.example",
        "exp": NOW_S + 60,
        "org": "acme",
        "sub": "ann",
        "realm_access": { "roles": ["offline", "batch", "user"] },
    })
}

/// The good claims with another value of one; `null` takes it away.
fn with(name: &str, value: Value) -> Value {
    let mut claims = good();
    let members = claims.as_object_mut().unwrap();
    match value {
        Value::Null => members.remove(name),
        value => members.insert(name.to_owned(), value),
    };
    claims
}

fn payload(claims: &Value) -> String {
    URL_SAFE_NO_PAD.encode(claims.to_string())
}

fn read(issuer: &IssuerConfig, claims: &Value) -> Result<Caller, Refusal> {
    caller(std::slice::from_ref(issuer), [(0, payload(claims).as_bytes())], NOW_S)
}

/// What the refusal says; every one is `invalid_token`.
fn refused(outcome: Result<Caller, Refusal>) -> String {
    let refusal = outcome.unwrap_err();
    assert_eq!((refusal.code, refusal.param), (Code::InvalidToken, None));
    refusal.message.into_owned()
}

#[test]
fn a_good_token_names_its_caller() {
    let expected = Caller {
        tenant: "acme".into(),
        key: "jwt:https://login.example".into(),
        user: Some("ann".into()),
        roles: Roles::Of(vec!["user".into(), "batch".into()]),
        models: vec![],
        masking: None,
        limits: None,
        budget: false,
        means: Means::Jwt,
    };
    assert_eq!(read(&issuer(), &good()), Ok(expected));
}

#[test]
fn exactly_one_payload_of_a_known_issuer() {
    let text = payload(&good());
    let good = text.as_bytes();
    let other = IssuerConfig { issuer: "https://other.example".into(), ..issuer() };
    let issuers = [issuer(), other];
    type Row<'a> = (&'a [(usize, &'a [u8])], &'a str);
    let table: &[Row] = &[
        (&[], "The token is not one that this gateway accepts."),
        (&[(0, good), (1, good)], "The token is not one that this gateway accepts."),
        (&[(0, good), (0, good)], "The token is not one that this gateway accepts."),
        (&[(1, good)], "The token is of another issuer."),
        (&[(2, good)], "The token's issuer is not known."),
        (&[(0, b"")], "The token cannot be read."),
        (&[(0, b"e30,e30")], "The token cannot be read."),
        (&[(0, b"e30")], "The token is of another issuer."),
    ];
    for (payloads, expected) in table {
        let outcome = caller(&issuers, payloads.iter().copied(), NOW_S);
        assert_eq!(refused(outcome), *expected, "{payloads:?}");
    }
    assert!(caller(&issuers, [(0, good)], NOW_S).is_ok());
}

#[test]
fn a_token_has_its_time() {
    let table = [
        ("exp", json!(NOW_S), Some("expired")),
        ("exp", json!(NOW_S + 1), None),
        ("exp", json!(NOW_S as f64 + 0.5), None),
        ("exp", json!(-1), Some("expired")),
        ("exp", json!(u64::MAX), None),
        ("exp", Value::Null, Some("when it ends")),
        ("exp", json!("1000060"), Some("when it ends")),
        ("nbf", json!(NOW_S + 60), None),
        ("nbf", json!(NOW_S + 61), Some("not valid yet")),
        ("nbf", json!(NOW_S as f64 + 60.5), Some("not valid yet")),
        ("nbf", json!(0), None),
        ("nbf", json!("0"), Some("when it begins")),
    ];
    for (claim, value, expected) in table {
        let outcome = read(&issuer(), &with(claim, value.clone()));
        let message = outcome.err().map(|refusal| refusal.message);
        let fits = match (&message, expected) {
            (Some(message), Some(part)) => message.contains(part),
            (message, part) => message.is_none() && part.is_none(),
        };
        assert!(fits, "{claim} {value} {message:?}");
    }
    assert!(caller(&[issuer()], [(0, payload(&good()).as_bytes())], u64::MAX).is_err());
}

#[test]
fn the_issuer_has_to_be_the_one_it_says() {
    for name in [json!("https://login.example/"), json!(["https://login.example"]), Value::Null] {
        let message = refused(read(&issuer(), &with("iss", name)));
        assert_eq!(message, "The token is of another issuer.");
    }
}

#[test]
fn the_tenant_is_one_that_the_issuer_may_speak_for() {
    let tenant = |value| read(&issuer(), &with("org", value)).map(|caller| caller.tenant);
    assert_eq!(tenant(json!("beta")).unwrap(), "beta");
    for value in [json!("gamma"), json!("ACME"), json!("acme "), json!(["acme"]), json!(1)] {
        let refusal = tenant(value.clone()).unwrap_err();
        assert_eq!(refusal.message, "The token's issuer may not speak for its tenant.", "{value}");
    }
    assert_eq!(tenant(Value::Null).unwrap_err().message, "The token names no tenant.");
}

#[test]
fn an_issuer_of_one_tenant_needs_no_claim() {
    let mut issuer = IssuerConfig { tenant_claim: None, ..issuer() };
    assert_eq!(refused(read(&issuer, &good())), "The token names no tenant.");
    issuer.tenants = vec!["beta".into()];
    assert_eq!(read(&issuer, &good()).unwrap().tenant, "beta");
}

#[test]
fn a_user_is_a_name_or_absent() {
    let long = "a".repeat(NAME_BYTES_MAX);
    let table = [
        (json!("ann"), Some(Some("ann"))),
        (json!(long), Some(Some(long.as_str()))),
        (Value::Null, Some(None)),
        (json!(""), None),
        (json!(format!("{long}a")), None),
        (json!("a\nb"), None),
        (json!("a\u{85}b"), None),
        (json!(7), None),
        (json!(["ann"]), None),
    ];
    for (value, expected) in table {
        let user = read(&issuer(), &with("sub", value.clone())).map(|caller| caller.user);
        let user = user.as_ref().map(Option::as_deref).ok();
        assert_eq!(user, expected, "{value}");
    }
    let null =
        json!({"iss": "https://login.example", "exp": NOW_S + 1, "org": "acme", "sub": null});
    assert!(refused(read(&issuer(), &null)).contains("user"));
}

#[test]
fn roles_are_those_that_the_issuer_may_give() {
    let roles = |value: Value| {
        let issuer = IssuerConfig { roles_claim: Some("scope".into()), ..issuer() };
        read(&issuer, &with("scope", value)).map(|caller| caller.roles).ok()
    };
    let of = |names: &[&str]| Some(Roles::Of(names.iter().map(|n| (*n).to_owned()).collect()));
    let table = [
        (json!(["batch", "user"]), of(&["user", "batch"])),
        (json!("openid batch"), of(&["batch"])),
        (json!("batch batch"), of(&["batch"])),
        (json!(["user batch"]), of(&[])),
        (json!(["admin", "User"]), of(&[])),
        (json!([]), of(&[])),
        (json!(""), of(&[])),
        (Value::Null, of(&[])),
        (json!(["user", 1]), None),
        (json!({"user": true}), None),
        (json!(true), None),
    ];
    for (value, expected) in table {
        assert_eq!(roles(value.clone()), expected, "{value}");
    }
}

#[test]
fn an_issuer_without_a_claim_of_roles_gives_all_it_has() {
    let mut issuer = IssuerConfig { roles_claim: None, ..issuer() };
    let roles = |issuer: &IssuerConfig| read(issuer, &good()).unwrap().roles;
    assert_eq!(roles(&issuer), Roles::Of(vec!["user".into(), "batch".into()]));
    issuer.roles = vec![];
    assert_eq!(roles(&issuer), Roles::All);
    issuer.roles_claim = Some("realm_access.roles".into());
    assert_eq!(roles(&issuer), Roles::Of(vec![]));
}

#[test]
fn no_role_is_cut_off() {
    let names = |count: usize| (0..count).map(|n| format!("r{n}")).collect::<Vec<_>>();
    let issuer = IssuerConfig { roles: names(100), ..issuer() };
    let claims = |count| with("realm_access", json!({ "roles": names(count) }));
    assert_eq!(read(&issuer, &claims(64)).unwrap().roles, Roles::Of(names(64)));
    assert!(refused(read(&issuer, &claims(65))).contains("64 roles"));
}

#[test]
fn no_refusal_quotes_a_claim() {
    const PRIVATE: &str = "private-7f3a";
    let claims = ["iss", "exp", "nbf", "org", "sub", "realm_access"];
    for claim in claims {
        for value in [json!([PRIVATE]), json!({ PRIVATE: PRIVATE }), json!(format!("{PRIVATE}\n"))]
        {
            let Err(refusal) = read(&issuer(), &with(claim, value)) else { continue };
            assert!(!refusal.message.contains(PRIVATE), "{claim}: {}", refusal.message);
        }
    }
}

#[test]
fn a_header_may_demand_nothing_that_nobody_looks_at() {
    let token = |header: &str| format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(header));
    for (header, good) in [
        (r#"{"alg":"ES256"}"#, true),
        (r#"{"alg":"ES256","crit":["b64"],"b64":false}"#, false),
        (r#"{"alg":"ES256","crit":[]}"#, false),
        (r#"{"alg":"ES256","alg":"none"}"#, false),
        ("[]", false),
        ("", false),
    ] {
        let token = token(header);
        assert_eq!(check_header(PresentedToken(&token)).is_ok(), good, "{header}");
    }
}
