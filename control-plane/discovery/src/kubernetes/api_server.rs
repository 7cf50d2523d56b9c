//! An API server for tests, as much of one as listing and watching
//! `EndpointSlice`s takes: versions, pages, a log that watches are served from
//! and that can be forgotten, bookmarks.

use crate::test_http_server::{Answer, Asked, Server, any_port};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::watch;

const LIST: &str = include_str!("../../testdata/kubernetes/endpointslices.json");
const FORBIDDEN: &str = include_str!("../../testdata/kubernetes/forbidden.json");
const GONE: &str = include_str!("../../testdata/kubernetes/gone.json");

/// How the open watches end.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ending {
    /// In good order.
    Closed,
    /// In the middle of an event.
    HalfAnEvent,
    /// With 410 Gone as the last event.
    Gone,
    /// With an event that is no JSON.
    Garbage,
}

/// How requests are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mood {
    #[default]
    Good,
    /// 403 for everything.
    Forbidding,
    /// Every watch is closed as soon as it is open.
    Hasty,
    /// Lists break off after their first page.
    HalfAList,
    /// After every page of a list there is another one.
    Endless,
    /// Every watch gets a bookmark and is closed.
    BookmarkAndHasty,
    /// 503 for everything.
    Down,
}

#[derive(Clone, Default)]
struct World {
    version: u64,
    slices: BTreeMap<String, Value>,
    log: Vec<(u64, Value)>,
    /// Watches from before this version are gone.
    known_since: u64,
    gone_as_status: bool,
    mood: Mood,
    endings: Vec<Ending>,
}

pub(super) struct ApiServer {
    pub(super) http: Server,
    world: watch::Sender<World>,
    opened: Opened,
}

/// How many watches have been opened.
type Opened = Arc<AtomicUsize>;

impl ApiServer {
    /// With the slices that were recorded.
    pub(super) async fn start() -> Self {
        Self::start_at(any_port()).await
    }

    pub(super) async fn start_at(address: SocketAddr) -> Self {
        let (world, view) = watch::channel(recorded());
        let opened = Opened::default();
        let counted = opened.clone();
        let answer = move |asked, answer| serve(view.clone(), counted.clone(), asked, answer);
        ApiServer { http: Server::start(address, answer).await, world, opened }
    }

    /// Adds or modifies a slice.
    pub(super) fn put(&self, mut slice: Value) {
        self.world.send_modify(|world| {
            world.version += 1;
            slice["metadata"]["resourceVersion"] = json!(world.version.to_string());
            let name = slice["metadata"]["name"].as_str().unwrap().to_owned();
            let known = world.slices.insert(name, slice.clone()).is_some();
            world.log(if known { "MODIFIED" } else { "ADDED" }, slice);
        });
    }

    pub(super) fn delete(&self, name: &str) {
        self.world.send_modify(|world| {
            world.version += 1;
            let mut slice = world.slices.remove(name).unwrap();
            slice["metadata"]["resourceVersion"] = json!(world.version.to_string());
            world.log("DELETED", slice);
        });
    }

    /// Other things have happened in the cluster; gives the version.
    pub(super) fn bookmark(&self) -> String {
        self.world.send_modify(|world| {
            world.version += 100;
            let event = bookmark(world.version);
            world.log.push((world.version, event));
        });
        self.world.borrow().version.to_string()
    }

    /// Forgets what has happened, so that no watch can go on. `as_status`: says
    /// so as the status of the answer instead of as an event.
    pub(super) fn forget(&self, as_status: bool) {
        self.world.send_modify(|world| {
            world.version += 100;
            world.known_since = world.version;
            world.gone_as_status = as_status;
            world.log.clear();
        });
    }

    pub(super) fn end_watches(&self, ending: Ending) {
        self.world.send_modify(|world| world.endings.push(ending));
    }

    pub(super) fn mood(&self, mood: Mood) {
        self.world.send_modify(|world| world.mood = mood);
    }

    pub(super) fn slice(&self, name: &str) -> Value {
        self.world.borrow().slices[name].clone()
    }

    /// How many watches have been opened.
    pub(super) fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    /// The lists that were asked for, or the watches.
    pub(super) fn asked(&self, watches: bool) -> Vec<Asked> {
        let asked = self.http.asked().into_iter();
        asked.filter(|asked| (asked.query("watch") == "true") == watches).collect()
    }
}

