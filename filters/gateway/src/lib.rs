//! The Wasm module that Envoy loads: the shell around `pipeline`.
//!
//! One module, several roles; the plugin configuration says which:
//! [`gateway_role`] is the downstream filter, [`sync_role`] the singleton that
//! keeps the keyring in shared data up to date, [`engine_role`] the filter of a pool's
//! cluster. [`host`] is the only way to
//! Envoy, and nothing but this crate knows that there is one.

mod engine_role;
mod failures;
mod fleet;
mod gateway_role;
mod host;
mod keyring;
mod masking_key;
mod meters;
mod replays;
mod returns;
pub mod root;
mod station;
mod sync_role;

#[cfg(target_family = "wasm")]
mod entry {
    use proxy_wasm::types::LogLevel;

    proxy_wasm::main! {{
        proxy_wasm::set_log_level(LogLevel::Info);
        proxy_wasm::set_root_context(|_| Box::new(crate::root::Root::default()));
    }}
}
