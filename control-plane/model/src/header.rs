//! Names of headers in the configuration: those of callers that decide where a request
//! goes, and those that carry a credential to an engine.

use contract::names::{OWN_HEADER_PREFIX, REQUEST_ID_HEADER, STEERING_HEADERS};
use std::fmt;

/// Longest name of a header.
const NAME_BYTES_MAX: usize = 128;

/// What Envoy's own headers begin with; a caller's are removed.
const ENVOY_PREFIX: &str = "x-envoy-";

/// What callers prove by who they are. Envoy's log and a rule's own configuration must not
/// come near it.
const CREDENTIALS: [&str; 5] =
    ["authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key"];

/// Headers of one connection, not of a request (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What a request is told by: none of it can be a credential.
const FRAMING: [&str; 6] =
    ["content-encoding", "content-length", "content-type", "date", "expect", "host"];

/// Name of a header, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderName(String);

impl HeaderName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A header of callers by which something is decided.
    ///
    /// # Errors
    /// One that is none, that is a credential, or that no caller's request still has when
    /// it is decided.
    pub(crate) fn of_callers(text: &str) -> Result<HeaderName, &'static str> {
        let name = HeaderName::parse(text)?;
        if CREDENTIALS.contains(&name.as_str()) {
            return Err("carries a credential, which decides nothing but who is calling; name \
                        another header");
        }
        let removed = STEERING_HEADERS.contains(&name.as_str()) || name.is_ours();
        if removed || HOP_BY_HOP.contains(&name.as_str()) {
            return Err("is removed from requests when they arrive; name another header");
        }
        Ok(name)
    }

    /// A header that carries a credential to an engine.
    ///
    /// # Errors
    /// One that is none, or that says something else.
    pub(crate) fn of_engines(text: &str) -> Result<HeaderName, &'static str> {
        let name = HeaderName::parse(text)?;
        let other = [&HOP_BY_HOP[..], &FRAMING[..]].concat();
        if other.contains(&name.as_str()) || name.is_ours() {
            return Err("cannot carry a credential to an engine; name one such as authorization \
                        or x-api-key");
        }
        Ok(name)
    }

    /// A field name (RFC 9110, section 5.1).
    fn parse(text: &str) -> Result<HeaderName, &'static str> {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(token) {
            return Ok(HeaderName(text.to_ascii_lowercase()));
        }
        Err("is not the name of a header; allowed: letters, digits and - such as x-tier")
    }

    /// Whether Tollgate or Envoy alone says what it has.
    fn is_ours(&self) -> bool {
        let prefixes = [OWN_HEADER_PREFIX, ENVOY_PREFIX];
        self.0 == REQUEST_ID_HEADER || prefixes.iter().any(|prefix| self.0.starts_with(prefix))
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_by_which_something_is_decided() {
        for text in ["x-tier", "X-Session-Id", "user-agent", "accept-language"] {
            let name = HeaderName::of_callers(text).unwrap();
            assert_eq!(name.as_str(), text.to_lowercase());
        }
        let wrong = [
            "",
            "a b",
            "a:b",
            ":path",
            "한",
            "Authorization",
            "x-api-key",
            "cookie",
            "X-Tollgate-Pool",
            "x-envoy-max-retries",
            "x-request-id",
            "x-original-url",
            "te",
        ];
        for text in wrong {
            assert!(HeaderName::of_callers(text).is_err(), "{text}");
        }
        assert!(HeaderName::of_callers(&"x".repeat(NAME_BYTES_MAX)).is_ok());
        assert!(HeaderName::of_callers(&"x".repeat(NAME_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn headers_that_carry_a_credential() {
        for text in ["Authorization", "x-api-key", "api-key", "cookie"] {
            assert!(HeaderName::of_engines(text).is_ok(), "{text}");
        }
        let wrong = ["host", "Content-Length", "connection", "x-tollgate-a", "x-request-id", "a b"];
        for text in wrong {
            assert!(HeaderName::of_engines(text).is_err(), "{text}");
        }
    }
}
