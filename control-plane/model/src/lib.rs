//! The YAML configuration as a domain.
//!
//! [`load`] turns text into a [`Config`] that can be used as it is: defaults
//! are filled in, references resolve, numbers are within bounds. Or it says
//! everything that is wrong, each [`Problem`] with its line and column. What the
//! documentation describes and this version does not do is refused, never
//! ignored: a limit that nobody enforces must not look like one.
//!
//! Nothing here reads a clock, a file or the environment; what `${...}` stands
//! for comes through [`Sources`].

mod auth;
mod balance;
mod budget;
mod canary;
mod control;
mod credential;
mod discover;
mod document;
mod endpoint;
mod gateway;
mod health;
pub mod ids;
mod issuer;
mod limits;
mod masking;
mod media;
mod pool;
mod problem;
mod route;
mod rules;
pub mod schema;
mod secret;
mod sources;
mod tenant;
mod tree;
mod unbuilt;
mod units;
mod users;
mod validate;
mod xds_port;

pub use auth::{Auth, Hmac, Nonces};
pub use balance::{Balance, Metrics};
pub use budget::{Budget, Organisation, Per};
pub use canary::Canary;
pub use contract::policy::{Engine, MediaConfig, MediaKind};
pub use control::{Control, UsageFlush};
pub use credential::HmacCredential;
pub use discover::{Consul, Discovery, Dns, Kubernetes, Source};
pub use endpoint::{Endpoint, Host};
pub use gateway::{Gateway, Tls};
pub use health::{Ejection, Health};
pub use issuer::{Claims, Issuer, Jwks, JwksUrl};
pub use limits::Limits;
pub use masking::{Detector, Masking, MaskingPolicy, PolicyCheck, tag_key};
pub use pool::Pool;
pub use problem::Problem;
pub use route::Model;
pub use rules::{Deny, Rules};
pub use secret::Secret;
pub use sources::Sources;
pub use tenant::{Key, KeyDigest, Role, Tenant};
pub use users::{UserSource, Users};
pub use xds_port::{EnvoyIdentity, XdsListen, XdsPort, XdsTls};

use document::Document;
use ids::{LimitsName, ModelName, OrganisationName, PoolName, RoleName, TenantName};
use masking::Unchecked;
use problem::Problems;
use std::collections::BTreeMap;
use std::path::Path;

/// A whole configuration, checked, defaults filled in. It holds secrets and
/// therefore has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// Where callers come in.
    pub gateway: Gateway,
    /// The control plane itself.
    pub control: Control,
    /// Sets of equal inference servers.
    pub pools: BTreeMap<PoolName, Pool>,
    /// Names that callers ask for.
    pub models: BTreeMap<ModelName, Model>,
    /// What keys may do.
    pub roles: BTreeMap<RoleName, Role>,
    /// What may be used in a minute and at a time, by names that others refer to.
    pub limits: BTreeMap<LimitsName, Limits>,
    /// Whose tenants share a budget.
    pub organisations: BTreeMap<OrganisationName, Organisation>,
    /// Who is billed.
    pub tenants: BTreeMap<TenantName, Tenant>,
    /// How callers are told apart beyond the keys of tenants.
    pub auth: Auth,
    /// What must not reach an engine.
    pub masking: Masking,
}

/// Reads a configuration. `base` is the folder that relative paths count from.
///
/// # Errors
/// Everything that is wrong, in the order of the text; never empty. Of more than a
/// thousand problems the last one says how many are left out.
pub fn load(text: &str, base: &Path, sources: &dyn Sources) -> Result<Config, Vec<Problem>> {
    load_checked(text, base, sources, &Unchecked)
}

/// Like [`load`]; `policies` says whether the rules of masking policies can be applied.
///
/// # Errors
/// Like [`load`]; what `policies` finds is among it.
pub fn load_checked(
    text: &str,
    base: &Path,
    sources: &dyn Sources,
    policies: &dyn PolicyCheck,
) -> Result<Config, Vec<Problem>> {
    let mut problems = Problems::default();
    let tree = match tree::parse(text, &mut problems) {
        Ok(tree) => tree,
        Err(problem) => {
            // What is known of the beginning of a text that cannot be read on.
            let mut problems = problems.into_sorted();
            problems.push(problem);
            problems.sort();
            return Err(problems);
        }
    };
    let document = Document::new(base, sources, policies, problems);
    let config = validate::config(&document, &tree);
    let problems = document.into_problems();
    if problems.is_empty() { Ok(config) } else { Err(problems) }
}

#[cfg(test)]
mod auth_tests;
#[cfg(test)]
mod control_tests;
#[cfg(test)]
mod limits_tests;
#[cfg(test)]
mod load_tests;
#[cfg(test)]
mod masking_tests;
#[cfg(test)]
mod pool_tests;
#[cfg(test)]
mod robustness_tests;
