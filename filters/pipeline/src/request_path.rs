//! The way of a request: headers, caller, body.

use crate::Policy;
use crate::command::{Finish, HeaderEdit, Reply};
use crate::exchange::{Forwarded, Held, Opened, who};
use crate::headers::Headers;
use crate::model_list;
use crate::surface::{self, Wanted};
use auth::Caller;
use auth::authorize::Permissions;
use auth::key::Digest;
use chat::edit::{Edit, apply, json_string};
use chat::path::error_shape;
use chat::request::{Request, RequestError, parse};
use contract::keyring::KeyEntry;
use contract::limits::CHOICES_MAX;
use contract::names::{
    CLIENT_REQUEST_ID_HEADER, OWN_HEADER_PREFIX, POOL_HEADER, REQUEST_ID_HEADER, STREAM_HEADER,
    TIMEOUT_HEADER,
};
use contract::refusal::{Code, Refusal};
use contract::usage::Who;
use routing::Route;

/// What the headers of a request lead to.
pub enum Opening {
    /// The client is answered at once; nobody is billed.
    Reply(Reply),
    /// The key with this digest is to be found.
    Identify {
        /// SHA-256 of the key.
        digest: Digest,
        /// What the headers said.
        opened: Opened,
        /// Headers that no engine and no route may see.
        edits: Vec<HeaderEdit>,
    },
}

/// The headers have arrived. `ready` is whether the gateway can decide about
/// keys: `/healthz` tells it to whoever asks.
#[must_use]
pub fn on_headers(policy: &Policy, headers: &Headers, end_of_stream: bool, ready: bool) -> Opening {
    let path = surface::path(headers);
    if path == "/healthz" {
        return Opening::Reply(health(ready));
    }
    let client_request_id = surface::client_request_id(headers);
    let mut edits = removals(headers);
    if client_request_id.is_none() && headers.text(CLIENT_REQUEST_ID_HEADER).is_some() {
        edits.push(HeaderEdit::remove(CLIENT_REQUEST_ID_HEADER));
    }
    let opened = Opened {
        wanted: surface::check(headers, end_of_stream, policy.max_body_bytes),
        path: surface::recorded_path(path),
        allow: surface::allowed_methods(path),
        shape: error_shape(path),
        request_id: headers.text(REQUEST_ID_HEADER).unwrap_or_default().to_owned(),
        client_request_id,
    };
    match auth::credential::take(headers.lines()) {
        Ok(key) => Opening::Identify { digest: key.digest(), opened, edits },
        Err(refusal) => Opening::Reply(reply(&refusal, &opened)),
    }
}

fn health(ready: bool) -> Reply {
    if ready {
        Reply::json(200, r#"{"status":"ok"}"#.to_owned())
    } else {
        Reply::json(503, r#"{"status":"starting"}"#.to_owned())
    }
}

/// Headers that do not go on: credentials, what Tollgate or Envoy decides by,
/// and `accept-encoding`, because an encoded answer could not be read.
fn removals(headers: &Headers) -> Vec<HeaderEdit> {
    let mut names: Vec<&str> =
        headers.lines().map(|(name, _)| name).filter(|name| is_removed(name)).collect();
    names.dedup();
    names.into_iter().map(|name| HeaderEdit::remove(name.to_owned())).collect()
}

fn is_removed(name: &str) -> bool {
    // Envoy sets these two itself, whatever the client says.
    const OF_ENVOY: [&str; 2] = ["x-envoy-internal", "x-envoy-external-address"];
    name == "accept-encoding"
        || auth::credential::HEADERS.contains(&name)
        || name.starts_with(OWN_HEADER_PREFIX)
        || (name.starts_with("x-envoy-") && !OF_ENVOY.contains(&name))
}

/// What a caller's request leads to before its body is there.
#[derive(Debug)]
pub enum Identified {
    /// It ends here.
    Finish(Finish),
    /// Its body decides.
    Hold(Held),
}

/// The look-up of the key has ended.
#[must_use]
pub fn on_key(policy: &Policy, opened: Opened, entry: Option<KeyEntry>, now_s: u64) -> Identified {
    let caller = match auth::authenticate(entry, now_s) {
        Ok(caller) => caller,
        Err(refusal) => return Identified::Finish(anonymous(&refusal, &opened)),
    };
    let permissions = match policy.access.of(&caller) {
        Ok(permissions) => permissions,
        Err(refusal) => return Identified::Finish(anonymous(&refusal, &opened)),
    };
    let list = match &opened.wanted {
        Err(refusal) => {
            return Identified::Finish(refused(refusal, who(&caller, &opened), &opened));
        }
        Ok(Wanted::Inference) => None,
        Ok(Wanted::Models) => Some(Ok(model_list::list(policy, &permissions))),
        Ok(Wanted::Model(name)) => {
            Some(model_list::one(policy, &permissions, name).ok_or_else(no_such_model))
        }
    };
    match list {
        None => Identified::Hold(Held { caller, opened }),
        Some(Ok(body)) => Identified::Finish(answered(body, who(&caller, &opened), &opened)),
        Some(Err(refusal)) => Identified::Finish(refused(&refusal, who(&caller, &opened), &opened)),
    }
}

/// The key could not be looked up.
#[must_use]
pub fn on_key_unavailable(opened: &Opened) -> Reply {
    let refusal =
        Refusal::new(Code::ControlUnavailable, "This API key could not be checked; try again.");
    reply(&refusal, opened).with_header("retry-after", Some("1"))
}

/// What a body leads to.
#[derive(Debug)]
pub enum Decision {
    /// It ends here.
    Finish(Finish),
    /// It goes to a pool.
    Forward {
        /// Headers that lead there.
        edits: Vec<HeaderEdit>,
        /// The body for the engine, where it is another one.
        body: Option<Vec<u8>>,
        /// What is known when the answer comes.
        forwarded: Forwarded,
    },
}

/// More of the body has arrived than is taken.
#[must_use]
pub fn on_body_too_large(policy: &Policy, held: &Held) -> Finish {
    refused(&surface::too_large(policy.max_body_bytes), held.who(), &held.opened)
}

/// The whole body is there.
#[must_use]
pub fn on_body(policy: &Policy, held: &Held, body: &[u8]) -> Decision {
    let mut who = held.who();
    match decide(policy, &held.caller, &mut who, body) {
        Ok((route, engine_body)) => Decision::Forward {
            edits: forward_edits(route, who.stream),
            body: engine_body,
            forwarded: Forwarded {
                request_id: held.opened.request_id.clone(),
                asked: who.model.clone().unwrap_or_default(),
                expose_pool: policy.expose_pool,
                who,
            },
        },
        Err(refusal) => Decision::Finish(refused(&refusal, who, &held.opened)),
    }
}

fn decide<'p>(
    policy: &'p Policy,
    caller: &Caller,
    who: &mut Who,
    body: &[u8],
) -> Result<(&'p Route, Option<Vec<u8>>), Refusal> {
    let request = parse(body).map_err(|error| malformed(&error))?;
    who.stream = request.stream;
    let permissions = policy.access.of(caller)?;
    let route = route(policy, &permissions, &request.model.value)?;
    who.model = Some(request.model.value.to_string());
    check_bounds(&request, route.config.context)?;
    who.pool = Some(route.pool.clone());
    who.price_version = Some(route.config.price_version.clone());
    Ok((route, body_for(route, &request, body)))
}

fn route<'p>(
    policy: &'p Policy,
    permissions: &Permissions<'_>,
    model: &str,
) -> Result<&'p Route, Refusal> {
    let route = policy.routes.choose(model).filter(|_| permissions.model(model));
    route.map(|route| &**route).ok_or_else(no_such_model)
}

