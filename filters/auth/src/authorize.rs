//! What a caller may use: the models of the tenant, and of those the ones that
//! one of the caller's roles has. Compiled once per configuration.

use crate::authenticate::Caller;
use crate::glob::Glob;
use contract::policy::{RoleConfig, TenantConfig};
use contract::refusal::{Code, Refusal};
use hashbrown::HashMap;
use std::collections::BTreeMap;

/// The compiled rules of all tenants and roles.
#[derive(Clone, Debug, Default)]
pub struct Access {
    tenants: HashMap<String, Vec<Glob>>,
    roles: HashMap<String, Vec<Glob>>,
}

/// What one caller may use.
#[derive(Clone, Copy, Debug)]
pub struct Permissions<'a> {
    access: &'a Access,
    tenant: &'a [Glob],
    roles: &'a [String],
}

impl Access {
    /// Compiles the globs of tenants and roles.
    #[must_use]
    pub fn compile(
        tenants: &BTreeMap<String, TenantConfig>,
        roles: &BTreeMap<String, RoleConfig>,
    ) -> Access {
        Access {
            tenants: tenants.iter().map(|(name, t)| (name.clone(), globs(&t.models))).collect(),
            roles: roles.iter().map(|(name, r)| (name.clone(), globs(&r.models))).collect(),
        }
    }

    /// What `caller` may use.
    ///
    /// # Errors
    /// `invalid_api_key` when the caller's tenant is no longer configured.
    pub fn of<'a>(&'a self, caller: &'a Caller) -> Result<Permissions<'a>, Refusal> {
        let tenant = self
            .tenants
            .get(&caller.tenant)
            .ok_or_else(|| Refusal::new(Code::InvalidApiKey, "This API key is not valid."))?;
        Ok(Permissions { access: self, tenant, roles: &caller.roles })
    }
}

impl Permissions<'_> {
    /// Whether the model may be used. A role that is not configured gives nothing.
    #[must_use]
    pub fn model(&self, name: &str) -> bool {
        any(self.tenant, name)
            && (self.roles.is_empty()
                || self
                    .roles
                    .iter()
                    .any(|role| self.access.roles.get(role).is_some_and(|globs| any(globs, name))))
    }
}

fn globs(patterns: &[String]) -> Vec<Glob> {
    patterns.iter().map(|pattern| Glob::new(pattern)).collect()
}

fn any(globs: &[Glob], name: &str) -> bool {
    globs.iter().any(|glob| glob.matches(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> Access {
        let tenant = |models: &[&str]| TenantConfig {
            models: models.iter().map(|m| (*m).to_owned()).collect(),
        };
        let role = |models: &[&str]| RoleConfig {
            models: models.iter().map(|m| (*m).to_owned()).collect(),
        };
        Access::compile(
            &[
                ("all".to_owned(), tenant(&["*"])),
                ("some".to_owned(), tenant(&["qwen-*", "llama"])),
            ]
            .into(),
            &[("batch".to_owned(), role(&["qwen-*"])), ("none".to_owned(), role(&[]))].into(),
        )
    }

    fn caller(tenant: &str, roles: &[&str]) -> Caller {
        Caller {
            tenant: tenant.into(),
            key: "k".into(),
            user: None,
            roles: roles.iter().map(|r| (*r).to_owned()).collect(),
        }
    }

    #[test]
    fn tenant_and_role_must_both_allow() {
        let table = [
            ("all", vec![], "anything", true),
            ("all", vec!["batch"], "qwen-7b", true),
            ("all", vec!["batch"], "llama", false),
            ("all", vec!["none"], "llama", false),
            ("all", vec!["none", "batch"], "qwen-7b", true),
            ("all", vec!["gone"], "llama", false),
            ("some", vec![], "llama", true),
            ("some", vec![], "gpt", false),
            ("some", vec!["batch"], "llama", false),
        ];
        let access = access();
        for (tenant, roles, model, expected) in table {
            let caller = caller(tenant, &roles);
            assert_eq!(
                access.of(&caller).unwrap().model(model),
                expected,
                "{tenant} {roles:?} {model}"
            );
        }
    }

    #[test]
    fn a_tenant_that_is_gone_has_no_callers() {
        let caller = caller("gone", &[]);
        assert_eq!(access().of(&caller).map(|_| ()).unwrap_err().code, Code::InvalidApiKey);
    }
}
