//! What the shell is told to do.

use contract::refusal::{ErrorShape, Refusal};
use contract::usage::Who;
use std::borrow::Cow;

/// One change of a header map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderEdit {
    /// The header, in lower case.
    pub name: Cow<'static, str>,
    /// The only value it has afterwards; `None`: it is gone.
    pub value: Option<Cow<'static, str>>,
}

impl HeaderEdit {
    /// Replaces all values of a header by one.
    #[must_use]
    pub fn set(name: &'static str, value: impl Into<Cow<'static, str>>) -> HeaderEdit {
        HeaderEdit { name: Cow::Borrowed(name), value: Some(value.into()) }
    }

    /// Removes a header.
    #[must_use]
    pub fn remove(name: impl Into<Cow<'static, str>>) -> HeaderEdit {
        HeaderEdit { name: name.into(), value: None }
    }
}

/// An answer that the gateway gives itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers beside the ones that Envoy sets.
    pub headers: Vec<(&'static str, String)>,
    /// The whole body.
    pub body: String,
}

impl Reply {
    /// A JSON answer.
    #[must_use]
    pub fn json(status: u16, body: String) -> Reply {
        Reply { status, headers: vec![("content-type", "application/json".to_owned())], body }
    }

    /// A refusal in the shape of the path's API.
    #[must_use]
    pub fn refusal(refusal: &Refusal, shape: ErrorShape) -> Reply {
        Reply::json(refusal.code.status(), refusal.body(shape))
    }

    /// The same with one more header, where it has a value.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: Option<&str>) -> Reply {
        self.headers.extend(value.map(|value| (name, value.to_owned())));
        self
    }
}

/// The end of an exchange that no engine sees: what the client is told, and
/// what the ledger is told if the caller is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finish {
    /// To the client.
    pub reply: Reply,
    /// To the ledger.
    pub who: Option<Who>,
}
