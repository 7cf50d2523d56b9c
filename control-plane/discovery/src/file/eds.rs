//! Envoy's own file of endpoints: a `DiscoveryResponse`, or just its `resources`,
//! with `ClusterLoadAssignment` (`envoy/config/endpoint/v3/endpoint.proto`), keys
//! in `snake_case` or, as the JSON mapping of protobuf allows, in `camelCase`.
//!
//! Taken are address, port and `health_status`. Priorities, localities and weights
//! are not: a pool is a set of equal engines.

use super::tree::{Fault, Node, Placed};
use std::net::Ipv6Addr;

/// `type_url` of the one resource that is read.
const ASSIGNMENT: &str = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment";

/// Statuses that Envoy sends no new request to, by name and number
/// (`envoy/config/core/v3/health_check.proto`).
const UNUSABLE: [&str; 6] = ["UNHEALTHY", "2", "DRAINING", "3", "TIMEOUT", "4"];

/// An endpoint of the file: `HOST:PORT`, and the part of the file that says so.
pub(crate) struct Address<'a> {
    pub(crate) at: &'a Placed,
    pub(crate) text: String,
}

/// The endpoints of the one cluster in the file that take requests.
pub(crate) fn addresses(root: &Placed) -> Result<Vec<Address<'_>>, Fault> {
    let resources = root
        .get(&["resources"])
        .ok_or_else(|| root.fault("is neither a list nor Envoy's: there is no `resources`"))?;
    let assignments = list(resources)?;
    let mut found = Vec::new();
    for assignment in assignments {
        check(assignment, assignments)?;
        for locality in items(assignment, &["endpoints"])? {
            for endpoint in items(locality, &["lb_endpoints", "lbEndpoints"])? {
                found.extend(usable(endpoint)?);
            }
        }
    }
    Ok(found)
}

/// A pool must not get the engines of another one.
fn check(assignment: &Placed, all: &[Placed]) -> Result<(), Fault> {
    if assignment.get(&["@type"]).is_some_and(|at| at.text() != Some(ASSIGNMENT)) {
        return Err(assignment.fault("this resource is no ClusterLoadAssignment"));
    }
    let same = |other: &Placed| cluster(other) == cluster(assignment);
    if all.first().is_some_and(|first| !same(first)) {
        return Err(assignment.fault("another cluster; one file is for one pool"));
    }
    cluster(assignment).map(|_| ()).ok_or_else(|| assignment.fault("there is no `cluster_name`"))
}

fn cluster(assignment: &Placed) -> Option<&str> {
    assignment.get(&["cluster_name", "clusterName"]).and_then(Placed::text)
}

fn usable(endpoint: &Placed) -> Result<Option<Address<'_>>, Fault> {
    let status = endpoint.get(&["health_status", "healthStatus"]).and_then(Placed::text);
    if status.is_some_and(|status| UNUSABLE.contains(&status)) {
        return Ok(None);
    }
    let inner = endpoint.get(&["endpoint"]).and_then(|inner| inner.get(&["address"]));
    let socket = inner.and_then(|address| address.get(&["socket_address", "socketAddress"]));
    let at = socket
        .ok_or_else(|| endpoint.fault("this endpoint has no `endpoint.address.socket_address`"))?;
    let address = at.get(&["address"]).and_then(Placed::text);
    let port = at.get(&["port_value", "portValue"]).and_then(Placed::text);
    let (Some(address), Some(port)) = (address, port) else {
        return Err(at.fault("this address lacks `address` or `port_value`"));
    };
    Ok(Some(Address { at, text: host_and_port(address, port) }))
}

fn host_and_port(address: &str, port: &str) -> String {
    match address.parse::<Ipv6Addr>() {
        Ok(ip) => format!("[{ip}]:{port}"),
        Err(_) => format!("{address}:{port}"),
    }
}

/// The items of a list that may be missing.
fn items<'a>(map: &'a Placed, keys: &[&str]) -> Result<&'a [Placed], Fault> {
    match &map.node {
        Node::Map(_) => map.get(keys).map_or(Ok(&[]), list),
        _ => Err(map.fault("a map should be here")),
    }
}

fn list(placed: &Placed) -> Result<&[Placed], Fault> {
    match &placed.node {
        Node::List(items) => Ok(items),
        Node::Nothing => Ok(&[]),
        _ => Err(placed.fault("a list should be here")),
    }
}
