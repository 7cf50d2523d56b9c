//! What does not fit together is found before Envoy is told.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(test)]
mod fixture;

use envoy_types::pb::envoy::config::core::v3::TypedExtensionConfig;
use envoy_types::pb::envoy::extensions::filters::http::router::v3::Router;
use envoy_types::util::pack_any;
use plan::{Host, Jwks, Plan};
use resources::consistency::check;
use resources::secrets::{Certificate, ClientCa};
use resources::{EnvoyResources, Material, Placement, TranslateError};

fn of<'a>(all: &'a mut EnvoyResources, name: &str) -> &'a mut TypedExtensionConfig {
    all.extensions.iter_mut().find(|one| one.name == name).unwrap()
}

fn translated(plan: &Plan, material: &Material) -> Result<EnvoyResources, TranslateError> {
    let placement = Placement { wasm: "/m.wasm".into(), spool_file: "/s".into() };
    resources::translate(plan, &placement, material)
}

fn faults(resources: &EnvoyResources) -> Vec<String> {
    let all = check(resources).err().unwrap_or_default();
    all.iter().map(TranslateError::to_string).collect()
}

#[test]
fn a_translated_plan_fits() {
    assert_eq!(faults(&fixture::on_paper()), Vec::<String>::new());
}

#[test]
fn each_missing_part_is_named() {
    type Break = fn(&mut EnvoyResources);
    let table: &[(Break, &[&str])] = &[
        (
            |all| all.clusters.retain(|one| one.name != "holding"),
            &["the route holding names the cluster holding, which is not there"],
        ),
        (
            |all| all.clusters.retain(|one| one.name != "pool/small"),
            &[
                "endpoints of pool/small names the cluster pool/small, which is not there",
                "the pool small names the cluster pool/small, which is not there",
            ],
        ),
        (
            |all| all.endpoints.clear(),
            &["the cluster pool/small names the endpoints pool/small, which is not there"],
        ),
        (
            |all| all.routes.clear(),
            &["the listener gateway names the route configuration gateway, which is not there"],
        ),
        (
            |all| all.extensions.clear(),
            &[
                "the listener gateway names the filter configuration jwt, which is not there",
                "the listener gateway names the filter configuration gateway, which is not there",
            ],
        ),
        (
            |all| all.clusters.retain(|one| !one.name.starts_with("jwks/")),
            &[
                "the issuer https://id.example names the cluster jwks/id.example:443, which is not there",
            ],
        ),
        (
            |all| all.clusters.retain(|one| !one.name.starts_with("masking/")),
            &[
                "the masking policy default names the cluster masking/192.0.2.5:5002, which is not there",
            ],
        ),
        (|all| all.clusters.extend_from_within(..1), &["two clusters are named holding"]),
        (
            |all| of(all, "gateway").typed_config = Some(pack_any(Router::default())),
            &[
                "the filter configuration gateway cannot be read: it is a type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
            ],
        ),
        (
            |all| of(all, "jwt").typed_config = Some(pack_any(Router::default())),
            &[
                "the filter configuration jwt cannot be read: it is a type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
            ],
        ),
    ];
    for (damage, expected) in table {
        // Every pool is named by the routes that lead from pool to pool: a test of its own.
        let mut plan = fixture::plan("192.0.2.7:8000".parse().unwrap());
        plan.filter.chains = false;
        let mut resources = translated(&plan, &fixture::material()).unwrap();
        damage(&mut resources);
        assert_eq!(faults(&resources), *expected);
    }
}

#[test]
fn what_attempts_rely_on_is_there() {
    type Break = fn(&mut EnvoyResources);
    let table: &[(Break, &[&str])] = &[
        (
            |all| all.listeners.retain(|one| one.name == "gateway"),
            &["endpoints of pool/small names the listener nobody, which is not there"],
        ),
        (
            |all| all.secrets.clear(),
            &["the cluster pool/far names the secret credential/far, which is not there"],
        ),
        (
            |all| all.clusters.retain(|one| one.name != "pool/far"),
            &[
                "the route streamed, copied to pool/far names the cluster pool/far, which is not there",
                "the route whole, copied to pool/far names the cluster pool/far, which is not there",
                "the route chain-streamed names the cluster pool/far, which is not there",
                "the route chain-whole names the cluster pool/far, which is not there",
                "the route chain-streamed, no copy names the cluster pool/far, which is not there",
                "the route chain-whole, no copy names the cluster pool/far, which is not there",
                "the route chain-streamed, copied to pool/far names the cluster pool/far, which is not there",
                "the route chain-whole, copied to pool/far names the cluster pool/far, which is not there",
                "the pool far names the cluster pool/far, which is not there",
            ],
        ),
    ];
    for (damage, expected) in table {
        let mut resources = fixture::on_paper();
        damage(&mut resources);
        let mut found = faults(&resources);
        found.sort();
        let mut expected: Vec<_> = expected.iter().map(|text| (*text).to_owned()).collect();
        expected.sort();
        assert_eq!(found, expected);
    }
}

