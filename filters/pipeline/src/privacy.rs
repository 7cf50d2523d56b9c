//! Masking on the way of a request and of its answer: texts come from `chat`, what must
//! not leave in them is known to `masking`.

mod answer;
mod detector;
mod request;

pub use answer::{Answering, Masked};
pub use request::{External, Material, Outcome, Question, mask};

use auth::Caller;
use contract::policy::GatewayConfig;
use contract::refusal::{Code, Refusal};
use hashbrown::HashMap;
use masking::Policy;
use std::fmt;
use std::rc::Rc;

/// The policies of a configuration, and whose they are.
#[derive(Clone, Default)]
pub struct Policies {
    by_name: HashMap<String, Rc<Policy>>,
    tenants: HashMap<String, String>,
}

/// Policies hold words that must not leave: they are not shown.
impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policies").field("count", &self.by_name.len()).finish_non_exhaustive()
    }
}

impl Policies {
    /// Compiles the policies.
    ///
    /// # Errors
    /// A line for every fault; all are found at once.
    pub fn compile(config: &GatewayConfig) -> Result<Policies, Vec<String>> {
        let mut policies = Policies::default();
        let mut faults = Vec::new();
        for (name, policy) in &config.masking.policies {
            match Policy::compile(policy) {
                Ok(policy) => {
                    policies.by_name.insert(name.clone(), Rc::new(policy));
                }
                Err(found) => {
                    faults.extend(found.iter().map(|fault| format!("masking `{name}`: {fault}")));
                }
            }
        }
        let families = config.families.iter().map(|family| (&family.pattern, &family.model));
        let models = config.models.iter().chain(families);
        let models = models.map(|(name, model)| (name, &model.masking));
        policies_of("model", models, config, &mut faults);
        let tenants = config.tenants.iter().map(|(name, tenant)| (name, &tenant.masking));
        policies.tenants = policies_of("tenant", tenants, config, &mut faults);
        if faults.is_empty() { Ok(policies) } else { Err(faults) }
    }

    /// Whether anybody's requests may be masked.
    #[must_use]
    pub fn are_used(&self) -> bool {
        !self.by_name.is_empty()
    }

    /// The policy of a request: the credential's, otherwise the one that the model names,
    /// otherwise the tenant's; `None`: nothing is masked.
    ///
    /// # Errors
    /// `control_unavailable` for a policy that a credential names and this gateway has
    /// not: the two come by different ways and one of them is late.
    pub fn of(&self, caller: &Caller, model: Option<&str>) -> Result<Option<&Rc<Policy>>, Refusal> {
        let of_tenant = || self.tenants.get(&caller.tenant).map(String::as_str);
        let name = caller.masking.as_deref().or(model).or_else(of_tenant);
        let Some(name) = name else { return Ok(None) };
        self.by_name.get(name).map(Some).ok_or_else(unavailable)
    }
}

fn policies_of<'c>(
    what: &str,
    named: impl Iterator<Item = (&'c String, &'c Option<String>)>,
    config: &GatewayConfig,
    faults: &mut Vec<String>,
) -> HashMap<String, String> {
    let named = named.filter_map(|(name, policy)| Some((name, policy.as_ref()?)));
    let (known, unknown): (Vec<_>, Vec<_>) =
        named.partition(|(_, policy)| config.masking.policies.contains_key(*policy));
    let missing =
        |(name, policy)| format!("{what} `{name}`: there is no masking policy `{policy}`");
    faults.extend(unknown.into_iter().map(missing));
    known.into_iter().map(|(name, policy)| (name.clone(), policy.clone())).collect()
}

/// What masking needs has not arrived yet.
fn unavailable() -> Refusal {
    Refusal::new(Code::ControlUnavailable, "This request could not be masked; try again.")
}
