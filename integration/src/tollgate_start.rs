//! What a test's gate is started with.

use tempfile::TempDir;

use crate::tollgate::Tollgate;
use crate::yaml::set_default;
use crate::{Engine, Result, binaries, free_address};

/// A gate that is to start.
pub struct TollgateStart {
    yaml: String,
    pools: Vec<Pool>,
    environment: Vec<(String, String)>,
    files: Vec<(String, String)>,
    fixed_ports: bool,
    default_xds: bool,
}

struct Pool {
    name: String,
    model: String,
    endpoints: Vec<String>,
}

impl TollgateStart {
    pub(crate) fn new(yaml: &str) -> TollgateStart {
        TollgateStart {
            yaml: yaml.to_owned(),
            pools: Vec::new(),
            environment: Vec::new(),
            files: Vec::new(),
            fixed_ports: false,
            default_xds: false,
        }
    }

    /// Puts the engine into a pool; several of one name share it. Without `models`
    /// in the configuration every pool is also a model of its name.
    pub fn engine(self, pool: &str, engine: &Engine) -> Self {
        self.endpoint(pool, engine.model(), engine.url())
    }

    /// As [`TollgateStart::engine`], for a server that the test runs itself.
    pub fn endpoint(mut self, pool: &str, model: &str, url: &str) -> Self {
        match self.pools.iter_mut().find(|it| it.name == pool) {
            Some(pool) => pool.endpoints.push(url.to_owned()),
            None => self.pools.push(Pool {
                name: pool.to_owned(),
                model: model.to_owned(),
                endpoints: vec![url.to_owned()],
            }),
        }
        self
    }

    /// A variable of Tollgate's environment, for `${NAME}` in the configuration.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A file beside the configuration.
    pub fn file(mut self, name: &str, text: &str) -> Self {
        self.files.push((name.to_owned(), text.to_owned()));
        self
    }

    /// Free ports, chosen now, instead of port 0: they stay over a restart.
    pub fn fixed_ports(mut self) -> Self {
        self.fixed_ports = true;
        self
    }

    /// Says nothing of `control.xds`, which is a port otherwise.
    pub fn default_xds(mut self) -> Self {
        self.default_xds = true;
        self
    }

    /// The configuration that will be written.
    pub fn config(&self) -> String {
        let port = || match self.fixed_ports {
            true => free_address().to_string(),
            false => "127.0.0.1:0".to_owned(),
        };
        let mut yaml = set_default(&self.yaml, &["version"], "1");
        let mut set = |path: &[&str], value: &str| yaml = set_default(&yaml, path, value);
        set(&["gateway", "listen"], &port());
        let with_port = |plane: &&str| *plane != "xds" || !self.default_xds;
        for plane in ["admin", "xds", "envoy_admin"].into_iter().filter(with_port) {
            set(&["control", plane], &port());
        }
        set(&["control", "data"], "./tollgate-data");
        set(&["control", "wasm"], &binaries::wasm().to_string_lossy());
        for pool in &self.pools {
            let endpoints = format!("[{}]", pool.endpoints.join(", "));
            set(&["pools", &pool.name, "engine"], "vllm");
            set(&["pools", &pool.name, "model"], &pool.model);
            set(&["pools", &pool.name, "endpoints"], &endpoints);
        }
        let has = |section: &str| self.yaml.lines().any(|line| line.starts_with(section));
        if !has("models:") {
            for pool in &self.pools {
                set(&["models", &pool.name], &pool.name);
            }
        }
        if !has("tenants:") {
            set(&["tenants", "acme"], "{}");
        }
        yaml
    }

    /// Starts it, and returns when it is ready.
    ///
    /// # Errors
    /// It ended, or was not ready in time; with its logs, which are kept.
    pub async fn start(self) -> Result<Tollgate> {
        let folder = TempDir::with_prefix("tollgate-")?;
        for (name, text) in &self.files {
            std::fs::write(folder.path().join(name), text)?;
        }
        let yaml = self.config();
        Tollgate::start_in(folder, &yaml, self.environment).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_test_leaves_out_is_filled_in() {
        let start = TollgateStart::new("gateway:\n  workers: 1\n")
            .endpoint("small", "tiny", "http://127.0.0.1:1")
            .endpoint("small", "tiny", "http://127.0.0.1:2");
        let config = start.config();
        let begins = "gateway:\n  workers: 1\n  listen: 127.0.0.1:0\nversion: 1\ncontrol:\n";
        assert!(config.starts_with(begins), "{config}");
        let pool = "pools:\n  small:\n    engine: vllm\n    model: tiny\n    \
                    endpoints: [http://127.0.0.1:1, http://127.0.0.1:2]\n";
        assert!(config.contains(pool), "{config}");
        assert!(config.ends_with("models:\n  small: small\ntenants:\n  acme: {}\n"), "{config}");
    }

    #[test]
    fn what_a_test_says_counts() {
        let yaml = "models:\n  chat: small\ntenants:\n  other: {}\ngateway:\n  listen: a\n";
        let config = TollgateStart::new(yaml).endpoint("small", "t", "http://a").config();
        assert!(config.contains("models:\n  chat: small\ntenants:\n  other: {}\n"), "{config}");
        assert!(config.contains("  listen: a\n") && !config.contains("acme"), "{config}");
    }

    #[test]
    fn fixed_ports_are_ports() {
        let config = TollgateStart::new("").fixed_ports().config();
        assert!(!config.contains("127.0.0.1:0\n"), "{config}");
    }
}
