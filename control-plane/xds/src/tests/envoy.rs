//! A simulated Envoy of either protocol: subscribes, applies, acknowledges and
//! refuses as the real one does, by hand of the test.

use std::collections::{BTreeMap, BTreeSet};

use envoy_types::pb::envoy::service::discovery::v3::{DeltaDiscoveryRequest, DiscoveryRequest};
use envoy_types::pb::google::protobuf::Any;
use envoy_types::pb::google::rpc::Status;
use prost::Message as _;

use crate::{Answer, Protocol, ResourceType, Session, Settings, Snapshot, delta, sotw};

pub const SETTINGS: Settings = Settings { removal_grace_ms: 5_000, patience_ms: 15_000 };
/// Content that the simulated Envoy refuses starts with this.
pub const BAD: &str = "bad";

/// Contents by type and name.
pub type Contents<'a> = &'a [(ResourceType, &'a str, &'a str)];

/// The body is a proto message with one string; it says its name as real ones do.
pub fn body(name: &str, content: &str) -> String {
    format!("{name}={content}")
}

pub fn snapshot(contents: Contents) -> Snapshot {
    let mut builder = Snapshot::builder();
    for (kind, name, content) in contents {
        builder.put(*kind, name, &body(name, content));
    }
    builder.build()
}

/// A response, of either protocol.
#[derive(Clone, Debug)]
pub struct Message {
    pub kind: ResourceType,
    pub nonce: String,
    /// Name, version (empty in state of the world), content.
    pub resources: Vec<(String, String, String)>,
    pub removed: Vec<String>,
    version_info: String,
}

fn read(body: &Any) -> (String, String) {
    let text = String::decode(body.value.as_slice()).unwrap();
    let (name, content) = text.split_once('=').unwrap();
    (name.to_owned(), content.to_owned())
}

impl Message {
    fn of(protocol: Protocol, answer: &Answer) -> Self {
        match protocol {
            Protocol::Delta => Self::of_delta(answer),
            Protocol::Sotw => Self::of_sotw(answer),
        }
    }

    fn of_delta(answer: &Answer) -> Self {
        let response = delta::response(answer);
        let resources = response.resources.iter().map(|r| {
            let (name, content) = read(r.resource.as_ref().unwrap());
            assert_eq!(name, r.name);
            (name, r.version.clone(), content)
        });
        Self {
            kind: ResourceType::from_type_url(&response.type_url).unwrap(),
            nonce: response.nonce.clone(),
            resources: resources.collect(),
            removed: response.removed_resources,
            version_info: String::new(),
        }
    }

    fn of_sotw(answer: &Answer) -> Self {
        let response = sotw::response(answer);
        let resources = response.resources.iter().map(|body| {
            let (name, content) = read(body);
            (name, String::new(), content)
        });
        Self {
            kind: ResourceType::from_type_url(&response.type_url).unwrap(),
            nonce: response.nonce.clone(),
            resources: resources.collect(),
            removed: Vec::new(),
            version_info: response.version_info,
        }
    }

    pub fn is_bad(&self) -> bool {
        self.resources.iter().any(|(_, _, content)| content.starts_with(BAD))
    }

    fn summary(&self) -> String {
        let removed = self.removed.iter().map(|name| format!("-{name}"));
        let all: Vec<_> = self.names().into_iter().map(str::to_owned).chain(removed).collect();
        all.join(" ")
    }

    pub fn names(&self) -> Vec<&str> {
        self.resources.iter().map(|(name, ..)| name.as_str()).collect()
    }
}

/// A change of what is wanted, or an answer, or both.
#[derive(Clone, Debug)]
pub struct Change {
    pub kind: ResourceType,
    pub subscribe: Vec<String>,
    pub unsubscribe: Vec<String>,
    /// `None`: of the last response that was answered.
    pub nonce: Option<String>,
    pub error: Option<String>,
    pub declared: BTreeMap<String, String>,
}

pub fn subscribe(kind: ResourceType, names: &[&str]) -> Change {
    Change {
        kind,
        subscribe: names.iter().map(|n| (*n).to_owned()).collect(),
        unsubscribe: Vec::new(),
        nonce: None,
        error: None,
        declared: BTreeMap::new(),
    }
}

pub fn unsubscribe(kind: ResourceType, names: &[&str]) -> Change {
    let mut change = subscribe(kind, names);
    change.unsubscribe = std::mem::take(&mut change.subscribe);
    change
}

