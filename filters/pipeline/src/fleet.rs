//! The servers of pools with affinity, as they stand in shared data: `sync` notes them,
//! workers read them.

use contract::fleet::Fleet;

/// Where they stand.
pub const FLEET_NAME: &str = "fleet";

/// As they stand there.
#[must_use]
pub fn encode(fleet: &Fleet) -> Vec<u8> {
    // Plain data: there is nothing in it that JSON cannot say.
    serde_json::to_vec(fleet).unwrap_or_default()
}

/// Reads what [`encode`] wrote; no servers for anything else.
#[must_use]
pub fn decode(stored: &[u8]) -> Fleet {
    serde_json::from_slice(stored).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::fleet::Server;

    #[test]
    fn a_fleet_comes_back() {
        let server = Server { address: "10.0.0.1:80".into(), active: Some(3), weight: 2 };
        let fleet = Fleet { version: 7, pools: [("big".to_owned(), vec![server])].into() };
        assert_eq!(decode(&encode(&fleet)), fleet);
        assert_eq!(decode(b"{broken"), Fleet::default());
    }
}
