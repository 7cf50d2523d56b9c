//! Two Envoys of one control plane: a change goes to the canary first, and what
//! the canary refuses never reaches the other.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server as Transport;
use xds::{Cache, Canary, Registry, Rollout, Server};

use super::tap::Tap;
use super::*;

in_both_protocols!(
    a_change_reaches_the_canary_and_then_the_other,
    what_the_canary_refuses_never_reaches_the_other,
    a_mended_change_goes_to_the_canary_and_then_to_the_other,
);

const CANARY: &str = "canary-1";
const REST: &str = "rest-1";
/// Long enough for a test on a busy machine to see that a change soaks.
const SOAK_MS: u64 = 2_000;
/// Clusters that were changed in their place.
const MODIFIED: &str = "cluster_manager.cluster_modified";
/// Responses with clusters that were refused.
const REJECTED: &str = "cluster_manager.cds.update_rejected";
/// How a good change goes, as the tap sees it.
const CANARY_FIRST: [(&str, Step); 4] =
    [(CANARY, Step::Told), (CANARY, Step::Accepted), (REST, Step::Told), (REST, Step::Accepted)];

/// What was said of clusters.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Told,
    Accepted,
    Refused,
}

/// A control plane with a canary group, and an Envoy of either kind.
struct Flock {
    cache: Cache,
    registry: Registry,
    tap: Tap,
    canary: BareEnvoy,
    rest: BareEnvoy,
}

impl Flock {
    /// Serves the world, and returns when both Envoys have it and are live.
    async fn start(protocol: Protocol, world: &World) -> Result<Flock> {
        let is_canary = |node: &str| node.starts_with("canary-");
        let canary = Canary { nodes: Arc::new(is_canary), soak_ms: SOAK_MS };
        let cache = Cache::new().with_canary(canary);
        let registry = Registry::new(&cache);
        cache.publish(world.snapshot());
        let (at, tap) = serve(Server::new(cache.clone(), registry.clone())).await?;
        // One after the other: the tap knows them by the numbers of their streams.
        let canary = live(bootstrap_of(protocol, CANARY, at)).await?;
        let rest = live(bootstrap_of(protocol, REST, at)).await?;
        let flock = Flock { cache, registry, tap, canary, rest };
        flock.has_all(CANARY).await?;
        flock.has_all(REST).await?;
        Ok(flock)
    }

    fn publish(&self, world: &World) {
        self.cache.publish(world.snapshot());
    }

    /// What was said of clusters, in the order in which it passed the tap.
    fn steps(&self) -> Vec<(&'static str, Step)> {
        let of_clusters = |line: &tap::Line| line.kind == Some(ResourceType::Cluster);
        let lines = self.tap.lines().into_iter().filter(of_clusters);
        let steps = lines.map(|line| (if line.stream == 1 { CANARY } else { REST }, step(&line)));
        steps.collect()
    }

    /// Returns when a condition holds.
    async fn until(&self, what: &str, holds: impl AsyncFnMut() -> bool) -> Result<()> {
        match wait_until(holds, SOON).await {
            true => Ok(()),
            false => Err(self.failure(what)),
        }
    }

    /// Returns when this Envoy has accepted all that is in force for it.
    async fn has_all(&self, node: &str) -> Result<()> {
        self.until(&format!("{node} has all"), async || self.registry.converged(node)).await
    }

    /// Returns when both Envoys answer from this server.
    async fn both_answer_from(&self, server: SocketAddr) -> Result<()> {
        for (node, envoy) in [(CANARY, &self.canary), (REST, &self.rest)] {
            let answers = async || answers_from(envoy).await == Some(server.to_string());
            self.until(&format!("{node} answers from {server}"), answers).await?;
        }
        Ok(())
    }

