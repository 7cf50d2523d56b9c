//! Who is calling and what he may do: `auth`, the rules of roles and tenants, and
//! credentials other than keys.

use crate::load_tests::{WHOLE, accepted, check};
use crate::{Auth, Claims, Config, Hmac, Issuer, Jwks, JwksUrl, Nonces, Secret};
use std::time::Duration;

/// As text.
fn texts<T: AsRef<str>>(all: &[T]) -> Vec<&str> {
    all.iter().map(AsRef::as_ref).collect()
}

/// A configuration with the tenants and roles that tokens may be of.
fn with_auth(auth: &str) -> String {
    format!("roles: {{ user: {{ models: ['*'] }} }}\ntenants: {{ a: , b: }}\nauth: {{ {auth} }}")
}

fn issuer(rest: &str) -> String {
    with_auth(&format!("jwt: [{{ issuer: i, jwks: 'file:k', tenants: [a]{rest} }}]"))
}

#[test]
fn a_whole_auth() {
    let auth = accepted(WHOLE).auth;
    assert_eq!(auth.stale_for, Duration::from_secs(3_600));
    assert_eq!(auth.failures_per_minute, 60);
    let max_skew = Duration::from_secs(60);
    assert_eq!(auth.hmac, Hmac { max_skew, nonces: Nonces::Shared });
    let [login, ci] = auth.jwt.as_slice() else { panic!("{:?}", auth.jwt) };
    assert_eq!(login.issuer.as_str(), "https://login.example.com");
    assert_eq!(texts(&login.audiences), ["tollgate", "api://tollgate"]);
    assert_eq!(login.refresh, Duration::from_secs(300));
    assert_eq!(claims(&login.claims), (Some("org_id"), "email", Some("realm_access.roles")));
    assert_eq!(
        (texts(&login.tenants), texts(&login.roles)),
        (vec!["acme", "free"], vec!["user", "batch"])
    );
    assert_eq!(ci.jwks, Jwks::File("/etc/tollgate/jwks.json".into()));
    assert_eq!((claims(&ci.claims), ci.audiences.len()), ((None, "sub", None), 0));
}

fn claims(claims: &Claims) -> (Option<&str>, &str, Option<&str>) {
    let tenant = claims.tenant.as_ref().map(AsRef::as_ref);
    (tenant, claims.user.as_str(), claims.roles.as_ref().map(AsRef::as_ref))
}

#[test]
fn keys_of_an_issuer_at_a_url() {
    let auth = accepted(WHOLE).auth;
    let expected = JwksUrl {
        tls: true,
        host: crate::Host::Name("login.example.com".to_owned()),
        port: 443,
        path_and_query: "/.well-known/jwks.json".to_owned(),
        text: "https://Login.example.com/.well-known/jwks.json".to_owned(),
    };
    assert_eq!(auth.jwt[0].jwks, Jwks::Url(expected));
}

#[test]
fn an_auth_with_nothing_said() {
    for text in ["version: 1", "version: 1\nauth:", "version: 1\nauth: { hmac: , jwt: [] }"] {
        let auth = accepted(text).auth;
        assert_eq!(auth, Auth::default(), "{text}");
        assert_eq!(auth.stale_for, Duration::from_secs(86_400));
        assert_eq!(auth.failures_per_minute, 300);
        let max_skew = Duration::from_secs(300);
        assert_eq!(auth.hmac, Hmac { max_skew, nonces: Nonces::Gateway });
    }
}

#[test]
fn what_is_allowed_and_what_is_denied() {
    let config = accepted(WHOLE);
    let batch = &config.roles["batch"].rules;
    assert_eq!(texts(&batch.paths), ["/v1/chat/completions", "/v1/models*"]);
    assert_eq!(texts(&batch.deny.models), ["qwen-secret"]);
    assert_eq!(texts(&batch.deny.paths), ["/v1/models/*"]);
    let user = &config.roles["user"].rules;
    assert_eq!((texts(&user.paths), &user.deny), (vec!["*"], &crate::Deny::default()));
    let acme = &config.tenants["acme"];
    assert_eq!(texts(&acme.may.paths), ["/v1/*"]);
    assert_eq!(texts(&acme.may.deny.models), ["*-internal"]);
    assert_eq!(texts(&acme.may.deny.paths), ["/v1/embeddings"]);
    assert_eq!(texts(&acme.users.roles["auth0|kim"]), ["user", "batch"]);
    assert_eq!((texts(&acme.keys[0].models), acme.keys[1].models.len()), (vec!["llama*"], 0));
    let free = &config.tenants["free"];
    assert_eq!(
        (texts(&free.may.paths), free.users.roles.len(), free.mtls.len()),
        (vec!["*"], 0, 0)
    );
}

