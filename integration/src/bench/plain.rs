//! Envoy without Tollgate: what the gateway is compared with.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use integration::{Process, Result, free_address, wait_until};
use serde_json::{Value, json};
use tempfile::TempDir;

const START_TIMEOUT: Duration = Duration::from_secs(20);
const END_TIMEOUT: Duration = Duration::from_secs(5);

/// A running Envoy with one route to one server; it ends with the value.
pub struct Plain {
    process: Process,
    address: SocketAddr,
    _folder: TempDir,
}

impl Plain {
    /// Starts `program` before the engine, and returns when it listens.
    pub async fn start(program: &Path, engine: SocketAddr) -> Result<Plain> {
        let folder = TempDir::with_prefix("bench-plain-")?;
        let (file, address) = (folder.path().join("bootstrap.json"), free_address());
        std::fs::write(&file, bootstrap(address, engine).to_string())?;
        let mut command = Command::new(program);
        command.arg("-c").arg(&file).args(["--concurrency", "1", "--disable-hot-restart"]);
        command.args(["--log-level", "warning"]);
        let process = Process::spawn(command, folder.path(), "envoy")?;
        let mut plain = Plain { process, address, _folder: folder };
        plain.wait_until_ready().await?;
        Ok(plain)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let process = &mut self.process;
        let listens = async || {
            !process.is_running() || tokio::net::TcpStream::connect(self.address).await.is_ok()
        };
        let in_time = wait_until(listens, START_TIMEOUT).await;
        match in_time && self.process.is_running() {
            true => Ok(()),
            false => Err(integration::Failure::new(format!(
                "plain Envoy does not listen\n{}",
                self.process.tails()
            ))),
        }
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.process.terminate(END_TIMEOUT);
    }
}

/// What the gateway's Envoy is told as well, without what makes it a gateway:
/// no Wasm, no access log, no early header mutations, no body limits, no xDS.
fn bootstrap(listen: SocketAddr, engine: SocketAddr) -> Value {
    json!({ "static_resources": {
        "listeners": [{
            "name": "plain",
            "address": address(listen),
            "per_connection_buffer_limit_bytes": 262_144,
            "filter_chains": [{ "filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": connection_manager(),
            }]}],
        }],
        "clusters": [cluster(engine)],
    }})
}

fn connection_manager() -> Value {
    let route = json!({
        "match": { "prefix": "/" },
        "route": {
            "cluster": "engine",
            "timeout": "0s",
            "idle_timeout": "0s",
            "auto_host_rewrite": true,
        },
    });
    json!({
        "@type": type_url("filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "plain",
        "codec_type": "AUTO",
        "http2_protocol_options": { "max_concurrent_streams": 256 },
        "server_name": "plain",
        "max_request_headers_kb": 64,
        "stream_idle_timeout": "0s",
        "request_headers_timeout": "10s",
        "use_remote_address": true,
        "internal_address_config": {},
        "normalize_path": true,
        "merge_slashes": true,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "generate_request_id": true,
        "always_set_request_id_in_response": true,
        "request_id_extension": { "typed_config": {
            "@type": type_url("request_id.uuid.v3.UuidRequestIdConfig"),
            "pack_trace_reason": false,
            "use_request_id_for_trace_sampling": false,
        }},
        "route_config": {
            "name": "plain",
            "virtual_hosts": [{ "name": "plain", "domains": ["*"], "routes": [route] }],
        },
        "http_filters": [{
            "name": "envoy.filters.http.router",
            "typed_config": {
                "@type": type_url("filters.http.router.v3.Router"),
                "suppress_envoy_headers": true,
            },
        }],
    })
}

fn cluster(engine: SocketAddr) -> Value {
    json!({
        "name": "engine",
        "type": "STATIC",
        "lb_policy": "LEAST_REQUEST",
        "connect_timeout": "5s",
        "per_connection_buffer_limit_bytes": 262_144,
        "circuit_breakers": { "thresholds": [{
            "max_connections": 1_000_000,
            "max_pending_requests": 1_000_000,
            "max_requests": 1_000_000,
        }]},
        "load_assignment": {
            "cluster_name": "engine",
            "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address(engine) } }] }],
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": type_url("upstreams.http.v3.HttpProtocolOptions"),
                "common_http_protocol_options": { "idle_timeout": "4s" },
                "explicit_http_config": { "http_protocol_options": {} },
            },
        },
    })
}

fn address(of: SocketAddr) -> Value {
    json!({ "socket_address": { "address": of.ip().to_string(), "port_value": of.port() } })
}

fn type_url(message: &str) -> String {
    format!("type.googleapis.com/envoy.extensions.{message}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_are_the_ones_given() {
        let bootstrap = bootstrap("127.0.0.1:1".parse().unwrap(), "127.0.0.2:2".parse().unwrap());
        let at = |path: &str| bootstrap.pointer(path).cloned().unwrap_or_default();
        let listener = "/static_resources/listeners/0";
        assert_eq!(at(&format!("{listener}/address/socket_address/port_value")), 1);
        let endpoint = "/static_resources/clusters/0/load_assignment/endpoints/0/lb_endpoints/0";
        let socket = at(&format!("{endpoint}/endpoint/address/socket_address"));
        assert_eq!(socket, json!({ "address": "127.0.0.2", "port_value": 2 }));
    }

    #[test]
    fn nothing_of_the_gateway_is_in_it() {
        let address: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let text = bootstrap(address, address).to_string();
        for absent in ["wasm", "access_log", "early_header_mutation", "ads"] {
            assert!(!text.contains(absent), "{absent}");
        }
    }
}
