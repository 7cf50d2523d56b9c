//! Budgets, the space for usage, and between how many gateways limits are shared.

use super::family::Family;
use crate::api::{Admin, CLOCK};
use crate::overview::Status;
use ledger::BudgetStanding;
use prometheus_client::registry::Unit;
use std::time::Duration;
use tokio::time::timeout;

/// Most accounts that have series of their own: users are many.
pub const ACCOUNTS_MAX: usize = 10_000;

/// Nano-dollars in a dollar.
const NANODOLLARS: f64 = 1_000_000_000.0;

/// How long the ledger may take: other metrics matter most when it fails.
const PATIENCE: Duration = Duration::from_secs(2);

/// How the budgets stand; none where the ledger cannot be asked.
pub async fn standings(admin: &Admin) -> Vec<BudgetStanding> {
    match timeout(PATIENCE, admin.ledger.budgets(CLOCK.now_ms())).await {
        Ok(Ok(standings)) => return standings,
        Ok(Err(error)) => tracing::error!(%error, "the metrics of budgets are left out"),
        Err(_) => tracing::error!("the metrics of budgets are left out: the ledger is slow"),
    }
    Vec::new()
}

/// A series for each budget. What is to be exact is in the admin API: values are floating
/// point here.
pub fn budgets(standings: &[BudgetStanding]) -> Vec<Family> {
    let family = |name, help, of: fn(&BudgetStanding) -> f64| {
        let mut family = Family::gauge(name, help).in_unit(Unit::Other("dollars".to_owned()));
        for standing in standings.iter().take(ACCOUNTS_MAX) {
            family.set([("account", &standing.account)], of(standing) / NANODOLLARS);
        }
        family
    };
    let left_out = standings.len().saturating_sub(ACCOUNTS_MAX);
    vec![
        family("budget_limit", "What may be spent in the running period.", |it| it.limit as f64),
        family("budget_spent", "What was spent in it.", |it| it.spent as f64),
        family("budget_held", "What gateways may spend of it without asking.", |it| it.held as f64),
        family("budget_left", "What is left of it.", |it| it.left as f64),
        Family::gauge("budgets_left_out", "Budgets that have no series here.").with([], left_out),
    ]
}

/// The space that usage is written to, and the gateways.
pub fn gateways(status: &Status) -> Vec<Family> {
    let space = status.spool.as_ref();
    vec![
        Family::gauge("spool_free", "Space that usage can still be written to.")
            .in_unit(Unit::Bytes)
            .with([], space.and_then(|space| space.free_bytes)),
        Family::gauge("spool_full", "Whether billable requests are refused for want of space.")
            .with([], space.map(|space| space.full)),
        Family::gauge("gateways", "Gateways that share the limits.")
            .with([], u64::from(status.gateways)),
    ]
}