#[test]
fn who_may_sign_and_who_has_a_certificate() {
    let config = accepted(WHOLE);
    let acme = &config.tenants["acme"];
    assert_eq!(texts(&acme.mtls), ["spiffe://acme/*", "*.acme.example"]);
    let [first, second] = acme.hmac.as_slice() else { panic!() };
    assert_eq!((first.id.as_str(), texts(&first.roles)), ("partner-1", vec!["user"]));
    assert_eq!(first.user.as_ref().map(AsRef::as_ref), Some("robot"));
    assert!(first.secret == Secret::new("fedcba9876543210-secret".to_owned()));
    assert_eq!((second.id.as_str(), &second.roles, &second.user), ("partner-2", &vec![], &None));
    assert_eq!(second.secret.reveal(), "fedcba9876543210-plain");
}

/// The parts of the documented example that say who is calling.
const DOCUMENTED: &str = r#"
version: 1
gateway:
  listen: 127.0.0.1:8080
  tls: { cert: server.pem, key: server-key.pem, client_ca: clients.pem }

roles:
  user:  { models: ["*"] }
  batch: { models: ["qwen-*"] }

tenants:
  acme:
    models: ["*"]
    mtls: [ "spiffe://acme/*" ]                    # client certificates by SAN
    keys:
      - { name: ci, sha256: "abababababababababababababababababababababababababababababababab", roles: [user] }
    hmac:
      - { id: partner-1, secret: ${PARTNER_SECRET}, roles: [user] }

auth:
  jwt:
    - { issuer: https://login.example.com, audiences: [tollgate], jwks: file:jwks.json,
        claims: { tenant: org_id, user: sub, roles: roles }, tenants: [acme], roles: [user] }   # what this issuer may say
  hmac: { max_skew: 300s }
"#;

#[test]
fn the_documented_example() {
    let Config { gateway, tenants, auth, .. } = accepted(DOCUMENTED);
    let client_ca = gateway.tls.and_then(|tls| tls.client_ca);
    assert_eq!(client_ca, Some("/etc/tollgate/clients.pem".into()));
    let acme = &tenants["acme"];
    assert_eq!((texts(&acme.mtls), acme.hmac.len()), (vec!["spiffe://acme/*"], 1));
    let [Issuer { claims: said, tenants, roles, audiences, .. }] = auth.jwt.as_slice() else {
        panic!("{:?}", auth.jwt)
    };
    assert_eq!(claims(said), (Some("org_id"), "sub", Some("roles")));
    assert_eq!((texts(tenants), texts(roles)), (vec!["acme"], vec!["user"]));
    assert_eq!(texts(audiences), ["tollgate"]);
}

#[test]
fn what_is_wrong_with_auth() {
    check(&[
        (
            "auth: { stale_for: 31d }",
            "2:20: auth.stale_for: `31d` is out of range; allowed: 1s to 30d",
        ),
        (
            "auth: { failures_per_minute: 0 }",
            "2:30: auth.failures_per_minute: `0` is not a whole number from 1 to 1000000",
        ),
        (
            "auth: { hmac: { max_skew: 16m } }",
            "2:27: auth.hmac.max_skew: `16m` is out of range; allowed: 1s to 10m",
        ),
        (
            "auth: { hmac: { max_skew: 1500ms } }",
            "2:27: auth.hmac.max_skew: `1500ms` is no whole number of seconds, which timestamps count in",
        ),
        (
            "auth: { hmac: { nonces: database } }",
            "2:25: auth.hmac.nonces: `database` is not known; allowed: gateway, shared",
        ),
        (
            "auth: { hmac: { skew: 1s } }",
            "2:17: auth.hmac.skew: unknown field `skew`; allowed: max_skew, nonces",
        ),
        ("auth: { jwt: {} }", "2:14: auth.jwt: must be a list, not a map"),
    ]);
}

