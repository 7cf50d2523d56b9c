//! Whether every Envoy can send a request on to another pool, which the fallbacks of models
//! need. A control plane has one set of resources for all its Envoys, so that the oldest of
//! them decides.

use admin::ChainsStatus;
use std::path::Path;
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::timeout;
use xds::EnvoyStatus;

/// The first release whose retries choose a cluster anew.
const SINCE: (u32, u32) = (1, 40);

/// How long an Envoy may take to say its version.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is decided of it. Clones share it.
#[derive(Clone)]
pub struct Chains(watch::Sender<ChainsStatus>);

impl Chains {
    /// As it is to be until an Envoy connects.
    pub fn new(first: ChainsStatus) -> Chains {
        Chains(watch::Sender::new(first))
    }

    /// Whether requests can be sent on.
    pub fn are_on(&self) -> bool {
        self.0.borrow().on
    }

    /// The same, and why not.
    pub fn status(&self) -> ChainsStatus {
        self.0.borrow().clone()
    }

    /// Decides anew by the Envoys that are connected; whether that is something else. While
    /// there is none, it stays. Who does not say a version has no say: a client that only
    /// looks takes the fallbacks from nobody.
    pub fn judge(&self, envoys: &[EnvoyStatus]) -> bool {
        let Some(now) = verdict(envoys) else { return false };
        let before = self.status();
        if before == now {
            return false;
        }
        told(&now);
        let moved = before.on != now.on;
        self.0.send_replace(now);
        moved
    }
}

fn told(now: &ChainsStatus) {
    if let Some(why) = &now.why {
        tracing::warn!(why, "fallbacks to other pools are passed over");
    }
}

fn verdict(envoys: &[EnvoyStatus]) -> Option<ChainsStatus> {
    let has_a_say = |envoy: &&EnvoyStatus| {
        envoy.disconnected_at_ms.is_none() && !envoy.envoy_version.is_empty()
    };
    let mut connected = envoys.iter().filter(has_a_say).peekable();
    connected.peek()?;
    let why = connected.find_map(|envoy| Some(format!("{}: {}", envoy.node, lacks(envoy)?)));
    Some(ChainsStatus { on: why.is_none(), why })
}

/// Why an Envoy cannot; `None`: it can.
fn lacks(envoy: &EnvoyStatus) -> Option<String> {
    too_old(&envoy.envoy_version)
}

fn too_old(version: &str) -> Option<String> {
    let (major, minor) = SINCE;
    let since = format!("another pool after a failure needs Envoy {major}.{minor}");
    match line(version) {
        Some(line) if line >= SINCE => None,
        Some(_) => Some(format!("{since}; this one is {version}")),
        None => Some(format!("{since}; this one does not say its version")),
    }
}

/// `1.40.0` or `1.40.0-dev` as its release line.
fn line(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

/// What the Envoy at `program` can, by its own word.
pub async fn of_program(program: &Path) -> ChainsStatus {
    let asked = Command::new(program).arg("--version").kill_on_drop(true).output();
    let said = match timeout(PATIENCE, asked).await {
        Ok(Ok(output)) => String::from_utf8_lossy(&output.stdout).into_owned(),
        _ => String::new(),
    };
    let why = too_old(version_in(&said).unwrap_or_default());
    let found = ChainsStatus { on: why.is_none(), why };
    told(&found);
    found
}

/// What is known of a neighbour's Envoy before it connects: what those of the last run
/// could. What an old one refuses it would have to do without until it is asked again.
pub fn of_last_run(on: Option<bool>) -> ChainsStatus {
    let on = on.unwrap_or(false);
    let why = (!on).then(|| "no Envoy is connected yet".to_owned());
    ChainsStatus { on, why }
}

/// The number in `envoy  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL`.
fn version_in(said: &str) -> Option<&str> {
    said.rsplit_once("version:")?.1.trim().split('/').nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use xds::Protocol;

    fn envoy(node: &str, version: &str, gone: bool) -> EnvoyStatus {
        EnvoyStatus {
            node: node.into(),
            cluster: String::new(),
            envoy_version: version.into(),
            wasm_v8: None,
            variant: String::new(),
            canary: false,
            protocol: Protocol::Delta,
            duplicate: false,
            connected_since_ms: 1,
            disconnected_at_ms: gone.then_some(2),
            converged_to: None,
            types: [].into(),
            counts: [].into(),
        }
    }

    #[test]
    fn the_oldest_that_is_connected_decides() {
        let table = [
            (vec![], None),
            (vec![envoy("a", "1.36.4", true)], None),
            (vec![envoy("a", "1.40.0", false)], Some(true)),
            (vec![envoy("a", "1.40.1-dev", false), envoy("b", "1.36.4", true)], Some(true)),
            (vec![envoy("a", "2.0.0", false)], Some(true)),
            (vec![envoy("a", "1.40.0", false), envoy("b", "1.39.1", false)], Some(false)),
            (vec![envoy("a", "1.9.0", false)], Some(false)),
            (vec![envoy("a", "", false)], None),
            (vec![envoy("a", "", false), envoy("b", "1.40.0", false)], Some(true)),
            (vec![envoy("a", "1.36.4", false), envoy("b", "", false)], Some(false)),
            (vec![envoy("a", "1.x", false)], Some(false)),
        ];
        for (envoys, expected) in table {
            let found = verdict(&envoys);
            assert_eq!(found.as_ref().map(|found| found.on), expected, "{envoys:?}");
            assert!(found.is_none_or(|found| found.on == found.why.is_none()));
        }
        let old = verdict(&[envoy("b", "1.39.1", false)]).unwrap();
        let why = "b: another pool after a failure needs Envoy 1.40; this one is 1.39.1";
        assert_eq!(old.why.as_deref(), Some(why));
    }

    #[test]
    fn it_stays_while_nobody_is_there() {
        let chains = Chains::new(ChainsStatus { on: true, why: None });
        assert!(!chains.judge(&[]) && chains.are_on());
        assert!(!chains.judge(&[envoy("a", "", false)]) && chains.are_on());
        assert!(chains.judge(&[envoy("a", "1.37.0", false)]) && !chains.are_on());
        assert!(!chains.judge(&[envoy("a", "1.37.0", true)]) && !chains.are_on());
        // Another reason is no other decision.
        assert!(!chains.judge(&[envoy("b", "1.36.4", false)]));
        assert!(chains.status().why.unwrap().starts_with("b: "));
        assert!(chains.judge(&[envoy("a", "1.40.0", false)]) && chains.are_on());
    }

    #[tokio::test]
    async fn a_program_says_its_version() {
        let said = "\nenvoy  version: 3a1ee21aa9/1.40.0/Clean/RELEASE/BoringSSL\n\n";
        assert_eq!(version_in(said), Some("1.40.0"));
        assert_eq!(version_in("unknown option"), None);
        let nobody = of_program(Path::new("/nonexistent/envoy")).await;
        assert!(of_last_run(Some(true)).on && !of_last_run(None).on);
        assert!(!nobody.on && nobody.why.unwrap().contains("does not say its version"));
    }
}
