//! What the source makes of everything an API server does.

use super::access;
use super::api_server::{ApiServer, Ending, Mood};
use super::watch::Watch;
use crate::backoff::Backoff;
use crate::source::Listed;
use crate::test_http_server::any_port;
use crate::test_running::{Running, eventually};
use kube::Config;
use kube::config::AuthInfo;
use model::Kubernetes;
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

/// The pause after a first failure.
const PAUSE: Duration = Duration::from_millis(20);

/// What was recorded: two pods by IPv4, one by IPv6 alone, one not ready.
const RECORDED: [&str; 3] =
    ["http://10.0.0.11:8000", "http://10.0.0.13:8000", "http://[fd00:10::14]:8000"];

fn watch(address: SocketAddr) -> Running {
    watch_with(Config::new(format!("http://{address}").parse().unwrap()))
}

fn watch_with(config: Config) -> Running {
    let backoff = Backoff::new(PAUSE, 5 * PAUSE);
    let client = access::connect(config).unwrap();
    Running::start(|sink| Watch::new(client, service(), false, sink, backoff).run())
}

fn service() -> Kubernetes {
    Kubernetes {
        namespace: "gpu".to_owned(),
        service: "llama".to_owned(),
        port: Some("http".to_owned()),
        api: None,
    }
}

fn urls(listed: &Listed) -> Vec<String> {
    listed.endpoints.iter().flatten().map(ToString::to_string).collect()
}

/// A slice with one ready endpoint at `ip`.
fn slice(name: &str, ip: &str) -> Value {
    json!({
        "metadata": {
            "name": name, "namespace": "gpu", "labels": { "kubernetes.io/service-name": "llama" }
        },
        "addressType": "IPv4",
        "endpoints": [{ "addresses": [ip], "conditions": { "ready": true } }],
        "ports": [{ "name": "http", "port": 8000, "protocol": "TCP" }],
    })
}

/// A server whose recorded slices are known, and who watches it.
async fn watched() -> (ApiServer, Running) {
    let server = ApiServer::start().await;
    let mut watched = watch(server.http.address);
    watched.until_found(&RECORDED).await;
    eventually("a watch", || server.opened() == 1).await;
    (server, watched)
}

#[tokio::test]
async fn lists_the_slices_of_the_service_and_watches_from_the_version_of_the_list() {
    let (server, _watched) = watched().await;

    let list = &server.asked(false)[0];
    assert_eq!(list.path, "/apis/discovery.k8s.io/v1/namespaces/gpu/endpointslices");
    assert_eq!(list.query("labelSelector"), "kubernetes.io/service-name=llama");
    let watch = &server.asked(true)[0];
    assert_eq!(watch.path, list.path);
    assert_eq!(watch.query("labelSelector"), "kubernetes.io/service-name=llama");
    assert_eq!(watch.query("resourceVersion"), "48211");
    assert_eq!(watch.query("allowWatchBookmarks"), "true");
    assert_eq!(watch.query("timeoutSeconds"), "120");
}

#[tokio::test]
async fn follows_slices_that_come_change_and_go() {
    let (server, mut watched) = watched().await;

    server.put(slice("llama-new", "10.0.0.9"));
    let with = ["http://10.0.0.9:8000", RECORDED[0], RECORDED[1], RECORDED[2]];
    watched.until_found(&with).await;

    server.put(slice("llama-new", "10.0.0.10"));
    watched.until_found(&["http://10.0.0.10:8000", RECORDED[0], RECORDED[1], RECORDED[2]]).await;

    server.delete("llama-new");
    watched.until_found(&RECORDED).await;
    assert_eq!(server.asked(false).len(), 1, "listed once");
}

#[tokio::test]
async fn an_endpoint_that_stops_being_ready_leaves_and_comes_back() {
    let (server, mut watched) = watched().await;
    let mut slice = server.slice("llama-5x2kq");

    slice["endpoints"][0]["conditions"] = json!({ "ready": false, "serving": false });
    slice["endpoints"][1]["conditions"] = json!({ "ready": true, "serving": true });
    server.put(slice.clone());
    // The first pod's other address says that it is ready; it has not spoken yet.
    let [_, third, fourth] = RECORDED;
    watched
        .until_found(&["http://10.0.0.12:8000", third, "http://[fd00:10::11]:8000", fourth])
        .await;

    slice["endpoints"][0]["conditions"] = json!({ "ready": true });
    slice["endpoints"][1]["conditions"] = json!({ "ready": false });
    server.put(slice);
    watched.until_found(&RECORDED).await;
}

