//! What the gateways are to do, as data.
//!
//! [`build`] turns [`Inputs`], a checked configuration and where the servers are
//! now, into decisions: which clusters there
//! are and how they are reached, what the filter is told, what is billed. A
//! [`Plan`] holds no secret; it can be printed, compared and linted.

use contract::keyring::KeyEntry;
use contract::policy::GatewayConfig;
use model::Config;
use model::ids::{ModelName, PoolName};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use contract::price::Prices;
pub use model::{
    Balance, Breakers, Budget, Ejection, Host, Jwks, JwksUrl, Per, Protocol, Retry, UsageFlush,
};

/// What is decided from.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// What the operator wrote.
    pub config: &'a Config,
    /// The servers of pools as they are now; a pool that is not here has those of
    /// the configuration.
    pub members: &'a BTreeMap<PoolName, Vec<Member>>,
    /// Weights that were set by command. They count where the model's split has the same
    /// pools (see [`model::Model::takes`]); families are here by their patterns.
    pub rollouts: &'a BTreeMap<ModelName, BTreeMap<PoolName, u32>>,
    /// Pools whose servers in the gateway's zone are busier than
    /// [`model::Pool::spill_percent`]: those of other zones take part, with so much of their
    /// weight, 1 to 100 percent.
    pub spilling: &'a BTreeMap<PoolName, u8>,
    /// Whether the Envoys can send a request on to another pool.
    pub chains: bool,
}

/// Everything that was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Where callers come in.
    pub listener: ListenerPlan,
    /// One cluster each, in the order of their names.
    pub pools: Vec<PoolPlan>,
    /// When there is another attempt.
    pub retry: Retry,
    /// The headers that carry credentials of pools, in lower case, in order, each once.
    pub credential_headers: Vec<String>,
    /// What the Wasm module is told.
    pub filter: GatewayConfig,
    /// Who may issue tokens, in the order of `filter.auth.issuers`.
    pub issuers: Vec<IssuerPlan>,
    /// Who is asked for values that no rule finds, once each, in the order of the
    /// clusters.
    pub detectors: Vec<DetectorPlan>,
    /// Every price list in use, once each, in the order of their versions.
    pub prices: Vec<PriceList>,
    /// Keys of the configuration, in the order of their ids.
    pub static_keys: Vec<StaticKey>,
    /// What may be spent.
    pub budgets: BudgetBook,
}

/// Where callers come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerPlan {
    /// Address to listen on; port 0 takes a free one.
    pub address: SocketAddr,
    /// Largest request body in bytes that the filter lets through.
    pub max_body_bytes: u64,
    /// How long a stream may be silent.
    pub stream_idle_timeout: Duration,
    /// When a usage line reaches the kernel.
    pub usage_flush: UsageFlush,
    /// How often a running stream writes a usage line.
    pub usage_interval: Duration,
    /// Whether callers are asked for certificates; they need not show one.
    pub client_certificates: bool,
}

/// An issuer whose tokens Envoy verifies before the filter reads them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerPlan {
    /// Its name, exactly as in the claim `iss`.
    pub issuer: String,
    /// Audiences of which a token must name one; none: any.
    pub audiences: Vec<String>,
    /// Where its public keys are.
    pub jwks: Jwks,
    /// How old keys from a URL may be.
    pub refresh: Duration,
    /// The header in which the filter is handed the payload of a verified token.
    pub payload_header: String,
}

/// An external detector of the masking policies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DetectorPlan {
    /// The Envoy cluster.
    pub cluster: String,
    /// Whether it is spoken to over TLS.
    pub tls: bool,
    /// Its address or name.
    pub host: Host,
    /// Its port.
    pub port: u16,
}

