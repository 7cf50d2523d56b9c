//! How money travels from the ledger to the gateways: a lease is a part of a budget that one
//! gateway may spend by itself.
//!
//! All amounts of a lease only grow, and each side tells its own as they are by now, so that a
//! message may be lost or come twice. What a lease can still pay for is
//! `granted - returned - (what was spent and what is reserved)`; the ledger holds
//! `granted - returned - (what was posted)`.

use serde::{Deserialize, Serialize};

/// An account that may have a budget. Its text is its name in the ledger: `organisation/NAME`,
/// `tenant/NAME`, `key/ID`, `user/TENANT/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// All tenants of an organisation.
    Organisation(String),
    /// A tenant.
    Tenant(String),
    /// A key, by its id.
    Key(String),
    /// A user of a tenant.
    User {
        /// The tenant.
        tenant: String,
        /// The user, who is another one for another tenant.
        user: String,
    },
}

impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Account::Organisation(name) => write!(f, "organisation/{name}"),
            Account::Tenant(name) => write!(f, "tenant/{name}"),
            Account::Key(id) => write!(f, "key/{id}"),
            Account::User { tenant, user } => write!(f, "user/{tenant}/{user}"),
        }
    }
}

impl Account {
    /// The account of this name. Names of tenants have no slash.
    #[must_use]
    pub fn parse(name: &str) -> Option<Account> {
        let (kind, rest) = name.split_once('/')?;
        let rest = Some(rest).filter(|rest| !rest.is_empty())?;
        match kind {
            "organisation" => Some(Account::Organisation(rest.to_owned())),
            "tenant" => Some(Account::Tenant(rest.to_owned())),
            "key" => Some(Account::Key(rest.to_owned())),
            "user" => {
                let (tenant, user) = rest.split_once('/')?;
                Some(Account::User { tenant: tenant.to_owned(), user: user.to_owned() })
            }
            _ => None,
        }
    }
}

/// What a gateway asks for, and gives back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseRequest {
    /// Tells one process of a gateway from every other.
    pub process: String,
    /// The accounts that need money, each once. All of them get some, or are told why not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wanted: Vec<Wanted>,
    /// What is given back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returned: Vec<Returned>,
}

/// An account that needs money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The account's name.
    pub account: String,
    /// The least that helps, in nano-dollars, beyond what was granted already.
    pub need: u64,
    /// The lease that the gateway has already and that would grow; 0: none, or one that is
    /// over.
    #[serde(default)]
    pub lease: u64,
}

/// What is given back of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// The lease.
    pub lease: u64,
    /// All that was ever given back of it, in nano-dollars.
    pub total: u64,
    /// Whether nothing will be reserved from it any more, and nothing is.
    #[serde(default)]
    pub over: bool,
}

/// The answer: one for each account that was wanted, in the same order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseAnswer {
    /// What became of each.
    pub leases: Vec<Leased>,
}

/// What an account may spend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Leased {
    /// A lease, perhaps with less than was needed: then it is all that there is.
    Granted {
        /// Its number, one of its kind in the ledger.
        lease: u64,
        /// All that was ever granted of it, in nano-dollars.
        granted: u64,
        /// Unix time in milliseconds from which nothing may be reserved from it.
        expires_ms: u64,
        /// Unix time in milliseconds at which its budget's period ends; `None`: never.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ends_ms: Option<u64>,
        /// Whether the ledger has nothing more to give just now.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        last: bool,
    },
    /// Nothing is left.
    Exhausted {
        /// Seconds until there may be something; `None`: never.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_s: Option<u64>,
    },
    /// The account has no budget (any more): nothing bounds it.
    Unbounded,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_its_name() {
        for name in ["organisation/a", "tenant/acme", "key/yaml:acme/ci", "user/acme/a/b c"] {
            assert_eq!(Account::parse(name).unwrap().to_string(), name);
        }
        for name in ["", "tenant", "tenant/", "user/acme", "other/x"] {
            assert_eq!(Account::parse(name), None, "{name}");
        }
    }

    #[test]
    fn an_answer_reads_as_it_was_written() {
        let granted =
            Leased::Granted { lease: 7, granted: 5, expires_ms: 9, ends_ms: None, last: true };
        let answer = LeaseAnswer {
            leases: vec![granted, Leased::Exhausted { retry_after_s: None }, Leased::Unbounded],
        };
        let text = serde_json::to_string(&answer).unwrap();
        assert_eq!(serde_json::from_str::<LeaseAnswer>(&text).unwrap(), answer);
        assert!(
            text.contains(r#"{"is":"granted","lease":7,"granted":5,"expires_ms":9,"last":true}"#)
        );
    }
}
