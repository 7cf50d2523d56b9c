//! What the admin API answers when the answer is no.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refusal for the operator: `{"error":{"message","code"}}` with a status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// A stable word for programs.
    pub code: &'static str,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Problem { status, code, message: message.into() }
    }

    /// The request is not what is taken here.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    /// The thing does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// The thing is in a state that does not allow it.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    /// The token is missing or wrong.
    pub fn unauthorized() -> Self {
        let message = "The admin token is missing or wrong: send it as `Authorization: Bearer`.";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    /// The `Host` is not one of this server's.
    pub fn wrong_host() -> Self {
        let message = "The Host header names none of this server's addresses.";
        Self::new(StatusCode::MISDIRECTED_REQUEST, "wrong_host", message)
    }

    /// A page of another origin sent this.
    pub fn wrong_origin() -> Self {
        let message = "Pages of other origins may not ask this server.";
        Self::new(StatusCode::FORBIDDEN, "wrong_origin", message)
    }

    /// Something of ours failed; the cause is for the log.
    pub fn internal(cause: &dyn std::error::Error) -> Self {
        tracing::error!(%cause, "the admin API could not answer");
        let message = "The control plane could not do this; its log says why.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({"error": {"message": self.message, "code": self.code}});
        (self.status, Json(body)).into_response()
    }
}

impl From<ledger::Error> for Problem {
    fn from(error: ledger::Error) -> Self {
        match error {
            ledger::Error::KeyExists => Self::conflict("A key with this id exists already."),
            ledger::Error::NoShare => {
                Self::invalid("weights: all are 0; at least one pool must get requests.")
            }
            other => Self::internal(&other),
        }
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), "invalid_request", rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::invalid(rejection.body_text())
    }
}
