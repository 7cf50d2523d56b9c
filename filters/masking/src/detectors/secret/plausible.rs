//! What can be a password, a secret or a token, by its characters and by how a name leads
//! to it.

use super::super::runs::hex;
use super::stand_in::{is_filler, stands_for_another};

/// How a name leads to its value; the looser, the more a value must look like one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// `name = "value"`.
    Quoted,
    /// `NAME=value` of an environment or a connection string, where a word is a value.
    Environment,
    /// `name: value`.
    Assigned,
    /// `name is value`.
    Said,
    /// Nothing but spaces between: `name value`.
    Beside,
    /// Words between.
    Apart,
}

/// The kinds of characters in a value.
#[derive(Clone, Copy, Default)]
struct Mix {
    lower: bool,
    upper: bool,
    digit: bool,
    /// One that words, dates and paths do not hold.
    symbol: bool,
}

impl Mix {
    fn of(value: &str) -> Self {
        let mut mix = Mix::default();
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' => mix.lower = true,
                b'A'..=b'Z' => mix.upper = true,
                b'0'..=b'9' => mix.digit = true,
                b'-' | b'_' | b'.' | b',' | b':' | b'/' | b' ' | b'\'' | b'(' | b')' => {}
                _ => mix.symbol = true,
            }
        }
        mix
    }

    fn letter(self) -> bool {
        self.lower || self.upper
    }
}

/// A letter and a digit.
pub fn is_mixed(text: &str) -> bool {
    let mix = Mix::of(text);
    mix.letter() && mix.digit
}

const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 4..=128;

/// Whether a value that a name calls a password can be one.
pub fn is_password(value: &str, link: Link) -> bool {
    let mix = Mix::of(value);
    let spaced = link != Link::Quoted && value.contains(' ');
    if spaced || !PASSWORD_CHARS.contains(&value.len()) {
        return false;
    }
    looks_chosen(value, link, mix) && !stands_for_another(value)
}

/// Whether the characters of a value are those of a password.
fn looks_chosen(value: &str, link: Link, mix: Mix) -> bool {
    let core = Mix::of(value.trim_end_matches(['!', '?', ')', '*']));
    match link {
        Link::Quoted if value.contains(' ') => mix.digit && mix.letter() && mix.symbol,
        Link::Quoted => {
            mix.letter() && value.is_ascii() && value.len() >= 6 || mix.digit && !is_date(value)
        }
        Link::Environment => mix.letter() || mix.digit,
        Link::Assigned | Link::Said => {
            let digits = !mix.letter() && mix.digit && !is_date(value);
            is_mixed(value) || digits || core.letter() && core.symbol || is_scrambled(value)
        }
        Link::Beside => {
            let mixed =
                is_mixed(value) && value.len() >= 6 && (mix.symbol || is_beside(value, mix));
            mixed && !value.contains(['=', '(', ':']) || is_scrambled(value) && is_jumbled(value)
        }
        Link::Apart => {
            is_mixed(value) && value.len() >= 6 && mix.lower && mix.symbol && !is_slug(value)
        }
    }
}

/// Whether a word right behind a name reads as a password: no version, file or path.
fn is_beside(value: &str, mix: Mix) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let file = value
        .rsplit_once('.')
        .is_some_and(|(_, end)| end.bytes().all(|byte| byte.is_ascii_lowercase()));
    mix.lower
        && !file
        && !value.contains(['/', ':', ','])
        && (digits >= 3 || value.len() >= 8 && !is_slug(value))
}

/// Letters of both cases without the look of a word or a name in code.
fn is_scrambled(value: &str) -> bool {
    let letters = value.bytes().all(|byte| byte.is_ascii_alphabetic());
    let inner = value.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
    let lower = value.to_ascii_lowercase();
    letters
        && inner
        && value.len() >= 8
        && value.bytes().any(|byte| byte.is_ascii_lowercase())
        && !CODE.iter().any(|word| lower.contains(word))
}

/// Whether capitals stand where no word begins: `dragonTJWvSp`, but not `LinkedIn`.
fn is_jumbled(value: &str) -> bool {
    let odd = |three: &[u8]| matches!(three, [a, b, c] if a.is_ascii_uppercase() && !(b.is_ascii_lowercase() && c.is_ascii_lowercase()));
    value.len() >= 10 && value.as_bytes().windows(3).any(odd)
}

/// Words in names of code.
const CODE: [&str; 28] = [
    "password", "passwd", "secret", "token", "string", "input", "user", "value", "field", "get",
    "set", "form", "hash", "encod", "decod", "script", "param", "config", "request", "reader",
    "provider", "service", "valid", "confirm", "encrypt", "manager", "generat", "random",
];

/// Digits with separators of dates, ranges and amounts.
fn is_date(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_digit() || b"-/.~:,%".contains(&byte))
        && !value.bytes().all(|byte| byte.is_ascii_digit())
}

const HEX_CHARS_MIN: usize = 32;
const TOKEN_CHARS_MIN: usize = 16;
const TOKEN_KINDS_MIN: usize = 10;
const TOKEN_CHARS_MAX: usize = 1024;

/// Whether a value that a name calls a token or a key can be one.
pub fn is_token(value: &str, link: Link) -> bool {
    if value.len() > TOKEN_CHARS_MAX
        || !value.is_ascii()
        || value.contains(' ')
        || stands_for_another(value)
        || is_filler(value)
    {
        return false;
    }
    let mix = Mix::of(value);
    if value.len() >= HEX_CHARS_MIN && value.bytes().all(hex) {
        return is_mixed(value);
    }
    let varied = mix.digit && mix.letter() && kinds(value) >= TOKEN_KINDS_MIN && !is_slug(value);
    match link {
        Link::Quoted | Link::Environment | Link::Assigned => {
            value.len() >= TOKEN_CHARS_MIN && varied
        }
        Link::Said | Link::Beside | Link::Apart => {
            !value.trim_end_matches('=').contains(['=', ':'])
                && value.len() >= TOKEN_CHARS_MIN
                && varied
                && (mix.lower && mix.upper || value.len() >= 24)
        }
    }
}

/// Whether a value that a name calls a secret can be one: a token, or a strong password.
pub fn is_secret(value: &str, link: Link) -> bool {
    let mix = Mix::of(value);
    let loose =
        matches!(link, Link::Said | Link::Beside | Link::Apart) && value.contains(['=', '(', ':']);
    let strong = !loose
        && mix.digit
        && mix.letter()
        && mix.symbol
        && value.len() >= 8
        && is_password(value, link);
    let worded = matches!(link, Link::Quoted | Link::Environment)
        && mix.digit
        && mix.letter()
        && value.len() >= 8
        && !value.contains(' ')
        && !stands_for_another(value)
        && !is_filler(value);
    strong || worded || is_token(value, link)
}

fn kinds(value: &str) -> usize {
    let mut seen = [false; 256];
    for byte in value.bytes() {
        if let Some(known) = seen.get_mut(usize::from(byte)) {
            *known = true;
        }
    }
    seen.iter().filter(|known| **known).count()
}

/// Words and numbers with separators: `user-profile-2024`, `v1.2.3`, `a/b/page3`.
fn is_slug(value: &str) -> bool {
    let pieces = value.split(['-', '_', '.', '/', ':', ',']);
    let is_plain = |piece: &str| {
        let digits = piece.trim_start_matches(|letter: char| letter.is_ascii_alphabetic());
        digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.len() <= 4
            || piece.bytes().all(|byte| byte.is_ascii_digit())
    };
    value.contains(['-', '_', '.', '/', ':']) && pieces.clone().all(is_plain)
}
