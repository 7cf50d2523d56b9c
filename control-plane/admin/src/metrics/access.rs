//! Who was refused, and how much there is of keys and of the audit trail.

use super::family::Family;
use crate::api::Admin;
use crate::refusals::{Counted, Door};
use contract::refusal::Code;

/// What the families are made of.
#[derive(Debug, Default)]
pub struct Figures {
    /// Refusals since this control plane began.
    pub counted: Counted,
    /// Rows of the audit trail; none where the ledger cannot be asked.
    pub audit_rows: Option<u64>,
    /// Keys that are not revoked; none where the ledger cannot be asked.
    pub keys: Option<u64>,
}

impl Figures {
    /// The figures as of now.
    pub async fn of(admin: &Admin) -> Figures {
        Figures {
            counted: admin.refusals.counted(),
            audit_rows: known(admin.ledger.audit_head().await).map(|head| head.seq),
            keys: known(admin.ledger.keys_in_force().await),
        }
    }
}

/// The rest of the metrics matters most when the database fails.
fn known<T>(asked: Result<T, ledger::Error>) -> Option<T> {
    asked.inspect_err(|error| tracing::error!(%error, "a metric is left out")).ok()
}

pub fn families(figures: &Figures) -> Vec<Family> {
    let callers = &figures.counted.callers;
    let mut refused =
        Family::counter("auth_refused", "Authentications that gateways reported as refused.");
    for code in Code::ALL {
        // Those that are always there begin at 0, so that their first is seen to come.
        let always = (code.status() == 401).then_some(0);
        refused.set([("code", code.as_str())], callers.get(code.as_str()).copied().or(always));
    }
    let mut admin = Family::counter("admin_refused", "Requests not let in to the admin API.");
    for door in Door::ALL {
        let count = figures.counted.admin.get(&door).copied();
        admin.set([("reason", door.as_str())], count.unwrap_or_default());
    }
    vec![
        refused,
        admin,
        Family::counter("audit_rows", "Rows of the audit trail.").with([], figures.audit_rows),
        Family::gauge("keyring_keys", "Keys that are not revoked.").with([], figures.keys),
    ]
}