#[test]
fn what_is_wrong_with_issuers() {
    check(&[
        (
            &with_auth("jwt: [{}]"),
            "4:15: auth.jwt[0]: `issuer` is missing; what its tokens have in the claim `iss`\n4:15: auth.jwt[0]: `jwks` is missing; its public keys, file:PATH or https://URL\n4:15: auth.jwt[0]: `tenants` is missing; the tenants that its tokens may be of",
        ),
        (
            &issuer(", audiences: []"),
            "4:69: auth.jwt[0].audiences: is empty; name an audience, or remove it to take tokens that are meant for anybody",
        ),
        (
            &issuer(", roles: []"),
            "4:65: auth.jwt[0].roles: is empty; name a role, or remove it to allow all that the tenant of a token has",
        ),
        (
            &issuer(", roles: [admin]"),
            "4:66: auth.jwt[0].roles[0]: `admin` is no role; allowed: user",
        ),
        (
            &issuer(", claims: { roles: r }"),
            "4:15: auth.jwt[0]: `roles` is missing; name those that the claim `claims.roles` may give",
        ),
        (
            &issuer(", claims: { email: r }"),
            "4:68: auth.jwt[0].claims.email: unknown field `email`; allowed: tenant, user, roles",
        ),
        (
            &issuer(", claims: { user: 'a b' }"),
            "4:74: auth.jwt[0].claims.user: `a b` holds white space or a control character; allowed: anything else",
        ),
        (
            &issuer(", refresh: 5m"),
            "4:58: auth.jwt[0].refresh: counts only where `jwks` is a URL; remove it, the file is watched",
        ),
        (
            &issuer(", algorithms: [none]"),
            "4:58: auth.jwt[0].algorithms: unknown field `algorithms`; allowed: issuer, audiences, jwks, refresh, claims, tenants, roles",
        ),
        (
            &issuer("}, { issuer: i, jwks: 'file:k', tenants: [a]"),
            "4:69: auth.jwt[1].issuer: is the same as auth.jwt[0].issuer; an issuer stands here once",
        ),
        (
            &issuer("").replace("[a]", "[]"),
            "4:53: auth.jwt[0].tenants: is empty; name at least one tenant",
        ),
        (
            &issuer("").replace("[a]", "[c]"),
            "4:54: auth.jwt[0].tenants[0]: `c` is no tenant; allowed: a, b",
        ),
        (
            &issuer("").replace("[a]", "[a, b]"),
            "4:15: auth.jwt[0]: `claims.tenant` is missing; with more than one tenant a token has to name its own",
        ),
        (
            &issuer("").replace("file:k", "k.json"),
            "4:34: auth.jwt[0].jwks: the value is not where keys are; write file:PATH or https://HOST/PATH",
        ),
        (
            &issuer("").replace("file:k", "https://u:hunter2@h/k"),
            "4:34: auth.jwt[0].jwks: the value holds a user; credentials do not belong into an address",
        ),
        // What is there and wrong is one problem and not two.
        (
            &issuer(", claims: { tenant: }").replace("[a]", "[a, b]"),
            "4:71: auth.jwt[0].claims.tenant: is empty; give a value or remove it",
        ),
    ]);
}

#[test]
fn what_is_wrong_with_rules() {
    check(&[
        (
            "roles: { r: { models: [], paths: [v1/chat] } }",
            "2:35: roles.r.paths[0]: `v1/chat` is not a pattern over paths; it begins with / or * and holds no white space, such as /v1/chat/*",
        ),
        (
            "roles: { r: { models: [], deny: { paths: [v1] } } }",
            "2:43: roles.r.deny.paths[0]: `v1` is not a pattern over paths; it begins with / or * and holds no white space, such as /v1/chat/*",
        ),
        (
            "roles: { r: { models: [], deny: { model: [a] } } }",
            "2:35: roles.r.deny.model: unknown field `model`; did you mean models? allowed: models, paths",
        ),
        (
            "roles: { r: { models: [], deny: [a] } }",
            "2:33: roles.r.deny: must be a map of fields, not a list",
        ),
        (
            "tenants: { t: { paths: [ '' ] } }",
            "2:26: tenants.t.paths[0]: `` is empty; a name has 1 to 256 characters",
        ),
        (
            "tenants: { t: { users: { roles: { kim: [] } } } }",
            "2:40: tenants.t.users.roles.kim: is empty; name a role, or remove the user to allow all that the tenant has",
        ),
        (
            "tenants: { t: { users: { roles: { kim: [user] } } } }",
            "2:41: tenants.t.users.roles.kim[0]: `user` is no role; allowed: none",
        ),
        (
            "tenants: { t: { users: { roles: { 'a b': [] } } } }",
            "2:35: tenants.t.users.roles.\"a b\": `a b` holds white space or a control character; allowed: anything else",
        ),
    ]);
}

