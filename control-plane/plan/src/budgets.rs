//! What may be spent: amounts stay in the control plane; the filter knows only who has a
//! budget.

use contract::lease::Account;
use model::ids::TenantName;
use model::{Budget, Config, Tenant};
use std::collections::BTreeMap;

/// Every budget of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BudgetBook {
    /// What organisations, tenants and keys of the configuration may spend, as far as that
    /// is bounded.
    pub accounts: BTreeMap<Account, Budget>,
    /// What each user of a tenant may spend, by tenant.
    pub users: BTreeMap<String, Budget>,
    /// The organisations of tenants, by tenant.
    pub organisations: BTreeMap<String, String>,
}

impl BudgetBook {
    /// What `account` may spend; `None`: nothing bounds it here. Keys that were created by
    /// command have their budgets elsewhere.
    #[must_use]
    pub fn of(&self, account: &Account) -> Option<Budget> {
        match account {
            Account::User { tenant, .. } => self.users.get(tenant).copied(),
            other => self.accounts.get(other).copied(),
        }
    }
}

pub(crate) fn budgets(config: &Config) -> BudgetBook {
    let organisations = config.organisations.iter().filter_map(|(name, organisation)| {
        Some((Account::Organisation(name.to_string()), organisation.budget?))
    });
    let tenants = config.tenants.iter().flat_map(|(name, tenant)| of_tenant(name, tenant));
    let users = config.tenants.iter();
    let users = users.filter_map(|(name, tenant)| Some((name.to_string(), tenant.users.budget?)));
    let of = config.tenants.iter().filter_map(|(name, tenant)| {
        Some((name.to_string(), tenant.organisation.as_ref()?.to_string()))
    });
    BudgetBook {
        accounts: organisations.chain(tenants).collect(),
        users: users.collect(),
        organisations: of.collect(),
    }
}

/// The budgets of a tenant and of its keys.
fn of_tenant(name: &TenantName, tenant: &Tenant) -> Vec<(Account, Budget)> {
    let own = tenant.budget.map(|budget| (Account::Tenant(name.to_string()), budget));
    let keys = tenant.keys.iter();
    let keys = keys.filter_map(|key| Some((Account::Key(key.id(name)), key.budget?)));
    own.into_iter().chain(keys).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Per;
    use crate::build::tests::{EXAMPLE, plan};

    fn budget(nanodollars: u64, per: Per) -> Budget {
        Budget { nanodollars, per }
    }

    fn account(name: &str) -> Account {
        Account::parse(name).unwrap_or_else(|| panic!("{name}"))
    }

    #[test]
    fn every_budget_of_the_configuration() {
        let twenty = budget(20_000_000_000, Per::Hour);
        let expected = BudgetBook {
            accounts: BTreeMap::from([
                (account("organisation/north"), budget(900_000_000_000, Per::Month)),
                (account("tenant/acme"), twenty),
                (account("key/yaml:acme/ci"), budget(3, Per::Total)),
            ]),
            users: BTreeMap::from([("acme".to_owned(), budget(2_000_000_000, Per::Day))]),
            organisations: BTreeMap::from([("acme".to_owned(), "north".to_owned())]),
        };
        assert_eq!(plan(EXAMPLE).budgets, expected);
        assert_eq!(plan("version: 1").budgets, BudgetBook::default());
    }

    #[test]
    fn each_user_of_a_tenant_has_its_own() {
        let budgets = plan(EXAMPLE).budgets;
        let table = [
            ("user/acme/kim", Some(budget(2_000_000_000, Per::Day))),
            ("user/acme/a/b c", Some(budget(2_000_000_000, Per::Day))),
            ("user/zoo/kim", None),
            ("tenant/acme", Some(budget(20_000_000_000, Per::Hour))),
            ("tenant/zoo", None),
            ("organisation/south", None),
            ("organisation/nobody", None),
            ("key/yaml:acme/ci", Some(budget(3, Per::Total))),
            ("key/yaml:zoo/a", None),
        ];
        for (name, expected) in table {
            assert_eq!(budgets.of(&account(name)), expected, "{name}");
        }
    }
}
