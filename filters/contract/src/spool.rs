//! The line of the usage spool: Envoy's file access log in JSON, the
//! write-ahead log of billing. `resources` builds the log's format from
//! [`FORMAT`]; `ledger` reads [`Line`].

use serde::{Deserialize, Deserializer, Serialize};

/// Fields of a line and the access log operators that fill them (Envoy,
/// "Access logging", format operators). What has no value is `null`.
pub const FORMAT: &[(&str, &str)] = &[
    ("type", "%ACCESS_LOG_TYPE%"),
    ("id", "%REQ(X-REQUEST-ID)%"),
    ("at_ms", "%START_TIME(%s%3f)%"),
    ("who", "%FILTER_STATE(wasm.who:PLAIN)%"),
    ("usage", "%FILTER_STATE(wasm.usage:PLAIN)%"),
    ("status", "%RESPONSE_CODE%"),
    ("flags", "%RESPONSE_FLAGS%"),
    ("details", "%RESPONSE_CODE_DETAILS%"),
    ("endpoint", "%UPSTREAM_HOST%"),
    ("duration_ms", "%DURATION%"),
    ("sent", "%UPSTREAM_WIRE_BYTES_SENT%"),
    ("attempts", "%UPSTREAM_REQUEST_ATTEMPT_COUNT%"),
];

/// What stands before the JSON of a [`Line`] in the journal.
///
/// Envoy hands a line of its access log to a thread of its own, and may be killed
/// before that thread has written it. A line of Envoy's application log is written
/// by the worker itself. So where the journal is on, the filter writes the end of an
/// answer there before the client can have all of it, and the ledger looks there
/// when an Envoy has died.
pub const JOURNAL_MARK: &str = "tollgate-usage ";

/// When in a request's life a line was written (Envoy's `AccessLogType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LineType {
    /// The request has arrived; nothing is known of the caller yet.
    #[serde(rename = "DownstreamStart")]
    Start,
    /// The request is running; written at every interval.
    #[serde(rename = "DownstreamPeriodic")]
    Periodic,
    /// The request has ended.
    #[serde(rename = "DownstreamEnd")]
    End,
}

/// One line as it stands in the file. `who` and `usage` are JSON texts of
/// [`crate::usage::Who`] and [`crate::usage::Tally`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When it was written.
    #[serde(rename = "type")]
    pub line_type: LineType,
    /// The request's id, made by the gateway.
    pub id: String,
    /// Unix time of the request's start in milliseconds.
    #[serde(deserialize_with = "number_or_text")]
    pub at_ms: u64,
    /// Who asked; absent before the caller is known and for refused credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The running count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// Status towards the client; 0 before there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Envoy's response flags, comma-separated; absent when none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<String>,
    /// Envoy's response code details.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// `address:port` of the engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Milliseconds from the start to this line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// Bytes that went to an engine; 0: none has seen the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<u64>,
    /// How many engines were tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u64>,
}

/// Envoy writes a formatted time as text.
fn number_or_text<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    match Either::deserialize(from)? {
        Either::Number(n) => Ok(n),
        Either::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_line_as_envoy_writes_it() {
        let text = r#"{"type":"DownstreamEnd","id":"a","at_ms":"1795252163123","who":"{}","usage":null,"status":200,"flags":null,"details":"via_upstream","endpoint":"127.0.0.1:1","duration_ms":3}"#;
        let line: Line = serde_json::from_str(text).unwrap();
        assert_eq!(line.line_type, LineType::End);
        assert_eq!(line.at_ms, 1_795_252_163_123);
        assert_eq!(line.who.as_deref(), Some("{}"));
        assert_eq!(line.usage, None);
    }

    #[test]
    fn a_time_that_is_no_number_is_an_error() {
        let text = r#"{"type":"DownstreamStart","id":"a","at_ms":"soon"}"#;
        assert!(serde_json::from_str::<Line>(text).is_err());
    }

    #[test]
    fn every_field_of_the_format_is_a_field_of_the_line() {
        let all: serde_json::Map<String, serde_json::Value> = FORMAT
            .iter()
            .map(|(name, _)| {
                let value = match *name {
                    "type" => "DownstreamPeriodic".into(),
                    "status" | "duration_ms" | "sent" | "attempts" => 1.into(),
                    _ => "7".into(),
                };
                ((*name).to_owned(), value)
            })
            .collect();
        let line: Line = serde_json::from_value(all.into()).unwrap();
        assert_eq!(line.line_type, LineType::Periodic);
        assert_eq!(line.usage.as_deref(), Some("7"));
        assert_eq!(line.endpoint.as_deref(), Some("7"));
    }
}
