//! The states of an exchange: a request with its answer.
//!
//! ```text
//! Opened --identify--> Held --body--> Forwarded --answer--> Answering
//!    \                    \                \
//!     `-- Finish           `-- Finish       `-- (ended by Envoy or the client)
//! ```

use crate::affinity::Trace;
use crate::headers::Headers;
use crate::privacy;
use crate::request_path::{Answers, Signer};
use crate::spending::Course;
use crate::surface::Wanted;
use auth::Caller;
use auth::certificate::Certificate;
use billing::bound::Bound;
use billing::table::Table;
use chat::reply::Reader;
use contract::refusal::{ErrorShape, Refusal};
use contract::usage::{Tally, Who};
use routing::Route;
use std::rc::Rc;

/// The headers are read; the caller is not known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// What the headers ask for, or why that cannot be.
    pub wanted: Result<Wanted, Refusal>,
    /// The path as it stands in records: never what a client made up.
    pub path: &'static str,
    /// The method that the path takes; empty where there is no such path.
    pub allow: &'static str,
    /// How errors look on this path.
    pub shape: ErrorShape,
    /// The request's id, made by Envoy.
    pub request_id: String,
    /// The client's own request id, if it is well-formed.
    pub client_request_id: Option<String>,
    /// Names in the client's certificate, if it has shown one.
    pub certificate: Option<CertificateNames>,
    /// Those of its headers that rules or splits ask for, and `:path` where a pool has a
    /// `base_path`.
    pub told: Headers,
    /// Whether there is no body.
    pub end_of_stream: bool,
}

/// Names in a client's certificate that Envoy has verified; one without any is of
/// nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateNames {
    /// The first URI.
    pub uri: Option<String>,
    /// The first DNS name.
    pub dns: Option<String>,
}

impl CertificateNames {
    /// The same, as they are judged.
    #[must_use]
    pub fn certificate(&self) -> Certificate<'_> {
        Certificate { uri: self.uri.as_deref(), dns: self.dns.as_deref() }
    }
}

/// The caller is known and may use the path; the body is awaited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Who asks, and what he has signed.
    pub signer: Signer,
    /// As before.
    pub opened: Opened,
}

/// The request is on its way to an engine.
///
/// All that is said of a pool is said of the first one until it is known by
/// [`Forwarded::land`] that another has answered.
#[derive(Debug)]
pub struct Forwarded {
    /// What the ledger is told of it.
    pub who: Who,
    /// The request's id, made by Envoy.
    pub request_id: String,
    /// The name that was asked for, which stands in the answer.
    pub asked: String,
    /// Whether the answer says which pool it comes from.
    pub expose_pool: bool,
    /// What is done with the answer's texts, where the request has a masking policy.
    pub masked: Option<privacy::Masked>,
    /// What it has taken of limits and budgets.
    pub course: Box<Course>,
    /// How the engine's answer is to be read.
    pub answers: Answers,
    /// The pool that answers.
    pub pool: Rc<Route>,
    /// What may still become of it.
    pub onward: Onward,
}

/// What may become of a request that has left for its first pool.
#[derive(Debug, Default)]
pub struct Onward {
    /// The pools that are tried after the first one, in this order.
    pub others: Vec<Stop>,
    /// Whether it was too large to be sent again, so that it is tried once.
    pub is_sent_once: bool,
    /// Whether the gateway has to watch its answer for silence: once the time of an attempt has
    /// passed, be it long after the first byte, Envoy cuts the stream no more (seen on 1.36 and
    /// 1.40).
    pub is_watched: bool,
    /// What is remembered of the server that serves it; `None`: nothing is.
    pub trace: Option<Trace>,
}

/// A pool that may answer in place of the first one.
#[derive(Debug)]
pub struct Stop {
    /// The pool.
    pub pool: Rc<Route>,
    /// How its answer is to be read.
    pub answers: Answers,
    /// The most that it can cost there.
    pub bound: Bound,
}

impl Forwarded {
    /// Whether it has to be found out which pool has answered.
    #[must_use]
    pub fn may_land_elsewhere(&self) -> bool {
        !self.onward.others.is_empty()
    }

    /// The pool of this cluster has answered: the ledger is told its name and prices, the
    /// answer is read as that pool's, and it is paid by its prices. Says whether the ledger
    /// has to be told. Of a cluster that is not of the chain nothing is believed.
    pub fn land(&mut self, cluster: &str, table: &impl Table) -> bool {
        let found = self.onward.others.iter().position(|stop| stop.pool.config.cluster == cluster);
        let Some(at) = found else { return false };
        let Stop { pool, answers, bound } = self.onward.others.swap_remove(at);
        self.who.pool = Some(pool.pool.clone());
        self.who.price_version = Some(pool.config.price_version.clone());
        self.course.land((&pool.pool, &pool.config), &bound, table);
        self.answers = answers;
        self.pool = pool;
        true
    }
}

/// The answer is coming.
pub struct Answering {
    /// What the ledger is told.
    pub who: Who,
    /// The request's id, made by Envoy.
    pub request_id: String,
    /// The answer's status.
    pub status: u16,
    /// Reads the answer while it passes.
    pub reader: Reader,
    /// Changes its texts behind that; `None`: they stay.
    pub texts: Option<privacy::Answering>,
    /// The running count.
    pub tally: Tally,
    /// What it has taken of limits and budgets.
    pub course: Box<Course>,
    /// When the budget has ended it, Unix milliseconds.
    pub cut_at_ms: Option<u64>,
}

impl Held {
    /// What the ledger is told of a request whose model is not known yet.
    #[must_use]
    pub fn who(&self) -> Who {
        who(&self.signer.caller, &self.opened)
    }
}

/// Caller and path of a request in the ledger's words.
#[must_use]
pub fn who(caller: &Caller, opened: &Opened) -> Who {
    Who {
        tenant: caller.tenant.clone(),
        key: caller.key.clone(),
        user: caller.user.clone(),
        path: Some(opened.path.to_owned()),
        client_request_id: opened.client_request_id.clone(),
        ..Who::default()
    }
}
