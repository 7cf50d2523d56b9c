//! What Envoy does with what the crate `xds` sends, in both protocols: a bare
//! Envoy, the server with a tap before it, and engines that are simulated.

mod canary;
mod reconnects;
mod refusals;
mod server;
mod swaps;
mod tap;
mod warming;
mod world;

use integration::{BareEnvoy, Engine, Failure, Load, Outcome, Result, client, wait_until};
use serde_json::{Value, json};
use server::{Ads, NODE, SOON};
use tap::Said;
use world::{CLUSTER, HOST, MARK, World};
use xds::ResourceType;

/// Which of the two an Envoy speaks.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Protocol {
    /// What changed.
    Delta,
    /// All there is, each time.
    Sotw,
}

/// Every test in both protocols.
macro_rules! in_both_protocols {
    ($($name:ident),+ $(,)?) => {
        mod delta {
            $(#[tokio::test]
            async fn $name() -> integration::Result<()> {
                super::$name(super::Protocol::Delta).await
            })+
        }
        mod sotw {
            $(#[tokio::test]
            async fn $name() -> integration::Result<()> {
                super::$name(super::Protocol::Sotw).await
            })+
        }
    };
}
use in_both_protocols;

/// A control plane with its one Envoy.
struct Pair {
    ads: Ads,
    envoy: BareEnvoy,
    protocol: Protocol,
}

/// Who answered a request, as the route and the filter wrote it.
#[derive(Debug, Clone, PartialEq)]
struct Answered {
    status: u16,
    cluster: String,
    host: String,
    mark: String,
}

impl Pair {
    /// Serves the world, and returns when Envoy has it and is live.
    async fn start(protocol: Protocol, world: &World) -> Result<Pair> {
        let ads = Ads::start(world.snapshot()).await?;
        let envoy = BareEnvoy::start(bootstrap(protocol, &ads)).await?;
        let pair = Pair { ads, envoy, protocol };
        let live = async || pair.envoy.is_live().await && pair.envoy.url().await.is_some();
        match wait_until(live, SOON).await {
            true => Ok(pair),
            false => Err(pair.failure("Envoy is not live")),
        }
    }

    /// One request through Envoy.
    async fn ask(&self) -> Result<Answered> {
        let url = self.envoy.url().await.ok_or_else(|| self.failure("no listener"))?;
        let answer = client().get(format!("{url}/v1/models")).send().await?;
        let header = |name: &str| {
            let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        Ok(Answered {
            status: answer.status().as_u16(),
            cluster: header(CLUSTER),
            host: header(HOST),
            mark: header(MARK),
        })
    }

    /// Returns when an answer is as it should be.
    async fn answers(&self, what: &str, is_right: impl Fn(&Answered) -> bool) -> Result<Answered> {
        let mut last = None;
        let right = async || {
            last = self.ask().await.ok();
            last.as_ref().is_some_and(&is_right)
        };
        let right = wait_until(right, SOON).await;
        match last.filter(|_| right) {
            Some(answered) => Ok(answered),
            None => Err(self.failure(&format!("no answer was {what}"))),
        }
    }

    /// Returns when a counter or gauge of Envoy has this value.
    async fn stat_is(&self, name: &str, wanted: u64) -> Result<()> {
        let is = async || self.envoy.stat(name).await.is_ok_and(|value| value == wanted);
        match wait_until(is, SOON).await {
            true => Ok(()),
            false => Err(self.failure(&format!("{name} is not {wanted}"))),
        }
    }

    /// Requests by many clients.
    async fn load(&self) -> Result<Load> {
        let url = self.envoy.url().await.ok_or_else(|| self.failure("no listener"))?;
        Ok(Load::on(&url))
    }

    /// Returns when Envoy has asked for a type on a stream after the first.
    async fn reconnected(&self) -> Result<()> {
        let again = async || self.ads.lines().iter().any(|line| line.stream > 1);
        match wait_until(again, SOON).await {
            true => Ok(()),
            false => Err(self.failure("Envoy did not come back")),
        }
    }

    /// What passed on one stream.
    fn lines_of(&self, stream: u64) -> impl Iterator<Item = tap::Line> {
        self.ads.lines().into_iter().filter(move |line| line.stream == stream)
    }

    /// Refusals so far.
    fn refusals(&self) -> usize {
        self.ads.lines().iter().filter(|line| is_refusal(&line.said)).count()
    }

    /// Why Envoy does not take a cluster, as the server tells it.
    fn refused(&self, cluster: &str) -> Option<String> {
        let clusters = self.ads.envoy()?.types.remove(&ResourceType::Cluster)?;
        clusters.refused.get(cluster).map(|nack| nack.error.clone())
    }

    fn failure(&self, what: &str) -> Failure {
        Failure::new(format!("{what}\n{}{}", self.ads.tap(), self.envoy.tails()))
    }
}

fn is_refusal(said: &Said) -> bool {
    matches!(said, Said::Asked { refusal: Some(_), .. })
}

fn bootstrap(protocol: Protocol, ads: &Ads) -> Value {
    let api = match protocol {
        Protocol::Delta => "DELTA_GRPC",
        Protocol::Sotw => "GRPC",
    };
    let source = json!({"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"});
    let (ip, port) = (ads.address().ip().to_string(), ads.address().port());
    let at = json!({"socket_address": {"address": ip, "port_value": port}});
    let http2 = json!({
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    });
    // Envoy would wait up to 30 s for a server that was away.
    let back_off = json!({"base_interval": "0.1s", "max_interval": "1s"});
    let grpc = json!({"cluster_name": "ads", "retry_policy": {"retry_back_off": back_off}});
    json!({
        "node": {"id": NODE, "cluster": "tests"},
        "dynamic_resources": {
            "ads_config": {
                "api_type": api,
                "transport_api_version": "V3",
                "set_node_on_first_message_only": true,
                "grpc_services": [{ "envoy_grpc": grpc }],
            },
            "cds_config": source,
            "lds_config": source,
        },
        "static_resources": {"clusters": [{
            "name": "ads",
            "connect_timeout": "1s",
            "load_assignment": {
                "cluster_name": "ads",
                "endpoints": [{"lb_endpoints": [{"endpoint": {"address": at}}]}],
            },
            "typed_extension_protocol_options": {
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2,
            },
        }]},
    })
}

/// Asserts that every request got its whole answer.
fn assert_all_complete(outcomes: &[Outcome]) {
    let failed: Vec<_> = outcomes.iter().filter(|outcome| !outcome.complete).collect();
    assert!(failed.is_empty(), "{} of {}: {:?}", failed.len(), outcomes.len(), failed.first());
    assert!(!outcomes.is_empty(), "nothing was asked");
}

/// An engine that answers at once.
async fn engine() -> Result<Engine> {
    Engine::start().tokens(4).spawn().await
}
