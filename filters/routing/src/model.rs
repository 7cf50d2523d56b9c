//! A model, and the pools that it chooses for a request.

#[cfg(test)]
mod tests;

use crate::chain::Chain;
use crate::rendezvous::hash;
use crate::rules::{Known, Rule};
use crate::split::Split;
use crate::table::Route;
use contract::policy::{Language, MediaKind, Sticky};
use std::borrow::Cow;
use std::rc::Rc;

/// What rules may ask of a request. What is costly to know is asked at most once (headers: once
/// for each rule that names them), and only where a rule gets that far.
pub trait Facts {
    /// Who is billed.
    fn tenant(&self) -> &str;
    /// Whether the caller has this role.
    fn has_role(&self, role: &str) -> bool;
    /// The path without its query.
    fn path(&self) -> &str;
    /// Whether a stream is asked for.
    fn stream(&self) -> bool;
    /// The value of a header of the client, by its name in lower case.
    fn header(&self, name: &str) -> Option<Cow<'_, str>>;
    /// Whether the request carries a medium of this kind.
    fn has_media(&self, kind: MediaKind) -> bool;
    /// Tokens of the prompt, as [`crate::prompt::Volume`] estimates them.
    fn prompt_tokens(&self) -> u64;
    /// What [`crate::prompt::language`] says.
    fn language(&self) -> Language;
}

/// What a split divides callers by.
#[derive(Clone, Copy, Debug)]
pub struct Draw<'a> {
    /// The user, where one is known.
    pub user: Option<&'a str>,
    /// The key's id, or what stands for it with other credentials.
    pub key: &'a str,
    /// The id of the request, which is random.
    pub request_id: &'a str,
}

/// What callers ask for by a name.
#[derive(Clone, Debug)]
pub struct Model {
    pub(crate) name: Box<str>,
    pub(crate) masking: Option<String>,
    pub(crate) limits: Option<String>,
    pub(crate) sticky: Sticky,
    /// The hash of the experiment's name.
    pub(crate) experiment: u64,
    pub(crate) rules: Box<[Rule]>,
    pub(crate) split: Split,
    pub(crate) shadow: Option<Shadow>,
}

/// Where a share of a model's requests is sent as well.
#[derive(Clone, Debug)]
pub(crate) struct Shadow {
    pub(crate) route: Rc<Route>,
    pub(crate) per_million: u32,
}

impl Model {
    /// Its name in the configuration, whatever it was asked for by; a family's pattern.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of its masking policy.
    #[must_use]
    pub fn masking(&self) -> Option<&str> {
        self.masking.as_deref()
    }

    /// The name of its limits.
    #[must_use]
    pub fn limits(&self) -> Option<&str> {
        self.limits.as_deref()
    }

    /// Names of the client's headers that are asked for when it chooses, in lower case.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        let sticky = match &self.sticky {
            Sticky::Header(name) => Some(name.as_str()),
            _ => None,
        };
        self.rules.iter().flat_map(|rule| rule.when.headers()).chain(sticky)
    }

    /// Whether a rule looks at the prompt's length or language.
    #[must_use]
    pub fn reads_prompt(&self) -> bool {
        self.rules.iter().any(|rule| rule.when.reads_prompt())
    }

    /// All chains that it may choose.
    pub fn chains(&self) -> impl Iterator<Item = &Rc<Chain>> {
        let rules = self.rules.iter().flat_map(|rule| rule.split.chains());
        self.split.chains().chain(rules)
    }

    /// The pools for a request: of the first rule that fits, or else of the model's split.
    /// `None` never happens: a split without a share does not compile.
    #[must_use]
    pub fn choose(&self, facts: &impl Facts, draw: &Draw<'_>) -> Option<&Rc<Chain>> {
        let known = Known::new(facts);
        let fitting = self.rules.iter().find(|rule| rule.when.fits(&known));
        let split = fitting.map_or(&self.split, |rule| &rule.split);
        split.draw(|| self.unit(facts, draw))
    }

    /// The pool that gets a copy of the request.
    #[must_use]
    pub fn shadow(&self, request_id: &str) -> Option<&Rc<Route>> {
        let shadow = self.shadow.as_ref()?;
        let drawn = hash(SHADOW_SEED, request_id.as_bytes());
        let below = u128::from(drawn) * 1_000_000 < u128::from(shadow.per_million) << 64;
        below.then_some(&shadow.route)
    }

    /// The hash of what stays together. Users and headers are those of a tenant.
    fn unit(&self, facts: &impl Facts, draw: &Draw<'_>) -> u64 {
        let of_tenant = || hash(self.experiment, facts.tenant().as_bytes());
        let key = || hash(self.experiment, draw.key.as_bytes());
        match &self.sticky {
            Sticky::None => hash(self.experiment, draw.request_id.as_bytes()),
            Sticky::Key => key(),
            Sticky::User => draw.user.map_or_else(key, |user| hash(of_tenant(), user.as_bytes())),
            Sticky::Header(name) => {
                facts.header(name).map_or_else(key, |value| hash(of_tenant(), value.as_bytes()))
            }
        }
    }
}

/// So that a copy does not depend on the split.
const SHADOW_SEED: u64 = 0x7368_6164_6f77;
