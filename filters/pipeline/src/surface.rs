//! What the headers of a request ask for: path, method and media type.

use crate::headers::Headers;
use chat::form;
use chat::path::Api;
use contract::limits::CLIENT_REQUEST_ID_BYTES_MAX;
use contract::names::CLIENT_REQUEST_ID_HEADER;
use contract::refusal::{Code, Refusal};

/// The path of a request without its query.
#[must_use]
pub fn path(headers: &Headers) -> &str {
    let whole = headers.text(":path").unwrap_or("/");
    whole.split_once('?').map_or(whole, |(path, _)| path)
}

/// The path as it stands in records: one of the gateway's own, never what a
/// client made up.
#[must_use]
pub fn recorded_path(path: &str) -> &'static str {
    Api::of(path).map_or("other", |api| api.path())
}

/// The methods of a path, as a 405 names them (RFC 9110 §15.5.6).
#[must_use]
pub fn allowed_methods(path: &str) -> &'static str {
    Api::of(path).and_then(|api| api.methods().first()).copied().unwrap_or_default()
}

/// What a request wants of the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The list of models.
    Models,
    /// One model, by its name.
    Model(String),
    /// An answer of an engine; the JSON body says of which model.
    Json,
    /// The same; the body is a form (`multipart/form-data`).
    Form {
        /// What stands between its parts.
        boundary: String,
    },
}

/// What the headers ask for, in the order of the contract's checks: path,
/// method, media type, length.
///
/// # Errors
/// `not_found`, `method_not_allowed`, `unsupported_media_type`,
/// `request_too_large`, `invalid_json` for a request without a body.
pub fn check(
    headers: &Headers,
    end_of_stream: bool,
    max_body_bytes: usize,
) -> Result<Wanted, Refusal> {
    let api = Api::of(path(headers)).ok_or_else(not_found)?;
    let method = headers.text(":method").unwrap_or_default();
    if !api.methods().contains(&method) {
        return Err(method_not_allowed(api.methods()));
    }
    match api {
        Api::Models | Api::Model(_) if !end_of_stream => {
            Err(Refusal::new(Code::InvalidRequest, "This path takes no body."))
        }
        Api::Models => Ok(Wanted::Models),
        Api::Model(name) => Ok(Wanted::Model(name.into_owned())),
        Api::Transcriptions => {
            let boundary = headers.text("content-type").and_then(form::boundary);
            let boundary = boundary.ok_or_else(not_a_form)?;
            check_body(headers, end_of_stream, max_body_bytes)?;
            Ok(Wanted::Form { boundary: boundary.to_owned() })
        }
        _ if !headers.text("content-type").is_some_and(is_json) => Err(not_json()),
        _ => check_body(headers, end_of_stream, max_body_bytes).map(|()| Wanted::Json),
    }
}

/// Refuses a host that two readers might understand differently: Envoy joins two `Host`
/// lines by a comma, and an engine may take either.
///
/// # Errors
/// `invalid_request`.
pub fn check_authority(headers: &Headers) -> Result<(), Refusal> {
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]%".contains(&byte);
    match headers.text(":authority") {
        Some(authority) if authority.bytes().all(harmless) => Ok(()),
        None if !headers.lines().any(|(name, _)| name == ":authority") => Ok(()),
        _ => Err(Refusal::new(Code::InvalidRequest, "The request has no single, plain Host.")),
    }
}

fn check_body(
    headers: &Headers,
    end_of_stream: bool,
    max_body_bytes: usize,
) -> Result<(), Refusal> {
    if headers.lines().any(|(name, _)| name == "content-encoding") {
        return Err(Refusal::new(
            Code::UnsupportedMediaType,
            "An encoded request body is not taken; send it without content-encoding.",
        ));
    }
    let length = headers.text("content-length").and_then(|length| length.parse::<u64>().ok());
    if length.is_some_and(|length| length > max_body_bytes as u64) {
        return Err(too_large(max_body_bytes));
    }
    if end_of_stream {
        return Err(Refusal::new(Code::InvalidJson, "The request has no body."));
    }
    Ok(())
}

/// `application/json` or `application/*+json`, with or without parameters, but in no
/// other characters than those that are read here (RFC 8259 §8.1): an engine might go by
/// what the header says.
fn is_json(content_type: &str) -> bool {
    let content_type = content_type.to_ascii_lowercase();
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let is_json = essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"));
    is_json && parts.all(|part| !part.starts_with("charset") || is_utf8(part))
}

fn is_utf8(charset: &str) -> bool {
    let value = charset.strip_prefix("charset=").map(|value| value.trim_matches('"'));
    matches!(value, Some("utf-8" | "utf8"))
}

/// The refusal of a body that is larger than the limit.
#[must_use]
pub fn too_large(max_body_bytes: usize) -> Refusal {
    Refusal::new(
        Code::RequestTooLarge,
        format!(
            "The request body is larger than the {max_body_bytes} bytes that this gateway takes."
        ),
    )
}

