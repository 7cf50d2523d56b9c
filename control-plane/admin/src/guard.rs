//! Who may use the admin API: whoever has the token, under a name that is ours.
//!
//! The `Host` check is against DNS rebinding: a page in the operator's browser
//! can make a foreign name point at this server, but it cannot change the name
//! that the browser sends.

use crate::problem::Problem;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::uri::Authority;
use axum::middleware::Next;
use axum::response::Response;
use contract::names::CONTROL_CLUSTER;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// The admin token. It has neither `Debug` nor `Display`.
#[derive(Clone)]
pub struct AdminToken(Arc<str>);

impl AdminToken {
    /// Takes `token` out of sight. An empty one lets nobody in.
    #[must_use]
    pub fn new(token: &str) -> Self {
        AdminToken(token.into())
    }

    /// Whether `claim` is the token, in a time that does not tell how much of it is.
    fn is(&self, claim: &str) -> bool {
        !self.0.is_empty() && bool::from(self.0.as_bytes().ct_eq(claim.as_bytes()))
    }
}

/// What the guard compares with.
#[derive(Clone)]
pub struct Access {
    /// The token.
    pub token: AdminToken,
    /// The address that the API listens on.
    pub listen: IpAddr,
}

/// Lets a request with the right name and the right token through.
pub async fn with_token(
    State(access): State<Access>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if bearer(&request).is_some_and(|claim| access.token.is(claim)) {
        return Ok(next.run(request).await);
    }
    Err(Problem::unauthorized())
}

/// Lets a request with the right name through.
pub async fn with_host(
    State(access): State<Access>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if host(&request).is_some_and(|host| is_ours(&host, access.listen)) {
        return Ok(next.run(request).await);
    }
    Err(Problem::wrong_host())
}

/// Lets a gateway's question through: it names the cluster that led here, or
/// this machine. The answers hold no key, but they name tenants and users, and
/// the same page in a browser could ask for them.
pub async fn for_gateways(request: Request, next: Next) -> Result<Response, Problem> {
    let ours = |host: String| host == CONTROL_CLUSTER || is_ours(&host, Ipv4Addr::LOCALHOST.into());
    if host(&request).is_some_and(ours) {
        return Ok(next.run(request).await);
    }
    Err(Problem::wrong_host())
}

fn bearer(request: &Request) -> Option<&str> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The host without its port: of the target where there is one (HTTP/2), else
/// of the header.
fn host(request: &Request) -> Option<String> {
    if let Some(host) = request.uri().host() {
        return Some(host.to_owned());
    }
    let value = request.headers().get(HOST)?.to_str().ok()?;
    let authority: Authority = value.parse().ok()?;
    Some(authority.host().to_owned())
}

fn is_ours(host: &str, listen: IpAddr) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        // Who listens on all addresses has addresses that it does not know. An
        // address cannot be bent by DNS.
        Ok(ip) => ip.is_loopback() || ip == listen || listen.is_unspecified(),
        Err(_) => bare.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_are_ours() {
        let loopback = "127.0.0.1".parse().unwrap();
        let all = "0.0.0.0".parse().unwrap();
        let one = "10.0.0.5".parse().unwrap();
        let table = [
            ("127.0.0.1", loopback, true),
            ("[::1]", loopback, true),
            ("localhost", loopback, true),
            ("LOCALHOST", loopback, true),
            ("evil.example", loopback, false),
            ("127.0.0.1.evil.example", loopback, false),
            ("localhost.evil.example", all, false),
            ("10.0.0.5", loopback, false),
            ("10.0.0.5", one, true),
            ("10.0.0.5", all, true),
            ("evil.example", all, false),
        ];
        for (host, listen, ours) in table {
            assert_eq!(is_ours(host, listen), ours, "{host} {listen}");
        }
    }

    #[test]
    fn an_empty_token_lets_nobody_in() {
        assert!(!AdminToken::new("").is(""));
        assert!(AdminToken::new("made-up").is("made-up"));
        assert!(!AdminToken::new("made-up").is("made-u"));
    }
}
