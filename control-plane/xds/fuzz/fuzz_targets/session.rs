//! Any requests, in either protocol, against a session whose snapshot changes:
//! no panic, at most one response of a type in flight, no extension
//! configuration is taken away, no timer in the past, and rest at the end.
//!
//! The first byte chooses the protocol. Then one byte chooses each event, and
//! the bytes behind it fill it.

#![no_main]

use std::collections::BTreeMap;

use envoy_types::pb::envoy::service::discovery::v3::{DeltaDiscoveryRequest, DiscoveryRequest};
use envoy_types::pb::google::rpc::Status;
use libfuzzer_sys::fuzz_target;
use prost::Message;
use xds::{Answer, Ask, Protocol, ResourceType, Session, Settings, Snapshot, delta, sotw};

const NAMES: [&str; 4] = ["a", "b", "c", "*"];
const SETTINGS: Settings = Settings { removal_grace_ms: 5_000, patience_ms: 15_000 };
/// Enough for all removals and halvings of so few names.
const ROUNDS_MAX: usize = 1_000;

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn kind(&mut self) -> Option<ResourceType> {
        let place = usize::from(self.byte()?);
        Some(ResourceType::ALL[place % ResourceType::ALL.len()])
    }

    /// One name for each of the low four bits.
    fn names(&mut self) -> Option<Vec<String>> {
        let bits = self.byte()?;
        let named = NAMES.iter().enumerate().filter(|(place, _)| bits >> place & 1 == 1);
        Some(named.map(|(_, name)| (*name).to_owned()).collect())
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.byte()?).min(self.0.len());
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        Some(bytes)
    }
}

/// A request as it goes over the wire, before it is known to be sensible.
enum Request {
    Delta(DeltaDiscoveryRequest),
    Sotw(DiscoveryRequest),
}

impl Request {
    fn decode(protocol: Protocol, bytes: &[u8]) -> Option<Self> {
        match protocol {
            Protocol::Delta => DeltaDiscoveryRequest::decode(bytes).ok().map(Self::Delta),
            Protocol::Sotw => DiscoveryRequest::decode(bytes).ok().map(Self::Sotw),
        }
    }

    fn type_and_nonce(&self) -> (Option<ResourceType>, &str) {
        let (url, nonce) = match self {
            Self::Delta(request) => (&request.type_url, &request.response_nonce),
            Self::Sotw(request) => (&request.type_url, &request.response_nonce),
        };
        (ResourceType::from_type_url(url), nonce)
    }

    fn ask(self) -> Option<Ask> {
        match self {
            Self::Delta(request) => delta::ask(request),
            Self::Sotw(request) => sotw::ask(request),
        }
    }
}

