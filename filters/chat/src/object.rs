//! The members of one JSON object, in order, none of them copied.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A member's name, unescaped.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

struct Members<F>(F);

impl<'de, F: FnMut(&str, &'de RawValue)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key()? {
            (self.0)(&name, map.next_value()?);
        }
        Ok(())
    }
}

/// Calls `each` with the name and the value of every member of the object that
/// `text` is, duplicates too. An error when `text` is not one whole object;
/// `each` has then seen what stood before the fault.
///
/// Values are skipped without recursion: depth costs a byte a level.
pub(crate) fn each_member<'a>(
    text: &'a str,
    each: impl FnMut(&str, &'a RawValue),
) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_map(Members(each))?;
    json.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Result<Vec<(String, String)>, serde_json::Error> {
        let mut seen = Vec::new();
        each_member(text, |name, raw| seen.push((name.to_owned(), raw.get().to_owned())))?;
        Ok(seen)
    }

    #[test]
    fn names_are_unescaped_and_values_are_raw() {
        let seen = members(r#" {"a\u0062": [1, {"x":2}] , "b":"\ud800", "b" : 1e400} "#).unwrap();
        let expected = [("ab", r#"[1, {"x":2}]"#), ("b", r#""\ud800""#), ("b", "1e400")];
        assert_eq!(seen, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
    }

    #[test]
    fn anything_but_one_object_is_an_error() {
        for text in ["", "[]", "1", "{", "{}x", r#"{"a":}"#, r#"{"a":1,}"#, "{1:2}"] {
            assert!(members(text).is_err(), "{text}");
        }
    }
}
