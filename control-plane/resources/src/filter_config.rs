//! The configurations of the Wasm filters: the gateway's, a resource of ECDS, and the one
//! that is inside of pools' clusters.

use crate::TranslateError;
use crate::well_known::{boolean, text};
use contract::names::{ENGINE, GATEWAY, VM_ID};
use contract::policy::{EngineConfig, GatewayConfig, PluginConfig};
use envoy_types::pb::envoy::config::core::v3::{
    AsyncDataSource, BackoffStrategy, DataSource, TypedExtensionConfig, async_data_source,
    data_source,
};
use envoy_types::pb::envoy::extensions::filters::http::wasm::v3::Wasm;
use envoy_types::pb::envoy::extensions::wasm::v3 as wasm;
use envoy_types::pb::google::protobuf::{Duration, StringValue};
use envoy_types::util::pack_any;
use std::path::Path;

/// The one runtime that Envoy's builds carry.
pub(crate) const RUNTIME: &str = "envoy.wasm.runtime.v8";

/// How long a worker whose VM has trapped waits before it builds the next one,
/// in nanoseconds: requests get `filter_unavailable` meanwhile. Short, because
/// one trap must not be an outage; not none, because building costs 10 ms.
const RELOAD_BACKOFF_NS: i32 = 100_000_000;

/// Says what the filter `gateway` is to do, and with which module.
pub(crate) fn gateway(
    config: &GatewayConfig,
    module: &Path,
) -> Result<TypedExtensionConfig, TranslateError> {
    let config = PluginConfig::Gateway(Box::new(config.clone()));
    let filter = filter(GATEWAY, &config, module)?;
    Ok(TypedExtensionConfig { name: GATEWAY.to_owned(), typed_config: Some(pack_any(filter)) })
}

/// Says that the filter `engine` is one, the same for every pool.
pub(crate) fn engine(module: &Path) -> Result<Wasm, TranslateError> {
    filter(ENGINE, &PluginConfig::Engine(EngineConfig {}), module)
}

fn filter(name: &str, config: &PluginConfig, module: &Path) -> Result<Wasm, TranslateError> {
    let config = serde_json::to_string(config).map_err(TranslateError::FilterConfig)?;
    Ok(Wasm { config: Some(plugin(name, config, text(module)?)) })
}

fn plugin(name: &str, config: String, module: String) -> wasm::PluginConfig {
    wasm::PluginConfig {
        name: name.to_owned(),
        root_id: name.to_owned(),
        configuration: Some(pack_any(StringValue { value: config })),
        // A trapped VM refuses, and is built anew: never past the filter, never shut for good.
        failure_policy: wasm::FailurePolicy::FailReload.into(),
        reload_config: Some(wasm::ReloadConfig {
            backoff: Some(BackoffStrategy {
                base_interval: Some(Duration { seconds: 0, nanos: RELOAD_BACKOFF_NS }),
                max_interval: None,
            }),
        }),
        // Without it, headers that wait for the body would wait for ever.
        allow_on_headers_stop_iteration: boolean(true),
        vm: Some(wasm::plugin_config::Vm::VmConfig(vm(module))),
        ..wasm::PluginConfig::default()
    }
}

/// The VM, the same for every role of the module: roles with the same one share
/// their data.
fn vm(module: String) -> wasm::VmConfig {
    wasm::VmConfig {
        vm_id: VM_ID.to_owned(),
        runtime: RUNTIME.to_owned(),
        code: Some(AsyncDataSource {
            specifier: Some(async_data_source::Specifier::Local(DataSource {
                specifier: Some(data_source::Specifier::Filename(module)),
                ..DataSource::default()
            })),
        }),
        ..wasm::VmConfig::default()
    }
}
