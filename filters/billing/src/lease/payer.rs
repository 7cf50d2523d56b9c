//! An account as the table knows it.

use crate::scope::slot_of;
use crate::table::hashed;
use contract::lease::Account;
use contract::limits::LEASE_SLOTS;
use std::fmt;

/// An account that pays for a request. Its `Debug` does not show the name: users have some.
#[derive(Clone, PartialEq, Eq)]
pub struct Payer {
    name: String,
    pub(super) tag: u128,
    pub(super) slot: u32,
}

impl Payer {
    /// The payer of that account. `salt`: see [`salt`](crate::table::salt).
    #[must_use]
    pub fn new(salt: u64, account: &Account) -> Payer {
        let name = account.to_string();
        let [high, low] = ["high", "low"].map(|half| hashed(salt, &[half, &name]));
        let is_user = matches!(account, Account::User { .. });
        Payer {
            name,
            tag: (u128::from(high) << 64) | u128::from(low),
            slot: slot_of(low, LEASE_SLOTS, is_user),
        }
    }

    /// The account's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for Payer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payer").field("slot", &self.slot).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payers_differ_by_account_and_salt() {
        let payer = |salt, name: &str| Payer::new(salt, &Account::parse(name).unwrap());
        let acme = payer(1, "tenant/acme");
        assert_eq!((acme.name(), &acme), ("tenant/acme", &payer(1, "tenant/acme")));
        assert_ne!(acme.tag, payer(1, "key/acme").tag);
        assert_ne!(acme.tag, payer(2, "tenant/acme").tag);
        assert_ne!(acme.tag >> 64, acme.tag & u128::from(u64::MAX));
        assert!(acme.slot < LEASE_SLOTS / 2);
        assert!(!format!("{:?}", payer(1, "user/acme/ann")).contains("ann"));
        assert!((LEASE_SLOTS / 2..LEASE_SLOTS).contains(&payer(1, "user/acme/ann").slot));
    }
}
