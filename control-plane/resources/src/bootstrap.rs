//! The bootstrap: the little that an Envoy has to know before it can ask for
//! the rest.

use crate::TranslateError;
use crate::control_cluster::{self, put, socket_address, type_url};
pub use crate::control_cluster::{ControlAddress, ControlPort, ControlTls, ControlToken};
use crate::filter_config::RUNTIME;
use crate::well_known::text;
use contract::names::{CONTROL_CLUSTER, VM_ID};
use contract::policy::{PluginConfig, SyncConfig};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;

/// The node's cluster, the same for every gateway.
const NODE_CLUSTER: &str = "tollgate";

/// Name of the Wasm service that keeps shared data up to date.
const SYNC: &str = "sync";

/// Connections of callers at once in one Envoy; the next is turned away. Each
/// costs a few tens of KiB, and Envoy without a limit dies of them.
const CONNECTIONS_MAX: u32 = 50_000;

/// What differs from one Envoy to the next. It may hold a secret and therefore
/// has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Bootstrap {
    /// Who asks, in the control plane's eyes.
    pub node_id: String,
    /// The control plane's port.
    pub control: ControlPort,
    /// Envoy's own admin port.
    pub envoy_admin: SocketAddr,
    /// The Wasm module: absolute, the same file that the filter is given.
    pub wasm: PathBuf,
}

/// Writes the bootstrap as JSON.
///
/// # Errors
/// When the path of a file is not UTF-8.
pub fn render(bootstrap: &Bootstrap) -> Result<String, TranslateError> {
    let admin = bootstrap.envoy_admin;
    let document = json!({
        "node": { "id": bootstrap.node_id, "cluster": NODE_CLUSTER },
        "admin": {
            "address": socket_address(&admin.ip().to_string(), admin.port()),
            "ignore_global_conn_limit": true,
        },
        "dynamic_resources": dynamic_resources(),
        "static_resources": static_resources(&bootstrap.control)?,
        "bootstrap_extensions": [internal_listeners(), sync(text(&bootstrap.wasm)?)?],
        "overload_manager": overload_manager(),
    });
    serde_json::to_string_pretty(&document).map_err(TranslateError::FilterConfig)
}

fn static_resources(control: &ControlPort) -> Result<Value, TranslateError> {
    let mut resources = json!({ "clusters": [control_cluster::cluster(control)?] });
    if let Some(secrets) = control_cluster::secrets(control)? {
        put(&mut resources, "secrets", secrets);
    }
    Ok(resources)
}

fn dynamic_resources() -> Value {
    let ads = json!({ "ads": {}, "resource_api_version": "V3" });
    json!({
        "ads_config": {
            "api_type": "DELTA_GRPC",
            "transport_api_version": "V3",
            "set_node_on_first_message_only": true,
            "grpc_services": [{ "envoy_grpc": {
                "cluster_name": CONTROL_CLUSTER,
                // Envoy's own grows to 30 s: after a restart of the control plane
                // a revoked key would live on for as long.
                "retry_policy": {
                    "retry_back_off": { "base_interval": "0.1s", "max_interval": "1s" },
                },
            }}],
        },
        "cds_config": ads,
        "lds_config": ads,
    })
}

/// What an Envoy needs to have the listener [`contract::names::NOBODY`]. It cannot be told
/// later: one that was started without it refuses that listener alone, and a request that
/// goes there finds nobody who takes its connection (seen on 1.40).
fn internal_listeners() -> Value {
    json!({
        "name": "envoy.bootstrap.internal_listener",
        "typed_config": {
            "@type": type_url("envoy.extensions.bootstrap.internal_listener.v3.InternalListener"),
        },
    })
}

/// The singleton of the module; the same VM as the filter's on the main thread,
/// and so the same shared data.
fn sync(module: String) -> Result<Value, TranslateError> {
    let config = PluginConfig::Sync(SyncConfig { control_cluster: CONTROL_CLUSTER.to_owned() });
    let config = serde_json::to_string(&config).map_err(TranslateError::FilterConfig)?;
    Ok(json!({
        "name": "envoy.bootstrap.wasm",
        "typed_config": {
            "@type": type_url("envoy.extensions.wasm.v3.WasmService"),
            "singleton": true,
            "config": {
                "name": SYNC,
                "root_id": SYNC,
                "failure_policy": "FAIL_RELOAD",
                "vm_config": {
                    "vm_id": VM_ID,
                    "runtime": RUNTIME,
                    "code": { "local": { "filename": module } },
                },
                "configuration": { "@type": type_url("google.protobuf.StringValue"), "value": config },
            },
        },
    }))
}

fn overload_manager() -> Value {
    json!({ "resource_monitors": [{
        "name": "envoy.resource_monitors.global_downstream_max_connections",
        "typed_config": {
            "@type": type_url(
                "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
            ),
            "max_active_downstream_connections": CONNECTIONS_MAX,
        },
    }]})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered() -> Value {
        let bootstrap = Bootstrap {
            node_id: "gateway-1".to_owned(),
            control: ControlPort::open("127.0.0.1:18000".parse().unwrap()),
            envoy_admin: "[::1]:9901".parse().unwrap(),
            wasm: "/modules/gateway.wasm".into(),
        };
        serde_json::from_str(&render(&bootstrap).unwrap()).unwrap()
    }

    #[test]
    fn the_addresses_are_the_ones_given() {
        let document = rendered();
        let control = &document["static_resources"]["clusters"][0]["load_assignment"];
        let endpoint = &control["endpoints"][0]["lb_endpoints"][0]["endpoint"];
        assert_eq!(endpoint["address"]["socket_address"]["port_value"], 18000);
        assert_eq!(document["admin"]["address"]["socket_address"]["address"], "::1");
        assert_eq!(document["node"]["id"], "gateway-1");
    }

    #[test]
    fn an_envoy_takes_internal_listeners() {
        let document = rendered();
        let extension = document.pointer("/bootstrap_extensions/0/name").and_then(Value::as_str);
        assert_eq!(extension, Some("envoy.bootstrap.internal_listener"));
    }

    #[test]
    fn the_service_is_given_its_role() {
        let document = rendered();
        let config = document
            .pointer("/bootstrap_extensions/1/typed_config/config/configuration/value")
            .and_then(Value::as_str)
            .unwrap();
        let expected = SyncConfig { control_cluster: "control".to_owned() };
        let read: PluginConfig = serde_json::from_str(config).unwrap();
        assert_eq!(read, PluginConfig::Sync(expected));
    }
}
