//! What does not fit together is found before Envoy is told.

#[cfg(test)]
mod fixture;

use envoy_types::pb::envoy::extensions::filters::http::router::v3::Router;
use envoy_types::util::pack_any;
use resources::consistency::check;
use resources::{EnvoyResources, TranslateError};

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
            &["the listener gateway names the filter configuration gateway, which is not there"],
        ),
        (|all| all.clusters.extend_from_within(..1), &["two clusters are named holding"]),
        (
            |all| all.extensions[0].typed_config = Some(pack_any(Router::default())),
            &[
                "the filter configuration gateway cannot be read: it is a type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
            ],
        ),
    ];
    for (damage, expected) in table {
        let mut resources = fixture::on_paper();
        damage(&mut resources);
        assert_eq!(faults(&resources), *expected);
    }
}

#[test]
fn what_the_filter_would_refuse_is_found() {
    let mut plan = fixture::plan("192.0.2.7:8000".parse().unwrap());
    plan.filter.models.values_mut().for_each(|model| model.pool = "nowhere".to_owned());
    let placement = resources::Placement { wasm: "/m.wasm".into(), spool_file: "/s".into() };
    let resources = resources::translate(&plan, &placement, None).unwrap();
    let found = faults(&resources);
    assert!(found.iter().all(|fault| fault.starts_with("the filter refuses")), "{found:?}");
    assert!(!found.is_empty());
}

#[test]
fn a_listener_with_tls_needs_its_certificate() {
    let made = rcgen::generate_simple_self_signed(vec!["gateway.example".to_owned()]).unwrap();
    let (pem, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let certificate = resources::secrets::Certificate::parse(pem.as_bytes(), key.as_bytes());
    let plan = fixture::plan("192.0.2.7:8000".parse().unwrap());
    let placement = resources::Placement { wasm: "/m.wasm".into(), spool_file: "/s".into() };
    let certificate = certificate.ok();
    let mut all = resources::translate(&plan, &placement, certificate.as_ref()).unwrap();
    assert_eq!(faults(&all), Vec::<String>::new());
    all.secrets.clear();
    let missing = "the listener gateway names the secret gateway-certificate, which is not there";
    assert_eq!(faults(&all), [missing]);
}
