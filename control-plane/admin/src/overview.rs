//! `GET status` and `GET config`: what runs, and by which configuration.

use crate::api::Admin;
use crate::envoy::EnvoyStatus;
use crate::rollout::Rollout;
use crate::weights::WeightsRow;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// What the rest of the control plane knows about itself.
#[async_trait::async_trait]
pub trait Overview: Send + Sync {
    /// The state as of now.
    async fn status(&self) -> Status;
    /// Whether a request of a caller would be served.
    async fn ready(&self) -> bool;
}

/// Everything that `tollgate status` shows. Times are RFC 3339 in UTC.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Tollgate's own version.
    pub version: String,
    /// Where callers connect, if it is known.
    pub gateway: Option<SocketAddr>,
    /// The configuration in force.
    pub config: ConfigStatus,
    /// The Envoy that Tollgate keeps alive; none under `serve`.
    pub supervised: Option<Supervised>,
    /// Every Envoy that is or was connected, with what it acknowledged and
    /// refused by type of resource.
    pub envoys: Vec<EnvoyStatus>,
    /// How far the last change has got; none where nobody knows.
    pub rollout: Option<Rollout>,
    /// Pools and their endpoints.
    pub pools: Vec<PoolStatus>,
    /// The usage ledger; none where it cannot be asked.
    pub ledger: Option<ledger::Status>,
    /// What the ledger lies in: `sqlite`, or `postgres` and where.
    #[serde(default)]
    pub database: String,
    /// The space that usage is written to; none where nobody looks.
    #[serde(default)]
    pub spool: Option<SpoolStatus>,
    /// How many gateways share the limits.
    #[serde(default)]
    pub gateways: u32,
    /// Whether a request can be sent on to another pool.
    #[serde(default)]
    pub chains: ChainsStatus,
    /// Models whose weights are others than those of the configuration, or whose weights by
    /// command do not fit it.
    #[serde(default)]
    pub rollouts: Vec<WeightsRow>,
}

/// Whether a request can be sent on to another pool, as fallbacks need it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainsStatus {
    /// Whether it can.
    pub on: bool,
    /// Why not.
    pub why: Option<String>,
}

/// The space that usage is written to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpoolStatus {
    /// Bytes that can still be written; none where that is not known.
    pub free_bytes: Option<u64>,
    /// Whether that is too little: gateways refuse what has to be billed.
    pub full: bool,
}

/// The configuration in force, and the last one that was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigStatus {
    /// The file.
    pub file: String,
    /// Digest of the text in force.
    pub version: String,
    /// Version of the resources that are published to the Envoys.
    pub snapshot: Option<String>,
    /// Since when it is in force.
    pub loaded_at: String,
    /// What stands in the file now and cannot be used; gone once it can.
    pub refused: Option<RefusedConfig>,
    /// Settings that were changed and count from the next start on.
    pub pending_restart: Vec<String>,
}

/// A text of the configuration file that was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedConfig {
    /// When.
    pub at: String,
    /// Everything that is wrong, each as `FILE:LINE:COL: path: message`.
    pub problems: Vec<String>,
}

/// The Envoy that Tollgate keeps alive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supervised {
    /// Its process, while there is one.
    pub pid: Option<u32>,
    /// Whether it was already running when this control plane started.
    pub adopted: bool,
    /// How often it was started again after it had died.
    pub restarts: u64,
    /// Where its own admin interface listens.
    pub admin: Option<SocketAddr>,
}

/// A pool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PoolStatus {
    /// Its name.
    pub name: String,
    /// The model's name on its servers.
    pub model: String,
    /// Where its endpoints come from, and how that is doing.
    pub source: SourceStatus,
    /// Its endpoints; without health and load where no Envoy could be asked.
    pub endpoints: Vec<EndpointStatus>,
    /// How one of them is picked: `round_robin`, `least_request`, `load` or `latency`.
    #[serde(default)]
    pub balance: String,
    /// Which requests go to the same one: `none`, `user` or `prefix`.
    #[serde(default)]
    pub affinity: String,
    /// How much of their weight those of other zones have because of the load of those that
    /// are near, in percent; 0: they take no part.
    #[serde(default)]
    pub spill_percent: u8,
    /// What one Envoy has under way to them at most.
    #[serde(default)]
    pub breakers: BreakersStatus,
}

/// What one Envoy has under way to a pool at most; none: Envoy's own bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakersStatus {
    /// Requests.
    pub requests: Option<u32>,
    /// Requests that wait for a connection.
    pub waiting: Option<u32>,
    /// Connections.
    pub connections: Option<u32>,
}

/// Where the endpoints of a pool come from. Times are Unix milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceStatus {
    /// `list` and `envoy_dns` (names that Envoy resolves) are of the configuration;
    /// `env`, `file`, `dns`, `kubernetes` and `consul` are asked.
    pub kind: String,
    /// `fresh`; `waiting` for the first answer; `failing`: the last endpoints
    /// stay; `doubted`: it says that there are none, and is not believed yet.
    /// Empty where nobody is asked.
    pub state: String,
    /// What is wrong.
    pub error: Option<String>,
    /// Since when it fails or is doubted.
    pub since_ms: Option<u64>,
    /// When its endpoints were last confirmed.
    pub confirmed_at_ms: Option<u64>,
}

/// What the control plane knows of one server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerLoad {
    /// It left: no new requests, the running ones end in peace.
    pub draining: bool,
    /// Until when it has asked to be left alone, in Unix milliseconds: it gets requests only
    /// where nobody else can have them.
    #[serde(default)]
    pub resting_until_ms: Option<u64>,
    /// Where it is, where that is known.
    #[serde(default)]
    pub zone: Option<String>,
    /// Its weight among the servers of its pool, 1 to 128; none: all alike.
    pub weight: Option<u32>,
    /// Requests that its engine works on, as the engine says.
    pub running: Option<f64>,
    /// Requests that wait in the engine.
    pub waiting: Option<f64>,
    /// Share of the engine's KV cache that is in use, 0 to 1.
    pub kv_use: Option<f64>,
}

/// An endpoint of a pool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EndpointStatus {
    /// `address:port`.
    pub address: String,
    /// `healthy`, or Envoy's reasons why it is not.
    pub health: Option<String>,
    /// Requests under way.
    pub active_requests: Option<u64>,
    /// What the control plane knows of it; nothing where Envoy resolves its name.
    #[serde(flatten)]
    pub load: ServerLoad,
}

/// `GET status`
pub async fn status(State(admin): State<Admin>) -> Json<Status> {
    Json(admin.overview.status().await)
}

/// `GET config`: which configuration is in force. Its text is not shown here, it
/// may hold secrets.
pub async fn config(State(admin): State<Admin>) -> Json<ConfigStatus> {
    Json(admin.overview.status().await.config)
}
