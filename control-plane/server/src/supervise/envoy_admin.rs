//! What is asked of Envoy's own admin interface.

use crate::error::Failure;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;

/// Longest wait for an answer: the interface is on this machine.
const TIMEOUT: Duration = Duration::from_secs(2);

/// A client of one Envoy's admin interface.
#[derive(Clone)]
pub struct EnvoyAdmin {
    http: reqwest::Client,
    address: SocketAddr,
}

/// An endpoint as Envoy sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `address:port`.
    pub address: String,
    /// `healthy`, or why not.
    pub health: String,
    /// Requests under way.
    pub active_requests: u64,
}

/// What is said of an endpoint that nothing speaks against.
const HEALTHY: &str = "healthy";

impl Endpoint {
    /// Whether it gets requests.
    pub fn is_healthy(&self) -> bool {
        self.health == HEALTHY
    }
}

impl EnvoyAdmin {
    /// A client for `address`.
    pub fn new(http: reqwest::Client, address: SocketAddr) -> Self {
        EnvoyAdmin { http, address }
    }

    /// Requests under way on all listeners of callers.
    pub async fn active_requests(&self) -> Result<u64, Failure> {
        let stats = self.get("/stats?filter=downstream_rq_active&format=json").await?;
        Ok(sum_active(&stats))
    }

    /// No new connections; those that are open are told to close after their
    /// answer.
    pub async fn drain(&self) -> Result<(), Failure> {
        self.post("/healthcheck/fail").await?;
        self.post("/drain_listeners").await
    }

    /// Has it open its log files anew, after they were renamed.
    pub async fn reopen_logs(&self) -> Result<(), Failure> {
        self.post("/reopen_logs").await
    }

    /// The endpoints of one cluster.
    pub async fn endpoints(&self) -> Result<Vec<(String, Vec<Endpoint>)>, Failure> {
        Ok(clusters(&self.get("/clusters?format=json").await?))
    }

    async fn get(&self, path: &str) -> Result<Value, Failure> {
        let url = format!("http://{}{path}", self.address);
        let asked = self.http.get(url).timeout(TIMEOUT).send().await;
        asked.map_err(failed)?.json().await.map_err(failed)
    }

    async fn post(&self, path: &str) -> Result<(), Failure> {
        let url = format!("http://{}{path}", self.address);
        let asked = self.http.post(url).timeout(TIMEOUT).send().await;
        asked.and_then(reqwest::Response::error_for_status).map(|_| ()).map_err(failed)
    }
}

fn failed(error: reqwest::Error) -> Failure {
    Failure::Envoy(error.to_string())
}

/// `http.admin` is the question itself.
fn sum_active(stats: &Value) -> u64 {
    let of_callers = |stat: &&Value| {
        let name = stat.get("name").and_then(Value::as_str).unwrap_or_default();
        name.starts_with("http.") && !name.starts_with("http.admin.")
    };
    let all = stats.get("stats").and_then(Value::as_array).into_iter().flatten();
    all.filter(of_callers).filter_map(|stat| stat.get("value")?.as_u64()).sum()
}

fn clusters(answer: &Value) -> Vec<(String, Vec<Endpoint>)> {
    let all = answer.get("cluster_statuses").and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|cluster| {
        let name = cluster.get("name")?.as_str()?.to_owned();
        let hosts = cluster.get("host_statuses").and_then(Value::as_array).into_iter().flatten();
        Some((name, hosts.filter_map(endpoint).collect()))
    })
    .collect()
}

fn endpoint(host: &Value) -> Option<Endpoint> {
    let socket = host.pointer("/address/socket_address")?;
    let ip = socket.get("address")?.as_str()?;
    let port = socket.get("port_value")?.as_u64()?;
    let address = if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") };
    Some(Endpoint { address, health: health(host), active_requests: gauge(host, "rq_active") })
}

/// Every flag but `eds_health_status` is a reason not to be used.
fn health(host: &Value) -> String {
    let Some(flags) = host.get("health_status").and_then(Value::as_object) else {
        return HEALTHY.to_owned();
    };
    let set = |(name, value): (&String, &Value)| (*value == true).then(|| name.clone());
    let mut reasons: Vec<String> = flags.iter().filter_map(set).collect();
    if let Some(told) = flags.get("eds_health_status").and_then(Value::as_str)
        && told != "HEALTHY"
    {
        reasons.push(told.to_lowercase());
    }
    if reasons.is_empty() { HEALTHY.to_owned() } else { reasons.join(", ") }
}

/// Envoy writes 64-bit values as text, and leaves zeros out.
fn gauge(host: &Value, name: &str) -> u64 {
    let stats = host.get("stats").and_then(Value::as_array).into_iter().flatten();
    let mut values = stats.filter(|stat| stat.get("name").is_some_and(|n| n == name));
    let value = values.next().and_then(|stat| stat.get("value"));
    value.and_then(Value::as_str).and_then(|text| text.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_question_itself_is_no_request_under_way() {
        let stats = json!({"stats": [
            {"name": "http.admin.downstream_rq_active", "value": 1},
            {"name": "http.gateway.downstream_rq_active", "value": 2},
            {"name": "listener.x.downstream_rq_active", "value": 9},
        ]});
        assert_eq!(sum_active(&stats), 2);
        assert_eq!(sum_active(&json!({})), 0);
    }

    #[test]
    fn endpoints_with_health_and_load() {
        let host = |status: Value, active: &str| {
            json!({
                "address": {"socket_address": {"address": "127.0.0.1", "port_value": 9}},
                "stats": [{"name": "rq_total"}, {"name": "rq_active", "value": active}],
                "health_status": status,
            })
        };
        let table = [
            (json!({"eds_health_status": "HEALTHY"}), "healthy"),
            (json!({}), "healthy"),
            (
                json!({"failed_active_health_check": true, "eds_health_status": "HEALTHY"}),
                "failed_active_health_check",
            ),
            (json!({"eds_health_status": "DRAINING"}), "draining"),
        ];
        for (status, health) in table {
            let answer = json!({"cluster_statuses": [
                {"name": "pool/a", "host_statuses": [host(status, "3")]},
                {"name": "holding"},
            ]});
            let expected = Endpoint {
                address: "127.0.0.1:9".into(),
                health: health.into(),
                active_requests: 3,
            };
            let found = clusters(&answer);
            assert_eq!(found, [("pool/a".into(), vec![expected]), ("holding".into(), vec![])]);
        }
    }
}
