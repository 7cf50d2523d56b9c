//! The routes under `/api/v1`, and `/metrics`.

use crate::guard::{self, Access, Gate};
use crate::keys::{self, Mint};
use crate::overview::{self, Overview};
use crate::problem::Problem;
use crate::refusals::Refusals;
use crate::sync::not_kept;
use crate::weights::Splits;
use crate::{audit, book, budgets, metrics, reconcile, usage, weights};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{delete, get, post};
use ledger::Ledger;
use plan::Plan;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

/// Largest body of a request: nothing that is taken here comes near.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// What the handlers work with.
#[derive(Clone)]
pub struct Admin {
    /// Keys and usage.
    pub ledger: Ledger,
    /// The plan in force: which tenants and roles there are.
    pub plan: watch::Receiver<Arc<Plan>>,
    /// The splits of models as the configuration has them.
    pub splits: watch::Receiver<Splits>,
    /// The state of everything else.
    pub overview: Arc<dyn Overview>,
    /// Makes keys.
    pub mint: Mint,
    /// Who was refused, here and by the gateways.
    pub refusals: Refusals,
}

/// The system's clock, read at this edge and nowhere else.
pub struct Clock;

/// The one clock.
pub const CLOCK: Clock = Clock;

impl Clock {
    /// Unix time in milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// Unix time in seconds.
    #[must_use]
    pub fn now_s(&self) -> u64 {
        self.now_ms() / 1_000
    }
}

/// The admin API.
pub fn router(admin: Admin, access: Access) -> Router {
    let gate = Gate { access, refusals: admin.refusals.clone() };
    let guarded = Router::new()
        .route("/api/v1/keys", get(keys::list).post(keys::create))
        .route("/api/v1/keys/{id}", delete(keys::revoke))
        .route("/api/v1/keys/{id}/rotate", post(keys::rotate))
        .route("/api/v1/audit", get(audit::trail))
        .route("/api/v1/audit/verify", get(audit::verify))
        .route("/api/v1/usage", get(usage::report))
        .route("/api/v1/budgets", get(budgets::list))
        .route("/api/v1/ledger/verify", get(book::verify))
        .route("/api/v1/ledger/corrections", get(book::corrections).post(book::correct))
        .route("/api/v1/reconcile", get(reconcile::reconcile))
        .route("/api/v1/rollouts", get(weights::list))
        .route(
            "/api/v1/rollouts/{model}",
            get(weights::one).put(weights::set).delete(weights::reset),
        )
        .route("/api/v1/rollouts/{model}/switch", post(weights::switch))
        .route("/api/v1/rollouts/{model}/undo", post(weights::undo))
        .route("/api/v1/status", get(overview::status))
        .route("/api/v1/config", get(overview::config))
        .route("/metrics", get(metrics::metrics))
        .fallback(nothing_here)
        .layer(from_fn_with_state(gate.clone(), guard::with_token));
    let open =
        Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready));
    guarded
        .merge(open)
        .method_not_allowed_fallback(other_method)
        .layer(from_fn_with_state(gate, guard::from_here))
        .layer(map_response(not_kept))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(admin)
}

async fn ready(
    axum::extract::State(admin): axum::extract::State<Admin>,
) -> (StatusCode, &'static str) {
    if admin.overview.ready().await {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}

async fn nothing_here() -> Problem {
    Problem::not_found("There is nothing here; the API is under /api/v1.")
}

async fn other_method() -> Problem {
    Problem {
        status: StatusCode::METHOD_NOT_ALLOWED,
        code: "method_not_allowed",
        message: "This path has other methods.".to_owned(),
    }
}
