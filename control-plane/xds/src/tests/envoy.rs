//! A simulated Envoy: subscribes, applies, acknowledges and refuses as the
//! real one does, by hand of the test.

use std::collections::{BTreeMap, BTreeSet};

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse,
};
use envoy_types::pb::google::rpc::Status;
use prost::Message;

use crate::{ResourceType, Session, Settings, Snapshot};

pub const SETTINGS: Settings = Settings { removal_grace_ms: 5_000, patience_ms: 15_000 };
/// Content that the simulated Envoy refuses starts with this.
pub const BAD: &str = "bad";

/// Contents by type and name; the body is a proto message with one string.
pub type Contents<'a> = &'a [(ResourceType, &'a str, &'a str)];

pub fn snapshot(contents: Contents) -> Snapshot {
    let mut builder = Snapshot::builder();
    for (kind, name, content) in contents {
        builder.put(*kind, name, &(*content).to_owned());
    }
    builder.build()
}

#[derive(Clone, Debug, Default)]
pub struct Wants {
    pub wildcard: bool,
    pub names: BTreeSet<String>,
}

#[derive(Debug)]
pub struct Envoy {
    pub session: Session,
    pub now_ms: u64,
    pub wants: BTreeMap<ResourceType, Wants>,
    /// What is in use, by content: survives the stream.
    pub has: BTreeMap<(ResourceType, String), String>,
    /// What it would declare when it reconnects: versions, with the contents.
    pub declared: BTreeMap<(ResourceType, String), (String, String)>,
    /// Responses that came and are not answered yet.
    pub inbox: Vec<DeltaDiscoveryResponse>,
    /// When the last response of each type came.
    came_ms: BTreeMap<ResourceType, u64>,
}

pub fn kind_of(response: &DeltaDiscoveryResponse) -> ResourceType {
    ResourceType::from_type_url(&response.type_url).unwrap()
}

pub fn names(response: &DeltaDiscoveryResponse) -> Vec<&str> {
    response.resources.iter().map(|r| r.name.as_str()).collect()
}

fn content(resource: &envoy_types::pb::envoy::service::discovery::v3::Resource) -> String {
    String::decode(resource.resource.as_ref().unwrap().value.as_slice()).unwrap()
}

pub fn is_bad(response: &DeltaDiscoveryResponse) -> bool {
    response.resources.iter().any(|r| content(r).starts_with(BAD))
}

pub fn subscribe(kind: ResourceType, names: &[&str]) -> DeltaDiscoveryRequest {
    DeltaDiscoveryRequest {
        type_url: kind.type_url().to_owned(),
        resource_names_subscribe: names.iter().map(|n| (*n).to_owned()).collect(),
        ..Default::default()
    }
}

pub fn unsubscribe(kind: ResourceType, names: &[&str]) -> DeltaDiscoveryRequest {
    let mut request = subscribe(kind, names);
    request.resource_names_unsubscribe = std::mem::take(&mut request.resource_names_subscribe);
    request
}

impl Envoy {
    pub fn new() -> Self {
        Self {
            session: Session::new(SETTINGS),
            now_ms: 1_000,
            wants: BTreeMap::new(),
            has: BTreeMap::new(),
            declared: BTreeMap::new(),
            inbox: Vec::new(),
            came_ms: BTreeMap::new(),
        }
    }

    /// Sends a request and takes in what comes back; returns how many came.
    pub fn send(&mut self, request: &DeltaDiscoveryRequest, snapshot: &Snapshot) -> usize {
        let kind = ResourceType::from_type_url(&request.type_url).unwrap();
        let first = !self.wants.contains_key(&kind);
        let wants = self.wants.entry(kind).or_default();
        let unnamed = request.resource_names_subscribe.is_empty();
        wants.wildcard |= first && unnamed && kind.has_legacy_wildcard();
        for name in &request.resource_names_unsubscribe {
            if name == "*" {
                wants.wildcard = false;
            } else {
                wants.names.remove(name);
            }
        }
        for name in &request.resource_names_subscribe {
            if name == "*" {
                wants.wildcard = true;
            } else {
                wants.names.insert(name.clone());
            }
        }
        let wants = wants.clone();
        let keep =
            |k: &ResourceType, n: &String| *k != kind || wants.wildcard || wants.names.contains(n);
        self.has.retain(|(k, n), _| keep(k, n));
        self.declared.retain(|(k, n), _| keep(k, n));
        let responses = self.session.on_request(request, snapshot, self.now_ms);
        self.take(responses)
    }

