//! The servers of pools as the filter has to know them where it chooses one itself.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The servers of pools with affinity, and how busy they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fleet {
    /// Tells one content from another; 0: nothing is known.
    pub version: u64,
    /// Servers by pool, each pool in the order of the addresses.
    pub pools: BTreeMap<String, Vec<Server>>,
}

/// A server that may be given requests: neither leaving nor known to be unwell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// `ADDRESS:PORT`, as Envoy calls it.
    pub address: String,
    /// Requests that it runs and that wait in it, as it has told last; `None`: it has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<u32>,
    /// Its share of the work beside the others, as in EDS; 1 and more.
    #[serde(default = "one")]
    pub weight: u32,
}

const fn one() -> u32 {
    1
}
