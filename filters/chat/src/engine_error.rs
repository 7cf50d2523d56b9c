//! What an engine says of its errors, told again in the contract's words.
//!
//! Engines tell errors in many shapes, and quote in them what is nobody's business: paths of
//! their files, stack traces, hosts, the name that a model has there. The status decides the
//! code ([`contract::refusal::engine_error`]); of the engine's own words only those about the
//! request reach the caller, and only [cleaned](clean).

mod clean;
mod faults;
mod told;

use contract::refusal::{Code, ErrorShape, Refusal, engine_error};
use serde_json::json;
use told::Told;

/// Largest error that is read, in bytes; of a larger one only the status counts. A list of a
/// thousand faults has some 100 KB, and nobody reads it.
pub const ERROR_BYTES_MAX: usize = 64 * 1024;

/// Status that an error inside of a stream stands for when it does not say.
const UNTOLD_STATUS: u16 = 500;

/// Tells the errors of one engine again.
#[derive(Clone, Debug)]
pub struct Retelling {
    shape: ErrorShape,
    asked: Box<str>,
    own: Box<str>,
}

/// Where in an answer an error stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `error` of the document.
    Document,
    /// `error` of a `response` (OpenAI, "The response object").
    Response,
}

impl Retelling {
    /// For callers on paths of that shape, who have `asked` for the model that the engine
    /// calls its `own` name.
    #[must_use]
    pub fn new(shape: ErrorShape, asked: &str, own: &str) -> Self {
        Self { shape, asked: asked.into(), own: own.into() }
    }

    /// The error of an answer with that `status`, 400 or more, and that `body`.
    #[must_use]
    pub fn refusal(&self, status: u16, body: &[u8]) -> Refusal {
        let code = engine_error(status);
        let is_quoted = code == Code::InvalidRequest && body.len() <= ERROR_BYTES_MAX;
        let told = if is_quoted { told::of_body(body) } else { Told::default() };
        self.told(code, told)
    }

    /// The same as a body in the shape of the path.
    #[must_use]
    pub fn body(&self, status: u16, body: &[u8]) -> String {
        self.refusal(status, body).body(self.shape)
    }

    /// The value of `error` in an answer whose status tells of none; `None`: it is larger
    /// than what is read.
    pub(crate) fn value(&self, place: Place, value: Option<&[u8]>) -> Vec<u8> {
        let told = value.map(told::of_body).unwrap_or_default();
        let refusal = self.told(engine_error(told.status().unwrap_or(UNTOLD_STATUS)), told);
        let Refusal { code, message, param } = &refusal;
        let error_type = match self.shape {
            ErrorShape::OpenAi => code.openai_type(),
            ErrorShape::Anthropic => code.anthropic_type(),
        };
        let code = code.as_str();
        let error = match place {
            Place::Document => {
                json!({ "message": message, "type": error_type, "param": param, "code": code })
            }
            Place::Response => json!({ "code": code, "message": message }),
        };
        error.to_string().into_bytes()
    }

    /// A JSON string that says what went wrong, as a JSON string.
    pub(crate) fn text(&self, value: Option<&[u8]>) -> Vec<u8> {
        let text = value.and_then(|value| serde_json::from_slice::<String>(value).ok());
        let text = text.map(|text| self.clean(&text)).filter(|text| !text.is_empty());
        crate::edit::json_string(text.as_deref().unwrap_or(fallback(Code::EngineError)))
    }

    fn told(&self, code: Code, told: Told) -> Refusal {
        let quoted = told.message.filter(|_| code == Code::InvalidRequest);
        let message = quoted.map(|text| self.clean(&text)).filter(|text| !text.is_empty());
        let refusal = match message {
            Some(message) => Refusal::new(code, message),
            None => Refusal::new(code, fallback(code)),
        };
        match told.param.filter(|_| code == Code::InvalidRequest) {
            Some(param) => refusal.with_param(param),
            None => refusal,
        }
    }

    fn clean(&self, text: &str) -> String {
        clean::clean(text, &self.own, &self.asked)
    }
}

/// What a caller is told when the engine's own words are not for him, or say nothing.
fn fallback(code: Code) -> &'static str {
    match code {
        Code::InvalidRequest => "The inference server does not take this request.",
        Code::NotFound => "The model's inference server does not have this path.",
        Code::RateLimitExceeded => "The inference servers are at their limit.",
        Code::EngineTimeout => "The inference server took too long to answer.",
        Code::NoHealthyEngine => "No inference server can take this request at the moment.",
        _ => "The inference server failed while it was answering.",
    }
}

#[cfg(test)]
mod tests;
