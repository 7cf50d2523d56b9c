//! llama.cpp's server.

use crate::INSTALLED;
use integration::{Process, Result};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The engine's own name of its model.
pub const MODEL: &str = "tiny";

const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/engines/llamacpp/server.py");
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// It runs, and ends with the value.
pub struct LlamaCpp {
    pub process: Process,
    /// `http://ADDRESS`
    pub url: String,
}

impl LlamaCpp {
    /// Returns when it is ready; its log goes into `logs`.
    pub async fn start(logs: &Path) -> Result<LlamaCpp> {
        let mut command = Command::new(format!("{INSTALLED}/llamacpp/bin/python"));
        command.arg(SERVER).arg(format!("{INSTALLED}/llamacpp/tiny.gguf"));
        let mut process = Process::spawn(command, logs, "llamacpp")?;
        let url = process.line_after("ready: ", START_TIMEOUT).await?;
        Ok(LlamaCpp { process, url })
    }
}
