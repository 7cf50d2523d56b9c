//! The configuration of the Wasm module, as it is sent through ECDS and the
//! bootstrap. The control plane writes it, `pipeline::Policy::compile` reads it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The plugin configuration; `role` says what the module is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case", deny_unknown_fields)]
pub enum PluginConfig {
    /// Downstream filter: requests and answers.
    Gateway(GatewayConfig),
    /// Singleton service: keeps shared data up to date.
    Sync(SyncConfig),
}

/// Configuration of the role `sync`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncConfig {
    /// The Envoy cluster that leads to the control plane.
    pub control_cluster: String,
}

/// Configuration of the role `gateway`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
    /// The Envoy cluster that leads to the control plane.
    pub control_cluster: String,
    /// Largest request body in bytes.
    pub max_body_bytes: u64,
    /// Whether answers carry `x-tollgate-pool`.
    #[serde(default)]
    pub expose_pool: bool,
    /// Whether the end of an answer is written to Envoy's own log before the
    /// client has it; see [`crate::spool::JOURNAL_MARK`].
    #[serde(default)]
    pub journal: bool,
    /// Pools by name.
    pub pools: BTreeMap<String, PoolConfig>,
    /// Models, the names that callers ask for.
    pub models: BTreeMap<String, ModelConfig>,
    /// Roles by name.
    #[serde(default)]
    pub roles: BTreeMap<String, RoleConfig>,
    /// Tenants by name.
    pub tenants: BTreeMap<String, TenantConfig>,
}

/// A set of equal inference servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolConfig {
    /// The Envoy cluster.
    pub cluster: String,
    /// The model's name on those servers.
    pub model: String,
    /// Most tokens of prompt and answer together; 0 where it is not known.
    #[serde(default)]
    pub context: u64,
    /// How long a whole answer that is not streamed may take, in milliseconds.
    pub timeout_ms: u64,
    /// Which prices a request to this pool is billed by.
    pub price_version: String,
}

/// A name that callers ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The pool that serves it.
    pub pool: String,
}

/// What a role may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleConfig {
    /// Globs over model names; `*` stands for any run of characters.
    pub models: Vec<String>,
}

/// Who is billed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantConfig {
    /// Globs over model names.
    pub models: Vec<String>,
}