/// What is wanted of a type.
#[derive(Clone, Debug, Default)]
pub struct Wants {
    star: bool,
    /// Wants all because nothing was ever named.
    legacy: bool,
    pub names: BTreeSet<String>,
    named_once: bool,
    /// Of the last response that was answered on this stream.
    nonce: String,
    /// Of the last response that was accepted, on any stream.
    version_info: String,
}

impl Wants {
    pub fn wants(&self, name: &str) -> bool {
        self.star || self.legacy || self.names.contains(name)
    }

    fn change(&mut self, first: bool, change: &Change, protocol: Protocol) {
        let may = change.kind.has_legacy_wildcard();
        self.legacy |= first && may && change.subscribe.is_empty();
        for name in &change.unsubscribe {
            self.star &= name != "*";
            self.legacy &= name != "*";
            self.names.remove(name);
        }
        for name in &change.subscribe {
            if name == "*" {
                self.star = true;
            } else {
                self.names.insert(name.clone());
            }
        }
        self.named_once |= self.star || !self.names.is_empty();
        if protocol == Protocol::Sotw {
            self.legacy = may && !self.named_once;
        }
    }

    fn all_names(&self) -> Vec<String> {
        let star = self.star.then(|| "*".to_owned());
        self.names.iter().cloned().chain(star).collect()
    }
}

#[derive(Debug)]
pub struct Envoy {
    pub protocol: Protocol,
    pub session: Session,
    pub now_ms: u64,
    pub wants: BTreeMap<ResourceType, Wants>,
    /// What is in use, by content: survives the stream.
    pub has: BTreeMap<(ResourceType, String), String>,
    /// What it would declare when it reconnects: versions, with the contents.
    declared: BTreeMap<(ResourceType, String), (String, String)>,
    /// Responses that came and are not answered yet.
    pub inbox: Vec<Message>,
    /// Everything that came: type, names, and names taken away behind a `-`.
    pub log: Vec<(ResourceType, String)>,
    /// When the last response of each type came.
    came_ms: BTreeMap<ResourceType, u64>,
}

impl Envoy {
    pub fn new() -> Self {
        Self::of(Protocol::Delta)
    }

    pub fn of(protocol: Protocol) -> Self {
        Self {
            protocol,
            session: Session::new(protocol, SETTINGS),
            now_ms: 1_000,
            wants: BTreeMap::new(),
            has: BTreeMap::new(),
            declared: BTreeMap::new(),
            inbox: Vec::new(),
            log: Vec::new(),
            came_ms: BTreeMap::new(),
        }
    }

    /// Sends a request and takes in what comes back; returns how many came.
    pub fn send(&mut self, change: &Change, snapshot: &Snapshot) -> usize {
        let kind = change.kind;
        let first = !self.wants.contains_key(&kind);
        let wants = self.wants.entry(kind).or_default();
        wants.change(first, change, self.protocol);
        let keep = |k: &ResourceType, n: &String| *k != kind || wants.wants(n);
        self.has.retain(|(k, n), _| keep(k, n));
        self.declared.retain(|(k, n), _| keep(k, n));
        let ask = match self.protocol {
            Protocol::Delta => delta::ask(delta_request(change, wants)),
            Protocol::Sotw => sotw::ask(sotw_request(change, wants)),
        };
        let answers = self.session.on_request(&ask.unwrap(), snapshot, self.now_ms).unwrap();
        self.take(&answers)
    }

    pub fn change(&mut self, snapshot: &Snapshot) -> usize {
        let answers = self.session.on_change(snapshot, self.now_ms);
        self.take(&answers)
    }

    pub fn pass(&mut self, ms: u64, snapshot: &Snapshot) -> usize {
        self.now_ms += ms;
        let answers = self.session.on_timer(snapshot, self.now_ms);
        self.take(&answers)
    }

    fn take(&mut self, answers: &[Answer]) -> usize {
        for message in answers.iter().map(|answer| Message::of(self.protocol, answer)) {
            let kind = message.kind;
            let twice = self.inbox.iter().any(|other| other.kind == kind);
            assert!(!twice, "at most one response in flight per type: {kind:?}");
            let removes = !message.removed.is_empty();
            let ecds = kind == ResourceType::ExtensionConfig;
            assert!(!(ecds && removes), "never remove an ExtensionConfig");
            assert!(!self.breaks_the_order(kind), "{kind:?} came before its parts were settled");
            self.came_ms.insert(kind, self.now_ms);
            self.log.push((kind, message.summary()));
            self.inbox.push(message);
        }
        answers.len()
    }

