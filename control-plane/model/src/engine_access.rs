//! `pools.NAME.credentials`, `protocol` and `tls`: how the servers of a pool are spoken to.

use crate::document::{Cursor, Fields};
use crate::header::HeaderName;
use crate::schema::Section;
use crate::secret::Secret;
use crate::units;
use std::path::{Path, PathBuf};

/// Longest value of a credential: a token of an identity provider has some 2,000 bytes.
const VALUE_BYTES_MAX: usize = 4_096;

/// The credential that every request to a pool carries. It holds a secret and therefore has
/// no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The header.
    pub header: HeaderName,
    /// Its whole value, 1 to 4096 visible ASCII characters and spaces between them.
    pub value: Secret,
}

impl Credentials {
    pub(crate) fn read(cursor: &Cursor<'_>) -> Option<Credentials> {
        let fields = cursor.fields(Section::Credentials);
        let header = fields.require("header", "such as authorization");
        let value = fields.require("value", "such as \"Bearer ${ENGINE_KEY}\"");
        fields.close();
        let header = header.and_then(|header| header.parse(HeaderName::of_engines));
        let value = value.and_then(|value| value.parse_unquoted(value_of));
        Some(Credentials { header: header?, value: value? })
    }
}

/// The value of a header (RFC 9110, section 5.5), without what is not ASCII.
fn value_of(text: &str) -> Result<Secret, String> {
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if visible && text.trim() == text && (1..=VALUE_BYTES_MAX).contains(&text.len()) {
        return Ok(Secret::new(text.to_owned()));
    }
    Err(format!(
        "is not the value of a header; allowed: 1 to {VALUE_BYTES_MAX} visible ASCII characters, \
         spaces between them"
    ))
}

/// Longest path before that of the API: it is in a header of every request.
const BASE_PATH_BYTES_MAX: usize = 256;

/// What stands before the path of the API: segments of a path (RFC 3986, section 3.3) without
/// escapes, none of them empty and none that leads elsewhere.
pub(crate) fn base_path(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte);
    let good = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(plain);
    let segments = text.strip_prefix('/').map(|rest| rest.split('/').all(good));
    if segments == Some(true) && text.len() <= BASE_PATH_BYTES_MAX {
        return Ok(text.to_owned());
    }
    Err(format!(
        "is not the beginning of a path; write one such as /openai, at most {BASE_PATH_BYTES_MAX} \
         characters, without / at its end and without %"
    ))
}

/// What the servers of a pool speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2, without TLS by prior knowledge.
    Http2,
}

pub(crate) const PROTOCOLS: &[(&str, Protocol)] =
    &[("http1", Protocol::Http1), ("http2", Protocol::Http2)];

impl Protocol {
    pub(crate) fn of(pool: &Fields<'_, '_>) -> Protocol {
        let chosen = pool.get("protocol").and_then(|field| field.choose(PROTOCOLS));
        chosen.unwrap_or_default()
    }
}

/// How the certificates of a pool's servers are verified.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EngineTls {
    /// Who must have signed them, a PEM file, the configuration's folder before relative
    /// ones.
    pub ca: PathBuf,
}

impl EngineTls {
    /// Reads `tls` of a pool. `plain`: its servers speak without TLS.
    pub(crate) fn of(pool: &Fields<'_, '_>, base: &Path, plain: bool) -> Option<EngineTls> {
        let cursor = pool.get("tls")?;
        let fields = cursor.fields(Section::EngineTls);
        let ca = fields.require("ca", "the authority that signs their certificates, a PEM file");
        fields.close();
        if plain {
            cursor.report_field("counts only with https; remove it, or write https endpoints");
        }
        Some(EngineTls { ca: ca?.parse(|text| units::path(text, base))? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_of_paths() {
        let long = |bytes: usize| format!("/{}", "x".repeat(bytes - 1));
        let good = ["/openai", "/a/b.c/d-e_f~g", "/a:b@c", &long(BASE_PATH_BYTES_MAX)];
        let wrong = [
            "",
            "/",
            "openai",
            "/a/",
            "//a",
            "/a//b",
            "/a/../b",
            "/./a",
            "/a?b=c",
            "/a#b",
            "/a b",
            "/a/%2e%2e",
            "/가",
            "/a\\b",
            &long(BASE_PATH_BYTES_MAX + 1),
        ];
        assert!(good.iter().all(|text| base_path(text).is_ok()), "{good:?}");
        for text in wrong {
            assert!(base_path(text).is_err(), "{text}");
        }
    }

    #[test]
    fn values_of_credentials() {
        let of = |bytes: usize| "x".repeat(bytes);
        let table = [
            ("Bearer made-up".to_owned(), true),
            ("x".to_owned(), true),
            (String::new(), false),
            (" x".to_owned(), false),
            ("x ".to_owned(), false),
            ("a\r\nb".to_owned(), false),
            ("a\tb".to_owned(), false),
            ("한".to_owned(), false),
            (of(VALUE_BYTES_MAX), true),
            (of(VALUE_BYTES_MAX + 1), false),
        ];
        for (text, good) in table {
            assert_eq!(value_of(&text).is_ok(), good, "{text}");
        }
    }
}
