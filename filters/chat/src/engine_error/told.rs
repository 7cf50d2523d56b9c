//! Finds what an error says in the shapes of the engines.

use super::faults::{self, Fault};
use serde_json::Value;

/// What an engine has said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// In its own words; `None`: it has said nothing that can be read.
    pub(super) message: Option<String>,
    /// The field that is wrong.
    pub(super) param: Option<String>,
    /// Its own code, where that is a status.
    code: Option<u16>,
    kind: Option<String>,
}

/// Longest name of a field that is passed on, in bytes.
const PARAM_BYTES_MAX: usize = 64;

/// Faults of a list that are told; the rest are of the same kind.
const FAULTS_MAX: usize = 3;

/// Kinds by which an error inside of a stream says what it is, where it has no code, and the
/// status that they stand for. In lower case, without underscores.
const KINDS: [(&str, u16); 6] = [
    ("badrequest", 400),
    ("invalidrequest", 400),
    ("validation", 400),
    ("exceedcontext", 400),
    ("overloaded", 429),
    ("ratelimit", 429),
];

impl Told {
    /// The status that it stands for, if it says so.
    pub(super) fn status(&self) -> Option<u16> {
        self.code.or_else(|| {
            let kind = self.kind.as_ref()?.to_ascii_lowercase().replace(['_', ' '], "");
            KINDS.iter().find(|(of, _)| kind.contains(of)).map(|(_, status)| *status)
        })
    }

    fn of_text(text: &str) -> Told {
        let faults = faults::of_text(text);
        if faults.is_empty() {
            return Told { message: Some(text.to_owned()), ..Told::default() };
        }
        Told::of_faults(faults)
    }

    fn of_faults(faults: Vec<Fault>) -> Told {
        let param = faults.first().and_then(|fault| param(&fault.place));
        let mut lines: Vec<String> = Vec::new();
        for line in faults.iter().map(Fault::line) {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines.truncate(FAULTS_MAX);
        Told { message: Some(lines.join("; ")), param, ..Told::default() }
    }
}

/// What a body, or the value of an error in one, says.
pub(super) fn of_body(body: &[u8]) -> Told {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => of_value(&value),
        Err(_) => of_plain(body),
    }
}

/// A page in HTML is some proxy's: it says nothing of the request.
fn of_plain(body: &[u8]) -> Told {
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    if text.is_empty() || text.starts_with(['<', '{', '[']) {
        return Told::default();
    }
    Told::of_text(text)
}

fn of_value(value: &Value) -> Told {
    match value {
        Value::String(text) => Told::of_text(text),
        Value::Array(items) => Told::of_faults(items.iter().filter_map(faults::of_item).collect()),
        Value::Object(_) => of_object(value),
        _ => Told::default(),
    }
}

/// `error` of OpenAI's shape and KServe's, `message` of SGLang and TEI, `detail` of FastAPI.
fn of_object(object: &Value) -> Told {
    let inner = ["error", "message", "detail"].iter().filter_map(|name| object.get(name));
    let told = inner.filter(|value| !value.is_null()).map(of_value).next().unwrap_or_default();
    let own = |name| object.get(name).and_then(Value::as_str);
    Told {
        param: told.param.or_else(|| param(own("param")?)),
        code: told.code.or_else(|| status(object.get("code")?)),
        kind: told.kind.or_else(|| own("type").or(own("error_type")).map(str::to_owned)),
        message: told.message,
    }
}

fn status(code: &Value) -> Option<u16> {
    let number = code.as_u64().or_else(|| code.as_str()?.parse().ok())?;
    u16::try_from(number).ok().filter(|status| (400..600).contains(status))
}

/// A field of the request, without the `body` that FastAPI puts before it. The place of a
/// syntax error is a number, and no field.
fn param(told: &str) -> Option<String> {
    let name = told.strip_prefix("body.").unwrap_or(told);
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-[]".contains(&byte))
        && !matches!(name, "body" | "header" | "query");
    (is_name && name.len() <= PARAM_BYTES_MAX).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str) -> (Option<String>, Option<String>, Option<u16>) {
        let told = of_body(body.as_bytes());
        (told.message.clone(), told.param.clone(), told.status())
    }

    #[test]
    fn every_shape_says_something() {
        #[rustfmt::skip]
        let table = [
            (r#"{"error":{"message":"m","type":"t","param":"n","code":400}}"#, Some("m"), Some("n"), Some(400)),
            (r#"{"object":"error","message":"m","type":"BadRequestError","param":null,"code":400}"#, Some("m"), None, Some(400)),
            (r#"{"error":"m"}"#, Some("m"), None, None),
            (r#"{"error":"m","error_type":"validation"}"#, Some("m"), None, Some(400)),
            (r#"{"message":"m","code":422,"type":"Validation"}"#, Some("m"), None, Some(422)),
            (r#"{"detail":"m"}"#, Some("m"), None, None),
            (r#"{"detail":[{"loc":["body","a",0],"msg":"x"},{"loc":["body"],"msg":"y"}]}"#, Some("a.0: x; y"), Some("a.0"), None),
            (r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#, Some("m"), None, Some(429)),
            (r#"{"error":{"message":"m","code":"model_not_found"}}"#, Some("m"), None, None),
            (r#"{"error":{"message":"m","code":"404"}}"#, Some("m"), None, Some(404)),
            (r#"{"error":{"message":"m","code":7}}"#, Some("m"), None, None),
            (r#"{"error":null,"message":"m"}"#, Some("m"), None, None),
            (r#"{"error":{}}"#, None, None, None),
            (r#"{"error":17}"#, None, None, None),
            ("[]", Some(""), None, None),
            ("plain words", Some("plain words"), None, None),
            (r#""said""#, Some("said"), None, None),
            ("<html><body>bad</body></html>", None, None, None),
            (r#"{"error":{"message":"cut o"#, None, None, None),
            ("", None, None, None),
            ("null", None, None, None),
        ];
        for (body, message, param, status) in table {
            let expected = (message.map(str::to_owned), param.map(str::to_owned), status);
            assert_eq!(told(body), expected, "{body}");
        }
        assert_eq!(of_body(b"\xff\xfe").message, None);
    }

    #[test]
    fn a_field_is_named_as_the_request_has_it() {
        for (told, name) in [
            ("max_tokens", Some("max_tokens")),
            ("body.messages", Some("messages")),
            ("messages[0].role", Some("messages[0].role")),
            ("body", None),
            ("body.28", None),
            ("/etc/passwd", None),
            ("a b", None),
            ("", None),
        ] {
            assert_eq!(param(told).as_deref(), name, "{told}");
        }
        assert_eq!(param(&"a".repeat(65)), None);
    }

    #[test]
    fn what_is_deep_is_not_read() {
        let deep = format!("{}1{}", r#"{"error":"#.repeat(5_000), "}".repeat(5_000));
        assert_eq!(of_body(deep.as_bytes()), Told::default());
    }
}