    /// A user came while a cluster or endpoints are unanswered, and not for
    /// longer than patience lasts.
    fn breaks_the_order(&self, kind: ResourceType) -> bool {
        let unanswered = self.inbox.iter().map(|message| message.kind);
        let mut parts = unanswered
            .filter(|part| matches!(part, ResourceType::Cluster | ResourceType::Endpoints));
        let user = kind >= ResourceType::Listener;
        user && parts.any(|part| self.came_ms[&part] + SETTINGS.patience_ms > self.now_ms)
    }

    /// Answers the unanswered response at this place: applies what is good,
    /// and refuses the whole if anything is bad. Versions of a refused response
    /// are not declared later, though its good parts are in use. A full state
    /// takes away what it does not hold, refused or not.
    pub fn answer(&mut self, place: usize, snapshot: &Snapshot) -> usize {
        let message = self.inbox.remove(place);
        let refuse = message.is_bad();
        self.apply(&message, refuse);
        let mut change = subscribe(message.kind, &[]);
        change.error = refuse.then(|| "made-up refusal".to_owned());
        let wants = self.wants.get_mut(&message.kind).unwrap();
        wants.nonce.clone_from(&message.nonce);
        if !refuse {
            wants.version_info = message.version_info;
        }
        self.send(&change, snapshot)
    }

    fn apply(&mut self, message: &Message, refuse: bool) {
        let kind = message.kind;
        if self.protocol == Protocol::Sotw && kind.has_legacy_wildcard() {
            let names = message.names();
            self.has.retain(|(k, name), _| *k != kind || names.contains(&name.as_str()));
        }
        for (name, version, content) in &message.resources {
            if !self.wants[&kind].wants(name) || content.starts_with(BAD) {
                continue;
            }
            let key = (kind, name.clone());
            self.has.insert(key.clone(), content.clone());
            if !refuse {
                self.declared.insert(key, (version.clone(), content.clone()));
            }
        }
        for name in message.removed.iter().filter(|_| !refuse) {
            self.has.remove(&(kind, name.clone()));
            self.declared.remove(&(kind, name.clone()));
        }
    }

    /// Answers everything, and what comes of it, until nothing comes.
    pub fn settle(&mut self, snapshot: &Snapshot) {
        for _ in 0..1_000 {
            if self.inbox.is_empty() {
                return;
            }
            self.answer(0, snapshot);
        }
        panic!("the session never comes to rest");
    }

    /// The stream broke: a new session, and first requests in this order.
    ///
    /// What a refused delta response left behind cannot be declared, so no
    /// server can know of it: the simulated Envoy forgets it here.
    pub fn reconnect(&mut self, order: &[ResourceType], snapshot: &Snapshot) {
        self.session = Session::new(self.protocol, SETTINGS);
        self.inbox.clear();
        if self.protocol == Protocol::Delta {
            let declared = self.declared.iter();
            self.has = declared.map(|(key, (_, content))| (key.clone(), content.clone())).collect();
        }
        for kind in order {
            let Some(mut wants) = self.wants.remove(kind) else { continue };
            let mut change = subscribe(*kind, &[]);
            change.subscribe = wants.all_names();
            let declared = self.declared.iter().filter(|((k, _), _)| k == kind);
            change.declared =
                declared.map(|((_, name), (version, _))| (name.clone(), version.clone())).collect();
            wants = Wants { version_info: wants.version_info, ..Wants::default() };
            wants.change(true, &change, self.protocol);
            self.wants.insert(*kind, wants);
            self.send(&change, snapshot);
        }
    }
}

fn delta_request(change: &Change, wants: &Wants) -> DeltaDiscoveryRequest {
    let answers = change.error.is_some() || change.subscribe.is_empty();
    let nonce = wants.nonce.clone();
    DeltaDiscoveryRequest {
        type_url: change.kind.type_url().to_owned(),
        resource_names_subscribe: change.subscribe.clone(),
        resource_names_unsubscribe: change.unsubscribe.clone(),
        initial_resource_versions: change.declared.clone().into_iter().collect(),
        response_nonce: change.nonce.clone().unwrap_or(if answers { nonce } else { String::new() }),
        error_detail: change.error.clone().map(refusal),
        ..Default::default()
    }
}

fn sotw_request(change: &Change, wants: &Wants) -> DiscoveryRequest {
    DiscoveryRequest {
        type_url: change.kind.type_url().to_owned(),
        resource_names: wants.all_names(),
        version_info: wants.version_info.clone(),
        response_nonce: change.nonce.clone().unwrap_or_else(|| wants.nonce.clone()),
        error_detail: change.error.clone().map(refusal),
        ..Default::default()
    }
}

fn refusal(message: String) -> Status {
    Status { message, ..Default::default() }
}
