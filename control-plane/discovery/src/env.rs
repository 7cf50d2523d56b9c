//! Endpoints in an environment variable of the control plane.

use crate::error::Error;
use crate::written::{self, List};
use model::Endpoint;

/// Reads `variable`, whose text is `value`: endpoints with commas or white space
/// between them. One that is set and empty is an error, because nobody means a
/// pool that never has an endpoint: the variable is read once.
pub(crate) fn read(variable: &str, value: Option<&str>, tls: bool) -> Result<Vec<Endpoint>, Error> {
    let value = value.ok_or_else(|| Error::NotSet(variable.to_owned()))?;
    let between = |c: char| c == ',' || c.is_whitespace();
    let mut list = List::default();
    for (position, text) in value.split(between).filter(|text| !text.is_empty()).enumerate() {
        let pushed = written::endpoint(text, tls).and_then(|endpoint| list.push(endpoint));
        pushed.map_err(|what| Error::Entry {
            variable: variable.to_owned(),
            entry: position + 1,
            what,
        })?;
    }
    let endpoints = list.into_endpoints();
    if endpoints.is_empty() { Err(Error::NoneSet(variable.to_owned())) } else { Ok(endpoints) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(value: Option<&str>) -> String {
        match read("ENGINES", value, false) {
            Ok(endpoints) => {
                endpoints.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn values() {
        let table = [
            (None, "the environment variable ENGINES is not set"),
            (Some(""), "the environment variable ENGINES names no endpoint"),
            (Some(" ,\n"), "the environment variable ENGINES names no endpoint"),
            (Some("10.0.0.1:8000"), "http://10.0.0.1:8000"),
            (Some("a:1, https://b:2\n\tc:3,"), "http://a:1 https://b:2 http://c:3"),
            (
                Some("a:1,me:hunter2@b:2"),
                "the environment variable ENGINES: entry 2 is not an endpoint; \
                 write HOST:PORT, http://HOST:PORT or https://HOST:PORT",
            ),
            (Some("a:1 A:1"), "the environment variable ENGINES: entry 2 is there already"),
        ];
        for (value, expected) in table {
            assert_eq!(outcome(value), expected, "{value:?}");
        }
    }
}
