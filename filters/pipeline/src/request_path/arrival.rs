//! The headers of a request have arrived.

use crate::Policy;
use crate::command::{HeaderEdit, Reply};
use crate::exchange::{CertificateNames, Opened};
use crate::headers::Headers;
use crate::surface;
use auth::Caller;
use auth::credential::{self, Presented};
use auth::hmac::Signed;
use auth::key::Digest;
use chat::path::error_shape;
use contract::names::{
    CLIENT_REQUEST_ID_HEADER, JWT_PAYLOAD_PREFIX, OWN_HEADER_PREFIX, REQUEST_ID_HEADER,
    STEERING_HEADERS,
};
use contract::refusal::Refusal;

/// What has arrived.
pub struct Arrival<'h> {
    /// Every header.
    pub headers: &'h Headers,
    /// Whether nothing follows them.
    pub end_of_stream: bool,
    /// Names in the client's certificate, if it has shown one.
    pub certificate: Option<CertificateNames>,
    /// Unix time in seconds.
    pub now_s: u64,
}

/// A request whose caller is to be found.
pub struct Opening<'h> {
    /// What it says of its caller.
    pub claim: Claim<'h>,
    /// What the headers said.
    pub opened: Opened,
    /// Headers that no engine and no route may see.
    pub edits: Vec<HeaderEdit>,
}

/// What a request says of its caller.
pub enum Claim<'h> {
    /// The key with this digest is to be found.
    Key(Digest),
    /// The secret is to be found by which the request claims to be signed.
    Signed(Signed<'h>),
    /// A verified token or certificate says all.
    Caller(Caller),
    /// Nothing that counts.
    Refused(Refusal),
}

/// What somebody is told who asks whether the gateway is well, whoever he is; `None` for
/// all that ask something else. `ready` is whether it can decide about credentials.
#[must_use]
pub fn health(headers: &Headers, ready: bool) -> Option<Reply> {
    let (status, body) =
        if ready { (200, r#"{"status":"ok"}"#) } else { (503, r#"{"status":"starting"}"#) };
    (surface::path(headers) == "/healthz").then(|| Reply::json(status, body.to_owned()))
}

/// The headers have arrived.
#[must_use]
pub fn on_headers<'h>(policy: &Policy, arrival: Arrival<'h>) -> Opening<'h> {
    let claim = claim(policy, &arrival).unwrap_or_else(Claim::Refused);
    let edits = removals(arrival.headers);
    Opening { claim, edits, opened: opened(policy, arrival) }
}

fn opened(policy: &Policy, arrival: Arrival<'_>) -> Opened {
    let headers = arrival.headers;
    let path = surface::path(headers);
    Opened {
        wanted: surface::check(headers, arrival.end_of_stream, policy.max_body_bytes),
        path: surface::recorded_path(path),
        allow: surface::allowed_methods(path),
        shape: error_shape(path),
        request_id: headers.text(REQUEST_ID_HEADER).unwrap_or_default().to_owned(),
        client_request_id: surface::client_request_id(headers),
        certificate: arrival.certificate,
        told: told(policy, headers),
        end_of_stream: arrival.end_of_stream,
    }
}

/// The headers that rules and splits ask for, and the whole path where a pool has another one;
/// mostly there are none. Credentials are nobody's to ask for.
fn told(policy: &Policy, headers: &Headers) -> Headers {
    let asked = policy.routes.headers();
    if asked.is_empty() && !policy.has_base_paths {
        return Headers::default();
    }
    let is_kept = |name: &str| match name {
        ":path" => policy.has_base_paths,
        _ => asked.iter().any(|asked| asked == name) && !credential::HEADERS.contains(&name),
    };
    Headers(headers.0.iter().filter(|(name, _)| is_kept(name)).cloned().collect())
}

fn claim<'h>(policy: &Policy, arrival: &Arrival<'h>) -> Result<Claim<'h>, Refusal> {
    let headers = arrival.headers;
    surface::check_authority(headers)?;
    match credential::take(headers.lines(), !policy.issuers.is_empty())? {
        Some(Presented::Key(key)) => Ok(Claim::Key(key.digest())),
        Some(Presented::Signed(signed)) => Ok(Claim::Signed(signed)),
        Some(Presented::Token(presented)) => {
            let caller = token(policy, headers, arrival.now_s)?;
            auth::jwt::check_header(presented)?;
            Ok(Claim::Caller(caller))
        }
        None => match &arrival.certificate {
            Some(names) => policy.certificates.caller(&names.certificate()).map(Claim::Caller),
            None => Err(credential::missing()),
        },
    }
}

/// The caller of a token, by the payloads that Envoy has verified.
fn token(policy: &Policy, headers: &Headers, now_s: u64) -> Result<Caller, Refusal> {
    let payloads = headers.lines().filter_map(|(name, payload)| {
        let of_some = name.starts_with(JWT_PAYLOAD_PREFIX);
        let issuers = policy.payload_headers.iter().filter(|_| of_some);
        Some((issuers.enumerate().find(|(_, header)| *header == name)?.0, payload))
    });
    auth::jwt::caller(&policy.issuers, payloads, now_s)
}

/// Headers that do not go on: credentials, what Tollgate or Envoy decides by,
/// and `accept-encoding`, because an encoded answer could not be read.
fn removals(headers: &Headers) -> Vec<HeaderEdit> {
    let mut names: Vec<&str> =
        headers.lines().map(|(name, _)| name).filter(|name| is_removed(name)).collect();
    if surface::client_request_id(headers).is_none() {
        let ill_formed = headers.lines().map(|(name, _)| name);
        names.extend(ill_formed.filter(|name| *name == CLIENT_REQUEST_ID_HEADER));
    }
    names.dedup();
    names.into_iter().map(|name| HeaderEdit::remove(name.to_owned())).collect()
}

fn is_removed(name: &str) -> bool {
    // Envoy sets these two itself, whatever the client says.
    const OF_ENVOY: [&str; 2] = ["x-envoy-internal", "x-envoy-external-address"];
    name == "accept-encoding"
        || credential::HEADERS.contains(&name)
        || STEERING_HEADERS.contains(&name)
        || name.starts_with(OWN_HEADER_PREFIX)
        || (name.starts_with("x-envoy-") && !OF_ENVOY.contains(&name))
}
