//! What a caller may do: which models on which paths. Compiled once per
//! configuration; a decision walks the compiled patterns once and allocates
//! nothing.
//!
//! Four levels bound a caller, and each has to allow: the tenant, the roles of the
//! credential, the patterns of the key, and the roles that the tenant gives to the
//! user. What any of them denies is denied.

use crate::authenticate::{Caller, Means, Roles, invalid_key};
use contract::glob::{self, Glob, any};
use contract::policy::{RoleConfig, TenantConfig};
use contract::refusal::{Code, Refusal};
use hashbrown::HashMap;
use std::collections::BTreeMap;

/// The paths on which a model is asked for something, as records name them. A
/// model is shown to a caller who may use it on one of them.
pub const INFERENCE_PATHS: [&str; 7] = [
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/responses",
    "/v1/messages",
    "/v1/rerank",
    "/v1/audio/transcriptions",
];

/// The compiled rules of all tenants and roles.
#[derive(Clone, Debug, Default)]
pub struct Access {
    tenants: HashMap<String, Tenant>,
    roles: HashMap<String, Rules>,
}

#[derive(Clone, Debug)]
struct Tenant {
    may: Rules,
    user_roles: HashMap<String, Vec<String>>,
}

/// One role, or what a tenant may.
#[derive(Clone, Debug)]
struct Rules {
    models: Vec<Glob>,
    paths: Vec<Glob>,
    denied_models: Vec<Glob>,
    denied_paths: Vec<Glob>,
}

/// What a model is called: rules speak of it by either name, so that an alias opens what its
/// model's name opens, and denies what that denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelNames<'a> {
    /// The name that was asked for.
    pub asked: &'a str,
    /// The model's own.
    pub own: &'a str,
}

impl<'a> From<&'a str> for ModelNames<'a> {
    fn from(name: &'a str) -> ModelNames<'a> {
        ModelNames { asked: name, own: name }
    }
}

impl ModelNames<'_> {
    fn fit(self, is: impl Fn(&str) -> bool) -> bool {
        is(self.asked) || (self.own != self.asked && is(self.own))
    }
}

/// What is asked for.
#[derive(Clone, Copy)]
struct Asked<'a> {
    /// `None`: any model, which is not known yet.
    model: Option<ModelNames<'a>>,
    path: &'a str,
}

/// What one caller may do.
#[derive(Clone, Copy, Debug)]
pub struct Permissions<'a> {
    access: &'a Access,
    tenant: &'a Rules,
    roles: &'a Roles,
    /// Roles of the user, where the tenant bounds the user.
    user_roles: Option<&'a [String]>,
    models: &'a [String],
}

impl Access {
    /// Compiles the patterns of tenants and roles.
    #[must_use]
    pub fn compile(
        tenants: &BTreeMap<String, TenantConfig>,
        roles: &BTreeMap<String, RoleConfig>,
    ) -> Access {
        Access {
            tenants: tenants.iter().map(|(name, t)| (name.clone(), Tenant::compile(t))).collect(),
            roles: roles.iter().map(|(name, r)| (name.clone(), Rules::compile(r))).collect(),
        }
    }

    /// What `caller` may do.
    ///
    /// # Errors
    /// A 401 in the words of the caller's credential when its tenant is not
    /// configured (any more).
    pub fn of<'a>(&'a self, caller: &'a Caller) -> Result<Permissions<'a>, Refusal> {
        let tenant = self.tenants.get(&caller.tenant).ok_or_else(|| of_no_tenant(caller.means))?;
        let user_roles = caller.user.as_ref().and_then(|user| tenant.user_roles.get(user));
        Ok(Permissions {
            access: self,
            tenant: &tenant.may,
            roles: &caller.roles,
            user_roles: user_roles.map(Vec::as_slice),
            models: &caller.models,
        })
    }

    /// The rules of those of the roles that are configured: no other gives anything.
    fn rules<'a>(&'a self, roles: &'a [String]) -> impl Iterator<Item = &'a Rules> {
        roles.iter().filter_map(|role| self.roles.get(role))
    }
}

