//! What an attempt's pool is to get, as the filter `gateway` tells the filter `engine`.

use serde::{Deserialize, Serialize};

/// The bodies of a request whose pools do not all get the same, told as changes of the one
/// that was forwarded. It is there only where a request may go to several pools.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bodies {
    /// One for each pool of the chain, the first one as well: an earlier attempt's
    /// `content-length` stays on the request.
    pub pools: Vec<PoolBody>,
}

/// The body of one pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolBody {
    /// The Envoy cluster.
    pub cluster: String,
    /// Its length in bytes.
    pub length: u64,
    /// The path that it is asked at, with its query, where one of the pools is asked at another
    /// than the gateway: an earlier attempt's stays on the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What is changed of the forwarded body, in the order of the places, none over
    /// another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<BodyEdit>,
}

/// A change of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BodyEdit {
    /// Where the replaced bytes begin.
    pub start: u64,
    /// Where they end.
    pub end: u64,
    /// What stands there instead.
    pub text: String,
}
