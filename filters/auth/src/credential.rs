//! The credential of a request: exactly one, in a header.

use contract::refusal::{Code, Refusal};

/// Headers that carry a credential. They never reach an engine.
pub const HEADERS: [&str; 2] = ["authorization", "x-api-key"];

/// The key that a request carries, as it was sent. It has no `Debug`: it must
/// not reach a log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PresentedKey<'a>(pub(crate) &'a str);

/// The one credential among `headers`: the values of every `authorization` and
/// `x-api-key` header, as (lower-case name, value).
///
/// # Errors
/// `missing_credentials` without one, `ambiguous_credentials` with two, and
/// `invalid_api_key` for one that cannot be a key.
pub fn take<'a>(
    headers: impl Iterator<Item = (&'a str, &'a [u8])>,
) -> Result<PresentedKey<'a>, Refusal> {
    let mut credentials = headers.filter(|(name, _)| HEADERS.contains(name));
    let Some((name, value)) = credentials.next() else { return Err(missing()) };
    if credentials.next().is_some() {
        return Err(ambiguous());
    }
    let value = std::str::from_utf8(value).map_err(|_| invalid())?.trim_matches([' ', '\t']);
    let key = if name == "authorization" { bearer(value)? } else { value };
    if key.is_empty() {
        return Err(missing());
    }
    // Two header lines of one name reach the filter joined by a comma.
    if key.contains(',') {
        return Err(ambiguous());
    }
    if key.contains([' ', '\t']) || !crate::key::may_be_a_key(key) {
        return Err(invalid());
    }
    Ok(PresentedKey(key))
}

impl PresentedKey<'_> {
    /// The digest by which the key is looked up.
    #[must_use]
    pub fn digest(self) -> crate::key::Digest {
        crate::key::digest(self.0)
    }
}

/// RFC 6750 §2.1; the scheme's case does not matter (RFC 9110 §11.1).
fn bearer(value: &str) -> Result<&str, Refusal> {
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(token.trim_start_matches(' '))
    } else {
        Err(missing())
    }
}

fn missing() -> Refusal {
    Refusal::new(
        Code::MissingCredentials,
        "No API key. Send it as `Authorization: Bearer KEY` or `x-api-key: KEY`.",
    )
}

fn ambiguous() -> Refusal {
    Refusal::new(
        Code::AmbiguousCredentials,
        "The request carries more than one credential; send one.",
    )
}

fn invalid() -> Refusal {
    Refusal::new(Code::InvalidApiKey, "This API key is not valid.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(headers: &[(&str, &str)]) -> Result<String, &'static str> {
        take(headers.iter().map(|&(name, value)| (name, value.as_bytes())))
            .map(|key| key.0.to_owned())
            .map_err(|refusal| refusal.code.as_str())
    }

    #[test]
    fn exactly_one_credential() {
        let good = crate::key::generate(&[1; 32]);
        let bearer = format!("Bearer {good}");
        let two = format!("Bearer {good},Bearer {good}");
        let odd = format!("bEARER   {good} ");
        let missing = Err("missing_credentials");
        let ambiguous = Err("ambiguous_credentials");
        let invalid = Err("invalid_api_key");
        type Row<'a> = (&'a [(&'a str, &'a str)], Result<String, &'a str>);
        let table: &[Row] = &[
            (&[], missing.clone()),
            (&[("content-type", "x")], missing.clone()),
            (&[("authorization", &bearer)], Ok(good.clone())),
            (&[("authorization", &odd)], Ok(good.clone())),
            (&[("x-api-key", &good)], Ok(good.clone())),
            (&[("x-api-key", "sk-of-another-kind")], Ok("sk-of-another-kind".to_owned())),
            (&[("x-api-key", "")], missing.clone()),
            (&[("authorization", "Bearer")], missing.clone()),
            (&[("authorization", "Bearer ")], missing.clone()),
            (&[("authorization", "Basic dTpw")], missing),
            (&[("authorization", &bearer), ("x-api-key", &good)], ambiguous.clone()),
            (&[("x-api-key", &good), ("x-api-key", &good)], ambiguous.clone()),
            (&[("authorization", &two)], ambiguous),
            (&[("x-api-key", "tg_mistyped")], invalid.clone()),
            (&[("authorization", "Bearer a b")], invalid),
        ];
        for (headers, expected) in table {
            assert_eq!(&outcome(headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_no_key() {
        let code =
            take([("x-api-key", &b"\xff\xfe"[..])].into_iter()).map(|_| ()).unwrap_err().code;
        assert_eq!(code, Code::InvalidApiKey);
    }
}
