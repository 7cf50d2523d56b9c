//! The token that every request on the port carries.

use super::refusals::Refusals;
use super::stream::Peer;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;
use subtle::ConstantTimeEq as _;
use tonic::Status;

/// How the content type of gRPC begins.
const GRPC: &str = "application/grpc";
/// What is wrong, for whoever asks: not how.
const REFUSED: &str = "the token of control.xds is missing or wrong";

/// The token. It has neither `Debug` nor `Display`.
#[derive(Clone)]
pub struct Bearer {
    token: Arc<str>,
    refusals: Refusals,
}

impl Bearer {
    /// Takes `token` out of sight. An empty one lets nobody in.
    pub fn new(token: &str, refusals: Refusals) -> Self {
        Bearer { token: token.into(), refusals }
    }

    /// Whether the headers carry the token and nothing beside it, in a time that
    /// does not tell how much of it.
    fn is_in(&self, headers: &HeaderMap) -> bool {
        let mut claims = headers.get_all(AUTHORIZATION).iter();
        let (Some(claim), None) = (claims.next(), claims.next()) else { return false };
        let claim = claim.to_str().ok().and_then(|value| value.split_once(' '));
        claim.is_some_and(|(scheme, claim)| {
            scheme.eq_ignore_ascii_case("bearer")
                && !self.token.is_empty()
                && bool::from(self.token.as_bytes().ct_eq(claim.as_bytes()))
        })
    }
}

/// Lets a request with the token through, and knows its connection from then on.
pub async fn only_with_token(
    State(bearer): State<Bearer>,
    request: Request,
    next: Next,
) -> Response {
    let peer = super::peer(&request);
    if bearer.is_in(request.headers()) {
        if let Some(peer) = peer {
            peer.admit();
        }
        return next.run(request).await;
    }
    let unknown = Peer::unknown();
    bearer.refusals.note(peer.unwrap_or(&unknown), &REFUSED);
    refusal(request.headers())
}

/// In the words of whoever asks: gRPC has its own for 401.
fn refusal(headers: &HeaderMap) -> Response {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with(GRPC) {
        return Status::unauthenticated(REFUSED).into_http();
    }
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], REFUSED).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, value.parse().unwrap())).collect()
    }

    #[test]
    fn only_the_token_is_the_token() {
        let bearer = Bearer::new("made-up", Refusals::default());
        let table: [(&[&str], bool); 9] = [
            (&["Bearer made-up"], true),
            (&["bearer made-up"], true),
            (&[], false),
            (&["made-up"], false),
            (&["Basic made-up"], false),
            (&["Bearer made-u"], false),
            (&["Bearer made-up "], false),
            (&["Bearer "], false),
            (&["Bearer made-up", "Bearer made-up"], false),
        ];
        for (values, right) in table {
            assert_eq!(bearer.is_in(&headers(values)), right, "{values:?}");
        }
        assert!(!Bearer::new("", Refusals::default()).is_in(&headers(&["Bearer "])));
    }

    #[test]
    fn a_refusal_is_in_the_words_of_whoever_asks() {
        let plain = refusal(&HeaderMap::new());
        assert_eq!(plain.status(), 401);
        let grpc = refusal(&HeaderMap::from_iter([(CONTENT_TYPE, GRPC.parse().unwrap())]));
        assert_eq!(
            (grpc.status().as_u16(), grpc.headers()["grpc-status"].as_bytes()),
            (200, &b"16"[..])
        );
    }
}