    pub fn change(&mut self, snapshot: &Snapshot) -> usize {
        let responses = self.session.on_change(snapshot, self.now_ms);
        self.take(responses)
    }

    pub fn pass(&mut self, ms: u64, snapshot: &Snapshot) -> usize {
        self.now_ms += ms;
        let responses = self.session.on_timer(snapshot, self.now_ms);
        self.take(responses)
    }

    fn take(&mut self, responses: Vec<DeltaDiscoveryResponse>) -> usize {
        let count = responses.len();
        for response in responses {
            let kind = kind_of(&response);
            let twice = self.inbox.iter().any(|other| kind_of(other) == kind);
            assert!(!twice, "at most one response in flight per type: {kind:?}");
            let removes = !response.removed_resources.is_empty();
            let ecds = kind == ResourceType::ExtensionConfig;
            assert!(!(ecds && removes), "never remove an ExtensionConfig");
            assert!(!self.breaks_the_order(kind), "{kind:?} came before its parts were settled");
            self.came_ms.insert(kind, self.now_ms);
            self.inbox.push(response);
        }
        count
    }

    /// A user came while a cluster or endpoints are unanswered, and not for
    /// longer than patience lasts.
    fn breaks_the_order(&self, kind: ResourceType) -> bool {
        let unanswered = self.inbox.iter().map(kind_of);
        let mut parts = unanswered
            .filter(|part| matches!(part, ResourceType::Cluster | ResourceType::Endpoints));
        let user = kind >= ResourceType::Listener;
        user && parts.any(|part| self.came_ms[&part] + SETTINGS.patience_ms > self.now_ms)
    }

    /// Answers the unanswered response at this place: applies what is good,
    /// and refuses the whole if anything is bad. Versions of a refused response
    /// are not declared later, though its good parts are in use.
    pub fn answer(&mut self, place: usize, snapshot: &Snapshot) -> usize {
        let response = self.inbox.remove(place);
        let kind = kind_of(&response);
        let refuse = is_bad(&response);
        for resource in &response.resources {
            let wants = &self.wants[&kind];
            let wanted = wants.wildcard || wants.names.contains(&resource.name);
            if wanted && !content(resource).starts_with(BAD) {
                let key = (kind, resource.name.clone());
                self.has.insert(key.clone(), content(resource));
                if !refuse {
                    self.declared.insert(key, (resource.version.clone(), content(resource)));
                }
            }
        }
        for name in response.removed_resources.iter().filter(|_| !refuse) {
            self.has.remove(&(kind, name.clone()));
            self.declared.remove(&(kind, name.clone()));
        }
        let mut request = subscribe(kind, &[]);
        request.response_nonce = response.nonce;
        request.error_detail =
            refuse.then(|| Status { message: "made-up refusal".into(), ..Default::default() });
        self.send(&request, snapshot)
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
    /// What a refused response left behind cannot be declared, so no server can
    /// know of it: the simulated Envoy forgets it here.
    pub fn reconnect(&mut self, order: &[ResourceType], snapshot: &Snapshot) {
        self.session = Session::new(SETTINGS);
        self.inbox.clear();
        let declared = self.declared.iter();
        self.has = declared.map(|(key, (_, content))| (key.clone(), content.clone())).collect();
        for (place, kind) in order.iter().enumerate() {
            let Some(wants) = self.wants.get(kind).cloned() else { continue };
            let mut request = subscribe(*kind, &[]);
            request.resource_names_subscribe = wants.names.into_iter().collect();
            let legacy = request.resource_names_subscribe.is_empty() && kind.has_legacy_wildcard();
            if wants.wildcard && !legacy {
                request.resource_names_subscribe.push("*".into());
            }
            let declared = self.declared.iter().filter(|((k, _), _)| k == kind);
            request.initial_resource_versions =
                declared.map(|((_, name), (version, _))| (name.clone(), version.clone())).collect();
            request.node =
                (place == 0).then(|| Node { id: "envoy-1".into(), ..Default::default() });
            self.wants.entry(*kind).or_default().wildcard |= legacy;
            self.send(&request, snapshot);
        }
    }
}