#[tokio::test]
async fn goes_on_from_the_bookmark_after_a_disconnect() {
    let (server, mut watched) = watched().await;
    let version = server.bookmark();
    // What comes after the bookmark shows that it has been read.
    server.put(slice("llama-new", "10.0.0.10"));
    watched.until(|now| urls(now).len() == 4).await;
    server.delete("llama-new");
    watched.until_found(&RECORDED).await;
    let last = server.bookmark();
    assert_ne!(version, last);
    // Old enough not to be one that is closed at once.
    tokio::time::sleep(4 * PAUSE).await;
    server.end_watches(Ending::Closed);

    eventually("a watch from the bookmark", || {
        server.asked(true).iter().any(|watch| watch.query("resourceVersion") == last)
    })
    .await;
    server.put(slice("llama-new", "10.0.0.10"));
    watched.until(|now| urls(now).len() == 4).await;
    assert_eq!(server.asked(false).len(), 1, "listed once");
}

#[tokio::test]
async fn half_an_event_is_not_taken_and_not_missed() {
    let (server, mut watched) = watched().await;
    server.end_watches(Ending::HalfAnEvent);
    eventually("a second watch", || server.asked(true).len() >= 2).await;
    assert_eq!(server.asked(true)[1].query("resourceVersion"), "48211");
    server.put(slice("llama-new", "10.0.0.10"));
    watched.until(|now| now.error.is_none() && urls(now).len() == 4).await;
    assert_eq!(server.asked(false).len(), 1, "listed once");
}

#[tokio::test]
async fn lists_again_when_the_stream_says_410_gone() {
    let (server, mut watched) = watched().await;
    server.put(slice("llama-new", "10.0.0.10"));
    watched.until(|now| urls(now).len() == 4).await;
    server.end_watches(Ending::Gone);
    eventually("a second list", || server.asked(false).len() >= 2).await;
    server.delete("llama-new");
    watched.until_found(&RECORDED).await;
}

#[tokio::test]
async fn lists_again_when_a_new_watch_gets_410_gone() {
    for as_status in [false, true] {
        let (server, mut watched) = watched().await;
        server.mood(Mood::Down);
        server.end_watches(Ending::Closed);
        watched.until_failing("503").await;
        server.delete("llama-v6-9cb7d");
        server.forget(as_status);
        server.mood(Mood::Good);
        watched.until_found(&RECORDED[..2]).await;
        eventually("a second list", || server.asked(false).len() >= 2).await;
        eventually("a watch from there", || {
            server.asked(true).iter().any(|watch| watch.query("resourceVersion") == "48312")
        })
        .await;
    }
}

#[tokio::test]
async fn everything_is_listed_again_after_an_event_that_is_none() {
    let (server, mut watched) = watched().await;
    server.end_watches(Ending::Garbage);
    eventually("a second list", || server.asked(false).len() >= 2).await;
    watched.until_found(&RECORDED).await;
}

#[tokio::test]
async fn a_server_that_is_down_at_the_start_is_found_when_it_is_up() {
    let listener = TcpListener::bind(any_port()).unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut watched = watch(address);
    let failing = watched.until_failing("Kubernetes cannot be reached").await;
    assert!(failing.error.unwrap().contains("Connection refused"));
    assert_eq!(failing.endpoints, None);

    let _server = ApiServer::start_at(address).await;
    watched.until_found(&RECORDED).await;
}

#[tokio::test]
async fn a_refusal_is_told_without_the_token_and_the_last_endpoints_stay() {
    let server = ApiServer::start().await;
    let mut config = Config::new(server.http.url().parse().unwrap());
    let token = "made-up-token-4711";
    config.auth_info = AuthInfo { token: Some(token.to_owned().into()), ..AuthInfo::default() };
    let mut watched = watch_with(config);
    watched.until_found(&RECORDED).await;
    eventually("a watch", || server.opened() == 1).await;
    let sent = server.http.asked()[0].headers["authorization"].clone();
    assert_eq!(sent, format!("Bearer {token}"));

    server.mood(Mood::Forbidding);
    server.end_watches(Ending::Closed);
    let failing = watched.until_failing("403").await;
    assert_eq!(urls(&failing), RECORDED);
    let error = failing.error.unwrap();
    assert!(error.contains("User \"system:serviceaccount:gateway:tollgate\" cannot list"));
    assert!(!error.contains(token));

    // Nothing happens to the slices: that a watch stays open is enough.
    server.mood(Mood::Good);
    watched.until_found(&RECORDED).await;
    assert_eq!(server.asked(false).len(), 1, "listed once");
}