#[test]
fn what_the_filter_would_refuse_is_found() {
    let mut plan = fixture::plan("192.0.2.7:8000".parse().unwrap());
    plan.filter.models.values_mut().for_each(|model| model.split[0].pool = "nowhere".to_owned());
    let resources = translated(&plan, &fixture::material()).unwrap();
    let found = faults(&resources);
    assert!(found.iter().all(|fault| fault.starts_with("the filter refuses")), "{found:?}");
    assert!(!found.is_empty());
}

/// A listener that asks callers for certificates, and what it needs.
fn with_certificates() -> (Plan, Material) {
    let made = rcgen::generate_simple_self_signed(vec!["gateway.example".to_owned()]).unwrap();
    let (pem, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let certificate = Certificate::parse(pem.as_bytes(), key.as_bytes()).ok();
    let client_ca = ClientCa::parse(pem.as_bytes()).ok();
    let mut plan = fixture::plan("192.0.2.7:8000".parse().unwrap());
    plan.listener.client_certificates = true;
    (plan, Material { certificate, client_ca, ..fixture::material() })
}

#[test]
fn a_listener_with_tls_needs_its_secrets() {
    let (plan, material) = with_certificates();
    let mut all = translated(&plan, &material).unwrap();
    assert_eq!(faults(&all), Vec::<String>::new());
    all.secrets.clear();
    let missing =
        |name| format!("the listener gateway names the secret {name}, which is not there");
    let found = faults(&all);
    let of_the_listener = found.iter().filter(|fault| fault.starts_with("the listener"));
    let expected = [missing("gateway-certificate"), missing("gateway-client-ca")];
    assert!(of_the_listener.eq(&expected), "{found:?}");
}

#[test]
fn callers_are_asked_for_certificates_only_where_the_plan_says_so() {
    let (mut plan, material) = with_certificates();
    plan.listener.client_certificates = false;
    let all = translated(&plan, &material).unwrap();
    let names: Vec<_> = all.secrets.iter().map(|one| one.name().to_owned()).collect();
    assert_eq!(names, ["gateway-certificate", "credential/far"]);
    assert_eq!(faults(&all), Vec::<String>::new());
}

#[test]
fn what_the_plan_names_must_have_been_read() {
    let (plan, material) = with_certificates();
    let why = |material: Material| translated(&plan, &material).err().map(|why| why.to_string());
    assert_eq!(why(material.clone()), None);
    let table = [
        (
            Material { certificate: None, ..material.clone() },
            "the certificate of gateway.tls was not read",
        ),
        (Material { client_ca: None, ..material.clone() }, "gateway.tls.client_ca was not read"),
        (
            Material { credentials: [].into(), ..material.clone() },
            "the secret credential/far was not read",
        ),
        (
            Material { jwks: [].into(), ..material },
            "the file /etc/keys.json with the keys of https://login.example was not read",
        ),
    ];
    for (material, expected) in table {
        assert_eq!(why(material).as_deref(), Some(expected));
    }
}

#[test]
fn both_filters_mean_the_same_issuers() {
    let mut plan = fixture::plan("192.0.2.7:8000".parse().unwrap());
    plan.filter.auth.issuers[1].issuer = "https://other.example".to_owned();
    let all = translated(&plan, &fixture::material()).unwrap();
    let found = faults(&all);
    assert_eq!(found.len(), 2, "{found:?}");
    let first = "only one of the two filters means the issuer https://id.example by x-tollgate-jwt-68747470733a2f2f69642e6578616d706c65";
    assert_eq!(found.first().map(String::as_str), Some(first));
}

#[test]
fn one_server_of_keys_is_one_cluster() {
    let mut plan = fixture::plan("192.0.2.7:8000".parse().unwrap());
    let Jwks::Url(url) = &plan.issuers[1].jwks else { panic!("a URL") };
    let mut other = url.clone();
    other.text = "https://id.example/other".to_owned();
    plan.issuers[0].jwks = Jwks::Url(other.clone());
    let keys = |plan: &Plan| -> (Vec<String>, Vec<String>) {
        let all = translated(plan, &fixture::material()).unwrap();
        let names = all.clusters.iter().map(|one| one.name.clone());
        (names.filter(|name| name.starts_with("jwks/")).collect(), faults(&all))
    };
    assert_eq!(keys(&plan), (vec!["jwks/id.example:443".to_owned()], vec![]));
    // In clear and over TLS at one port: nobody serves that, and it would be ambiguous.
    other.tls = false;
    plan.issuers[0].jwks = Jwks::Url(other.clone());
    assert_eq!(keys(&plan).1, ["two clusters are named jwks/id.example:443"]);
    other.host = Host::Ip("2001:db8::1".parse().unwrap());
    plan.issuers[0].jwks = Jwks::Url(other);
    assert_eq!(keys(&plan).0, ["jwks/[2001:db8::1]:443", "jwks/id.example:443"]);
}