#[test]
fn what_is_wrong_with_credentials() {
    let signers = |all: &str| format!("tenants: {{ t: {{ hmac: [{all}] }} }}");
    let long = "0123456789abcdef-hunter2";
    check(&[
        (
            &signers("{}"),
            "2:24: tenants.t.hmac[0]: `id` is missing; a name of its own among all tenants\n2:24: tenants.t.hmac[0]: `secret` is missing; 8 to 1024 characters, such as ${PARTNER_SECRET}",
        ),
        (
            &signers("{ id: a, secret: hunter2 }"),
            "2:41: tenants.t.hmac[0].secret: the value is not a secret to sign by; allowed: 8 to 1024 visible ASCII characters without spaces",
        ),
        (
            &signers("{ id: a, secret: '${TOKEN} ${SHORT}' }"),
            "2:41: tenants.t.hmac[0].secret: the value is not a secret to sign by; allowed: 8 to 1024 visible ASCII characters without spaces",
        ),
        (
            &signers("{ id: key_1, secret: '${TOKEN}' }"),
            "2:30: tenants.t.hmac[0].id: `key_1` is taken; the ids of other credentials begin with key_, yaml:, jwt: and mtls:",
        ),
        (
            &signers("{ id: 'a,b', secret: '${TOKEN}' }"),
            "2:30: tenants.t.hmac[0].id: `a,b` is not a name; allowed: letters, digits and . _ : @ / -, a letter or digit first",
        ),
        (
            &signers("{ id: a, secret: '${TOKEN}', roles: [] }"),
            "2:60: tenants.t.hmac[0].roles: is empty; name a role, or remove it to allow all that the tenant has",
        ),
        (
            &signers("{ id: a, secret: '${TOKEN}', expires: 2030-01-01 }"),
            "2:53: tenants.t.hmac[0].expires: unknown field `expires`; allowed: id, secret, roles, user, masking",
        ),
        (
            &signers(&format!("{{ id: a, secret: '${{TOKEN}}' }}, {{ id: a, secret: {long} }}")),
            "2:61: tenants.t.hmac[1].id: is the same as tenants.t.hmac[0].id; give it another id",
        ),
        (
            &format!(
                "tenants:\n  t: {{ hmac: [{{ id: a, secret: {long} }}] }}\n  u: {{ hmac: [{{ id: b, secret: '{long}' }}] }}"
            ),
            "4:32: tenants.u.hmac[0].secret: is the same as tenants.t.hmac[0].secret; give each credential its own",
        ),
        (
            "tenants: { t: { keys: [{ name: k, sha256: '1111111111111111111111111111111111111111111111111111111111111111', models: [] }] } }",
            "2:119: tenants.t.keys[0].models: is empty; name a model, or remove it to allow all that the roles do",
        ),
    ]);
}

#[test]
fn what_is_wrong_with_certificates() {
    let tls = |ca: &str| format!("gateway: {{ tls: {{ cert: c, key: k{ca} }} }}\n");
    let ca = tls(", client_ca: a");
    check(&[
        (
            "tenants: { t: { mtls: [a] } }",
            "2:17: tenants.t.mtls: needs `gateway.tls.client_ca`; without it nobody is asked for a certificate",
        ),
        (
            &format!("{}tenants: {{ t: {{ mtls: [a] }} }}", tls("")),
            "3:17: tenants.t.mtls: needs `gateway.tls.client_ca`; without it nobody is asked for a certificate",
        ),
        (
            &format!("{ca}tenants: {{ t: {{ mtls: [a b] }} }}"),
            "3:24: tenants.t.mtls[0]: `a b` holds white space or a control character; allowed: anything else",
        ),
        (
            &format!("{ca}tenants:\n  t: {{ mtls: [a] }}\n  u: {{ mtls: [b, a] }}"),
            "5:18: tenants.u.mtls[1]: is the same as tenants.t.mtls[0]; a certificate has one tenant",
        ),
        // What is there and wrong is one problem and not two.
        (
            &format!("{}tenants: {{ t: {{ mtls: [a] }} }}", tls(", client_ca: []")),
            "2:47: gateway.tls.client_ca: must be one value, not a list",
        ),
    ]);
    accepted("version: 1\ntenants: { t: { mtls: [] } }");
}
