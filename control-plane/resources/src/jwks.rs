//! The public keys of an issuer, from a file.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// Shortest modulus of an RSA key, in bits (NIST SP 800-131A, section 3).
const RSA_BITS_MIN: usize = 2048;

/// Members that only a private or a symmetric key has (RFC 7518, sections 6.2.2,
/// 6.3.2 and 6.4; RFC 8037, section 2).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A set of public keys (RFC 7517, section 5) that signatures can be checked by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwks(String);

/// Why a text is no set of public keys. Quotes nothing of it: in its place may lie
/// keys that are secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// It is something else.
    #[error("it is not a JSON object with a list `keys`")]
    NotASet,
    /// The list is empty.
    #[error("it has no keys")]
    Empty,
    /// A key that is no object with a text `kty`.
    #[error("key {0} is not an object that says its kind in `kty`")]
    NotAKey(usize),
    /// A key that whoever checks signatures could sign by.
    #[error("key {0} is symmetric: who verifies tokens by it could make them")]
    Symmetric(usize),
    /// A key that is not for others to see.
    #[error("key {0} has private members; publish only what verifies")]
    Private(usize),
    /// Neither RSA nor a curve that Envoy knows.
    #[error("key {0} is of no kind that is taken: RSA, EC (P-256, P-384, P-521), OKP (Ed25519)")]
    Kind(usize),
    /// A public member is not there, not base64url, or not as long as its curve has it.
    #[error("key {0} lacks a member that keys of its kind have, or it is not whole base64url")]
    Member(usize),
    /// An RSA key that can be broken.
    #[error("key {0} is shorter than {RSA_BITS_MIN} bits, or its exponent is 1")]
    Weak(usize),
}

impl Jwks {
    /// Takes the text of a file. Keys are counted from 1 in errors.
    ///
    /// # Errors
    /// When one of the keys is not public, is weak or cannot be read, or there is none.
    pub fn parse(text: &str) -> Result<Jwks, JwksError> {
        let set: Map<String, Value> = serde_json::from_str(text).map_err(|_| JwksError::NotASet)?;
        let Some(Value::Array(keys)) = set.get("keys") else { return Err(JwksError::NotASet) };
        if keys.is_empty() {
            return Err(JwksError::Empty);
        }
        for (at, key) in keys.iter().enumerate() {
            check(at + 1, key)?;
        }
        Ok(Jwks(text.to_owned()))
    }

    /// The text, as it is sent.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn check(place: usize, key: &Value) -> Result<(), JwksError> {
    let Value::Object(members) = key else { return Err(JwksError::NotAKey(place)) };
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let kind = text("kty").ok_or(JwksError::NotAKey(place))?;
    if kind == "oct" {
        return Err(JwksError::Symmetric(place));
    }
    if PRIVATE.iter().any(|name| members.contains_key(*name)) {
        return Err(JwksError::Private(place));
    }
    let bytes = |name: &str| {
        let decoded = text(name).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        decoded.ok_or(JwksError::Member(place))
    };
    let point = |size: usize, names: &[&str]| {
        let whole = |name: &&str| bytes(name).is_ok_and(|bytes| bytes.len() == size);
        if names.iter().all(whole) { Ok(()) } else { Err(JwksError::Member(place)) }
    };
    match (kind, text("crv")) {
        ("RSA", _) if is_strong(&bytes("n")?, &bytes("e")?) => Ok(()),
        ("RSA", _) => Err(JwksError::Weak(place)),
        // RFC 7518, section 6.2.1.2: as long as the field of the curve.
        ("EC", Some("P-256")) => point(32, &["x", "y"]),
        ("EC", Some("P-384")) => point(48, &["x", "y"]),
        ("EC", Some("P-521")) => point(66, &["x", "y"]),
        ("OKP", Some("Ed25519")) => point(32, &["x"]),
        _ => Err(JwksError::Kind(place)),
    }
}

