//! For whom a limit counts.

use crate::table::hashed;
use contract::limits::LIMIT_SLOTS;

/// What a limit is put on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// All requests of a tenant.
    Tenant,
    /// All requests by a key.
    Key,
    /// All requests of a user of a tenant.
    User,
    /// All requests for a model.
    Model,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Kind::Tenant => "tenant",
            Kind::Key => "key",
            Kind::User => "user",
            Kind::Model => "model",
        }
    }
}

/// One tenant, key, user or model: a hash of its names, so that nobody's name is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    kind: Kind,
    pub(crate) tag: u64,
    pub(crate) slot: u32,
}

impl Scope {
    /// The scope of these names; a user has two, the tenant's and his own. `salt`: see
    /// [`salt`](crate::table::salt).
    #[must_use]
    pub fn new(salt: u64, kind: Kind, names: &[&str]) -> Scope {
        let tag = hashed(hashed(salt, &[kind.name()]), names);
        Scope { kind, tag, slot: slot_of(tag, LIMIT_SLOTS, kind == Kind::User) }
    }

    /// What it is.
    #[must_use]
    pub const fn kind(self) -> Kind {
        self.kind
    }
}

/// The slot of a hash among `slots`. Users have one half of them for themselves: clients may
/// choose users, as many as they like, and shall not crowd out what is configured.
pub(crate) const fn slot_of(tag: u64, slots: u32, of_user: bool) -> u32 {
    let half = slots / 2;
    // A slot is less than 2^32.
    let place = (tag % half as u64) as u32;
    if of_user { half + place } else { place }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_differ_by_kind_names_and_salt() {
        let acme = Scope::new(1, Kind::Tenant, &["acme"]);
        assert_eq!(acme, Scope::new(1, Kind::Tenant, &["acme"]));
        for other in [
            Scope::new(1, Kind::Key, &["acme"]),
            Scope::new(2, Kind::Tenant, &["acme"]),
            Scope::new(1, Kind::Tenant, &["acme2"]),
        ] {
            assert_ne!(acme.tag, other.tag);
        }
    }

    #[test]
    fn users_do_not_meet_others() {
        for n in 0..1000 {
            let name = format!("n{n}");
            assert!(Scope::new(1, Kind::User, &["acme", &name]).slot >= LIMIT_SLOTS / 2);
            assert!(Scope::new(1, Kind::Key, &[&name]).slot < LIMIT_SLOTS / 2);
        }
    }
}