#[tokio::test]
async fn half_a_list_takes_no_endpoint_away() {
    let (server, mut watched) = watched().await;
    server.mood(Mood::HalfAList);
    server.end_watches(Ending::Gone);
    let failing = watched.until_failing("error reading a body").await;
    assert_eq!(urls(&failing), RECORDED);
    server.mood(Mood::Good);
    watched.until_found(&RECORDED).await;
}

#[tokio::test]
async fn a_list_of_several_pages_is_put_together() {
    let server = ApiServer::start().await;
    for number in 0..150 {
        server.put(slice(&format!("llama-{number:03}"), &format!("10.0.1.{number}")));
    }
    let mut watched = watch(server.http.address);
    watched.until(|now| urls(now).len() == 153).await;
    let pages: Vec<String> =
        server.asked(false).iter().map(|page| page.query("continue").to_owned()).collect();
    assert_eq!(pages, ["", "100"]);
}

#[tokio::test]
async fn watches_that_are_closed_at_once_are_told_and_not_hammered() {
    let server = ApiServer::start().await;
    server.mood(Mood::Hasty);
    let started = std::time::Instant::now();
    let mut watched = watch(server.http.address);
    let failing = watched.until_failing("closes every watch at once").await;
    assert_eq!(urls(&failing), RECORDED);
    // Never more than one watch in the shortest pause.
    let most = started.elapsed().as_millis() / PAUSE.as_millis() + 1;
    assert!(server.asked(true).len() as u128 <= most);

    server.mood(Mood::Good);
    watched.until_found(&RECORDED).await;
}

#[tokio::test]
async fn watches_that_bring_a_bookmark_and_are_closed_are_not_hammered() {
    let server = ApiServer::start().await;
    server.mood(Mood::BookmarkAndHasty);
    let started = std::time::Instant::now();
    let mut watched = watch(server.http.address);
    eventually("some watches", || server.asked(true).len() >= 5).await;
    assert!(started.elapsed() >= 4 * PAUSE);
    watched.until_found(&RECORDED).await;
}

#[tokio::test]
async fn a_list_that_does_not_end_is_given_up() {
    let (server, mut watched) = watched().await;
    server.mood(Mood::Endless);
    server.end_watches(Ending::Gone);
    let failing = watched.until_failing("more than 20 pages").await;
    assert_eq!(urls(&failing), RECORDED);
}

#[tokio::test]
async fn slices_without_the_port_are_told_and_take_no_endpoint_away() {
    let (server, mut watched) = watched().await;
    for name in ["llama-5x2kq", "llama-v6-9cb7d"] {
        let mut slice = server.slice(name);
        slice["ports"] = json!([{ "name": "grpc", "port": 9000, "protocol": "TCP" }]);
        server.put(slice);
    }
    let failing = watched.until_failing("slice `llama-v6-9cb7d`").await;
    assert!(failing.error.unwrap().contains("has no TCP port named `http`"));
    assert!(!failing.endpoints.unwrap().is_empty());
}

#[tokio::test]
async fn a_service_without_endpoints_is_an_answer() {
    let (server, mut watched) = watched().await;
    server.delete("llama-5x2kq");
    let mut slice = server.slice("llama-v6-9cb7d");
    slice["endpoints"] = Value::Null;
    slice["ports"] = Value::Null;
    server.put(slice);
    watched.until_found(&[]).await;
}

#[tokio::test]
async fn a_service_without_slices_is_an_answer_and_told() {
    let (server, mut watched) = watched().await;
    server.delete("llama-5x2kq");
    server.delete("llama-v6-9cb7d");
    let told = watched.until_failing("there is no service `llama` in namespace `gpu`").await;
    assert_eq!(told.endpoints, Some(vec![]));
}

#[tokio::test]
async fn an_api_server_that_needs_no_credentials_is_reached_by_its_url() {
    let server = ApiServer::start().await;
    let service = Kubernetes { api: Some(server.http.url()), ..service() };
    let mut watched = Running::start(|sink| crate::kubernetes::run(service, false, sink));
    watched.until_found(&RECORDED).await;
    assert!(!server.asked(false)[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn an_api_server_without_an_address_is_told() {
    let service = Kubernetes { api: Some("http://a b".to_owned()), ..service() };
    let mut watched = Running::start(|sink| crate::kubernetes::run(service, false, sink));
    watched.until_failing("`api` is not a URL").await;
}