/// The refusal of a path that nothing is served on.
#[must_use]
pub fn not_found() -> Refusal {
    Refusal::new(Code::NotFound, "There is no such path on this gateway.")
}

fn not_json() -> Refusal {
    Refusal::new(
        Code::UnsupportedMediaType,
        "The request body must be JSON, with `Content-Type: application/json`.",
    )
}

fn not_a_form() -> Refusal {
    Refusal::new(
        Code::UnsupportedMediaType,
        "The request body must be a form, with `Content-Type: multipart/form-data` and its boundary.",
    )
}

fn method_not_allowed(allowed: &[&str]) -> Refusal {
    let allowed = allowed.join(" and ");
    Refusal::new(Code::MethodNotAllowed, format!("This path takes {allowed} only."))
}

/// The client's own request id, from `x-client-request-id` (Envoy has put a
/// client's `x-request-id` there): 1 to 128 characters that can do no harm in a
/// header, a log or a table. What is not well-formed is dropped.
#[must_use]
pub fn client_request_id(headers: &Headers) -> Option<String> {
    let id = headers.text(CLIENT_REQUEST_ID_HEADER)?;
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
    ((1..=CLIENT_REQUEST_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(harmless))
        .then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(more: &[(&str, &str)]) -> Headers {
        let mut lines = vec![(":method", "POST"), (":path", "/v1/chat/completions?x=1")];
        if !more.iter().any(|(name, _)| *name == "content-type") {
            lines.push(("content-type", "application/json"));
        }
        lines.extend(more);
        Headers::of(&lines)
    }

    #[test]
    fn what_the_headers_ask_for() {
        let table = [
            (post(&[]), false, "ok"),
            (post(&[("content-type", "application/json; charset=utf-8")]), false, "ok"),
            (post(&[("content-type", "Application/vnd.x+JSON")]), false, "ok"),
            (post(&[("content-type", "application/json;charset=\"UTF-8\"; x=y")]), false, "ok"),
            (post(&[("content-type", "text/plain")]), false, "unsupported_media_type"),
            (
                post(&[("content-type", "application/json; charset=utf-16")]),
                false,
                "unsupported_media_type",
            ),
            (
                post(&[("content-type", "application/json; charset =utf-7")]),
                false,
                "unsupported_media_type",
            ),
            (post(&[("content-encoding", "gzip")]), false, "unsupported_media_type"),
            (post(&[("content-encoding", "identity")]), false, "unsupported_media_type"),
            (post(&[("content-encoding", "")]), false, "unsupported_media_type"),
            (post(&[("content-length", "1000")]), false, "ok"),
            (post(&[("content-length", "1001")]), false, "request_too_large"),
            (post(&[]), true, "invalid_json"),
            (
                Headers::of(&[(":method", "POST"), (":path", "/v1/embeddings")]),
                false,
                "unsupported_media_type",
            ),
            (
                Headers::of(&[(":method", "GET"), (":path", "/v1/chat/completions")]),
                true,
                "method_not_allowed",
            ),
            (
                Headers::of(&[(":method", "POST"), (":path", "/v1/models")]),
                true,
                "method_not_allowed",
            ),
            (Headers::of(&[(":method", "GET"), (":path", "/v1/models")]), true, "ok"),
            (Headers::of(&[(":method", "GET"), (":path", "/v1/models")]), false, "invalid_request"),
            (Headers::of(&[(":method", "GET"), (":path", "/metrics")]), true, "not_found"),
            (
                Headers::of(&[(":method", "POST"), (":path", "/v1/audio/transcriptions")]),
                false,
                "unsupported_media_type",
            ),
            (Headers::of(&[]), true, "not_found"),
        ];
        for (headers, end, expected) in table {
            let outcome = check(&headers, end, 1_000).map_or_else(|r| r.code.as_str(), |_| "ok");
            assert_eq!(outcome, expected, "{headers:?}");
        }
    }

    #[test]
    fn a_host_is_one_and_plain() {
        let table = [
            (Some("gateway.example:8080"), true),
            (Some("[::1]:8080"), true),
            (None, true),
            (Some("a.example,b.example"), false),
            (Some("a@b"), false),
            (Some("a b"), false),
            (Some("한.example"), false),
        ];
        for (authority, good) in table {
            let lines: Vec<_> = authority.map(|host| (":authority", host)).into_iter().collect();
            assert_eq!(check_authority(&Headers::of(&lines)).is_ok(), good, "{authority:?}");
        }
    }

    #[test]
    fn a_clients_id_is_taken_if_it_is_harmless() {
        let long = "a".repeat(129);
        let table = [
            ("req-1", Some("req-1")),
            ("", None),
            ("a b", None),
            ("a\"b", None),
            ("한", None),
            (&long, None),
        ];
        for (id, expected) in table {
            let headers = Headers::of(&[("x-client-request-id", id)]);
            assert_eq!(client_request_id(&headers).as_deref(), expected, "{id}");
        }
    }
}
