//! Which configuration is in force, which was refused, and what waits for the
//! next start.

use admin::{ConfigStatus, RefusedConfig};
use model::Config;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

/// What `status` shows of the configuration. Clones share it.
#[derive(Clone, Default)]
pub struct ConfigState(Arc<RwLock<ConfigStatus>>);

impl ConfigState {
    /// Nothing is in force yet.
    pub fn of(file: &Path) -> Self {
        let state = ConfigState::default();
        state.change(|status| status.file = file.display().to_string());
        state
    }

    /// As of now.
    pub fn get(&self) -> ConfigStatus {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The text with this version is in force since `at`.
    pub fn in_force(&self, version: &str, at: String, pending_restart: Vec<String>) {
        self.change(|status| {
            version.clone_into(&mut status.version);
            status.loaded_at = at;
            status.refused = None;
            status.pending_restart = pending_restart;
        });
    }

    /// What stands in the file cannot be used.
    pub fn refused(&self, at: String, problems: Vec<String>) {
        self.change(|status| status.refused = Some(RefusedConfig { at, problems }));
    }

    fn change(&self, change: impl FnOnce(&mut ConfigStatus)) {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The settings that differ and count from the next start on.
pub fn needs_restart(started_with: &Config, now: &Config) -> Vec<String> {
    let (old, new) = (&started_with.control, &now.control);
    let table = [
        ("gateway.listen", started_with.gateway.listen != now.gateway.listen),
        ("gateway.workers", started_with.gateway.workers != now.gateway.workers),
        ("control.admin", old.admin != new.admin),
        ("control.admin_token", old.admin_token != new.admin_token),
        ("control.xds", old.xds != new.xds),
        ("control.canary", old.canary != new.canary),
        ("control.envoy_admin", old.envoy_admin != new.envoy_admin),
        ("control.database", old.database != new.database),
        ("control.data", old.data != new.data),
        ("control.wasm", old.wasm != new.wasm),
        ("control.usage_flush", old.usage_flush != new.usage_flush),
    ];
    table.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned()).collect()
}

/// The time as `status` shows it: RFC 3339 in UTC.
pub fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config_file::load_text;

    const START: &str = "version: 1\npools: {}\nmodels: {}\ntenants: {}\n";

    fn config(more: &str) -> Config {
        match load_text(Path::new("a.yaml"), &format!("{START}{more}")) {
            Ok(loaded) => loaded.config,
            Err(invalid) => panic!("{:?}", invalid.0),
        }
    }

    #[test]
    fn what_needs_a_restart() {
        let table: [(&str, &[&str]); 5] = [
            ("", &[]),
            ("gateway: { expose_pool: true }\n", &[]),
            (
                "gateway: { listen: 127.0.0.1:1, workers: 3 }\n",
                &["gateway.listen", "gateway.workers"],
            ),
            ("control: { data: elsewhere }\n", &["control.data"]),
            ("control: { database: \"postgres://db.example/t\" }\n", &["control.database"]),
        ];
        for (text, names) in table {
            assert_eq!(needs_restart(&config(""), &config(text)), names, "{text}");
        }
    }

    #[test]
    fn a_refused_text_is_shown_until_a_good_one_comes() {
        let state = ConfigState::of(Path::new("a.yaml"));
        state.in_force("v1", "t1".into(), Vec::new());
        state.refused("t2".into(), vec!["a.yaml:1:1: odd".into()]);
        let shown = state.get();
        assert_eq!((shown.version.as_str(), shown.loaded_at.as_str()), ("v1", "t1"));
        assert_eq!(shown.refused.unwrap().problems, ["a.yaml:1:1: odd"]);
        state.in_force("v3", "t3".into(), Vec::new());
        assert_eq!(state.get().refused, None);
    }
}
