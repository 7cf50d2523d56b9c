//! Requests signed with `TOLLGATE-HMAC-SHA256`: a client of its own, written from
//! the contract alone, so that it and the gateway cannot be wrong together.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::{digest, hmac};

/// Random bytes of a nonce; base64 makes 24 characters of them.
const NONCE_BYTES: usize = 18;

/// A request that is to be signed: each part can be said otherwise than it is.
#[derive(Clone)]
pub struct Signed {
    credential: String,
    secret: String,
    method: String,
    path: String,
    timestamp: String,
    nonce: String,
    body_sha256: String,
}

impl Signed {
    /// A `POST` of `body` to `path` (with its query), now, with a nonce of its own.
    pub fn post(credential: &str, secret: &str, path: &str, body: &[u8]) -> Signed {
        Signed {
            credential: credential.to_owned(),
            secret: secret.to_owned(),
            method: "POST".to_owned(),
            path: path.to_owned(),
            timestamp: now_s().to_string(),
            nonce: nonce(),
            body_sha256: sha256(body),
        }
    }

    /// Signs for another method.
    pub fn method(mut self, method: &str) -> Signed {
        self.method = method.to_owned();
        self
    }

    /// Signs for another path.
    pub fn path(mut self, path: &str) -> Signed {
        self.path = path.to_owned();
        self
    }

    /// Signs with another secret.
    pub fn secret(mut self, secret: &str) -> Signed {
        self.secret = secret.to_owned();
        self
    }

    /// Stamped so many seconds after now; before it where negative.
    pub fn after_now_s(self, seconds: i64) -> Signed {
        let stamp = now_s().saturating_add_signed(seconds);
        self.timestamp(&stamp.to_string())
    }

    /// Stamped with this text.
    pub fn timestamp(mut self, text: &str) -> Signed {
        self.timestamp = text.to_owned();
        self
    }

    /// With this nonce.
    pub fn nonce(mut self, nonce: &str) -> Signed {
        self.nonce = nonce.to_owned();
        self
    }

    /// Names this digest of the body.
    pub fn body_sha256(mut self, digest: &str) -> Signed {
        self.body_sha256 = digest.to_owned();
        self
    }

    /// The signature over the five lines, in hexadecimal digits.
    pub fn signature(&self) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes());
        let lines = [&self.method, &self.path, &self.timestamp, &self.nonce, &self.body_sha256]
            .map(|it| it.as_str());
        hex(hmac::sign(&key, lines.join("\n").as_bytes()).as_ref())
    }

    /// The parts of the header in the contract's order, as (name, value).
    pub fn parts(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Credential", self.credential.clone()),
            ("Timestamp", self.timestamp.clone()),
            ("Nonce", self.nonce.clone()),
            ("BodySha256", self.body_sha256.clone()),
            ("Signature", self.signature()),
        ]
    }

    /// The value of `authorization`.
    pub fn header(&self) -> String {
        header_of(&self.parts())
    }
}

/// The value of `authorization` that has these parts.
pub fn header_of(parts: &[(&str, String)]) -> String {
    let parts: Vec<String> = parts.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("TOLLGATE-HMAC-SHA256 {}", parts.join(", "))
}

/// SHA-256 in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Unix time in seconds.
pub fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs())
}

/// A nonce that nobody has used.
///
/// # Panics
/// Where the system has no random numbers.
pub fn nonce() -> String {
    let mut bytes = [0; NONCE_BYTES];
    SystemRandom::new().fill(&mut bytes).expect("random numbers");
    URL_SAFE_NO_PAD.encode(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// RFC 4231, test case 2, with the text in place of the lines.
    #[test]
    fn the_digests_are_those_of_the_standards() {
        assert_eq!(sha256(b""), EMPTY);
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"Jefe");
        let signature = hex(hmac::sign(&key, b"what do ya want for nothing?").as_ref());
        assert!(signature.starts_with("5bdcc146bf60754e6a042426089575c7"), "{signature}");
    }

    #[test]
    fn every_part_is_signed() {
        let one = Signed::post("a", "secret", "/v1/x?y=1", b"{}").timestamp("1").nonce("n");
        let changed = [
            one.clone().method("PUT"),
            one.clone().path("/v1/x"),
            one.clone().timestamp("2"),
            one.clone().nonce("m"),
            one.clone().body_sha256(EMPTY),
            one.clone().secret("other"),
        ];
        assert!(changed.iter().all(|it| it.signature() != one.signature()));
        assert_eq!(one.signature(), one.clone().signature());
    }

    #[test]
    fn the_header_has_the_contracts_form() {
        let header = Signed::post("a", "s", "/", b"").timestamp("5").nonce("n").header();
        let begins = "TOLLGATE-HMAC-SHA256 Credential=a, Timestamp=5, Nonce=n, BodySha256=";
        assert!(header.starts_with(begins), "{header}");
        assert!(header.contains(&format!("{EMPTY}, Signature=")), "{header}");
    }
}
