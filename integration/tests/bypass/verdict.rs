//! Whether what came of an attack is allowed.

use super::attack::{Attack, CHAT, HONEST, Wanted};
use super::strict_json;
use integration::engine::Received;
use serde_json::Value;

/// Every code that a client may be refused with, and its status: the contract's table.
const CODES: &[(&str, u16)] = &[
    ("invalid_json", 400),
    ("invalid_request", 400),
    ("ambiguous_credentials", 400),
    ("duplicate_key", 400),
    ("field_not_allowed", 400),
    ("missing_credentials", 401),
    ("invalid_api_key", 401),
    ("key_expired", 401),
    ("invalid_token", 401),
    ("invalid_signature", 401),
    ("replayed_request", 401),
    ("forbidden", 403),
    ("model_not_found", 404),
    ("not_found", 404),
    ("method_not_allowed", 405),
    ("request_too_large", 413),
    ("unsupported_media_type", 415),
    ("rate_limit_exceeded", 429),
];
/// Statuses of requests that are no HTTP that Envoy speaks: it ends them itself, with
/// the contract's body (`invalid_request`).
const CODEC_STATUSES: [u16; 4] = [403, 426, 431, 501];
/// Headers that say who asks or what becomes of the request. An engine gets them as
/// the gate made them, or not at all.
const INTERNAL_PREFIXES: [&str; 4] =
    ["x-tollgate-", "x-envoy-", "x-forwarded-client-cert", "x-forwarded-proto"];
const CREDENTIALS: [&str; 3] = ["authorization", "x-api-key", "proxy-authorization"];
/// What the honest request costs the engine to see, beyond what the caller sent.
const ADDED_BY_THE_GATE: [&str; 1] = ["cache_salt"];

/// How one answer ended, seen by the attacker.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// With a status where the protocol lets it be read, and a body.
    Answer { status: Option<u16>, body: Vec<u8> },
    /// The connection or the stream was ended without an answer.
    Cut,
}

/// The gate's own words: the code of a refusal in the contract's shape.
fn refusal(status: Option<u16>, body: &[u8]) -> Result<(u16, &'static str), String> {
    let shown = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
    let body: Value = serde_json::from_slice(body)
        .map_err(|_| format!("{status:?} with a body that is no error: {shown:?}"))?;
    let error = &body["error"];
    let code = error["code"].as_str().unwrap_or_default();
    let known = CODES.iter().find(|(name, _)| *name == code);
    let (code, right) = known.ok_or_else(|| format!("{status:?} {code:?} is no code: {body}"))?;
    let by_codec = |status| *code == "invalid_request" && CODEC_STATUSES.contains(&status);
    if status.is_some_and(|status| status != *right && !by_codec(status)) {
        return Err(format!("{code} with status {status:?}"));
    }
    if !error["message"].is_string() || !error["type"].is_string() {
        return Err(format!("an error without message or type: {body}"));
    }
    Ok((*right, code))
}

fn is_served(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let answered = ["choices", "data", "text", "output", "results", "content"];
    let named = body["model"] == "tiny" || body["text"].is_string();
    named && answered.iter().any(|name| !body[name].is_null())
}

/// What is wrong with the outcomes of an attack, seen from outside.
pub fn outside(attack: &Attack, outcomes: &[Outcome]) -> Vec<String> {
    let mut faults = Vec::new();
    for outcome in outcomes {
        let fault = match (outcome, &attack.wanted) {
            (Outcome::Cut, Wanted::Served) => Some("cut".to_owned()),
            (Outcome::Cut, Wanted::Refused(wanted)) => Some(format!("cut instead of {wanted:?}")),
            (Outcome::Cut, _) => None,
            (Outcome::Answer { status, body }, wanted) => judge(*status, body, wanted),
        };
        faults.extend(fault);
    }
    faults
}

fn judge(status: Option<u16>, body: &[u8], wanted: &Wanted) -> Option<String> {
    let served = is_served(body) && status.is_none_or(|status| status == 200);
    if served {
        let allowed = matches!(wanted, Wanted::Served | Wanted::Either);
        return (!allowed).then(|| "served".to_owned());
    }
    match (refusal(status, body), wanted) {
        (Err(fault), _) => Some(fault),
        (Ok(got), Wanted::Refused(all)) if !all.contains(&got) => {
            Some(format!("{got:?} instead of {all:?}"))
        }
        (Ok(got), Wanted::Served) => {
            Some(format!("{got:?} instead of an answer: {}", String::from_utf8_lossy(body)))
        }
        _ => None,
    }
}

/// What an engine gets of an honest request: everything else is measured by it.
pub struct Honest {
    received: Received,
    model: String,
}

impl Honest {
    pub fn new(received: Received) -> Honest {
        let model = received.json()["model"].as_str().unwrap_or_default().to_owned();
        Honest { received, model }
    }

    /// What is wrong with what the engine received of an attack; `secrets`: what it
    /// must not have seen anywhere.
    pub fn faults(&self, attack: &Attack, got: &Received, secrets: &[&str]) -> Vec<String> {
        let mut faults = Vec::new();
        let mut must = |holds: bool, fault: &str| {
            if !holds {
                faults.push(format!("the engine saw {fault}: {}", shown(got)));
            }
        };
        let path = attack.path.as_deref().unwrap_or(CHAT);
        must(got.method == "POST" && got.path == path, "another method or path");
        must(internal(got) == internal(&self.received), "headers that are not the gate's");
        let all = format!("{:?} {}", got.headers, String::from_utf8_lossy(&got.body));
        must(!secrets.iter().any(|secret| all.contains(secret)), "a credential");
        let is_form = got.values("content-type").iter().any(|it| it.starts_with("multipart/"));
        let form_names_another = || all.contains("secret") || !all.contains(&self.model);
        let another =
            if is_form { form_names_another() } else { !self.is_what_was_decided(attack, got) };
        must(!another, "another body");
        faults
    }

    fn is_what_was_decided(&self, attack: &Attack, got: &Received) -> bool {
        let asked = || serde_json::from_str(HONEST).unwrap_or_default();
        let mut decided = attack.body.clone().unwrap_or_else(asked);
        decided["model"] = self.model.as_str().into();
        let path = attack.path.as_deref().unwrap_or(CHAT);
        if decided["stream"] == true && [CHAT, "/v1/completions"].contains(&path) {
            // The gate asks for usage, whoever else does.
            decided["stream_options"]["include_usage"] = true.into();
            decided["stream_options"]["continuous_usage_stats"] = true.into();
        }
        let Some(Value::Object(mut body)) = strict_json::parse(&got.body) else { return false };
        for name in ADDED_BY_THE_GATE {
            let added = body.remove(name);
            let as_always = added == self.received.json().get(name).cloned();
            if !as_always {
                return false;
            }
        }
        Value::Object(body) == decided
    }
}

/// The headers by which anybody could be told apart, and their values.
fn internal(received: &Received) -> Vec<(String, String)> {
    let is_internal = |name: &str| {
        CREDENTIALS.contains(&name) || INTERNAL_PREFIXES.iter().any(|it| name.starts_with(it))
    };
    let mut all: Vec<_> =
        received.headers.iter().filter(|(name, _)| is_internal(name)).cloned().collect();
    all.sort();
    all
}

fn shown(received: &Received) -> String {
    let body = String::from_utf8_lossy(&received.body[..received.body.len().min(300)]).into_owned();
    format!("{} {} {:?} {body}", received.method, received.path, received.headers)
}
