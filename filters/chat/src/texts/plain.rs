//! What stands where an API wants a word, a number or base64: everything else there
//! is a text like any other.

use std::borrow::Cow;

use crate::json::Str;

/// Longest word that is no text, in bytes. Ids and names of models have some hundred.
const WORD_BYTES_MAX: usize = 256;

/// How many digits make a number one to look at: the shortest numbers of persons have
/// so many, and counts and settings have fewer.
const LONG_DIGITS: usize = 7;

/// Shortest base64 that is told from text, in bytes.
const BASE64_BYTES_MIN: usize = 64;

/// How many bytes are looked at before the next question whether to go on.
const STRETCH: usize = 256;

/// Whether a string is a plain word, as ids, names and enums are: empty, or letters,
/// digits and `_-.:/+=` of ASCII.
pub(super) fn is_word(text: Str<'_>) -> bool {
    if !text.is_escaped() {
        return says_word(text.raw());
    }
    // An escape has at most six bytes a byte that it says.
    text.raw().len() <= 6 * WORD_BYTES_MAX && says_word(&text.unescaped())
}

/// The same of a text without escapes.
pub(super) fn says_word(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/+=".contains(&byte);
    text.len() <= WORD_BYTES_MAX && text.bytes().all(is_plain)
}

/// Whether the name of a member is one that an API may have: a plain word without a
/// long number in it.
pub(super) fn is_name(name: Str<'_>) -> bool {
    let said = if name.is_escaped() { name.unescaped() } else { Cow::Borrowed(name.raw()) };
    says_word(&said) && !is_long_number(&said)
}

/// Whether there are so many digits that a person may be told by them.
pub(super) fn is_long_number(number: &str) -> bool {
    let digits = number.bytes().filter(u8::is_ascii_digit);
    number.len() >= LONG_DIGITS && digits.take(LONG_DIGITS).count() == LONG_DIGITS
}

/// Whether a string is a signature or what a service has encrypted for itself: a word,
/// or base64 of any length.
pub(super) fn is_signature(text: Str<'_>) -> bool {
    is_base64(text) || is_word(text)
}

/// Whether a string is the data of a medium, to its end: base64, also as a data URL.
pub(super) fn is_data(text: Str<'_>) -> bool {
    text.raw().len() >= BASE64_BYTES_MIN && is_base64(text) || is_data_url(text.raw())
}

fn is_data_url(raw: &str) -> bool {
    let Some((head, data)) = raw.split_once(";base64,") else { return false };
    let Some(kind) = head.strip_prefix("data:") else { return false };
    // A type in JSON may have its slash escaped.
    says_word(&kind.replace("\\/", "/")) && data.split("\\/").all(all_base64)
}

/// Base64 through and through (RFC 4648 §4 and §5); its slashes may be escaped.
fn is_base64(text: Str<'_>) -> bool {
    match text.is_escaped() {
        true => text.raw().split("\\/").all(all_base64),
        false => all_base64(text.raw()),
    }
}

/// Stretch by stretch, without a branch a byte: data have megabytes.
fn all_base64(text: &str) -> bool {
    let is_one =
        |byte: u8| byte.is_ascii_alphanumeric() | matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=');
    let is_all = |bytes: &[u8]| bytes.iter().fold(true, |all, byte| all & is_one(*byte));
    text.as_bytes().chunks(STRETCH).all(is_all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(raw: &str, question: fn(Str<'_>) -> bool) -> bool {
        question(Str::at(&format!("\"{raw}\""), 0).unwrap())
    }

    #[test]
    fn a_word_is_of_ascii_and_short() {
        let longest = "a".repeat(WORD_BYTES_MAX);
        for raw in
            ["", "user", "call_1-a.b:c/d+e=", "audio/wav", r"audio\/wav", r"\u0061", &longest]
        {
            assert!(asked(raw, is_word), "{raw}");
        }
        let long = format!("{longest}a");
        for raw in
            ["a b", "kim@example.com", r"kim\u0040example.com", "김", "a,b", "a\\n", "(a)", &long]
        {
            assert!(!asked(raw, is_word), "{raw}");
        }
        assert!(!asked(&r"\u0061".repeat(WORD_BYTES_MAX + 1), is_word));
    }

    #[test]
    fn a_name_has_no_long_number() {
        assert!(asked("image_url", is_name) && asked("x-123456", is_name));
        for raw in ["010-1234-5678", "kim@example.com", "1234567", r"a\u0020b"] {
            assert!(!asked(raw, is_name), "{raw}");
        }
    }

    #[test]
    fn a_long_number_has_seven_digits() {
        for number in ["1234567", "-1234567", "123456.7", "4111111111111111", "1e123456"] {
            assert!(is_long_number(number), "{number}");
        }
        for number in ["123456", "-123456", "12345.6", "1e12345", "0"] {
            assert!(!is_long_number(number), "{number}");
        }
    }

    #[test]
    fn signatures_are_base64_to_their_end() {
        let base64 = "EqQBCkYIBhgCKkA+/-_".repeat(40);
        assert!(asked(&base64, is_signature) && asked(&base64.replace('/', r"\/"), is_signature));
        assert!(asked(&format!("{base64}=="), is_signature) && asked("", is_signature));
        for end in [" kim", "@a", "김", r"\n", r"\u0040"] {
            assert!(!asked(&format!("{base64}{end}"), is_signature), "{end}");
        }
    }

    #[test]
    fn data_are_base64_to_their_end_and_long() {
        let base64 = "iVBORw0KGgo/".repeat(90);
        let url = format!("data:image/png;base64,{base64}");
        for raw in [&base64, &url, &url.replace('/', r"\/")] {
            assert!(asked(raw, is_data), "{raw}");
            assert!(!asked(&format!("{raw} kim.minsu@example.com"), is_data), "{raw}");
        }
        for raw in ["", "01012345678", "https://a.test/", "data:,kim", "data:a b;base64,AAAA"] {
            assert!(!asked(raw, is_data), "{raw}");
        }
    }
}
