//! What both protocols come down to: an [`Ask`] in, an [`Answer`] out.

use std::collections::HashMap;
use std::sync::Arc;

use crate::resource::{Resource, ResourceType};

/// Stands for every resource of a type.
pub(crate) const WILDCARD: &str = "*";

/// How an Envoy talks on a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Incremental: changes alone, in both directions.
    #[default]
    Delta,
    /// State of the world: requests name all that is wanted, responses hold all
    /// clusters or listeners there are.
    Sotw,
}

/// A request, of whichever protocol, about a type that is served.
#[derive(Clone, Debug)]
pub struct Ask {
    pub(crate) kind: ResourceType,
    /// Of the response that this answers; empty if it answers none.
    pub(crate) nonce: String,
    /// Envoy's words if it refused that response.
    pub(crate) error: Option<String>,
    pub(crate) names: Names,
}

/// What a request says of the names that are wanted.
#[derive(Clone, Debug)]
pub(crate) enum Names {
    /// Delta: others than before.
    Change {
        subscribe: Vec<String>,
        unsubscribe: Vec<String>,
        /// Versions by name that a reconnected Envoy has.
        declared: HashMap<String, String>,
    },
    /// State of the world: these and no others.
    All {
        names: Vec<String>,
        /// Envoy has accepted something before, here or on an earlier stream.
        has_some: bool,
    },
}

impl Names {
    /// Every name in it.
    pub(crate) fn iter(&self) -> Box<dyn Iterator<Item = &String> + '_> {
        match self {
            Self::Change { subscribe, unsubscribe, declared } => {
                Box::new(subscribe.iter().chain(unsubscribe).chain(declared.keys()))
            }
            Self::All { names, .. } => Box::new(names.iter()),
        }
    }
}

/// What to send next of one type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Push {
    /// What is new to Envoy, or asked for again.
    pub changed: Vec<Arc<Resource>>,
    pub removed: Vec<Arc<str>>,
    /// What Envoy has and a full state must repeat, or it would be gone.
    pub standing: Vec<Arc<Resource>>,
}

/// A response, before it is put into the words of a protocol. It shares its
/// resources with the snapshot, so one that waits costs next to nothing.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(crate) kind: ResourceType,
    pub(crate) nonce: String,
    pub(crate) snapshot: Arc<str>,
    pub(crate) push: Push,
}

impl Answer {
    /// The type of its resources.
    pub fn kind(&self) -> ResourceType {
        self.kind
    }

    /// What the acknowledgement will name.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// How many resources it changes, and how many it takes away.
    pub fn size(&self) -> (usize, usize) {
        (self.push.changed.len(), self.push.removed.len())
    }
}
