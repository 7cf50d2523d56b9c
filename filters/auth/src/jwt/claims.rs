//! The claims of a token: one JSON object in which no name stands twice.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// RFC 7515 §2 writes no padding; Envoy can be told to.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The claims of a token.
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    /// Reads a payload as it stands in a token. `None` when it is not base64url, not
    /// one JSON object, or when a name stands twice in any object of it: two readers
    /// might pick different ones (RFC 7519 §4).
    pub(super) fn decode(payload: &[u8]) -> Option<Claims> {
        let json = BASE64URL.decode(payload).ok()?;
        match serde_json::from_slice(&json) {
            Ok(Unique(Value::Object(claims))) => Some(Claims(claims)),
            _ => None,
        }
    }

    /// The claim of that very name.
    pub(super) fn named(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The claim of that name, or else the one at the end of a path with dots
    /// (`realm_access.roles`). Many names are URLs with dots of their own.
    pub(super) fn at(&self, claim: &str) -> Option<&Value> {
        self.named(claim).or_else(|| {
            let mut steps = claim.split('.');
            let first = self.named(steps.next()?)?;
            steps.try_fold(first, |value, step| value.as_object()?.get(step))
        })
    }
}

/// A value in which no object has a name twice.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Unique)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate names")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("not a number"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Unique(value)) = seq.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Unique(value))) = map.next_entry::<String, Unique>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE as PADDED, URL_SAFE_NO_PAD};

    fn claims(json: &str) -> Option<Claims> {
        Claims::decode(URL_SAFE_NO_PAD.encode(json).as_bytes())
    }

    #[test]
    fn one_object_without_a_name_twice() {
        let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(200), "]".repeat(200));
        let table = [
            ("{}", true),
            (r#" {"a":[{"b":1},{"b":2.5},null,true,-1,"x"]} "#, true),
            (r#"{"a":1,"a":1}"#, false),
            (r#"{"a":1,"\u0061":1}"#, false),
            (r#"{"x":{"a":1,"a":2}}"#, false),
            (r#"{"x":[{"a":1,"a":2}]}"#, false),
            (r#"{"a":1e999}"#, false),
            (r#"{"a":"\ud800"}"#, false),
            ("[]", false),
            ("null", false),
            ("", false),
            ("{} {}", false),
            ("{", false),
            (&deep, false),
        ];
        for (json, expected) in table {
            assert_eq!(claims(json).is_some(), expected, "{json}");
        }
    }

    #[test]
    fn only_base64url() {
        let json = r#"{"a":"???>>>"}"#;
        for (payload, expected) in [
            (URL_SAFE_NO_PAD.encode(json), true),
            (PADDED.encode(json), true),
            (STANDARD.encode(json), false),
            (format!("{0},{0}", URL_SAFE_NO_PAD.encode(json)), false),
            (format!("{} ", URL_SAFE_NO_PAD.encode(json)), false),
            // The last character has bits that mean nothing: they must be zero.
            ("e31".to_owned(), false),
            ("e30".to_owned(), true),
        ] {
            assert_eq!(Claims::decode(payload.as_bytes()).is_some(), expected, "{payload}");
        }
        let not_utf8 = URL_SAFE_NO_PAD.encode(b"{\"a\":\"\xff\"}");
        assert!(Claims::decode(not_utf8.as_bytes()).is_none());
    }

    #[test]
    fn a_literal_name_wins_over_a_path() {
        let claims = claims(r#"{"a.b":1,"a":{"b":2,"c":{"d":3},"e.f":4},"l":[5]}"#).unwrap();
        let table = [
            ("a.b", Some(1)),
            ("a.c.d", Some(3)),
            ("a.e.f", None),
            ("a.x", None),
            ("l.0", None),
            ("", None),
            (".", None),
        ];
        for (name, expected) in table {
            assert_eq!(claims.at(name).and_then(Value::as_u64), expected, "{name}");
        }
        assert!(claims.named("a.c").is_none());
    }
}
