//! The admin API, and what the gateways ask the control plane over plain HTTP.
//!
//! [`router`] is the API under `/api/v1` and the metrics, behind the admin token
//! and checks of the headers `Host` and `Origin`. [`sync_router`] is for the role `sync`
//! of the Wasm module: the keyring as a long poll, the look-up of one key, nonces, leases
//! of budgets and reports of refusals. It carries no key, only digests, but the secrets of signed
//! requests; it is served on the xDS port, to whoever may ask that.
//!
//! What the rest of the control plane knows comes in as values: [`Overview`]
//! for the state, a [`Mint`] for new keys, the plan in force as a watch.

mod api;
mod audit;
mod book;
mod budgets;
mod csv_text;
mod envoy;
mod focus;
mod gateways;
mod guard;
mod keys;
mod metrics;
mod money;
mod overview;
mod problem;
mod reconcile;
mod refusals;
mod rollout;
mod sync;
#[cfg(test)]
mod tests;
mod usage;
mod weights;
pub mod when;

pub use book::{CorrectRecord, CorrectedRecord, LedgerVerdict};
pub use budgets::{BudgetRow, book, in_ledger};
pub use money::{dollars, nanodollars};

pub use api::{Admin, CLOCK, router};
pub use envoy::{EnvoyStatus, MessageCounts, Refusal, TypeStatus};
pub use gateways::Gateways;
pub use guard::{Access, AdminToken};
pub use keys::{CreateKey, CreatedKey, KeyBudget, Mint, Minted, RevokedKey, RotateKey, RotatedKey};
pub use overview::{
    BreakersStatus, ChainsStatus, ConfigStatus, EndpointStatus, Overview, PoolStatus,
    RefusedConfig, ServerLoad, SourceStatus, SpoolStatus, Status, Supervised,
};
pub use problem::Problem;
pub use reconcile::{Difference, PoolRow, Tokens};
pub use refusals::{Counted, Door, NotTaken, Refusals};
pub use rollout::Rollout;
pub use sync::{Sync, sync_router};
pub use weights::{SetWeights, Splits, SwitchPool, WEIGHT_MAX, WeightsRow, rows as weights_rows};
