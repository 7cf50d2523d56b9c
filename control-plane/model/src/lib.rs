//! The YAML configuration as a domain.
//!
//! [`load`] turns text into a [`Config`] that can be used as it is: defaults
//! are filled in, references resolve, numbers are within bounds. Or it says
//! everything that is wrong, each [`Problem`] with its line and column.
//!
//! Nothing here reads a clock, a file or the environment; what `${...}` stands
//! for comes through [`Sources`].

mod affinity;
mod auth;
mod balance;
mod breakers;
mod budget;
mod canary;
mod catalogue;
mod control;
mod credential;
mod discover;
mod document;
mod endpoint;
mod engine_access;
mod gateway;
mod header;
mod health;
pub mod ids;
mod issuer;
mod limits;
mod masking;
mod media;
mod place;
mod pool;
mod problem;
mod retry;
mod route;
mod rules;
pub mod schema;
mod secret;
mod sources;
mod tenant;
mod tree;
mod units;
mod users;
mod validate;
mod xds_port;

pub use auth::{Auth, Hmac, Nonces};
pub use balance::{Balance, Metrics};
pub use breakers::Breakers;
pub use budget::{Budget, Organisation, Per};
pub use canary::Canary;
pub use contract::policy::{
    AffinityBounds, AffinityConfig as Affinity, Engine, Language, MediaConfig, MediaKind, Sticky,
};
pub use control::{Control, UsageFlush};
pub use credential::HmacCredential;
pub use discover::{Consul, Discovery, Dns, Kubernetes, Source};
pub use endpoint::{Endpoint, Host};
pub use engine_access::{Credentials, EngineTls, Protocol};
pub use gateway::{Gateway, Tls};
pub use header::HeaderName;
pub use health::{Ejection, Health};
pub use issuer::{Claims, Issuer, Jwks, JwksUrl};
pub use limits::Limits;
pub use masking::{Detector, Masking, MaskingPolicy, PolicyCheck, tag_key};
pub use place::Place;
pub use pool::Pool;
pub use problem::Problem;
pub use retry::Retry;
pub use route::{Family, Model, Rule, Shadow, Share, WEIGHT_MAX, When};
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
    /// Models whose names are patterns, the most special first; each pattern once.
    pub families: Vec<Family>,
    /// Other names of models, with the name of a model, or one that a family has: never
    /// another alias.
    pub aliases: BTreeMap<ModelName, ModelName>,
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

impl Config {
    /// The model under `name`, which may be the pattern of a family.
    #[must_use]
    pub fn routed(&self, name: &str) -> Option<&Model> {
        let family = || self.families.iter().find(|family| family.pattern.as_str() == name);
        self.models.get(name).or_else(|| family().map(|family| &family.model))
    }

    /// Every model by its name, families by their patterns.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &Model)> {
        let models = self.models.iter().map(|(name, model)| (name.as_str(), model));
        models.chain(self.families.iter().map(|family| (family.pattern.as_str(), &family.model)))
    }
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
#[cfg(test)]
mod route_tests;