    /// Follows a good change of a cluster, the first of this kind for both Envoys,
    /// from the canary to the end.
    ///
    /// # Panics
    /// The other Envoy has it before it is released.
    async fn goes_through(&self) -> Result<()> {
        let soaks = async || {
            let rollout = self.cache.rollout();
            matches!(rollout, Rollout::Soaking { until_ms: Some(_), .. })
        };
        self.until("the change soaks", soaks).await?;
        assert_eq!(self.canary.stat(MODIFIED).await?, 1, "{}", self.tap);
        let rest_has_it = async || {
            let has_it = self.rest.stat(MODIFIED).await.is_ok_and(|count| count == 1);
            // Asked after Envoy: what it has now was released before.
            assert!(!has_it || is_for_everybody(&self.cache.rollout()), "{}", self.tap);
            has_it
        };
        self.until("the other has the change", rest_has_it).await?;
        self.has_all(REST).await?;
        self.has_all(CANARY).await
    }

    /// Refusals of clusters, as each Envoy counts them: the canary's first.
    async fn rejected(&self) -> Result<[u64; 2]> {
        Ok([self.canary.stat(REJECTED).await?, self.rest.stat(REJECTED).await?])
    }

    /// The clusters of the Envoy that is no canary, and when each came.
    async fn clusters_of_rest(&self) -> Result<Value> {
        self.rest.admin_json("/config_dump?resource=dynamic_active_clusters").await
    }

    /// Why this Envoy does not take the cluster, as the server tells it.
    fn refused(&self, node: &str) -> Option<String> {
        let mut envoys = self.registry.snapshot().into_iter();
        let envoy = envoys.find(|envoy| envoy.node == node)?;
        Some(envoy.types.get(&ResourceType::Cluster)?.refused.get("one")?.error.clone())
    }

    fn failure(&self, what: &str) -> Failure {
        let (rollout, tails) = (self.cache.rollout(), self.canary.tails() + &self.rest.tails());
        Failure::new(format!("not so: {what}\n{rollout:?}\n{}{tails}", self.tap))
    }
}

async fn a_change_reaches_the_canary_and_then_the_other(protocol: Protocol) -> Result<()> {
    let engine = engine().await?;
    let mut world = World::of("one", &engine);
    let flock = Flock::start(protocol, &world).await?;
    let before = flock.steps().len();
    world.pool("one").connect_ms = 600;
    flock.publish(&world);
    flock.goes_through().await?;
    assert_eq!(flock.steps()[before..], CANARY_FIRST, "{}", flock.tap);
    assert_eq!(flock.rejected().await?, [0, 0]);
    flock.both_answer_from(engine.address()).await
}

async fn what_the_canary_refuses_never_reaches_the_other(protocol: Protocol) -> Result<()> {
    let (one, two) = (engine().await?, engine().await?);
    let mut world = World::of("one", &one);
    let flock = Flock::start(protocol, &world).await?;
    let (before, clusters) = (flock.steps().len(), flock.clusters_of_rest().await?);
    assert!(clusters.to_string().contains("\"one\""), "{clusters}");
    let url = flock.rest.url().await.ok_or_else(|| flock.failure("a listener"))?;
    let load = Load::on(&url).clients(2).start();
    let stopped = refuse(&flock, &mut world).await?;
    // Endpoints come after clusters: with these, a bad cluster would be there too.
    world.endpoints.insert("one".to_owned(), vec![two.address()]);
    flock.publish(&world);
    flock.both_answer_from(two.address()).await?;
    assert_eq!(flock.cache.rollout(), stopped, "{}", flock.tap);
    let refused = [(CANARY, Step::Told), (CANARY, Step::Refused)];
    assert_eq!(flock.steps()[before..], refused, "{}", flock.tap);
    assert_eq!(flock.rejected().await?, [1, 0]);
    assert_eq!(flock.refused(REST), None);
    assert_eq!(flock.clusters_of_rest().await?, clusters);
    assert_all_complete(&load.stop().await?);
    Ok(())
}

async fn a_mended_change_goes_to_the_canary_and_then_to_the_other(
    protocol: Protocol,
) -> Result<()> {
    let engine = engine().await?;
    let mut world = World::of("one", &engine);
    let flock = Flock::start(protocol, &world).await?;
    refuse(&flock, &mut world).await?;
    let before = flock.steps().len();
    world.pool("one").connect_ms = 700;
    flock.publish(&world);
    flock.goes_through().await?;
    assert_eq!(flock.steps()[before..], CANARY_FIRST, "{}", flock.tap);
    assert_eq!(flock.rejected().await?, [1, 0]);
    assert_eq!(flock.refused(CANARY), None);
    flock.both_answer_from(engine.address()).await
}

