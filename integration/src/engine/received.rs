//! What arrived, kept to be looked at: `--record`.

use std::sync::{Mutex, PoisonError};

use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::wire::Request;

/// Requests that are kept; the oldest goes for the next one.
const KEPT_MAX: usize = 10_000;

/// A request as an engine received it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// How many arrived before it.
    pub number: u64,
    /// Method; empty where the bytes were no request.
    pub method: String,
    /// Path with its query.
    pub path: String,
    /// Names in lower case, values as they came, in order.
    pub headers: Vec<(String, String)>,
    /// The body without its framing.
    #[serde(with = "in_base64")]
    pub body: Vec<u8>,
}

impl Received {
    /// Every value of the header of that lower-case name.
    pub fn values(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(key, _)| key == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What was kept so far.
#[derive(Debug, Default)]
pub(super) struct Record {
    kept: Mutex<(u64, std::collections::VecDeque<Received>)>,
}

impl Record {
    pub fn keep(&self, request: &Request) {
        self.push(Received {
            number: 0,
            method: request.head.method.clone(),
            path: request.head.path.clone(),
            headers: request.head.headers.clone(),
            body: request.body.clone(),
        });
    }

    /// Bytes came that are no request: somebody let something through that it
    /// understood otherwise.
    pub fn keep_malformed(&self) {
        self.push(Received::default());
    }

    /// Those from that number on.
    pub fn since(&self, number: u64) -> Vec<Received> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.1.iter().filter(|it| it.number >= number).cloned().collect()
    }

    fn push(&self, mut received: Received) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        received.number = kept.0;
        kept.0 += 1;
        if kept.1.len() == KEPT_MAX {
            kept.1.pop_front();
        }
        kept.1.push_back(received);
    }
}

mod in_base64 {
    use super::STANDARD;
    use base64::Engine as _;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(from)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::Head;

    fn request(path: &str) -> Request {
        let text = format!("POST {path} HTTP/1.1\r\nX-A: 1\r\nx-a: 2\r\n\r\n");
        let head = Head::of_request(text.as_bytes()).unwrap().unwrap();
        Request { head, body: b"\xff\x00".to_vec() }
    }

    #[test]
    fn what_arrived_is_told_byte_by_byte() {
        let record = Record::default();
        for path in ["/a", "/b"] {
            record.keep(&request(path));
        }
        record.keep_malformed();
        let all = record.since(0);
        let told: Vec<Received> =
            serde_json::from_str(&serde_json::to_string(&all).unwrap()).unwrap();
        assert_eq!(told, all);
        assert_eq!((told[0].values("x-a"), &told[0].body), (vec!["1", "2"], &b"\xff\x00".to_vec()));
        let rest = record.since(1);
        assert_eq!((rest.len(), rest[0].path.as_str(), rest[1].method.as_str()), (2, "/b", ""));
    }
}
