//! Whose limits and whose budgets a request meets, by the configuration.

use super::{Whose, unavailable};
use auth::Caller;
use billing::scope::{Kind, Scope};
use contract::lease::Account;
use contract::policy::{FamilyConfig, GatewayConfig, LimitsConfig, UsersConfig};
use contract::refusal::Refusal;
use hashbrown::{HashMap, HashSet};
use std::rc::Rc;

/// Limits and budgets of a configuration.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    limits: HashMap<String, Rc<LimitsConfig>>,
    tenants: HashMap<String, TenantRules>,
    organisations_with_budget: HashSet<String>,
}

#[derive(Clone, Debug, Default)]
struct TenantRules {
    organisation: Option<String>,
    limits: Option<Rc<LimitsConfig>>,
    budget: bool,
    users: UsersConfig,
}

impl Rules {
    /// Compiles the limits.
    ///
    /// # Errors
    /// A line for every name of limits that there are none of.
    pub fn compile(config: &GatewayConfig) -> Result<Rules, Vec<String>> {
        let limits: HashMap<_, _> =
            config.limits.iter().map(|(name, of)| (name.clone(), Rc::new(of.clone()))).collect();
        let mut faults = Vec::new();
        let mut find = |what: &str, whose: &str, name: Option<&String>| {
            let name = name?;
            let found = limits.get(name).cloned();
            if found.is_none() {
                faults.push(format!("{what} `{whose}`: there are no limits `{name}`"));
            }
            found
        };
        for (name, model) in &config.models {
            find("model", name, model.limits.as_ref());
        }
        for FamilyConfig { pattern, model } in &config.families {
            find("model", pattern, model.limits.as_ref());
        }
        let mut tenants = HashMap::new();
        for (name, tenant) in &config.tenants {
            find("users of tenant", name, tenant.users.limits.as_ref());
            let rules = TenantRules {
                organisation: tenant.organisation.clone(),
                limits: find("tenant", name, tenant.limits.as_ref()),
                budget: tenant.budget,
                users: tenant.users.clone(),
            };
            tenants.insert(name.clone(), rules);
        }
        let organisations_with_budget = config.organisations_with_budget.iter().cloned().collect();
        let rules = Rules { limits, tenants, organisations_with_budget };
        if faults.is_empty() { Ok(rules) } else { Err(faults) }
    }

    /// The organisation of a tenant.
    #[must_use]
    pub fn organisation(&self, tenant: &str) -> Option<&String> {
        self.tenants.get(tenant)?.organisation.as_ref()
    }

    /// Whether the body's `user` counts where a caller of this tenant names none.
    #[must_use]
    pub fn user_from_body(&self, tenant: &str) -> bool {
        self.tenants.get(tenant).is_some_and(|tenant| tenant.users.from_body)
    }

    /// Whether that is so for some tenant.
    #[must_use]
    pub fn use_users_of_bodies(&self) -> bool {
        self.tenants.values().any(|tenant| tenant.users.from_body)
    }

    /// All limits that a request meets.
    ///
    /// # Errors
    /// `control_unavailable` for limits that a key names and this gateway has not: the two
    /// come by different ways and one of them is late.
    pub fn scopes(
        &self,
        salt: u64,
        whose: &Whose<'_>,
    ) -> Result<Vec<(Scope, Rc<LimitsConfig>)>, Refusal> {
        let Whose { caller, user, model, limits } = *whose;
        let mut scopes = Vec::new();
        let mut push = |kind, names: &[&str], limits: Option<&Rc<LimitsConfig>>| {
            scopes.extend(limits.map(|of| (Scope::new(salt, kind, names), Rc::clone(of))));
        };
        let tenant = self.tenants.get(&caller.tenant);
        push(Kind::Tenant, &[&caller.tenant], tenant.and_then(|rules| rules.limits.as_ref()));
        let of_key = match &caller.limits {
            Some(name) => Some(self.limits.get(name).ok_or_else(unavailable)?),
            None => None,
        };
        push(Kind::Key, &[&caller.tenant, &caller.key], of_key);
        if let Some(user) = user {
            let of_user = tenant.and_then(|rules| self.limits.get(rules.users.limits.as_ref()?));
            push(Kind::User, &[&caller.tenant, user], of_user);
        }
        push(Kind::Model, &[model], limits.and_then(|name| self.limits.get(name)));
        Ok(scopes)
    }

    /// All accounts with a budget that a request is paid from.
    #[must_use]
    pub fn accounts(&self, caller: &Caller, user: Option<&str>) -> Vec<Account> {
        let none = TenantRules::default();
        let rules = self.tenants.get(&caller.tenant).unwrap_or(&none);
        let organisation = rules.organisation.as_ref();
        let organisation =
            organisation.filter(|name| self.organisations_with_budget.contains(name.as_str()));
        let tenant = rules.budget.then(|| Account::Tenant(caller.tenant.clone()));
        let key = caller.budget.then(|| Account::Key(caller.key.clone()));
        let user = user
            .filter(|_| rules.users.budget)
            .map(|user| Account::User { tenant: caller.tenant.clone(), user: user.to_owned() });
        let organisation = organisation.cloned().map(Account::Organisation);
        [organisation, tenant, key, user].into_iter().flatten().collect()
    }
}