/// With an exponent of 1 everybody can sign.
fn is_strong(modulus: &[u8], exponent: &[u8]) -> bool {
    bits(modulus) >= RSA_BITS_MIN && bits(exponent) > 1
}

/// The length of a number without the zeros before it.
fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let unused = number.get(zeros).map_or(0, |byte| byte.leading_zeros() as usize);
    (number.len() - zeros) * 8 - unused
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn modulus(bits: usize) -> String {
        let mut bytes = vec![0xff; bits.div_ceil(8)];
        bytes[0] >>= bytes.len() * 8 - bits;
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn rsa(bits: usize) -> Value {
        json!({ "kty": "RSA", "kid": "a", "alg": "RS256", "n": modulus(bits), "e": "AQAB" })
    }

    fn ec() -> Value {
        let coordinate = URL_SAFE_NO_PAD.encode([7; 32]);
        json!({ "kty": "EC", "crv": "P-256", "x": coordinate, "y": coordinate })
    }

    fn with(mut key: Value, name: &str, value: Value) -> Value {
        key[name] = value;
        key
    }

    fn parsed(keys: &[Value]) -> Result<(), JwksError> {
        Jwks::parse(&json!({ "keys": keys }).to_string()).map(drop)
    }

    #[test]
    fn public_keys_are_taken_as_they_were_written() {
        let ed = json!({ "kty": "OKP", "crv": "Ed25519", "x": ec()["x"] });
        let text = json!({ "keys": [rsa(2048), rsa(4096), ec(), ed], "more": 1 }).to_string();
        assert_eq!(Jwks::parse(&text).unwrap().as_str(), text);
    }

    #[test]
    fn each_fault_names_the_key_by_its_place() {
        let ok = ec();
        let table = [
            (vec![], JwksError::Empty),
            (vec![ok.clone(), json!("x")], JwksError::NotAKey(2)),
            (vec![json!({ "k": "AAEC" })], JwksError::NotAKey(1)),
            (vec![ok.clone(), json!({ "kty": "oct", "k": "AAEC" })], JwksError::Symmetric(2)),
            (vec![with(ok.clone(), "d", json!("AAEC"))], JwksError::Private(1)),
            (vec![with(rsa(2048), "qi", json!(null))], JwksError::Private(1)),
            (vec![with(ok.clone(), "crv", json!("secp256k1"))], JwksError::Kind(1)),
            (vec![with(ok.clone(), "kty", json!("ec"))], JwksError::Kind(1)),
            (vec![with(ok.clone(), "y", json!("no base64!"))], JwksError::Member(1)),
            (vec![with(ok.clone(), "x", json!("AAEC"))], JwksError::Member(1)),
            (vec![with(ok.clone(), "crv", json!("P-384"))], JwksError::Member(1)),
            (vec![with(rsa(2048), "e", json!(65537))], JwksError::Member(1)),
            (vec![with(rsa(2048), "e", json!("AAE"))], JwksError::Weak(1)),
            (vec![rsa(2048), rsa(2047)], JwksError::Weak(2)),
            (vec![with(rsa(2048), "n", json!("AAAA"))], JwksError::Weak(1)),
        ];
        for (keys, expected) in table {
            assert_eq!(parsed(&keys), Err(expected), "{keys:?}");
        }
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for text in ["", "[]", "{}", r#"{"keys":{}}"#, "{\"keys\":[", "-----BEGIN PUBLIC KEY"] {
            assert_eq!(Jwks::parse(text), Err(JwksError::NotASet), "{text}");
        }
    }

    #[test]
    fn zeros_before_a_modulus_do_not_make_it_longer() {
        let padded = URL_SAFE_NO_PAD.encode([vec![0; 64], vec![0xff; 200]].concat());
        assert_eq!(parsed(&[with(rsa(2048), "n", json!(padded))]), Err(JwksError::Weak(1)));
    }
}