fn check_bounds(request: &Request<'_>, context: u64) -> Result<(), Refusal> {
    let tokens_max = if context == 0 { u64::MAX } else { context };
    in_bounds("n", request.n, CHOICES_MAX)?;
    in_bounds("max_tokens", request.max_tokens, tokens_max)?;
    in_bounds("max_completion_tokens", request.max_completion_tokens, tokens_max)
}

fn in_bounds(param: &'static str, value: Option<u64>, max: u64) -> Result<(), Refusal> {
    if value.is_none_or(|value| (1..=max).contains(&value)) {
        return Ok(());
    }
    let message = if max == u64::MAX {
        format!("`{param}` must be at least 1.")
    } else {
        format!("`{param}` must be 1 to {max}.")
    };
    Err(Refusal::new(Code::InvalidRequest, message).with_param(param))
}

/// The body with the engine's own name of the model; `None` where it is the
/// name that was asked for.
fn body_for(route: &Route, request: &Request<'_>, body: &[u8]) -> Option<Vec<u8>> {
    let name = &route.config.model;
    if request.model.value == name.as_str() {
        return None;
    }
    let text = json_string(name);
    apply(body, &[Edit { span: request.model.span.clone(), text }])
}

fn forward_edits(route: &Route, stream: bool) -> Vec<HeaderEdit> {
    let timing = if stream {
        HeaderEdit::set(STREAM_HEADER, "1")
    } else {
        HeaderEdit::set(TIMEOUT_HEADER, route.config.timeout_ms.to_string())
    };
    vec![HeaderEdit::set(POOL_HEADER, route.config.cluster.clone()), timing]
}

fn malformed(error: &RequestError) -> Refusal {
    let code = match error {
        RequestError::InvalidJson { .. } => Code::InvalidJson,
        RequestError::DuplicateKey(_) => Code::DuplicateKey,
        _ => Code::InvalidRequest,
    };
    let refusal = Refusal::new(code, error.to_string());
    match error.param() {
        Some(param) => refusal.with_param(param),
        None => refusal,
    }
}

fn no_such_model() -> Refusal {
    Refusal::new(Code::ModelNotFound, "This model does not exist, or you may not use it.")
        .with_param("model")
}

fn reply(refusal: &Refusal, opened: &Opened) -> Reply {
    let allow = (refusal.code == Code::MethodNotAllowed).then_some(opened.allow);
    Reply::refusal(refusal, opened.shape)
        .with_header("allow", allow)
        .with_header(CLIENT_REQUEST_ID_HEADER, opened.client_request_id.as_deref())
}

fn anonymous(refusal: &Refusal, opened: &Opened) -> Finish {
    Finish { reply: reply(refusal, opened), who: None }
}

fn refused(refusal: &Refusal, who: Who, opened: &Opened) -> Finish {
    let who = Who { code: Some(refusal.code.as_str().to_owned()), ..who };
    Finish { reply: reply(refusal, opened), who: Some(who) }
}

fn answered(body: String, who: Who, opened: &Opened) -> Finish {
    let reply = Reply::json(200, body)
        .with_header(CLIENT_REQUEST_ID_HEADER, opened.client_request_id.as_deref());
    Finish { reply, who: Some(who) }
}

#[cfg(test)]
mod tests;
