//! What is wrong with a body, in words for the caller.

use chat::fields;
use chat::form::FormError;
use chat::media::MediaError;
use chat::request::{Request, RequestError};
use contract::limits::CHOICES_MAX;
use contract::refusal::{Code, Refusal};

/// Most tokens that can be asked for where the pool does not say how many it has room
/// for. Some engines read 32 bits, where a larger number is below zero: without end.
const TOKENS_MAX: u64 = i32::MAX as u64;

/// Whether the numbers that bound the answer are bounds.
pub(super) fn check_bounds(request: &Request<'_>, context: u64) -> Result<(), Refusal> {
    let tokens_max = if context == 0 { TOKENS_MAX } else { context.min(TOKENS_MAX) };
    in_bounds("n", request.n, CHOICES_MAX)?;
    in_bounds("best_of", request.best_of, CHOICES_MAX)?;
    in_bounds("max_tokens", request.max_tokens, tokens_max)?;
    in_bounds("max_completion_tokens", request.max_completion_tokens, tokens_max)?;
    in_bounds("max_output_tokens", request.max_output_tokens, tokens_max)
}

fn in_bounds(param: &'static str, value: Option<u64>, max: u64) -> Result<(), Refusal> {
    if value.is_none_or(|value| (1..=max).contains(&value)) {
        return Ok(());
    }
    let message = format!("`{param}` must be 1 to {max}.");
    Err(Refusal::new(Code::InvalidRequest, message).with_param(param))
}

pub(super) fn malformed(error: &RequestError) -> Refusal {
    let code = match error {
        RequestError::InvalidJson { .. } => Code::InvalidJson,
        RequestError::DuplicateKey(_) => Code::DuplicateKey,
        _ => Code::InvalidRequest,
    };
    with_param(Refusal::new(code, error.to_string()), error.param())
}

pub(super) fn picture_in_text() -> Refusal {
    Refusal::new(
        Code::InvalidRequest,
        "A text names a picture (`![](…)`) that the inference server would fetch.",
    )
}

pub(super) fn bad_form(error: &FormError) -> Refusal {
    let code = match error {
        FormError::DuplicateField(_) => Code::DuplicateKey,
        _ => Code::InvalidRequest,
    };
    with_param(Refusal::new(code, error.to_string()), error.param())
}

pub(super) fn bad_media(error: &MediaError) -> Refusal {
    Refusal::new(Code::InvalidRequest, error.to_string())
}

/// `name` as `fields` tells it: a plain word, or a question mark in the place of what
/// the caller made up.
pub(super) fn not_allowed(name: &str) -> Refusal {
    let refusal = Refusal::new(
        Code::FieldNotAllowed,
        "A field is set that callers may not set for this model; see `param`.",
    );
    if name == fields::UNTOLD { refusal } else { refusal.with_param(name.to_owned()) }
}

fn with_param(refusal: Refusal, param: Option<&'static str>) -> Refusal {
    match param {
        Some(param) => refusal.with_param(param),
        None => refusal,
    }
}
