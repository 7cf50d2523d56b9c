//! What the source makes of everything a Consul does.

use super::*;
use crate::test_http_server::{Answer, Asked, Server, any_port};
use crate::test_running::{Running, endpoints, eventually};
use model::Secret;
use serde_json::{Value, json};
use tokio::sync::watch::{Receiver, Sender, channel};

/// The only instance at the start.
const FIRST: &str = "http://10.1.0.1:8000";

/// How questions are answered.
#[derive(Clone, Debug, PartialEq)]
enum Mood {
    Good,
    /// With this status and text.
    Refusing(u16, &'static str),
    /// With a redirect to this URL.
    Redirecting(String),
    /// With this text instead of a list.
    Saying(String),
    /// The connection is cut, also that of a question that waits.
    Cutting,
    /// Without the header that an answer of Consul has.
    WithoutIndex,
}

#[derive(Clone)]
struct World {
    index: u64,
    instances: Value,
    mood: Mood,
}

/// A Consul that blocks.
struct Agent {
    server: Server,
    world: Sender<World>,
}

impl Agent {
    async fn start() -> Self {
        let instances = instances(&["10.1.0.1"]);
        let (world, view) = channel(World { index: 7, instances, mood: Mood::Good });
        let answer = move |asked, answer| serve(view.clone(), asked, answer);
        Agent { server: Server::start(any_port(), answer).await, world }
    }

    fn set(&self, index: u64, addresses: &[&str]) {
        self.world.send_modify(|world| {
            world.index = index;
            world.instances = instances(addresses);
        });
    }

    fn mood(&self, mood: Mood) {
        self.world.send_modify(|world| world.mood = mood);
    }

    fn indexes(&self) -> Vec<String> {
        self.server.asked().iter().map(|asked| asked.query("index").to_owned()).collect()
    }

    async fn until_asked_with(&self, index: &str) {
        eventually(index, || self.indexes().last().is_some_and(|last| last == index)).await;
    }
}

fn instances(addresses: &[&str]) -> Value {
    let entry = |address: &&str| {
        json!({
            "Node": { "Address": "10.9.9.9" },
            "Service": { "ID": format!("i-{address}"), "Address": address, "Port": 8000 },
        })
    };
    addresses.iter().map(entry).collect()
}

async fn serve(mut view: Receiver<World>, asked: Asked, mut answer: Answer) {
    let after: u64 = asked.query("index").parse().unwrap_or(0);
    let ready = |world: &World| world.mood != Mood::Good || world.index != after;
    let Ok(world) = view.wait_for(ready).await.map(|world| world.clone()) else { return };
    let index = format!("X-Consul-Index: {}\r\n", world.index);
    match world.mood {
        Mood::Good => answer.whole(200, &index, &world.instances.to_string()).await,
        Mood::WithoutIndex => answer.whole(200, "", &world.instances.to_string()).await,
        Mood::Refusing(status, text) => answer.whole(status, "", text).await,
        Mood::Redirecting(url) => answer.whole(301, &format!("Location: {url}\r\n"), "").await,
        Mood::Saying(text) => {
            answer.begin(200, &index).await;
            answer.piece(&text).await;
            answer.end().await;
        }
        Mood::Cutting => drop(answer),
    }
}

/// Once for the process; whoever comes later finds it chosen.
pub(super) fn choose_cryptography() {
    rustls::crypto::ring::default_provider().install_default().ok();
}

fn start(consul: Consul) -> Running {
    choose_cryptography();
    let backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(50));
    Running::start(|sink| watch(consul, false, sink, backoff, Duration::from_millis(5)))
}

/// Waits until this is wrong; the last endpoints are still known.
async fn until_failing(running: &mut Running, part: &str, urls: &[&str]) -> String {
    let listed = running.until_failing(part).await;
    assert_eq!(listed.endpoints, Some(endpoints(urls)));
    listed.error.unwrap()
}

fn consul(agent: &Agent) -> Consul {
    Consul {
        service: "llama".to_owned(),
        address: agent.server.url(),
        tag: None,
        datacenter: None,
        token: None,
    }
}

/// An agent whose only instance is known, and who watches it.
async fn watched() -> (Agent, Running) {
    let agent = Agent::start().await;
    let mut watched = start(consul(&agent));
    watched.until_found(&[FIRST]).await;
    (agent, watched)
}

#[test]
fn the_index_to_ask_with() {
    for (asked, answered, next) in [
        (0, 7, 7),
        (7, 9, 9),
        (7, 7, 7),
        (7, 6, 0),
        (u64::MAX, 1, 0),
        (0, 0, 1),
        (1, 0, 0),
        (7, u64::MAX, u64::MAX),
    ] {
        assert_eq!(next_index(asked, answered), next, "{asked} {answered}");
    }
}

#[tokio::test]
async fn asks_for_what_passes_and_blocks_for_what_comes_next() {
    let agent = Agent::start().await;
    let mut watched = start(Consul {
        tag: Some("blue".to_owned()),
        datacenter: Some("dc2".to_owned()),
        token: Some(Secret::new("made-up-token".to_owned())),
        ..consul(&agent)
    });
    watched.until_found(&[FIRST]).await;
    agent.until_asked_with("7").await;

    let [first, second] = agent.server.asked().try_into().unwrap();
    assert_eq!(first.path, "/v1/health/service/llama");
    assert_eq!(first.query("passing"), "true");
    assert_eq!(first.query("tag"), "blue");
    assert_eq!(first.query("dc"), "dc2");
    assert_eq!(first.query("wait"), "");
    assert_eq!(first.headers["x-consul-token"], "made-up-token");
    assert_eq!(second.query("wait"), "30s");
}

