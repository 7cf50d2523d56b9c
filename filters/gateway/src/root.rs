//! The root context: becomes what the plugin configuration says.

use crate::engine_role::AttemptStream;
use crate::gateway_role::{Gateway, Stream};
use crate::host;
use crate::sync_role::Sync;
use contract::policy::{EngineConfig, PluginConfig};
use log::error;
use pipeline::Policy;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;
use std::rc::Rc;

/// One plugin in one VM.
#[derive(Default)]
pub struct Root {
    role: Role,
}

#[derive(Default)]
enum Role {
    #[default]
    Unconfigured,
    Gateway(Rc<Gateway>),
    Sync(Box<Sync>),
    Engine,
}

impl Root {
    fn configure(&mut self, configuration: &[u8]) -> Result<(), String> {
        let config: PluginConfig =
            serde_json::from_slice(configuration).map_err(|error| error.to_string())?;
        self.role = match config {
            PluginConfig::Gateway(config) => {
                let policy = Policy::compile(&config).map_err(|faults| faults.join("; "))?;
                Role::Gateway(Gateway::start(policy))
            }
            PluginConfig::Sync(config) => Role::Sync(Box::new(Sync::start(config.control_cluster))),
            PluginConfig::Engine(EngineConfig {}) => Role::Engine,
        };
        Ok(())
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, _: usize, body_size: usize, _: usize) {
        if let Role::Sync(sync) = &mut self.role {
            sync.on_answer(token, &host::ControlAnswer::enter(body_size));
        }
    }
}

impl RootContext for Root {
    /// A configuration that is refused here is refused to the control plane
    /// (NACK), and the last good one stays.
    fn on_configure(&mut self, _: usize) -> bool {
        match self.configure(&host::plugin_configuration()) {
            Ok(()) => true,
            Err(reason) => {
                error!("the plugin configuration is refused: {reason}");
                false
            }
        }
    }

    fn on_tick(&mut self) {
        match &mut self.role {
            Role::Gateway(gateway) => gateway.on_tick(),
            Role::Sync(sync) => sync.on_tick(),
            Role::Engine | Role::Unconfigured => {}
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        Some(match &self.role {
            Role::Gateway(gateway) => Box::new(Stream::new(Rc::clone(gateway), context)),
            Role::Engine => Box::new(AttemptStream::default()),
            // Envoy makes no streams for these; if it did, they would pass nothing on.
            Role::Sync(_) | Role::Unconfigured => Box::new(Refuser),
        })
    }
}

/// Stands where a stream has no configuration to be decided by.
struct Refuser;

impl Context for Refuser {}

impl HttpContext for Refuser {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> proxy_wasm::types::Action {
        let refusal = contract::refusal::Refusal::new(
            contract::refusal::Code::FilterUnavailable,
            "The gateway could not check this request.",
        );
        let shape = contract::refusal::ErrorShape::OpenAi;
        host::HeldRequest::enter().reply(&pipeline::command::Reply::refusal(&refusal, shape));
        proxy_wasm::types::Action::Pause
    }
}
