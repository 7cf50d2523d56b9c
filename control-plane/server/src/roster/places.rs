//! What the configuration says of a pool's servers beside their addresses: where they are,
//! and how much each can take.

use discovery::Target;
use model::ids::ZoneName;
use model::{Endpoint, Host, Place, Pool};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Largest weight of a server; Envoy's classic bound.
const WEIGHT_MAX: u32 = engines::WEIGHT_MAX;

/// Where the servers of a pool are, seen from the gateway.
#[derive(Debug, Default)]
pub struct Places {
    /// Where the gateway is; `None`: all are near.
    here: Option<ZoneName>,
    written: BTreeMap<SocketAddr, Place>,
    /// The largest weight of them.
    heaviest: u32,
}

impl Places {
    /// Those of `pool`, for a gateway in `here`.
    pub fn of(pool: &Pool, here: Option<&ZoneName>) -> Places {
        let address = |endpoint: &Endpoint| match endpoint.host {
            Host::Ip(ip) => Some(SocketAddr::new(ip, endpoint.port)),
            Host::Name(_) => None,
        };
        let places = pool.places.iter();
        let written: BTreeMap<_, _> =
            places.filter_map(|(at, place)| Some((address(at)?, place.clone()))).collect();
        let heaviest = written.values().filter_map(|place| place.weight).max().unwrap_or(1).max(1);
        Places { here: here.cloned(), written, heaviest }
    }

    /// The zone of a server: the written one, else what its source said.
    pub fn zone<'a>(&'a self, target: &'a Target) -> Option<&'a str> {
        let written = self.written.get(&target.address).and_then(|place| place.zone.as_ref());
        written.map(ZoneName::as_str).or(target.zone.as_deref())
    }

    /// Whether a server is in the gateway's zone. One whose zone nobody knows is.
    pub fn is_near(&self, target: &Target) -> bool {
        let Some(here) = &self.here else { return true };
        self.zone(target).is_none_or(|zone| zone == here.as_str())
    }

    /// What a server can take beside the others, as it is written; 1: nothing is.
    pub fn weight(&self, address: SocketAddr) -> f64 {
        f64::from(self.written.get(&address).and_then(|place| place.weight).unwrap_or(1))
    }

    /// The weight of a server by its load, and by what is written of it: in the proportions
    /// of both, 1 to [`WEIGHT_MAX`].
    pub fn weighted(&self, address: SocketAddr, by_load: u32) -> u32 {
        let written = self.written.get(&address).and_then(|place| place.weight).unwrap_or(1);
        let weight = by_load.saturating_mul(written).checked_div(self.heaviest).unwrap_or(by_load);
        weight.clamp(1, WEIGHT_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config_file::load_text;
    use std::path::Path;

    fn places(items: &str) -> Places {
        let pool = format!("a: {{ engine: vllm, model: m, endpoints: [{items}] }}");
        let text = format!("version: 1\ngateway: {{ zone: east }}\npools:\n  {pool}\n");
        match load_text(Path::new("/t/tollgate.yaml"), &text) {
            Ok(loaded) => {
                let config = loaded.config;
                Places::of(config.pools.values().next().unwrap(), config.gateway.zone.as_ref())
            }
            Err(invalid) => panic!("{:?}", invalid.0),
        }
    }

    fn target(number: u8, zone: Option<&str>) -> Target {
        let address = SocketAddr::from(([10, 0, 0, number], 1));
        Target { address, hostname: None, tls: false, zone: zone.map(str::to_owned) }
    }

    #[test]
    fn what_is_written_comes_before_what_was_found() {
        let places = places("{ url: \"http://10.0.0.1:1\", zone: east }, \"http://10.0.0.2:1\"");
        let table = [
            (target(1, None), Some("east"), true),
            (target(1, Some("west")), Some("east"), true),
            (target(2, None), None, true),
            (target(2, Some("west")), Some("west"), false),
            (target(2, Some("east")), Some("east"), true),
        ];
        for (target, zone, near) in table {
            assert_eq!((places.zone(&target), places.is_near(&target)), (zone, near), "{target:?}");
        }
        let nowhere = Places::default();
        assert!(nowhere.is_near(&target(1, Some("west"))));
    }

    #[test]
    fn a_server_that_can_take_more_weighs_more_at_the_same_load() {
        let places = places(
            "{ url: \"http://10.0.0.1:1\", weight: 4 }, { url: \"http://10.0.0.2:1\", weight: 1 }, \
             \"http://10.0.0.3:1\"",
        );
        let table = [(1, 128, 128), (1, 8, 8), (2, 128, 32), (3, 128, 32), (2, 8, 2), (9, 2, 1)];
        for (number, by_load, expected) in table {
            let weight = places.weighted(target(number, None).address, by_load);
            assert_eq!(weight, expected, "{number} {by_load}");
        }
        assert_eq!(Places::default().weighted(target(1, None).address, 77), 77);
    }
}
