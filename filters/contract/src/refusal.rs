//! What a client is told when it is refused: one table of codes for both
//! planes. The filter refuses by it, and Envoy's own local replies are mapped
//! to it (an engine that is not there, a time-out, a body too large).

use crate::names::NOBODY_STATUS;
use serde::Serialize;
use std::borrow::Cow;

/// Which API's error shape a path has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ErrorShape {
    /// `{"error":{"message","type","param","code"}}`
    #[default]
    OpenAi,
    /// `{"type":"error","error":{"type","message"}}`, the code beside them.
    Anthropic,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $status:literal;)*) => {
        /// The stable code of an error; each has one status.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &[Code] = &[$(Code::$variant,)*];

            /// The code as the client reads it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text,)* }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Code::$variant => $status,)* }
            }
        }
    };
}

codes! {
    /// The body is not JSON.
    InvalidJson = "invalid_json", 400;
    /// The request is not what the path takes.
    InvalidRequest = "invalid_request", 400;
    /// More than one credential.
    AmbiguousCredentials = "ambiguous_credentials", 400;
    /// A field that decides something stands twice.
    DuplicateKey = "duplicate_key", 400;
    /// A field that callers may not set.
    FieldNotAllowed = "field_not_allowed", 400;
    /// A value of a type that the masking policy blocks.
    PiiBlocked = "pii_blocked", 400;
    /// No credential.
    MissingCredentials = "missing_credentials", 401;
    /// The key is unknown, mistyped or revoked.
    InvalidApiKey = "invalid_api_key", 401;
    /// The key's time is over.
    KeyExpired = "key_expired", 401;
    /// The token is not verified, is over, or says what its issuer may not say.
    InvalidToken = "invalid_token", 401;
    /// The request is not signed as it should be.
    InvalidSignature = "invalid_signature", 401;
    /// The request was here before, or nobody can tell any more.
    ReplayedRequest = "replayed_request", 401;
    /// The caller may not do this.
    Forbidden = "forbidden", 403;
    /// The model does not exist for this caller.
    ModelNotFound = "model_not_found", 404;
    /// There is no such path.
    NotFound = "not_found", 404;
    /// The path has other methods.
    MethodNotAllowed = "method_not_allowed", 405;
    /// The body is larger than `gateway.max_body`.
    RequestTooLarge = "request_too_large", 413;
    /// Not JSON, or encoded.
    UnsupportedMediaType = "unsupported_media_type", 415;
    /// Too many requests, or too many that failed to authenticate.
    RateLimitExceeded = "rate_limit_exceeded", 429;
    /// The request alone needs more than a limit ever allows at once.
    RequestExceedsLimit = "request_exceeds_limit", 400;
    /// Too many tokens in a minute.
    TokensLimitExceeded = "tokens_limit_exceeded", 429;
    /// Too many requests at a time.
    ConcurrencyLimitExceeded = "concurrency_limit_exceeded", 429;
    /// The budget does not pay for it.
    BudgetExceeded = "budget_exceeded", 429;
    /// The engine broke off or answered what is not HTTP.
    EngineError = "engine_error", 502;
    /// No engine of the pool can take the request.
    NoHealthyEngine = "no_healthy_engine", 503;
    /// The key could not be looked up.
    ControlUnavailable = "control_unavailable", 503;
    /// The filter is not there to decide.
    FilterUnavailable = "filter_unavailable", 503;
    /// The engine took too long.
    EngineTimeout = "engine_timeout", 504;
}

impl Code {
    /// The `type` of the error in OpenAI's shape.
    #[must_use]
    pub const fn openai_type(self) -> &'static str {
        if matches!(self, Code::BudgetExceeded) {
            return "insufficient_quota";
        }
        match self.status() {
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found_error",
            429 => "rate_limit_error",
            500.. => "server_error",
            _ => "invalid_request_error",
        }
    }

    /// The `type` of the error in Anthropic's shape.
    #[must_use]
    pub const fn anthropic_type(self) -> &'static str {
        match self.status() {
            413 => "request_too_large",
            429 => "rate_limit_error",
            500.. => "api_error",
            _ => self.openai_type(),
        }
    }
}

/// A refusal: the code, and a sentence that quotes nothing private.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code, which decides status and type.
    pub code: Code,
    /// What is wrong and what is allowed, for the caller.
    pub message: Cow<'static, str>,
    /// The field of the request that is wrong.
    pub param: Option<Cow<'static, str>>,
}