impl Permissions<'_> {
    /// Whether the model may be used on the path (as records name it). Where
    /// roles decide, one of them has to allow both.
    #[must_use]
    pub fn allows<'m>(&self, model: impl Into<ModelNames<'m>>, path: &str) -> bool {
        self.decide(Asked { model: Some(model.into()), path })
    }

    /// Whether the model may be used on any path: what lists of models show.
    #[must_use]
    pub fn model<'m>(&self, model: impl Into<ModelNames<'m>>) -> bool {
        let model = model.into();
        INFERENCE_PATHS.iter().any(|path| self.allows(model, path))
    }

    /// Whether the path may be used, if there is a model for it: no means that no body
    /// has to be read. A list of models is open to everybody who may use some
    /// path, unless a rule denies the path of the list.
    #[must_use]
    pub fn path(&self, path: &str) -> bool {
        let asked = |path| Asked { model: None, path };
        if INFERENCE_PATHS.contains(&path) {
            return self.decide(asked(path));
        }
        !self.denied(asked(path)) && INFERENCE_PATHS.iter().any(|path| self.decide(asked(path)))
    }

    /// Whether the caller has a role by its name: by the credential, or as the user that it
    /// speaks for. Who has no bound has no role either.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        let of_user = self.user_roles.unwrap_or_default();
        self.roles.names().iter().chain(of_user).any(|own| own == role)
    }

    fn decide(&self, asked: Asked<'_>) -> bool {
        !self.denied(asked)
            && self.tenant.allow(asked)
            && self.key_allows(asked)
            && match self.roles {
                Roles::All => true,
                Roles::Of(roles) => self.one_allows(roles, asked),
            }
            && self.user_roles.is_none_or(|roles| self.one_allows(roles, asked))
    }

    fn denied(&self, asked: Asked<'_>) -> bool {
        let of_user = self.user_roles.unwrap_or_default();
        self.tenant.deny(asked)
            || self.access.rules(self.roles.names()).any(|rules| rules.deny(asked))
            || self.access.rules(of_user).any(|rules| rules.deny(asked))
    }

    fn one_allows(&self, roles: &[String], asked: Asked<'_>) -> bool {
        self.access.rules(roles).any(|rules| rules.allow(asked))
    }

    fn key_allows(&self, asked: Asked<'_>) -> bool {
        let Some(model) = asked.model else { return true };
        self.models.is_empty()
            || model.fit(|name| self.models.iter().any(|glob| glob::matches(glob, name)))
    }
}

impl Tenant {
    fn compile(config: &TenantConfig) -> Tenant {
        let user_roles = config.user_roles.iter();
        Tenant {
            may: Rules::compile(&config.may),
            user_roles: user_roles.map(|(user, roles)| (user.clone(), roles.clone())).collect(),
        }
    }
}

impl Rules {
    fn compile(config: &RoleConfig) -> Rules {
        Rules {
            models: globs(&config.models),
            paths: globs(&config.paths),
            denied_models: globs(&config.deny.models),
            denied_paths: globs(&config.deny.paths),
        }
    }

    fn allow(&self, asked: Asked<'_>) -> bool {
        any(&self.paths, asked.path)
            && asked.model.is_none_or(|model| model.fit(|name| any(&self.models, name)))
    }

    fn deny(&self, asked: Asked<'_>) -> bool {
        any(&self.denied_paths, asked.path)
            || asked.model.is_some_and(|model| model.fit(|name| any(&self.denied_models, name)))
    }
}

fn globs(patterns: &[String]) -> Vec<Glob> {
    patterns.iter().map(|pattern| Glob::new(pattern)).collect()
}

fn of_no_tenant(means: Means) -> Refusal {
    match means {
        Means::Key => invalid_key(),
        Means::Hmac => Refusal::new(Code::InvalidSignature, "This signature is not valid."),
        Means::Jwt => {
            Refusal::new(Code::InvalidToken, "The token's tenant does not exist on this gateway.")
        }
        Means::Certificate => Refusal::new(
            Code::MissingCredentials,
            "The client certificate is of no tenant of this gateway.",
        ),
    }
}

#[cfg(test)]
mod tests;
