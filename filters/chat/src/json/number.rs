//! Numbers of JSON: where they end.

/// Where the number ends that begins at `at` (RFC 8259 §6); otherwise the place of
/// the fault.
#[inline]
pub(super) fn number(bytes: &[u8], at: usize) -> Result<usize, usize> {
    let whole = at + usize::from(bytes.get(at) == Some(&b'-'));
    let mut end = digits(bytes, whole)?;
    if bytes.get(whole) == Some(&b'0') && end > whole + 1 {
        return Err(whole + 1);
    }
    if bytes.get(end) == Some(&b'.') {
        end = digits(bytes, end + 1)?;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let signed = matches!(bytes.get(end + 1), Some(b'+' | b'-'));
        end = digits(bytes, end + 1 + usize::from(signed))?;
    }
    Ok(end)
}

/// Where the digits from `at` on end; there must be one.
#[inline]
fn digits(bytes: &[u8], at: usize) -> Result<usize, usize> {
    let rest = bytes.get(at..).unwrap_or_default();
    match rest.iter().take_while(|byte| byte.is_ascii_digit()).count() {
        0 => Err(at),
        count => Ok(at + count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ends_where_the_number_does() {
        for (text, end) in [
            ("0", Ok(1)),
            ("-0", Ok(2)),
            ("10,", Ok(2)),
            ("-1.50e+10]", Ok(9)),
            ("1E400", Ok(5)),
            ("0.0", Ok(3)),
            ("1e-5x", Ok(4)),
            ("0x10", Ok(1)),
            ("01", Err(1)),
            ("-01", Err(2)),
            ("-", Err(1)),
            ("1.", Err(2)),
            ("1.e5", Err(2)),
            (".5", Err(0)),
            ("1e", Err(2)),
            ("1e+", Err(3)),
            ("-Infinity", Err(1)),
            ("+1", Err(0)),
        ] {
            assert_eq!(number(text.as_bytes(), 0), end, "{text}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_another_reader(text in "[-+.eE01-9]{1,8}") {
            let whole = number(text.as_bytes(), 0) == Ok(text.len());
            let other = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            prop_assert_eq!(whole, other);
        }
    }
}