/// One cluster of inference servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolPlan {
    /// The pool's name.
    pub name: String,
    /// The Envoy cluster.
    pub cluster: String,
    /// Its servers.
    pub endpoints: Endpoints,
    /// Whether they are spoken to over TLS.
    pub tls: bool,
    /// Whether every server that this pool can ever have is known by a name.
    pub named: bool,
    /// How one of them is picked.
    pub balance: Balance,
    /// Whether the filter may say which one.
    pub affinity: bool,
    /// How they are asked whether they are well; `None`: they are not asked.
    pub health: Option<HealthPlan>,
    /// When one is passed over for its answers.
    pub ejection: Ejection,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long a whole answer that is not streamed may take.
    pub timeout: Duration,
    /// What they speak.
    pub protocol: Protocol,
    /// Who must have signed their certificates, a PEM file; `None`: an authority that the
    /// machine knows.
    pub ca: Option<PathBuf>,
    /// The credential that every request to them carries.
    pub credentials: Option<CredentialPlan>,
    /// What one Envoy has under way to them at most.
    pub breakers: Breakers,
    /// For how long a new one gets less than its share; `None`: not at all.
    pub slow_start: Option<Duration>,
    /// Below which share of well servers requests go to all of them, in percent; `None`:
    /// never.
    pub panic_percent: Option<u8>,
    /// Whether a request may go on to another pool from here: then there has to be somebody
    /// who answers where none of the servers is well.
    pub chained: bool,
    /// Whether some requests go no further than here: for them a server that wants to be left
    /// alone is better than none.
    pub ends: bool,
    /// Whether the body may have to become another one for this pool: it is one of several
    /// that a request can go to, or gets copies of what goes to others.
    pub rewritten: bool,
}

impl PoolPlan {
    /// This pool with the servers of `other`.
    #[must_use]
    pub fn with_endpoints_of(&self, other: &PoolPlan) -> PoolPlan {
        PoolPlan { endpoints: other.endpoints.clone(), ..self.clone() }
    }
}

/// The credential of a pool; its value is not here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialPlan {
    /// The header, in lower case.
    pub header: String,
    /// Name of the secret that has the header's whole value.
    pub secret: String,
}

/// How Envoy learns the addresses of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoints {
    /// All are addresses: pushed by EDS, in the order of the addresses.
    Members(Vec<Member>),
    /// At least one is a name: Envoy resolves all (STRICT_DNS takes addresses too).
    Names(Vec<Named>),
}

/// A server, or several, by a name that Envoy resolves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name, or an address among names.
    pub host: Host,
    /// The port.
    pub port: u16,
    /// As [`Member::weight`].
    pub weight: Option<u32>,
    /// As [`Member::priority`].
    pub priority: u32,
}

/// A server of a pool whose address is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// Where it listens.
    pub address: SocketAddr,
    /// The name it is asked by, in `Host` and in TLS; `None`: its address.
    pub hostname: Option<String>,
    /// It gets no new requests; those that it still answers go on.
    pub draining: bool,
    /// It has asked to be left alone for a while: it gets requests only where nobody else can
    /// have them.
    pub resting: bool,
    /// Its share of the requests among the pool's weights, 1 to 128; `None`: as
    /// much as any other. Decided by [`build`] where servers of other zones take part: then
    /// up to 100 times as much.
    pub weight: Option<u32>,
    /// The zone it is in, where that is known; what the configuration says of its address
    /// comes first.
    pub zone: Option<String>,
    /// Decided by [`build`], whatever the inputs have there: 0 and 1 without a gap. Servers
    /// of 1 get requests where none of 0 is well.
    pub priority: u32,
}

impl Member {
    /// A server of which nothing but its address is known.
    #[must_use]
    pub fn at(address: SocketAddr) -> Member {
        let (hostname, weight, zone) = (None, None, None);
        Member { address, hostname, draining: false, resting: false, weight, zone, priority: 0 }
    }
}

/// Active health checks of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthPlan {
    /// Path of the question.
    pub path: String,
    /// Time between two questions to a server that is well.
    pub interval: Duration,
    /// Time between two questions to a server that is not, at most 10 s.
    pub unhealthy_interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// Prices under the name that usage lines carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceList {
    /// [`Prices::version`] of `prices`.
    pub version: String,
    /// Nano-dollars.
    pub prices: Prices,
}

/// A key of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticKey {
    /// SHA-256 of the key, 64 hexadecimal digits in lower case.
    pub sha256: String,
    /// Its holder; the id is `yaml:TENANT/NAME`.
    pub entry: KeyEntry,
}

mod budgets;
mod build;
mod chains;
mod diff;
mod filter;
mod masking;
mod pools;
mod routes;
pub use budgets::BudgetBook;
pub use build::build;
pub use diff::diff;
