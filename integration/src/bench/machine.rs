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

/// `Envoy 1.40.0`, out of `envoy  version: HASH/1.40.0/Clean/RELEASE/BoringSSL`.
fn envoy_version(program: &Path) -> String {
    let output = Command::new(program).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let text = text.unwrap_or_default();
    format!("Envoy {}", text.split('/').nth(1).unwrap_or("of unknown version"))
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
    fn an_envoy_that_is_none_has_no_version() {
        assert_eq!(envoy_version(Path::new("/nonexistent")), "Envoy of unknown version");
    }
}
