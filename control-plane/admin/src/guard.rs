//! Who may use the admin API: whoever has the token, under a name that is ours, and
//! no page of another origin.
//!
//! The `Host` check is against DNS rebinding: a page in the operator's browser
//! can make a foreign name point at this server, but it cannot change the name
//! that the browser sends. Nor can it change the `Origin` that the browser sends
//! with what a page may not do unasked (Fetch Standard, "Origin header"), or
//! `Sec-Fetch-Site` (W3C, "Fetch Metadata Request Headers").

use crate::problem::Problem;
use crate::refusals::{Door, Refusals};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HOST, HeaderValue, ORIGIN};
use axum::http::uri::{Authority, Uri};
use axum::middleware::Next;
use axum::response::Response;
use contract::names::CONTROL_CLUSTER;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// How a browser says where the page stands that asks.
const SEC_FETCH_SITE: &str = "sec-fetch-site";

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

/// What the guard compares with, and where it counts.
#[derive(Clone)]
pub struct Gate {
    pub access: Access,
    pub refusals: Refusals,
}

impl Gate {
    fn refuse(&self, why: Door, problem: Problem) -> Result<Response, Problem> {
        self.refusals.not_let_in(why);
        Err(problem)
    }
}

/// Lets a request with the right token through.
pub async fn with_token(
    State(gate): State<Gate>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    match bearer(&request) {
        Some(claim) if gate.access.token.is(claim) => Ok(next.run(request).await),
        Some(_) => gate.refuse(Door::WrongToken, Problem::unauthorized()),
        None => gate.refuse(Door::NoToken, Problem::unauthorized()),
    }
}

/// Lets a request through that names this server, and that no other page sent.
pub async fn from_here(
    State(gate): State<Gate>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(host) = authority(&request).filter(|host| is_ours(host.host(), gate.access.listen))
    else {
        return gate.refuse(Door::Host, Problem::wrong_host());
    };
    if !is_own_page(request.headers(), &host) {
        return gate.refuse(Door::Origin, Problem::wrong_origin());
    }
    Ok(next.run(request).await)
}

/// Lets a gateway's question through: it names the cluster that led here, or
/// this machine, and is of no browser. The answers hold no key, but they name tenants
/// and users, and the same page could ask for them, or use up the room for nonces.
pub async fn for_gateways(request: Request, next: Next) -> Result<Response, Problem> {
    let ours = |host: &str| host == CONTROL_CLUSTER || is_ours(host, Ipv4Addr::LOCALHOST.into());
    if !authority(&request).is_some_and(|host| ours(host.host())) {
        return Err(Problem::wrong_host());
    }
    if [ORIGIN.as_str(), SEC_FETCH_SITE].iter().any(|name| request.headers().contains_key(*name)) {
        return Err(Problem::wrong_origin());
    }
    Ok(next.run(request).await)
}

fn bearer(request: &Request) -> Option<&str> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The host with its port: of the target where there is one (HTTP/2), else of the
/// header.
fn authority(request: &Request) -> Option<Authority> {
    if let Some(authority) = request.uri().authority() {
        return Some(authority.clone());
    }
    request.headers().get(HOST)?.to_str().ok()?.parse().ok()
}

/// Whether a browser that sent these headers shows a page of this server, asked for
/// under the name `host`, or no page at all. Who is no browser sends none of them.
fn is_own_page(headers: &HeaderMap, host: &Authority) -> bool {
    let same_origin = |origin: &HeaderValue| origin.to_str().is_ok_and(|text| is_own(text, host));
    let same_site = |site: &HeaderValue| site == "same-origin" || site == "none";
    headers.get_all(ORIGIN).iter().all(same_origin)
        && headers.get_all(SEC_FETCH_SITE).iter().all(same_site)
}

/// Whether `origin` is the scheme, host and port of this server: the scheme may be
/// that of a proxy before it.
fn is_own(origin: &str, host: &Authority) -> bool {
    let Ok(uri) = origin.parse::<Uri>() else { return false };
    let (Some(scheme), Some(theirs)) = (uri.scheme_str(), uri.authority()) else { return false };
    let port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    let port_of = |authority: &Authority| authority.port_u16().unwrap_or(port);
    // Nothing but these: no user, path or query.
    let bare = origin.len() == scheme.len() + "://".len() + theirs.as_str().len();
    bare && !theirs.as_str().contains('@')
        && theirs.host().eq_ignore_ascii_case(host.host())
        && port_of(theirs) == port_of(host)
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
    fn origins_that_are_ours() {
        let table = [
            ("http://127.0.0.1:8081", "127.0.0.1:8081", true),
            ("HTTP://LOCALHOST:8081", "localhost:8081", true),
            ("http://[::1]:8081", "[::1]:8081", true),
            ("http://localhost", "localhost", true),
            ("http://localhost", "localhost:80", true),
            ("https://localhost", "localhost:443", true),
            ("http://127.0.0.1:8082", "127.0.0.1:8081", false),
            ("http://127.0.0.1", "127.0.0.1:8081", false),
            ("http://localhost:8081", "127.0.0.1:8081", false),
            ("http://evil.example:8081", "127.0.0.1:8081", false),
            ("http://127.0.0.1:8081.evil.example", "127.0.0.1:8081", false),
            ("http://127.0.0.1:8081@evil.example", "127.0.0.1:8081", false),
            ("http://evil.example@127.0.0.1:8081", "127.0.0.1:8081", false),
            ("http://127.0.0.1:8081/", "127.0.0.1:8081", false),
            ("http://127.0.0.1:8081?a", "127.0.0.1:8081", false),
            ("file://127.0.0.1:8081", "127.0.0.1:8081", false),
            ("127.0.0.1:8081", "127.0.0.1:8081", false),
            ("null", "127.0.0.1:8081", false),
            ("", "127.0.0.1:8081", false),
        ];
        for (origin, host, own) in table {
            assert_eq!(is_own(origin, &host.parse().unwrap()), own, "{origin} {host}");
        }
    }

    #[test]
    fn pages_that_are_ours() {
        let own = "http://127.0.0.1:8081";
        let table: [(&[(&str, &str)], bool); 8] = [
            (&[], true),
            (&[("origin", own)], true),
            (&[("origin", own), ("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "cross-site")], false),
            // Another port of this machine is somebody else's.
            (&[("sec-fetch-site", "same-site")], false),
            (&[("origin", own), ("origin", "null")], false),
            (&[("origin", own), ("sec-fetch-site", "cross-site")], false),
        ];
        for (sent, ours) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in sent {
                headers.append(*name, HeaderValue::from_static(value));
            }
            let host = "127.0.0.1:8081".parse().unwrap();
            assert_eq!(is_own_page(&headers, &host), ours, "{sent:?}");
        }
    }

    #[test]
    fn an_empty_token_lets_nobody_in() {
        assert!(!AdminToken::new("").is(""));
        assert!(AdminToken::new("made-up").is("made-up"));
        assert!(!AdminToken::new("made-up").is("made-u"));
    }
}
