//! What a running gateway tells of itself: its control plane's admin API and the
//! counters of its Envoy.

use std::time::{Duration, Instant};

use futures::stream::{StreamExt as _, iter};
use integration::{Failure, Result, Tollgate, client};
use serde_json::{Value, json};

/// Keys that are made at the same time.
const AT_ONCE: usize = 8;

/// Makes so many keys of the tenant by `POST /api/v1/keys`; they, and how long it took.
///
/// # Errors
/// One was not made.
pub async fn make_keys(
    gate: &Tollgate,
    tenant: &str,
    count: u32,
) -> Result<(Vec<String>, Duration)> {
    let url = format!("http://{}/api/v1/keys", address(gate, "admin")?);
    let token = std::fs::read_to_string(gate.data().join("admin-token"))?;
    let (http, begun) = (client(), Instant::now());
    let make = |number: u32| {
        let name = format!("{number}-of-{count}");
        let wanted = json!({ "tenant": tenant, "name": name });
        let post = http.post(&url).bearer_auth(token.trim()).json(&wanted);
        async move {
            let answer = post.send().await?.error_for_status()?;
            let made: Value = answer.json().await?;
            let key = made["key"].as_str().map(str::to_owned);
            key.ok_or_else(|| Failure::new("an answer without a key"))
        }
    };
    let made: Vec<Result<String>> = iter(0..count).map(make).buffered(AT_ONCE).collect().await;
    Ok((made.into_iter().collect::<Result<_>>()?, begun.elapsed()))
}

/// A counter of the gateway's Envoy; 0 where there is none yet.
pub async fn counter(gate: &Tollgate, name: &str) -> Result<u64> {
    let url = format!("http://{}/stats", address(gate, "envoy_admin")?);
    let text = client().get(url).send().await?.error_for_status()?.text().await?;
    Ok(value_in(&text, name))
}

/// Of `NAME: VALUE`, a line for each.
fn value_in(stats: &str, name: &str) -> u64 {
    let pairs = stats.lines().filter_map(|line| line.split_once(": "));
    let mut found = pairs.filter(|(is, _)| *is == name);
    found.next().and_then(|(_, value)| value.trim().parse().ok()).unwrap_or_default()
}

/// An address in the file that says where a running Tollgate listens.
fn address(gate: &Tollgate, name: &str) -> Result<String> {
    let run: Value = serde_json::from_slice(&std::fs::read(gate.data().join("run.json"))?)?;
    let address = run[name].as_str().map(str::to_owned);
    address.ok_or_else(|| Failure::new(format!("run.json has no {name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_found_by_its_whole_name() {
        let stats = "cluster.control.upstream_rq_404: 12\ncluster.control.upstream_rq_40: 1\n";
        assert_eq!(value_in(stats, "cluster.control.upstream_rq_404"), 12);
        assert_eq!(value_in(stats, "cluster.control.upstream_rq_4"), 0);
    }
}