impl Refusal {
    /// A refusal that no single field is to blame for.
    #[must_use]
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Refusal { code, message: message.into(), param: None }
    }

    /// The same, with the field that is wrong.
    #[must_use]
    pub fn with_param(mut self, param: impl Into<Cow<'static, str>>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// The JSON body in the path's shape.
    #[must_use]
    pub fn body(&self, shape: ErrorShape) -> String {
        let (outer, error_type) = match shape {
            ErrorShape::OpenAi => (None, self.code.openai_type()),
            ErrorShape::Anthropic => (Some("error"), self.code.anthropic_type()),
        };
        let error = ErrorBody {
            message: &self.message,
            error_type,
            param: self.param.as_deref(),
            code: self.code.as_str(),
        };
        // Plain data: there is nothing in it that JSON cannot say.
        serde_json::to_string(&Body { outer, error }).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    outer: Option<&'static str>,
    error: ErrorBody<'a>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    error_type: &'static str,
    param: Option<&'a str>,
    code: &'static str,
}

/// An error that Envoy makes itself, told from others by the response flag in
/// its access log or by its response code details.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnvoyError {
    /// Flags of Envoy's access log, any of which means this error.
    pub flags: &'static [&'static str],
    /// Prefixes of the response code details, any of which means this error.
    pub details: &'static [&'static str],
    /// What the client is told.
    pub code: Code,
    /// The sentence the client reads.
    pub message: &'static str,
}

impl EnvoyError {
    /// The same as a [`Refusal`].
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        Refusal::new(self.code, self.message)
    }
}

/// Envoy's own errors in the contract's words; the first that matches counts.
pub const ENVOY_ERRORS: &[EnvoyError] = &[
    EnvoyError {
        flags: &[],
        details: &["request_payload_too_large"],
        code: Code::RequestTooLarge,
        message: "The request body is larger than this gateway takes.",
    },
    EnvoyError {
        flags: &[],
        details: &["wasm_fail_stream"],
        code: Code::FilterUnavailable,
        message: "The gateway could not check this request.",
    },
    EnvoyError {
        flags: &["UT", "SI", "DT", "UMSDR"],
        details: &[],
        code: Code::EngineTimeout,
        message: "The inference server took too long to answer.",
    },
    EnvoyError {
        flags: &["UH", "UO", "NC", "NR", "UF"],
        details: &[],
        code: Code::NoHealthyEngine,
        message: "No inference server can take this request at the moment.",
    },
    EnvoyError {
        flags: &["UC", "UR", "URX", "UPE", "LR"],
        details: &[],
        code: Code::EngineError,
        message: "The inference server failed while it was answering.",
    },
];

/// The error that Envoy's flags (comma-separated) and details stand for.
#[must_use]
pub fn envoy_error(flags: &str, details: &str) -> Option<&'static EnvoyError> {
    ENVOY_ERRORS.iter().find(|error| {
        flags.split(',').any(|flag| error.flags.contains(&flag))
            || error.details.iter().any(|prefix| details.starts_with(prefix))
    })
}

/// Whether an engine's answer with this status is none: an error, or an errand, as a redirect
/// to where the client has no business.
#[must_use]
pub const fn is_engine_error(status: u16) -> bool {
    !matches!(status, 200..=299)
}

/// The code of an error that an engine answers with: decided by its status alone, because
/// the status leaves before the body is there. A status that clients get stays itself.
///
/// What is about the request is the caller's; a path that the engine does not have is told
/// so; what is about the gateway's own credentials or the engine itself is the engine's.
#[must_use]
pub const fn engine_error(status: u16) -> Code {
    match status {
        400 | 413 | 422 => Code::InvalidRequest,
        404 | 405 | 501 => Code::NotFound,
        408 | 504 => Code::EngineTimeout,
        NOBODY_STATUS | 503 => Code::NoHealthyEngine,
        429 => Code::RateLimitExceeded,
        _ => Code::EngineError,
    }
}

/// Longest `retry-after` of an engine that is believed, in seconds: one that is longer was not
/// meant for a client.
const RETRY_AFTER_S_MAX: u32 = 3_600;

