//! What the figures were measured on.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cores::Cores;

/// Lines for the head of the report.
pub fn facts(cores: &Cores, envoy: &Path) -> String {
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpu_model(&cpuinfo);
    let others: Vec<String> = cores.others.iter().map(usize::to_string).collect();
    let load = read("/proc/loadavg");
    let load: Vec<&str> = load.split_ascii_whitespace().take(3).collect();
    format!(
        "- machine: {} cores, {model}, {}; Linux {}\n\
         - cores: {} for Envoy, {} for the load, the engine and the control plane\n\
         - {}\n\
         - load average before (1, 5, 15 minutes): {}\n",
        cores.others.len() + 1,
        std::env::consts::ARCH,
        read("/proc/sys/kernel/osrelease").trim(),
        cores.envoy,
        others.join(", "),
        envoy_version(envoy),
        load.join(" "),
    )
}

fn read(file: &str) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

fn cpu_model(cpuinfo: &str) -> &str {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split_once(':'))
        .map_or("CPU of unknown model", |(_, name)| name.trim())
}

fn envoy_version(program: &Path) -> String {
    let output = Command::new(program).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let version = version_in(text.as_deref().unwrap_or_default()).map(str::to_owned);
    version.map_or_else(|| "Envoy of unknown version".to_owned(), |it| format!("Envoy {it}"))
}

/// `1.40.0`, out of `PATH  version: HASH/1.40.0/Clean/RELEASE/BoringSSL`.
fn version_in(text: &str) -> Option<&str> {
    text.split_once("version: ")?.1.split('/').nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_what_the_kernel_calls_it() {
        assert_eq!(cpu_model("processor\t: 0\nmodel name\t: Fast One\n"), "Fast One");
        assert_eq!(cpu_model(""), "CPU of unknown model");
    }

    #[test]
    fn the_version_comes_after_the_commit() {
        let text = "\n/opt/envoy  version: 9e5580/1.40.0/Clean/RELEASE/BoringSSL\n\n";
        assert_eq!(version_in(text), Some("1.40.0"));
        assert_eq!(version_in("/opt/tools/envoy: not found"), None);
    }

    #[test]
    fn an_envoy_that_is_none_has_no_version() {
        assert_eq!(envoy_version(Path::new("/nonexistent")), "Envoy of unknown version");
    }
}