#[tokio::test]
async fn follows_changes() {
    let (agent, mut watched) = watched().await;
    agent.set(8, &["10.1.0.1", "10.1.0.2"]);
    watched.until_found(&["http://10.1.0.1:8000", "http://10.1.0.2:8000"]).await;
    agent.set(9, &["10.1.0.2"]);
    watched.until_found(&["http://10.1.0.2:8000"]).await;
    agent.set(10, &[]);
    watched.until_found(&[]).await;
    agent.until_asked_with("10").await;
}

#[tokio::test]
async fn an_index_that_goes_backwards_is_started_over() {
    let (agent, mut watched) = watched().await;
    agent.until_asked_with("7").await;
    agent.set(3, &["10.1.0.3"]);
    watched.until_found(&["http://10.1.0.3:8000"]).await;
    agent.until_asked_with("3").await;
    assert_eq!(agent.indexes(), ["", "7", "", "3"]);
}

#[tokio::test]
async fn an_index_of_zero_still_blocks() {
    let agent = Agent::start().await;
    agent.set(0, &[]);
    // Answers at once, whatever it is asked with.
    agent.mood(Mood::Saying(instances(&["10.1.0.1"]).to_string()));
    let mut watched = start(consul(&agent));
    watched.until_found(&[FIRST]).await;
    eventually("a question with 1", || agent.indexes().contains(&"1".to_owned())).await;
}

#[tokio::test]
async fn a_connection_that_is_cut_while_it_blocks_is_told_and_made_again() {
    let (agent, mut watched) = watched().await;
    agent.until_asked_with("7").await;
    agent.mood(Mood::Cutting);
    until_failing(&mut watched, "Consul cannot be reached", &[FIRST]).await;
    agent.mood(Mood::Good);
    watched.until_found(&[FIRST]).await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_keeps_the_last_endpoints() {
    let (agent, mut watched) = watched().await;
    let not_a_list = "Consul's answer is not a list of instances";
    let bodies =
        ["", "[{\"Node\":", "{}", "7", "[{}]", "[{\"Node\":{},\"Service\":{\"Port\":\"x\"}}]"];
    for body in bodies {
        agent.mood(Mood::Saying(if body.is_empty() { " ".into() } else { body.into() }));
        until_failing(&mut watched, not_a_list, &[FIRST]).await;
        agent.mood(Mood::Good);
        watched.until_found(&[FIRST]).await;
    }
    agent.mood(Mood::WithoutIndex);
    until_failing(&mut watched, "has no X-Consul-Index", &[FIRST]).await;
}

#[tokio::test]
async fn an_answer_without_end_is_given_up() {
    let (agent, mut watched) = watched().await;
    agent.mood(Mood::Saying(" ".repeat((16 << 20) + 1)));
    until_failing(&mut watched, "Consul answers with more than 16 MiB", &[FIRST]).await;
}

#[tokio::test]
async fn refusals_are_told_without_the_token() {
    let agent = Agent::start().await;
    let token = Some(Secret::new("made-up-token".to_owned()));
    let mut watched = start(Consul { token, ..consul(&agent) });
    watched.until_found(&[FIRST]).await;
    let table = [
        (403, "Permission denied: made-up-token", "Consul answers 403: Permission denied: <token>"),
        (404, "", "Consul answers 404: "),
        (500, "No cluster\nleader", "Consul answers 500: No cluster leader"),
    ];
    for (status, text, told) in table {
        agent.mood(Mood::Refusing(status, text));
        assert_eq!(until_failing(&mut watched, &status.to_string(), &[FIRST]).await, told);
    }
    // It would be cut in the middle.
    let long: &str = Box::leak(format!("{}made-up-token", "x".repeat(292)).into_boxed_str());
    agent.mood(Mood::Refusing(501, long));
    let told = until_failing(&mut watched, "501", &[FIRST]).await;
    assert!(!told.contains("made"), "{told}");
    agent.mood(Mood::Good);
    watched.until_found(&[FIRST]).await;
}

#[tokio::test]
async fn the_token_follows_no_redirect() {
    let (agent, elsewhere) = (Agent::start().await, Agent::start().await);
    agent.mood(Mood::Redirecting(elsewhere.server.url()));
    let token = Some(Secret::new("made-up-token".to_owned()));
    let mut watched = start(Consul { token, ..consul(&agent) });
    watched.until_failing("Consul answers 301").await;
    assert!(elsewhere.server.asked().is_empty());
}

#[tokio::test]
async fn an_address_that_is_none_is_told_and_the_rest_is_used() {
    let (agent, mut watched) = watched().await;
    agent.set(8, &["10.1.0.1", "not an address", "10.1.0.2"]);
    let both = [FIRST, "http://10.1.0.2:8000"];
    let told = until_failing(&mut watched, "instance `i-not an address`", &both).await;
    assert_eq!(told, "instance `i-not an address` has no address and port that can be used");

    agent.set(9, &["not an address"]);
    agent.until_asked_with("9").await;
    until_failing(&mut watched, "instance `i-not an address`", &both).await;
}

#[tokio::test]
async fn an_address_of_consul_that_is_none_is_told() {
    let agent = Agent::start().await;
    let mut watched = start(Consul { address: "consul".to_owned(), ..consul(&agent) });
    let told = watched.until(|now| now.error.is_some()).await;
    assert_eq!(told.error.unwrap(), "`address` is not a URL");
}
