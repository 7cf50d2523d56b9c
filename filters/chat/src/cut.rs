//! The last event of a stream that the gateway ends itself.

use contract::refusal::{ErrorShape, Refusal};
use serde_json::json;

use crate::answer::Findings;
use crate::path::Api;

/// The path's own error event: of OpenAI's streams the error and `[DONE]`, of messages
/// `event: error` (Anthropic, "Streaming messages: error events"), of responses
/// `response.failed` (OpenAI, "Streaming events"), numbered on from what was `found`.
pub(crate) fn event(api: &Api<'_>, refusal: &Refusal, found: &Findings) -> Vec<u8> {
    match api {
        Api::Messages => {
            format!("event: error\ndata: {}\n\n", refusal.body(ErrorShape::Anthropic)).into_bytes()
        }
        Api::Responses => failed(refusal, found),
        _ => {
            let body = refusal.body(ErrorShape::OpenAi);
            format!("data: {body}\n\ndata: [DONE]\n\n").into_bytes()
        }
    }
}

fn failed(refusal: &Refusal, found: &Findings) -> Vec<u8> {
    let event = json!({
        "type": "response.failed",
        "sequence_number": found.sequence.map_or(0, |last| last.saturating_add(1)),
        "response": {
            "id": found.response_id.as_deref().unwrap_or_default(),
            "object": "response",
            "status": "failed",
            "output": [],
            "error": { "code": refusal.code.as_str(), "message": refusal.message },
        },
    });
    format!("event: response.failed\ndata: {event}\n\n").into_bytes()
}

#[cfg(test)]
mod tests;
