//! What is taken out of slices, as tables.

use super::*;
use serde_json::{Value, json};

fn slices(items: &[Value]) -> Slices {
    let mut slices = Slices::default();
    for (number, item) in items.iter().enumerate() {
        let mut item = item.clone();
        item["metadata"] = json!({ "name": format!("s{number}") });
        slices.put(serde_json::from_value(item).unwrap());
    }
    slices
}

fn offered(items: &[Value], port: Option<&str>) -> (Vec<String>, Vec<String>) {
    let offered = slices(items).offered(port, false);
    (offered.endpoints.iter().map(ToString::to_string).collect(), offered.problems)
}

/// A slice with one endpoint at `ip` and these ports.
fn at(ip: &str, ports: &Value) -> Value {
    json!({ "addressType": "IPv4", "endpoints": [{ "addresses": [ip] }], "ports": ports })
}

#[test]
fn the_port() {
    let http = json!({ "name": "http", "port": 8000 });
    let metrics = json!({ "name": "metrics", "port": 8002, "protocol": "TCP" });
    let quic = json!({ "name": "quic", "port": 8443, "protocol": "UDP" });
    let any = json!({ "name": "any" });
    let zero = json!({ "name": "zero", "port": 0 });
    let two = json!([http, metrics]);
    let table = [
        (json!([http]), None, Ok(8000)),
        (json!([http, quic]), None, Ok(8000)),
        (two.clone(), None, Err("has 2 ports; say in `port` which one")),
        (json!([quic]), None, Err("has no TCP port; set `port`")),
        (json!([any]), None, Err("does not say its port; set `port`")),
        (json!([zero]), None, Err("does not say its port; set `port`")),
        (Value::Null, None, Err("has no TCP port; set `port`")),
        (two.clone(), Some("metrics"), Ok(8002)),
        (two.clone(), Some("8002"), Ok(8002)),
        (two.clone(), Some("8003"), Err("has no TCP port 8003")),
        (two, Some("grpc"), Err("has no TCP port named `grpc`")),
        (json!([quic]), Some("quic"), Err("has no TCP port named `quic`")),
        (json!([any]), Some("8003"), Ok(8003)),
        (Value::Null, Some("8003"), Ok(8003)),
        (json!([any]), Some("any"), Err("has no TCP port named `any`")),
    ];
    for (ports, wanted, port) in table {
        let expected = match port {
            Ok(port) => (vec![format!("http://10.0.0.1:{port}")], vec![]),
            Err(why) => (vec![], vec![format!("slice `s0` {why}")]),
        };
        assert_eq!(offered(&[at("10.0.0.1", &ports)], wanted), expected, "{ports} {wanted:?}");
    }
}

#[test]
fn only_what_is_not_said_to_be_unready() {
    let conditions = [
        (json!(null), true),
        (json!({}), true),
        (json!({ "ready": true }), true),
        (json!({ "ready": null, "serving": false }), true),
        (json!({ "ready": false }), false),
        (json!({ "ready": false, "serving": true, "terminating": true }), false),
    ];
    for (conditions, is_offered) in conditions {
        let slice = json!({
            "addressType": "IPv4",
            "endpoints": [{ "addresses": ["10.0.0.1"], "conditions": conditions }],
            "ports": [{ "port": 80 }],
        });
        assert_eq!(offered(&[slice], None).0.len(), usize::from(is_offered), "{conditions}");
    }
}

#[test]
fn slices_are_merged_and_an_endpoint_in_two_of_them_is_one() {
    let ports = json!([{ "port": 80 }]);
    let all = [at("10.0.0.2", &ports), at("10.0.0.1", &ports), at("10.0.0.2", &ports)];
    let (endpoints, problems) = offered(&all, None);
    assert_eq!(endpoints, ["http://10.0.0.1:80", "http://10.0.0.2:80"]);
    assert!(problems.is_empty());
}

#[test]
fn other_kinds_of_addresses_are_told_and_the_rest_is_used() {
    let ports = json!([{ "port": 80 }]);
    let mut names = at("llama.example", &ports);
    names["addressType"] = json!("FQDN");
    let (endpoints, problems) = offered(&[names, at("10.0.0.1", &ports)], None);
    assert_eq!(endpoints, ["http://10.0.0.1:80"]);
    assert_eq!(problems, ["slice `s0` holds FQDN addresses; only IPv4 and IPv6 are used"]);
}

#[test]
fn an_address_that_is_none_is_told() {
    let slice = json!({
        "addressType": "IPv4",
        "endpoints": [{ "addresses": ["10.0.0"] }, { "addresses": [] }, { "addresses": ["10.0.0.1"] }],
        "ports": [{ "port": 80 }],
    });
    let (endpoints, problems) = offered(&[slice], None);
    assert_eq!(endpoints, ["http://10.0.0.1:80"]);
    assert_eq!(problems, ["slice `s0` has an endpoint whose address is none"; 2]);
}

#[test]
fn a_pod_with_both_families_is_one_engine() {
    let pod = |ip: &str, uid: &str| json!({ "addresses": [ip], "targetRef": { "uid": uid } });
    let slice = |family: &str, endpoints: Value| json!({ "addressType": family, "endpoints": endpoints, "ports": [{ "port": 80 }] });
    let six = slice("IPv6", json!([pod("fd00::1", "a"), pod("fd00::2", "b")]));
    let four = slice("IPv4", json!([pod("10.0.0.1", "a"), pod("10.0.0.3", "c")]));
    let (endpoints, _) = offered(&[six, four], None);
    assert_eq!(endpoints, ["http://10.0.0.1:80", "http://10.0.0.3:80", "http://[fd00::2]:80"]);
}

#[test]
fn a_slice_that_offers_nothing_is_no_problem() {
    let table = [
        json!({ "addressType": "IPv4", "endpoints": null, "ports": null }),
        json!({ "addressType": "FQDN", "endpoints": [], "ports": [] }),
    ];
    assert_eq!(offered(&table, Some("http")), (vec![], vec![]));
}

#[test]
fn zones_are_those_of_the_slices() {
    let item = json!({ "addressType": "IPv4", "ports": [{ "port": 8000 }], "endpoints": [
        { "addresses": ["10.0.0.1"], "zone": "zone-a" },
        { "addresses": ["10.0.0.2"], "zone": "" },
        { "addresses": ["10.0.0.3"] },
        { "addresses": ["10.0.0.4"], "zone": "zone-b", "conditions": { "ready": false } },
    ] });
    let offered = slices(&[item]).offered(None, false);
    let zones: Vec<_> =
        offered.zones.iter().map(|(at, zone)| (at.to_string(), zone.as_str())).collect();
    assert_eq!(zones, [("http://10.0.0.1:8000".to_owned(), "zone-a")]);
    assert_eq!(offered.endpoints.len(), 3);
}