/// Publishes a cluster that Envoy does not take, and returns how the change was
/// stopped: with the canary's name, the cluster's, and Envoy's own words.
async fn refuse(flock: &Flock, world: &mut World) -> Result<Rollout> {
    world.pool("one").connect_ms = 0;
    flock.publish(world);
    let is_stopped = async || matches!(flock.cache.rollout(), Rollout::Stopped { .. });
    flock.until("the change is stopped", is_stopped).await?;
    let stopped = flock.cache.rollout();
    let Rollout::Stopped { node, kind, resource, error, .. } = &stopped else {
        return Err(flock.failure("it stays stopped"));
    };
    assert_eq!((node.as_str(), *kind), (CANARY, ResourceType::Cluster));
    assert_eq!(resource, "one");
    assert!(error.contains("onnect") && error.contains("imeout"), "{error}");
    assert_eq!(flock.refused(CANARY).as_ref(), Some(error));
    Ok(stopped)
}

fn is_for_everybody(rollout: &Rollout) -> bool {
    *rollout == Rollout::Idle { untried: false }
}

fn step(line: &tap::Line) -> Step {
    match &line.said {
        Said::Told { .. } => Step::Told,
        Said::Asked { refusal: Some(_), .. } => Step::Refused,
        Said::Asked { refusal: None, .. } => Step::Accepted,
    }
}

/// The server behind a tap, for as long as the test's runtime lives.
async fn serve(server: Server) -> Result<(SocketAddr, Tap)> {
    let inner = TcpListener::bind("127.0.0.1:0").await?;
    let outer = TcpListener::bind("127.0.0.1:0").await?;
    let (at, tap) = (outer.local_addr()?, Tap::before(inner.local_addr()?));
    let router = Transport::builder().add_service(server.into_service());
    tokio::spawn(router.serve_with_incoming(TcpListenerStream::new(inner)));
    let router = Transport::builder().add_service(tap.clone().into_service());
    tokio::spawn(router.serve_with_incoming(TcpListenerStream::new(outer)));
    Ok((at, tap))
}

/// An Envoy that has what it waited for at its start.
async fn live(bootstrap: Value) -> Result<BareEnvoy> {
    let envoy = BareEnvoy::start(bootstrap).await?;
    let is_live = async || envoy.is_live().await && envoy.url().await.is_some();
    match wait_until(is_live, SOON).await {
        true => Ok(envoy),
        false => Err(Failure::new(format!("Envoy is not live\n{}", envoy.tails()))),
    }
}

/// The server that a request through this Envoy was answered by.
async fn answers_from(envoy: &BareEnvoy) -> Option<String> {
    let url = envoy.url().await?;
    let answer = client().get(format!("{url}/v1/models")).send().await.ok()?;
    let host = answer.headers().get(HOST).filter(|_| answer.status() == 200)?;
    Some(host.to_str().ok()?.to_owned())
}

/// An Envoy of this name that has everything by ADS.
fn bootstrap_of(protocol: Protocol, node: &str, ads: SocketAddr) -> Value {
    let api_type = if protocol == Protocol::Delta { "DELTA_GRPC" } else { "GRPC" };
    let (ip, port) = (ads.ip().to_string(), ads.port());
    let at = json!({"socket_address": {"address": ip, "port_value": port}});
    let source = json!({"ads": {}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"});
    let options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    json!({
        "node": {"id": node, "cluster": "tests"},
        "dynamic_resources": {
            "ads_config": {
                "api_type": api_type,
                "transport_api_version": "V3",
                "set_node_on_first_message_only": true,
                "grpc_services": [{"envoy_grpc": {"cluster_name": "ads"}}],
            },
            "cds_config": source,
            "lds_config": source,
        },
        "static_resources": {"clusters": [{
            "name": "ads",
            "load_assignment": {
                "cluster_name": "ads",
                "endpoints": [{"lb_endpoints": [{"endpoint": {"address": at}}]}],
            },
            "typed_extension_protocol_options": {options: {
                "@type": format!("type.googleapis.com/{options}"),
                "explicit_http_config": {"http2_protocol_options": {}},
            }},
        }]},
    })
}
