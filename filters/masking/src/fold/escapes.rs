//! Characters written as escapes: JSON and source code (`\"`, `\u0040`, `\x40`), HTML
//! (`&#64;`, `&commat;`), URLs (`%40`).

/// The escape at the beginning of a text: what it stands for and its length.
///
/// JSON within JSON multiplies backslashes: a whole run of them with the letter behind
/// it is one escape, whatever its depth.
#[must_use]
pub fn escape(text: &[u8]) -> Option<(char, usize)> {
    match text.first()? {
        b'\\' => backslash(text),
        b'&' => entity(text),
        b'%' => percent(text),
        _ => None,
    }
}

/// How many bytes at the beginning of a text cannot be the beginning of an escape if
/// the first is none.
#[must_use]
pub fn no_escape(text: &[u8]) -> usize {
    backslashes(text).max(1)
}

fn backslashes(text: &[u8]) -> usize {
    text.iter().take_while(|byte| **byte == b'\\').count()
}

fn backslash(text: &[u8]) -> Option<(char, usize)> {
    let run = backslashes(text);
    let short = |c| Some((c, run + 1));
    match text.get(run)? {
        b'n' => short('\n'),
        b'r' => short('\r'),
        b't' => short('\t'),
        b'"' => short('"'),
        b'\'' => short('\''),
        b'/' => short('/'),
        b'x' => ascii(hex(text.get(run + 1..run + 3)?)?).map(|c| (c, run + 3)),
        b'u' => unicode(text, run),
        _ => None,
    }
}

/// `\uXXXX`, two of them for a surrogate pair, or `\u{X…}`.
fn unicode(text: &[u8], run: usize) -> Option<(char, usize)> {
    if text.get(run + 1) == Some(&b'{') {
        let digits = text.get(run + 2..)?.iter().take(7).position(|byte| *byte == b'}')?;
        let code = hex(text.get(run + 2..run + 2 + digits)?)?;
        return Some((char::from_u32(code)?, run + digits + 3));
    }
    let code = hex(text.get(run + 1..run + 5)?)?;
    let len = run + 5;
    if !(0xD800..0xDC00).contains(&code) {
        return Some((char::from_u32(code)?, len));
    }
    let rest = text.get(len..)?;
    let again = rest.iter().take(run).take_while(|byte| **byte == b'\\').count();
    let low = (again == run && rest.get(run) == Some(&b'u'))
        .then(|| hex(rest.get(run + 1..run + 5)?))
        .flatten()
        .filter(|low| (0xDC00..0xE000).contains(low))?;
    let pair = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    Some((char::from_u32(pair)?, 2 * len))
}

/// How often an `&` may have been escaped again.
const AMP_MAX: usize = 3;

fn entity(text: &[u8]) -> Option<(char, usize)> {
    let mut at = 1;
    let mut again = 0;
    while again < AMP_MAX && text.get(at..).is_some_and(|rest| rest.starts_with(b"amp;")) {
        at += 4;
        again += 1;
    }
    let rest = text.get(at..)?;
    let found = if rest.first() == Some(&b'#') { numbered(rest) } else { named(rest) };
    match found {
        Some((c, len)) => Some((c, at + len)),
        None if again > 0 => Some(('&', at)),
        None => None,
    }
}

/// `#64;` or `#x40;`; browsers do not need the semicolon.
fn numbered(text: &[u8]) -> Option<(char, usize)> {
    let is_hex = matches!(text.get(1), Some(b'x' | b'X'));
    let (start, radix) = if is_hex { (2, 16) } else { (1, 10) };
    let digits = text.get(start..)?.iter().take(8);
    let len = digits.take_while(|byte| char::from(**byte).is_digit(radix)).count();
    let written = std::str::from_utf8(text.get(start..start + len)?).ok()?;
    let code = u32::from_str_radix(written, radix).ok()?;
    let ends = usize::from(text.get(start + len) == Some(&b';'));
    let c = char::from_u32(code).filter(|c| !c.is_control() || *c == '\n')?;
    Some((c, start + len + ends))
}

/// Names of HTML for what stands in values and around them (HTML §13.5).
const NAMES: &[(&str, char)] = &[
    ("amp", '&'),
    ("apos", '\''),
    ("colon", ':'),
    ("comma", ','),
    ("commat", '@'),
    ("dash", '\u{2010}'),
    ("emsp", '\u{2003}'),
    ("ensp", '\u{2002}'),
    ("equals", '='),
    ("gt", '>'),
    ("hyphen", '\u{2010}'),
    ("lowbar", '_'),
    ("lpar", '('),
    ("lt", '<'),
    ("mdash", '\u{2014}'),
    ("minus", '\u{2212}'),
    ("nbsp", '\u{A0}'),
    ("ndash", '\u{2013}'),
    ("newline", '\n'),
    ("period", '.'),
    ("plus", '+'),
    ("quot", '"'),
    ("rpar", ')'),
    ("shy", '\u{AD}'),
    ("sol", '/'),
    ("thinsp", '\u{2009}'),
    ("zwj", '\u{200D}'),
    ("zwnj", '\u{200C}'),
];

fn named(text: &[u8]) -> Option<(char, usize)> {
    let len = text.iter().take(8).position(|byte| *byte == b';')?;
    let name = text.get(..len)?;
    let found = NAMES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()))?;
    Some((found.1, len + 1))
}

/// `%40`, `%2540`, or the bytes of one character. What parts a URL stays as it is: a
/// password with `%2F` in it does not end there.
fn percent(text: &[u8]) -> Option<(char, usize)> {
    let first = percented(text)?;
    if first == b'%' {
        let (again, len) = (percented_behind(text.get(3..)?)?, 5);
        return ascii(u32::from(again)).map(|c| (c, len));
    }
    if first < 0x80 {
        return ascii(u32::from(first)).map(|c| (c, 3));
    }
    let mut bytes = [first, 0, 0, 0];
    let width = match first {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    for (index, byte) in bytes.iter_mut().enumerate().take(width).skip(1) {
        *byte = percented(text.get(3 * index..)?)?;
    }
    let c = std::str::from_utf8(bytes.get(..width)?).ok()?.chars().next()?;
    Some((c, 3 * width))
}

fn percented(text: &[u8]) -> Option<u8> {
    text.strip_prefix(b"%").and_then(percented_behind)
}

fn percented_behind(text: &[u8]) -> Option<u8> {
    u8::try_from(hex(text.get(..2)?)?).ok()
}

fn ascii(code: u32) -> Option<char> {
    let c = char::from_u32(code).filter(char::is_ascii)?;
    let is_said = !c.is_control() || c == '\n';
    (is_said && !matches!(c, '/' | '?' | '#' | '%')).then_some(c)
}

fn hex(digits: &[u8]) -> Option<u32> {
    let mut code: u32 = 0;
    for digit in digits {
        code = code << 4 | char::from(*digit).to_digit(16)?;
    }
    (!digits.is_empty()).then_some(code)
}