impl World {
    fn log(&mut self, kind: &str, object: Value) {
        self.log.push((self.version, json!({ "type": kind, "object": object })));
    }
}

fn bookmark(version: u64) -> Value {
    let metadata = json!({ "resourceVersion": version.to_string() });
    let slice = json!({
        "kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1", "metadata": metadata
    });
    json!({ "type": "BOOKMARK", "object": slice })
}

fn recorded() -> World {
    let mut list: Value = serde_json::from_str(LIST).unwrap();
    let version = list["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
    let Value::Array(items) = list["items"].take() else { panic!("no items") };
    let named = |slice: Value| (slice["metadata"]["name"].as_str().unwrap().to_owned(), slice);
    World { version, slices: items.into_iter().map(named).collect(), ..World::default() }
}

async fn serve(view: watch::Receiver<World>, opened: Opened, asked: Asked, answer: Answer) {
    let world = view.borrow().clone();
    match world.mood {
        Mood::Forbidding => answer.whole(403, "", FORBIDDEN).await,
        Mood::Down => answer.whole(503, "", "<html>\n<h1>No backend</h1>").await,
        _ if asked.query("watch") == "true" => follow(view, opened, &asked, answer).await,
        mood => list(&world, mood, &asked, answer).await,
    }
}

/// A page of `limit` slices, at most one where the list is to break off.
async fn list(world: &World, mood: Mood, asked: &Asked, mut answer: Answer) {
    let broken = mood == Mood::HalfAList;
    let limit = if broken { 1 } else { asked.query("limit").parse().unwrap() };
    let from: usize = asked.query("continue").parse().unwrap_or(0);
    let items: Vec<&Value> = world.slices.values().skip(from).take(limit).collect();
    let endless = mood == Mood::Endless;
    let next = (endless || from + limit < world.slices.len()).then(|| (from + limit).to_string());
    let metadata = json!({ "resourceVersion": world.version.to_string(), "continue": next });
    let page = json!({
        "kind": "EndpointSliceList", "apiVersion": "discovery.k8s.io/v1",
        "metadata": metadata, "items": items
    });
    if broken && from > 0 {
        answer.begin(200, "").await;
        return answer.piece("{\"kind\":\"EndpointSliceList\",").await;
    }
    answer.whole(200, "", &page.to_string()).await;
}

async fn follow(
    mut view: watch::Receiver<World>,
    opened: Opened,
    asked: &Asked,
    mut answer: Answer,
) {
    let mut sent: u64 = asked.query("resourceVersion").parse().unwrap();
    let world = view.borrow_and_update().clone();
    let gone = json!({ "type": "ERROR", "object": serde_json::from_str::<Value>(GONE).unwrap() });
    match (sent < world.known_since, world.gone_as_status) {
        (true, true) => return answer.whole(410, "", GONE).await,
        (true, false) => return answer.whole(200, "", &format!("{gone}\n")).await,
        _ => answer.begin(200, "").await,
    }
    let endings = world.endings.len();
    opened.fetch_add(1, Ordering::SeqCst);
    loop {
        let world = view.borrow_and_update().clone();
        for (_, event) in world.log.iter().filter(|(version, _)| *version > sent) {
            answer.piece(&format!("{event}\n")).await;
        }
        sent = sent.max(world.version);
        match world.endings.get(endings) {
            _ if world.mood == Mood::Hasty => return answer.end().await,
            _ if world.mood == Mood::BookmarkAndHasty => {
                answer.piece(&format!("{}\n", bookmark(world.version))).await;
                return answer.end().await;
            }
            None => {}
            Some(Ending::Closed) => return answer.end().await,
            Some(Ending::HalfAnEvent) => {
                return answer.piece("{\"type\":\"MODIFIED\",\"object\":{\"meta").await;
            }
            Some(Ending::Gone) => {
                answer.piece(&format!("{gone}\n")).await;
                return answer.end().await;
            }
            Some(Ending::Garbage) => {
                answer.piece("{\"type\":\"MODIFIED\",\"object\":7}\n").await;
                return answer.end().await;
            }
        }
        if view.changed().await.is_err() {
            return;
        }
    }
}
