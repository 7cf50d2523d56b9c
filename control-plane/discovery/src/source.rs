//! What a source says, on its way to be resolved.
//!
//! A source is an `async fn run(.., sink: Sink)` that goes on asking and tells its
//! [`Sink`] what it found or why it could not. One whose answer never changes may
//! return. Retries and their pauses are the source's own; keeping the last
//! endpoints and resolving names is not.

use crate::reason;
use model::Endpoint;
use std::collections::BTreeMap;
use std::fmt::Display;
use tokio::sync::watch;

/// Where endpoints stand, by themselves; of the others the source does not say it.
pub(crate) type Zones = BTreeMap<Endpoint, String>;

/// What a source said last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The endpoints of the last success, in the source's order; `None` until
    /// the first one.
    pub(crate) endpoints: Option<Vec<Endpoint>>,
    /// Where they stand.
    pub(crate) zones: Zones,
    /// Why the last attempt failed; `None` after a success.
    pub(crate) error: Option<String>,
}

/// Where a source puts what it found.
pub(crate) struct Sink {
    sender: watch::Sender<Listed>,
}

impl Sink {
    /// A sink, and where what is put into it comes out.
    pub(crate) fn new() -> (Sink, watch::Receiver<Listed>) {
        let (sender, receiver) = watch::channel(Listed::default());
        (Sink { sender }, receiver)
    }

    /// These are all endpoints there are, hosts may be names; an empty list says
    /// that there are none. To be said again whenever the source confirms it.
    pub(crate) fn found(&self, endpoints: Vec<Endpoint>) {
        self.put(endpoints, Zones::new(), None);
    }

    /// What was read, or why it could not be.
    pub(crate) fn read(&self, outcome: Result<Vec<Endpoint>, impl Display>) {
        match outcome {
            Ok(endpoints) => self.found(endpoints),
            Err(error) => self.failing(error.to_string()),
        }
    }

    /// As [`Sink::found`], but the answer has parts that cannot be used, as `error`
    /// says.
    pub(crate) fn found_partly(&self, endpoints: Vec<Endpoint>, error: String) {
        self.put(endpoints, Zones::new(), Some(error));
    }

    /// As [`Sink::found`] of an answer with `problems`: what can be used of it
    /// counts; if nothing can, the last endpoints stay. `zones` has those of which the
    /// source says where they stand.
    pub(crate) fn found_usable(&self, endpoints: Vec<Endpoint>, zones: Zones, problems: &[String]) {
        match reason::joined(problems) {
            Some(error) if endpoints.is_empty() => self.failing(error),
            error => self.put(endpoints, zones, error),
        }
    }

    fn put(&self, endpoints: Vec<Endpoint>, zones: Zones, error: Option<String>) {
        self.sender.send_replace(Listed { endpoints: Some(endpoints), zones, error });
    }

    /// The source could not be asked; `error` is shown to the operator and holds
    /// no secret. The last endpoints stay.
    pub(crate) fn failing(&self, error: String) {
        self.sender.send_modify(|listed| listed.error = Some(error));
    }
}
