//! Leases of budgets: what a gateway may spend by itself.

use super::unavailable;
use crate::api::CLOCK;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use contract::lease::LeaseRequest;
use contract::limits::LEASE_TIMEOUT_MS;
use contract::names::{ANSWER_HEADER, ANSWER_LEASES};
use ledger::Ledger;
use std::time::Duration;
use tokio::time::timeout;

/// Largest request: as many accounts and leases as are taken, with the longest names.
pub const BYTES_MAX: usize = 1024 * 1024;

/// Most accounts of one request.
const WANTED_MAX: usize = 1_000;

/// Most leases that one request gives back.
const RETURNED_MAX: usize = 10_000;

/// Longest name of a gateway's process, in bytes.
const PROCESS_BYTES_MAX: usize = 128;

/// `POST leases`. Many at once are one commit of the ledger's. An answer that would come
/// too late is none: what it grants comes back with the lease's end.
pub async fn leases(State(ledger): State<Ledger>, body: Bytes) -> Response {
    let Some(request) = serde_json::from_slice(&body).ok().filter(is_bounded) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let asked = ledger.lease(request, CLOCK.now_ms());
    match timeout(Duration::from_millis(LEASE_TIMEOUT_MS), asked).await {
        Ok(Ok(answer)) => ([(ANSWER_HEADER, ANSWER_LEASES)], Json(answer)).into_response(),
        Ok(Err(error)) => unavailable(&error),
        Err(_) => {
            tracing::warn!("a gateway's question for a lease took too long");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

fn is_bounded(request: &LeaseRequest) -> bool {
    (1..=PROCESS_BYTES_MAX).contains(&request.process.len())
        && request.wanted.len() <= WANTED_MAX
        && request.returned.len() <= RETURNED_MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::lease::{Returned, Wanted};

    #[test]
    fn requests_are_bounded() {
        let request = |process: usize, wanted: usize, returned: usize| LeaseRequest {
            process: "p".repeat(process),
            wanted: vec![Wanted { account: "tenant/a".into(), need: 1, lease: 0 }; wanted],
            returned: vec![Returned { lease: 1, total: 1, over: false }; returned],
        };
        let table = [
            (1, 0, 0, true),
            (PROCESS_BYTES_MAX, WANTED_MAX, RETURNED_MAX, true),
            (0, 1, 1, false),
            (PROCESS_BYTES_MAX + 1, 1, 1, false),
            (1, WANTED_MAX + 1, 0, false),
            (1, 0, RETURNED_MAX + 1, false),
        ];
        for (process, wanted, returned, bounded) in table {
            assert_eq!(is_bounded(&request(process, wanted, returned)), bounded);
        }
    }
}