struct World {
    protocol: Protocol,
    session: Session,
    contents: BTreeMap<(ResourceType, &'static str), u8>,
    needs: Vec<((ResourceType, &'static str), (ResourceType, &'static str))>,
    snapshot: Snapshot,
    in_flight: BTreeMap<ResourceType, String>,
    now_ms: u64,
}

impl World {
    fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            session: Session::new(protocol, SETTINGS),
            contents: BTreeMap::new(),
            needs: Vec::new(),
            snapshot: Snapshot::default(),
            in_flight: BTreeMap::new(),
            now_ms: 0,
        }
    }

    /// `None` at the end of the input.
    fn happen(&mut self, input: &mut Input) -> Option<()> {
        match input.byte()? % 8 {
            0 => {
                if let Some(request) = Request::decode(self.protocol, input.bytes()?) {
                    self.send(request);
                }
            }
            1 | 2 => {
                let request = self.request(input)?;
                self.send(request);
            }
            3 | 4 => {
                let (kind, error) = (input.kind()?, input.byte()?);
                self.answer(kind, error % 3 == 0);
            }
            5 | 6 => self.publish(input)?,
            _ => {
                self.now_ms += u64::from(input.byte()?) * 100;
                let answers = self.session.on_timer(&self.snapshot, self.now_ms);
                self.take(&answers);
            }
        }
        Some(())
    }

    /// A request of made-up names, with the right nonce or none.
    fn request(&self, input: &mut Input) -> Option<Request> {
        let (kind, subscribe, unsubscribe) = (input.kind()?, input.names()?, input.names()?);
        let how = input.byte()?;
        let nonce = self.in_flight.get(&kind).filter(|_| how & 1 == 1);
        let response_nonce = nonce.cloned().unwrap_or_default();
        let error = (how & 2 == 2).then(Status::default);
        let type_url = kind.type_url().to_owned();
        Some(match self.protocol {
            Protocol::Delta => Request::Delta(DeltaDiscoveryRequest {
                type_url,
                initial_resource_versions: unsubscribe
                    .iter()
                    .map(|name| (name.clone(), String::new()))
                    .collect(),
                resource_names_subscribe: subscribe,
                resource_names_unsubscribe: unsubscribe,
                response_nonce,
                error_detail: error,
                ..Default::default()
            }),
            Protocol::Sotw => Request::Sotw(DiscoveryRequest {
                type_url,
                resource_names: subscribe,
                version_info: if how & 4 == 4 { "some".into() } else { String::new() },
                response_nonce,
                error_detail: error,
                ..Default::default()
            }),
        })
    }

    /// An acknowledgement or a refusal, with the names left as they are.
    fn answer(&mut self, kind: ResourceType, refuse: bool) {
        let Some(nonce) = self.in_flight.get(&kind).cloned() else { return };
        let error = refuse.then(Status::default);
        let type_url = kind.type_url().to_owned();
        self.send(match self.protocol {
            Protocol::Delta => Request::Delta(DeltaDiscoveryRequest {
                type_url,
                response_nonce: nonce,
                error_detail: error,
                ..Default::default()
            }),
            Protocol::Sotw => Request::Sotw(DiscoveryRequest {
                type_url,
                response_nonce: nonce,
                error_detail: error,
                resource_names: vec!["a".into(), "b".into()],
                ..Default::default()
            }),
        });
    }

    fn publish(&mut self, input: &mut Input) -> Option<()> {
        let (kind, place, content) = (input.kind()?, input.byte()?, input.byte()?);
        let name = NAMES[usize::from(place) % 3];
        match content % 8 {
            0 => drop(self.contents.remove(&(kind, name))),
            1 if self.needs.len() < 4 => self.needs.push(((kind, name), (input.kind()?, "a"))),
            content => drop(self.contents.insert((kind, name), content)),
        }
        let mut builder = Snapshot::builder_after(Some(self.snapshot.clone().into()));
        for ((kind, name), content) in &self.contents {
            builder.put(*kind, name, &u32::from(*content));
        }
        for (user, used) in &self.needs {
            builder.needs(*user, *used);
        }
        self.snapshot = builder.build();
        let answers = self.session.on_change(&self.snapshot, self.now_ms);
        self.take(&answers);
        Some(())
    }

    fn send(&mut self, request: Request) {
        let (Some(kind), nonce) = request.type_and_nonce() else { return };
        if self.in_flight.get(&kind).is_some_and(|sent| sent == nonce) {
            self.in_flight.remove(&kind);
        }
        let Some(ask) = request.ask() else { return };
        if let Ok(answers) = self.session.on_request(&ask, &self.snapshot, self.now_ms) {
            self.take(&answers);
        }
        drop((self.session.take_nacks(), self.session.take_counts(), self.session.status()));
    }

    fn take(&mut self, answers: &[Answer]) {
        for answer in answers {
            let before = self.in_flight.insert(answer.kind(), answer.nonce().to_owned());
            assert!(before.is_none(), "two {:?} responses in flight", answer.kind());
            let removed = match self.protocol {
                Protocol::Delta => delta::response(answer).removed_resources,
                Protocol::Sotw => drop_response(answer),
            };
            let ecds = answer.kind() == ResourceType::ExtensionConfig;
            assert!(!ecds || removed.is_empty(), "an extension configuration is taken away");
        }
        let deadline_ms = self.session.next_deadline_ms();
        assert!(deadline_ms.is_none_or(|ms| ms > self.now_ms), "a timer in the past");
    }

    /// Everything is acknowledged, and all waiting times pass.
    fn rest(&mut self) {
        for _ in 0..ROUNDS_MAX {
            if let Some(kind) = self.in_flight.keys().next().copied() {
                self.answer(kind, false);
            } else if let Some(at_ms) = self.session.next_deadline_ms() {
                self.now_ms = at_ms;
                let answers = self.session.on_timer(&self.snapshot, self.now_ms);
                self.take(&answers);
            } else {
                let answers = self.session.on_change(&self.snapshot, self.now_ms);
                return assert!(answers.is_empty(), "something is said though nothing changed");
            }
        }
        panic!("the session never comes to rest");
    }
}

fn drop_response(answer: &Answer) -> Vec<String> {
    drop(sotw::response(answer));
    Vec::new()
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let Some(first) = input.byte() else { return };
    let protocol = if first % 2 == 0 { Protocol::Delta } else { Protocol::Sotw };
    let mut world = World::new(protocol);
    while world.happen(&mut input).is_some() {}
    world.rest();
});
