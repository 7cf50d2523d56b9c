//! What Consul says about the instances of a service.

use super::question::Question;
use crate::source::Zones;
use model::Endpoint;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;

/// One entry of `/v1/health/service/NAME`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Instance {
    node: Node,
    service: Service,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Node {
    #[serde(default)]
    address: String,
    #[serde(default)]
    datacenter: String,
    #[serde(default)]
    locality: Option<Locality>,
    #[serde(default)]
    meta: Option<BTreeMap<String, String>>,
}

/// Where something stands (Consul, "Locality-aware routing").
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Locality {
    #[serde(default)]
    zone: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Service {
    #[serde(default, rename = "ID")]
    id: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    port: i64,
    #[serde(default)]
    locality: Option<Locality>,
    #[serde(default)]
    meta: Option<BTreeMap<String, String>>,
}

/// The key of a zone in the metadata of a service or a node.
const ZONE: &str = "zone";

/// The endpoints, each once and sorted, where they stand, and why some instances have
/// none; nothing of it shows the token of `question`.
pub(super) fn endpoints(
    instances: &[Instance],
    tls: bool,
    question: &Question,
) -> (Vec<Endpoint>, Zones, Vec<String>) {
    let mut endpoints = BTreeSet::new();
    let mut zones = Zones::new();
    let mut problems = Vec::new();
    for instance in instances {
        match endpoint(instance, tls, question) {
            Some(endpoint) => {
                if let Some(zone) = zone(instance).filter(|zone| !question.is_token(zone)) {
                    zones.insert(endpoint.clone(), zone.to_owned());
                }
                endpoints.insert(endpoint);
            }
            None => problems.push(format!(
                "instance `{}` has no address and port that can be used",
                question.shown(&instance.service.id)
            )),
        }
    }
    (endpoints.into_iter().collect(), zones, problems)
}

/// The service's own zone, else its node's: by their locality, which not every Consul has,
/// or by what somebody wrote into their metadata. Else the datacenter.
fn zone(instance: &Instance) -> Option<&str> {
    let Instance { node, service } = instance;
    let places = [
        service.locality.as_ref().map(|locality| &locality.zone),
        service.meta.as_ref().and_then(|meta| meta.get(ZONE)),
        node.locality.as_ref().map(|locality| &locality.zone),
        node.meta.as_ref().and_then(|meta| meta.get(ZONE)),
        Some(&node.datacenter),
    ];
    places.into_iter().flatten().map(String::as_str).find(|zone| !zone.is_empty())
}

/// "If the service address is empty, the node address should be used" (Consul,
/// "Health HTTP Endpoint"). One that is the token would be shown as a name that
/// cannot be resolved.
fn endpoint(instance: &Instance, tls: bool, question: &Question) -> Option<Endpoint> {
    let Instance { node, service } = instance;
    let host = if service.address.is_empty() { &node.address } else { &service.address };
    let port = u16::try_from(service.port).ok()?;
    let scheme = if tls { "https" } else { "http" };
    let host = match host.parse::<Ipv6Addr>() {
        Ok(ip) => format!("[{ip}]"),
        Err(_) if host.contains(':') || host.is_empty() || question.is_token(host) => return None,
        Err(_) => host.clone(),
    };
    Endpoint::parse(&format!("{scheme}://{host}:{port}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Consul, Secret};
    use serde_json::json;

    const RECORDED: &str = include_str!("../../testdata/consul/health.json");

    fn question(token: &str) -> Question {
        super::super::tests::choose_cryptography();
        Question::new(Consul {
            service: "llama".to_owned(),
            address: "http://127.0.0.1:8500".to_owned(),
            tag: None,
            datacenter: None,
            token: Some(Secret::new(token.to_owned())),
        })
        .unwrap_or_else(|reason| panic!("{reason}"))
    }

    fn urls(instances: &[Instance], tls: bool) -> Vec<String> {
        let found = endpoints(instances, tls, &question("made-up-token")).0;
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_was_recorded() {
        let instances: Vec<Instance> = serde_json::from_str(RECORDED).unwrap();
        let expected = [
            "http://10.1.0.2:8001",
            "http://10.1.0.11:8000",
            "http://[fd00:1::13]:8000",
            "http://llama-4.gpu.example:8000",
        ];
        assert_eq!(urls(&instances, false), expected);
        assert_eq!(urls(&instances, true)[0], "https://10.1.0.2:8001");
    }

    #[test]
    fn where_an_instance_stands() {
        let table = [
            (json!({}), json!({}), None),
            (json!({"Datacenter": "dc1"}), json!({}), Some("dc1")),
            (json!({"Datacenter": "dc1", "Meta": {"zone": "n"}}), json!({}), Some("n")),
            (json!({"Locality": {"Zone": "l"}, "Meta": {"zone": "n"}}), json!({}), Some("l")),
            (json!({"Locality": {"Zone": "l"}}), json!({"Meta": {"zone": "s"}}), Some("s")),
            (json!({}), json!({"Locality": {"Zone": "e"}, "Meta": {"zone": "s"}}), Some("e")),
            (json!({"Datacenter": "dc1", "Meta": null}), json!({"Meta": null}), Some("dc1")),
            (json!({"Datacenter": "made-up-token"}), json!({}), None),
        ];
        let question = question("made-up-token");
        for (node, mut service, expected) in table {
            service["Address"] = json!("10.0.0.1");
            service["Port"] = json!(80);
            let entry = json!({ "Node": node, "Service": service });
            let instances = [serde_json::from_value(entry.clone()).unwrap()];
            let (found, zones, _) = endpoints(&instances, false, &question);
            assert_eq!(zones.get(&found[0]).map(String::as_str), expected, "{entry}");
        }
    }

    #[test]
    fn addresses_and_ports() {
        let table = [
            ("10.0.0.1", json!(80), Some("http://10.0.0.1:80")),
            ("", json!(80), Some("http://10.9.9.9:80")),
            ("::1", json!(80), Some("http://[::1]:80")),
            ("Engine-1", json!(80), Some("http://engine-1:80")),
            ("10.0.0.1", json!(0), None),
            ("10.0.0.1", json!(-1), None),
            ("10.0.0.1", json!(65_536), None),
            ("10.0.0.1:80", json!(80), None),
            ("10.0.0", json!(80), None),
            ("user@host", json!(80), None),
            ("host/path", json!(80), None),
            ("http://host", json!(80), None),
            ("not an address", json!(80), None),
            ("[::1]", json!(80), None),
        ];
        let question = question("made-up-token");
        for (address, port, expected) in table {
            let entry = json!({
                "Node": { "Address": "10.9.9.9" },
                "Service": { "ID": "i\n1", "Address": address, "Port": port },
            });
            let instances = [serde_json::from_value(entry).unwrap()];
            let (found, _, problems) = endpoints(&instances, false, &question);
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found.first().map(String::as_str), expected, "{address} {port}");
            let told = "instance `i 1` has no address and port that can be used";
            assert_eq!(problems, vec![told; usize::from(expected.is_none())], "{address} {port}");
        }
    }

    #[test]
    fn the_token_is_shown_nowhere() {
        let token = "Made-Up-Token";
        let id_at_the_cut = format!("{}{token}", "x".repeat(295));
        for (id, address) in [(token, ""), (id_at_the_cut.as_str(), ""), ("i", token)] {
            let service = json!({ "ID": id, "Address": address, "Port": 80 });
            let entry = json!({ "Node": {}, "Service": service });
            let instances = [serde_json::from_value(entry).unwrap()];
            let (found, _, problems) = endpoints(&instances, false, &question(token));
            assert_eq!((found.len(), problems.len()), (0, 1), "{id} {address}");
            assert!(!problems[0].contains("Made"), "{}", problems[0]);
        }
    }

    #[test]
    fn an_instance_that_is_registered_twice_is_one_endpoint() {
        let entry = json!({ "Node": {}, "Service": { "Address": "10.0.0.1", "Port": 80 } });
        let twice: Vec<Instance> = serde_json::from_value(json!([entry, entry])).unwrap();
        assert_eq!(urls(&twice, false), ["http://10.0.0.1:80"]);
    }
}
