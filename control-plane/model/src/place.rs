//! `pools.NAME.endpoints`: which servers a pool has, where they are, and how much each of
//! them takes.

use crate::document::{Cursor, Fields};
use crate::endpoint::{Endpoint, Host};
use crate::ids::ZoneName;
use crate::schema::Section;
use crate::units;
use std::collections::{BTreeMap, BTreeSet};

/// Most weight of a server: what Envoy takes of one.
pub(crate) const PLACE_WEIGHT_MAX: u32 = 128;

/// What is said of a server beside its address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// Where it is; `None`: as near as the nearest.
    pub zone: Option<ZoneName>,
    /// Its share of the requests beside the others', 1 to 128; `None`: 1.
    pub weight: Option<u32>,
}

/// The servers that are written down.
#[derive(Default)]
pub(crate) struct Written {
    pub endpoints: Vec<Endpoint>,
    pub places: BTreeMap<Endpoint, Place>,
}

impl Written {
    /// Exactly one of `endpoints` and `discover` stands there. `zoned`: the gateway has a
    /// zone.
    pub(crate) fn read(fields: &Fields<'_, '_>, zoned: bool) -> Written {
        let field = match (fields.get("endpoints"), fields.has("discover")) {
            (Some(field), discovered) => {
                if discovered {
                    field.report_field("stands beside `discover`; give one of the two");
                }
                field
            }
            (None, true) => return Written::default(),
            (None, false) => {
                fields
                    .report("`endpoints` is missing; at least one http://HOST:PORT, or `discover`");
                return Written::default();
            }
        };
        let Some(items) = field.items() else { return Written::default() };
        if items.is_empty() {
            field.report("is empty; at least one http://HOST:PORT");
        }
        Written::of(&items, zoned)
    }

    fn of(items: &[Cursor<'_>], zoned: bool) -> Written {
        let (mut written, mut seen) = (Written::default(), BTreeSet::new());
        for item in items {
            let Some((endpoint, place)) = server(item, zoned) else { continue };
            if !seen.insert(endpoint.clone()) {
                item.report("stands here a second time; once is allowed");
            }
            if written.endpoints.first().is_some_and(|first| first.tls != endpoint.tls) {
                item.report("mixes http and https in one pool; make it two pools, or all the same");
            }
            if place != Place::default() {
                written.places.insert(endpoint.clone(), place);
            }
            written.endpoints.push(endpoint);
        }
        written
    }

    /// Whether one of them is a host name, which Envoy resolves, so that nobody else knows
    /// the servers.
    pub(crate) fn is_named(&self) -> bool {
        self.endpoints.iter().any(|endpoint| matches!(endpoint.host, Host::Name(_)))
    }

    /// Whether it is known of one of them where it is.
    pub(crate) fn is_zoned(&self) -> bool {
        self.places.values().any(|place| place.zone.is_some())
    }
}

/// A URL alone, or with what is said of it.
fn server(item: &Cursor<'_>, zoned: bool) -> Option<(Endpoint, Place)> {
    if item.is_scalar() {
        return Some((item.parse_unquoted(Endpoint::parse)?, Place::default()));
    }
    let fields = item.fields(Section::Endpoint);
    let url = fields.require("url", "http://HOST:PORT or https://HOST:PORT");
    let zone = fields.get("zone");
    let weight = fields.get("weight");
    fields.close();
    if let (Some(zone), false) = (&zone, zoned) {
        zone.report_field("needs `gateway.zone`, which says what is near; give it, or remove this");
    }
    let place = Place {
        zone: zone.and_then(|zone| zone.parse(ZoneName::parse)),
        weight: weight.and_then(|weight| {
            weight.parse(|text| units::count_u32(text, PLACE_WEIGHT_MAX)).map(u32::from)
        }),
    };
    Some((url?.parse_unquoted(Endpoint::parse)?, place))
}