/// In how many seconds an engine that answers with `status` wants to be asked again, by its
/// `retry-after`: where that is a number of seconds (RFC 9110 §10.2.3) and no more than an
/// hour, and the status says that there is no room now.
#[must_use]
pub fn retry_after_s(status: u16, told: &str) -> Option<u32> {
    let is_full = matches!(engine_error(status), Code::RateLimitExceeded | Code::NoHealthyEngine);
    let told = told.trim();
    let is_number = !told.is_empty() && told.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: u32 = told.parse().ok().filter(|_| is_number && is_full)?;
    (seconds <= RETRY_AFTER_S_MAX).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_answer_is_an_error() {
        let answers: Vec<u16> = (0..=999).filter(|status| !is_engine_error(*status)).collect();
        assert_eq!((answers.first(), answers.len()), (Some(&200), 100));
        assert_eq!([101, 204, 302].map(engine_error), [Code::EngineError; 3]);
    }

    #[test]
    fn an_engine_says_when_there_is_room_again() {
        let table = [
            (429, "7", Some(7)),
            (503, " 0007 ", Some(7)),
            (421, "1", Some(1)),
            (503, "3600", Some(3_600)),
            (503, "3601", None),
            (503, "99999999999", None),
            (503, "-1", None),
            (503, "+1", None),
            (503, "", None),
            (503, "Wed, 21 Oct 2015 07:28:00 GMT", None),
            (500, "7", None),
            (400, "7", None),
        ];
        for (status, told, expected) in table {
            assert_eq!(retry_after_s(status, told), expected, "{status} {told:?}");
        }
    }

    #[test]
    fn an_engines_status_becomes_the_contracts() {
        #[rustfmt::skip]
        let table = [
            (400, 400), (401, 502), (403, 502), (404, 404), (405, 404), (408, 504), (409, 502),
            (413, 400), (415, 502), (421, 503), (422, 400), (424, 502), (429, 429), (500, 502),
            (501, 404), (502, 502), (503, 503), (504, 504), (529, 502), (0, 502),
        ];
        for (status, told) in table {
            assert_eq!(engine_error(status).status(), told, "{status}");
            assert_eq!(engine_error(told).status(), told, "what is told stays itself");
        }
    }

    #[test]
    fn each_code_has_its_type() {
        let table = [
            (Code::InvalidJson, 400, "invalid_request_error", "invalid_request_error"),
            (Code::InvalidApiKey, 401, "authentication_error", "authentication_error"),
            (Code::Forbidden, 403, "permission_error", "permission_error"),
            (Code::ModelNotFound, 404, "not_found_error", "not_found_error"),
            (Code::MethodNotAllowed, 405, "invalid_request_error", "invalid_request_error"),
            (Code::RequestTooLarge, 413, "invalid_request_error", "request_too_large"),
            (Code::NoHealthyEngine, 503, "server_error", "api_error"),
        ];
        for (code, status, openai, anthropic) in table {
            assert_eq!((code.status(), code.openai_type()), (status, openai), "{code:?}");
            assert_eq!(code.anthropic_type(), anthropic, "{code:?}");
        }
    }

    #[test]
    fn codes_are_told_apart() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Code::ALL.len());
    }

    #[test]
    fn a_body_in_both_shapes() {
        let refusal = Refusal::new(Code::InvalidRequest, "say \"model\"").with_param("model");
        assert_eq!(
            refusal.body(ErrorShape::OpenAi),
            r#"{"error":{"message":"say \"model\"","type":"invalid_request_error","param":"model","code":"invalid_request"}}"#
        );
        assert_eq!(
            refusal.body(ErrorShape::Anthropic),
            r#"{"type":"error","error":{"message":"say \"model\"","type":"invalid_request_error","param":"model","code":"invalid_request"}}"#
        );
    }

    #[test]
    fn envoys_flags_become_codes() {
        let code = |flags, details| envoy_error(flags, details).map(|error| error.code);
        assert_eq!(code("UH", "no_healthy_upstream"), Some(Code::NoHealthyEngine));
        assert_eq!(code("UF,URX", "x"), Some(Code::NoHealthyEngine));
        assert_eq!(code("UC", "upstream_reset_before_response_started"), Some(Code::EngineError));
        assert_eq!(code("", "wasm_fail_stream"), Some(Code::FilterUnavailable));
        assert_eq!(code("", "via_upstream"), None);
        assert_eq!(code("DC", "downstream_remote_disconnect"), None);
    }
}
