//! What is sent to the gate, and what may come of it.

use serde_json::Value;

/// The path of every attack that is not about paths.
pub const CHAT: &str = "/v1/chat/completions";
/// What an honest caller asks.
pub const HONEST: &str = r#"{"model":"tiny","messages":[{"role":"user","content":"one two"}]}"#;
/// In what is sent, this stands for the header line with the attacker's key.
pub const AUTH: &str = "{AUTH}";
/// The attacker's key.
pub const KEY: &str = "{KEY}";
/// A key of another tenant, which may use every model.
pub const RICH: &str = "{RICH}";
/// A header line that most requests have.
pub const JSON: &str = "content-type: application/json\r\n";

/// What an attack has to end in.
#[derive(Clone)]
pub enum Wanted {
    /// One of these refusals.
    Refused(Vec<(u16, &'static str)>),
    /// Any refusal.
    AnyRefusal,
    /// What the honest request gets.
    Served,
    /// A refusal, or what the honest request gets.
    Either,
}

/// Bytes for one connection.
pub struct Attack {
    pub name: String,
    pub bytes: Vec<u8>,
    pub wanted: Wanted,
    /// The body that an engine may get, when it is not the honest one; with the
    /// name that callers use for the model.
    pub body: Option<Value>,
    /// The path that an engine may see, when it is not the honest one.
    pub path: Option<String>,
    /// Whether the gate may go on waiting for more: the attacker leaves then.
    pub is_unfinished: bool,
}

impl Attack {
    /// Bytes as they are, but for what stands for keys.
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Attack {
        Attack {
            name: name.into(),
            bytes: bytes.into(),
            wanted: Wanted::Either,
            body: None,
            path: None,
            is_unfinished: false,
        }
    }

    /// The honest chat with these header lines in place of the attacker's key.
    pub fn headers(name: impl Into<String>, headers: &str) -> Attack {
        Attack::new(name, post(CHAT, &format!("{JSON}{headers}"), HONEST))
    }

    /// The honest chat with another body.
    pub fn body(name: impl Into<String>, body: impl AsRef<[u8]>) -> Attack {
        Attack::new(name, post(CHAT, &format!("{JSON}{AUTH}"), body))
    }

    pub fn refused(mut self, status: u16, code: &'static str) -> Attack {
        match &mut self.wanted {
            Wanted::Refused(all) => all.push((status, code)),
            other => *other = Wanted::Refused(vec![(status, code)]),
        }
        self
    }

    pub fn any_refusal(mut self) -> Attack {
        self.wanted = Wanted::AnyRefusal;
        self
    }

    pub fn served(mut self) -> Attack {
        self.wanted = Wanted::Served;
        self
    }

    /// What an engine may get is this instead of the honest body.
    pub fn means(mut self, body: Value) -> Attack {
        self.body = Some(body);
        self
    }

    pub fn at(mut self, path: &str) -> Attack {
        self.path = Some(path.to_owned());
        self
    }

    pub fn unfinished(mut self) -> Attack {
        self.is_unfinished = true;
        self
    }
}

/// A POST with a length, on a connection of its own.
pub fn post(path: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// The honest chat with this framing: header lines, then what follows them.
pub fn framed(framing: &str, body: &str) -> String {
    format!(
        "POST {CHAT} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n{JSON}{AUTH}{framing}\r\n{body}"
    )
}

/// A body in one chunk.
pub fn chunk(body: &str) -> String {
    format!("{:x}\r\n{body}\r\n", body.len())
}

/// Puts the keys in.
pub fn filled(bytes: &[u8], key: &str, rich: &str) -> Vec<u8> {
    let bytes = replaced(bytes, AUTH, &format!("authorization: Bearer {key}\r\n"));
    replaced(&replaced(&bytes, KEY, key), RICH, rich)
}

fn replaced(bytes: &[u8], what: &str, by: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(what.len()).position(|window| window == what.as_bytes()) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(by.as_bytes());
        rest = &rest[at + what.len()..];
    }
    out.extend_from_slice(rest);
    out
}
