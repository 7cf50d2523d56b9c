//! From the name that was asked for to the model, in a few look-ups.

mod compile;
#[cfg(test)]
pub(crate) mod tests;

use crate::family::Families;
use crate::model::Model;
use contract::policy::{GatewayConfig, PoolConfig};
use hashbrown::HashMap;
use std::rc::Rc;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The pool's name.
    pub pool: String,
    /// What is known of the pool.
    pub config: PoolConfig,
}

/// Models by what they are called.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// By their names and by those of aliases, which win.
    models: HashMap<String, Rc<Model>>,
    families: Families,
    tenants: HashMap<String, HashMap<String, Rc<Model>>>,
    /// Names of models and aliases, sorted.
    names: Vec<String>,
    headers: Vec<String>,
    reads_prompts: bool,
}

impl Table {
    /// The table of a configuration.
    ///
    /// # Errors
    /// A line for every name that leads nowhere, and for every split without a share.
    pub fn compile(config: &GatewayConfig) -> Result<Table, Vec<String>> {
        compile::compile(config)
    }

    /// The model that a caller of a tenant asks for: by an alias of the tenant, by an alias,
    /// by its name, by the first pattern that fits.
    #[must_use]
    pub fn resolve(&self, tenant: &str, asked: &str) -> Option<&Rc<Model>> {
        let own = self.tenants.get(tenant).and_then(|aliases| aliases.get(asked));
        own.or_else(|| self.models.get(asked)).or_else(|| self.families.find(asked))
    }

    /// All names that a tenant's callers can ask for, sorted: its aliases among the others,
    /// those of families not.
    #[must_use]
    pub fn names_of(&self, tenant: &str) -> Vec<&str> {
        let own = self.tenants.get(tenant).into_iter().flat_map(|aliases| aliases.keys());
        let mut names: Vec<&str> = own.chain(&self.names).map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Names of the client's headers that some model asks for when it chooses, in lower case,
    /// sorted.
    #[must_use]
    pub fn headers(&self) -> &[String] {
        &self.headers
    }

    /// Whether some rule looks at prompts, or some pool at how they begin.
    #[must_use]
    pub const fn reads_prompts(&self) -> bool {
        self.reads_prompts
    }
}
