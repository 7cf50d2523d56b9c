//! The boundary of a form, out of its `Content-Type`.

/// Longest boundary (RFC 2046 §5.1.1).
const BOUNDARY_BYTES_MAX: usize = 70;

/// The boundary that `Content-Type` names. `None` when it is not
/// `multipart/form-data` with a boundary and nothing else: a second boundary
/// and a charset are read in different ways.
#[must_use]
pub fn boundary(content_type: &str) -> Option<&str> {
    let (media_type, parameter) = content_type.split_once(';')?;
    if !media_type.trim_matches(SPACE).eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let (name, value) = parameter.split_once('=')?;
    if !name.trim_matches(SPACE).eq_ignore_ascii_case("boundary") {
        return None;
    }
    let value = value.trim_end_matches(SPACE);
    let is_plain = match value.strip_prefix('"') {
        Some(_) => is_quotable,
        None => is_token,
    };
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?,
        None => value,
    };
    let fits = (1..=BOUNDARY_BYTES_MAX).contains(&value.len());
    (fits && value.bytes().all(is_plain)).then_some(value)
}

const SPACE: [char; 2] = [' ', '\t'];

/// A byte of a boundary that needs no quotes (RFC 2045 §5.1).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"'+_-.".contains(&byte)
}

/// A byte of a boundary (RFC 2046 §5.1.1), the space left out.
fn is_quotable(byte: u8) -> bool {
    is_token(byte) || b"(),/:=?".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_one_plain_boundary() {
        for (content_type, expected) in [
            ("multipart/form-data; boundary=abc", Some("abc")),
            (
                "Multipart/Form-Data;BOUNDARY=----WebKitFormBoundaryA1",
                Some("----WebKitFormBoundaryA1"),
            ),
            ("multipart/form-data ; boundary=\"a=b/c\" ", Some("a=b/c")),
            ("multipart/form-data; boundary=a'b+c_d-e.f", Some("a'b+c_d-e.f")),
            ("multipart/form-data", None),
            ("multipart/form-data;", None),
            ("multipart/form-data; boundary", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=\"\"", None),
            ("multipart/form-data; boundary=\"a", None),
            ("multipart/form-data; boundary=a\"", None),
            ("multipart/form-data; boundary=\"a\\b\"", None),
            ("multipart/form-data; boundary=\"a b\"", None),
            ("multipart/form-data; boundary=a b", None),
            ("multipart/form-data; boundary=a; boundary=b", None),
            ("multipart/form-data; boundary=a;", None),
            ("multipart/form-data; boundary=a, multipart/form-data; boundary=b", None),
            ("multipart/form-data; charset=utf-16; boundary=a", None),
            ("multipart/form-data; boundary*=utf-8''a", None),
            ("multipart/form-data; boundary=ä", None),
            ("multipart/mixed; boundary=a", None),
            ("application/json; boundary=a", None),
            ("", None),
        ] {
            assert_eq!(boundary(content_type), expected, "{content_type}");
        }
    }

    #[test]
    fn the_length_is_bounded() {
        let of = |bytes| format!("multipart/form-data; boundary={}", "a".repeat(bytes));
        assert!(boundary(&of(70)).is_some());
        assert!(boundary(&of(71)).is_none());
    }
}
