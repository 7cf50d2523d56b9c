//! What the slices of a service say together.

use crate::source::Zones;
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointPort, EndpointSlice};
use model::Host;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// The slices of one service, by name.
#[derive(Default)]
pub(super) struct Slices(BTreeMap<String, EndpointSlice>);

/// What slices offer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Offered {
    /// Each once, sorted.
    pub(super) endpoints: BTreeSet<model::Endpoint>,
    /// The zones of those whose slices name one.
    pub(super) zones: Zones,
    /// Why some slices or endpoints are left out, for the operator.
    pub(super) problems: Vec<String>,
}

/// Which family of addresses each pod was found with, by its uid.
type Families<'a> = BTreeMap<&'a str, &'a str>;

impl Slices {
    /// A slice that is new or has changed.
    pub(super) fn put(&mut self, slice: EndpointSlice) {
        self.0.insert(name(&slice).to_owned(), slice);
    }

    /// A slice is gone.
    pub(super) fn remove(&mut self, slice: &EndpointSlice) {
        self.0.remove(name(slice));
    }

    /// Whether there is none at all.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The endpoints that are ready, at the port with the name or number `port`,
    /// or at the only TCP port. A pod with addresses of both families is offered
    /// once, with its IPv4 address: its load is one engine's.
    pub(super) fn offered(&self, port: Option<&str>, tls: bool) -> Offered {
        let mut slices: Vec<&EndpointSlice> = self.0.values().collect();
        slices.sort_by_key(|slice| slice.address_type.as_str());
        let mut offered = Offered::default();
        let mut families = Families::new();
        for slice in slices.into_iter().filter(|slice| slice.endpoints.iter().any(is_ready)) {
            match port_of(slice, port) {
                Ok(port) => offered.take(slice, port, tls, &mut families),
                Err(why) => offered.problems.push(format!("slice `{}` {why}", name(slice))),
            }
        }
        offered
    }
}

impl Offered {
    fn take<'a>(
        &mut self,
        slice: &'a EndpointSlice,
        port: u16,
        tls: bool,
        families: &mut Families<'a>,
    ) {
        let family = slice.address_type.as_str();
        for endpoint in slice.endpoints.iter().filter(|endpoint| is_ready(endpoint)) {
            if uid(endpoint).is_some_and(|uid| *families.entry(uid).or_insert(family) != family) {
                continue;
            }
            match address(endpoint) {
                Some(ip) => {
                    let found = model::Endpoint { tls, host: Host::Ip(ip), port };
                    if let Some(zone) = endpoint.zone.as_ref().filter(|zone| !zone.is_empty()) {
                        self.zones.insert(found.clone(), zone.clone());
                    }
                    self.endpoints.insert(found);
                }
                None => self
                    .problems
                    .push(format!("slice `{}` has an endpoint whose address is none", name(slice))),
            }
        }
    }
}

fn name(slice: &EndpointSlice) -> &str {
    slice.metadata.name.as_deref().unwrap_or_default()
}

fn uid(endpoint: &Endpoint) -> Option<&str> {
    endpoint.target_ref.as_ref()?.uid.as_deref()
}

/// `conditions.ready`; "a nil value should be interpreted as true"
/// (discovery.k8s.io/v1, `EndpointConditions`). A pod that terminates is not
/// ready, so that `serving` and `terminating` add nothing.
fn is_ready(endpoint: &Endpoint) -> bool {
    endpoint.conditions.as_ref().and_then(|conditions| conditions.ready).unwrap_or(true)
}

/// The first one: all addresses of an endpoint are fungible and "clients may
/// choose to only use the first element" (discovery.k8s.io/v1, `Endpoint`).
fn address(endpoint: &Endpoint) -> Option<IpAddr> {
    endpoint.addresses.first()?.parse().ok()
}

/// The port of the endpoints of `slice`.
///
/// # Errors
/// Why it has none, as the end of a sentence about the slice.
fn port_of(slice: &EndpointSlice, wanted: Option<&str>) -> Result<u16, String> {
    if !matches!(slice.address_type.as_str(), "IPv4" | "IPv6") {
        let kind = crate::reason::one_line(&slice.address_type);
        return Err(format!("holds {kind} addresses; only IPv4 and IPv6 are used"));
    }
    let is_tcp = |port: &&EndpointPort| port.protocol.as_deref().unwrap_or("TCP") == "TCP";
    let ports: Vec<&EndpointPort> = slice.ports.iter().flatten().filter(is_tcp).collect();
    match wanted.map(|wanted| (wanted, wanted.parse::<u16>())) {
        None => only(&ports),
        Some((_, Ok(number))) => numbered(&ports, number),
        Some((name, Err(_))) => named(&ports, name),
    }
}

fn only(ports: &[&EndpointPort]) -> Result<u16, String> {
    match ports {
        [port] => number(port).ok_or_else(|| "does not say its port; set `port`".to_owned()),
        [] => Err("has no TCP port; set `port`".to_owned()),
        many => Err(format!("has {} ports; say in `port` which one", many.len())),
    }
}

/// A slice without ports has no defined ones, and a port without a number stands
/// for all (discovery.k8s.io/v1, `EndpointSlice.ports`).
fn numbered(ports: &[&EndpointPort], wanted: u16) -> Result<u16, String> {
    let all = ports.is_empty() || ports.iter().any(|port| port.port.is_none());
    let one = ports.iter().any(|port| number(port) == Some(wanted));
    (all || one).then_some(wanted).ok_or_else(|| format!("has no TCP port {wanted}"))
}

fn named(ports: &[&EndpointPort], wanted: &str) -> Result<u16, String> {
    let port = ports.iter().find(|port| port.name.as_deref() == Some(wanted));
    port.and_then(|port| number(port)).ok_or_else(|| format!("has no TCP port named `{wanted}`"))
}

fn number(port: &EndpointPort) -> Option<u16> {
    port.port.and_then(|port| u16::try_from(port).ok()).filter(|&port| port > 0)
}

#[cfg(test)]
mod tests;
