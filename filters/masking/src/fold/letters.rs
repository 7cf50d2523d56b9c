//! What a character stands for: full-width forms, odd spaces and dashes, look-alikes.
//!
//! One character at a time, never a compatibility form of a whole text: that would
//! join numbers which have nothing to do with each other. Sources: Unicode's blocks
//! and general categories (Zs, Pd, Cf), UTS #39 `confusables.txt` for the look-alikes
//! that a reader cannot tell from Latin letters.

/// How a character is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// As it is.
    Same,
    /// Not at all.
    Gone,
    /// As another one.
    As(char),
    /// As one with the character before it, if there is such a one.
    Joins,
    /// As a Latin letter, within a word that has Latin letters or digits.
    Resembles(char),
    /// As a digit, within a run of its kind.
    Numeral(char),
    /// As `-` behind a digit.
    Bar,
    /// As `-`, unless it leads from a sentence to a number.
    LongDash,
}

/// How a character is read.
#[must_use]
pub fn reading(c: char) -> Reading {
    let code = u32::from(c);
    match code {
        0..=0x7F => Reading::Same,
        0x80..=0x2FF => latin(c),
        0x300..=0x36F | 0x1161..=0x1175 | 0x11A8..=0x11C2 | 0x3099 | 0x309A => marks(code),
        0x370..=0x5FF => resembling(c).map_or(Reading::Same, Reading::Resembles),
        0x61C => Reading::Gone,
        0x660..=0x669 => digit(code - 0x660),
        0x6F0..=0x6F9 => digit(code - 0x6F0),
        0x115F | 0x1160 | 0x180B..=0x180E => Reading::Gone,
        0x1680 => Reading::As(' '),
        0x1806 => Reading::As('-'),
        0x2000..=0x20FF | 0x2212 => punctuation(code),
        0x2460..=0x2468 => numeral(code - 0x2460 + 1),
        0x24EA | 0x24FF => numeral(0),
        0x2776..=0x277E => numeral(code - 0x2776 + 1),
        0x2780..=0x2788 => numeral(code - 0x2780 + 1),
        0x278A..=0x2792 => numeral(code - 0x278A + 1),
        0x2500 | 0x2501 | 0x30FC | 0x3161 => Reading::Bar,
        0x2800 | 0x3000 | 0x3164 | 0xFFA0 => Reading::As(' '),
        0x2E3A | 0x2E3B => Reading::LongDash,
        0x3002 | 0xFF61 => Reading::As('.'),
        0x301C | 0x3030 => Reading::As('~'),
        0xFE00..=0xFE0F | 0xFEFF => Reading::Gone,
        0xFE58 | 0xFE63 | 0xFE32 => Reading::As('-'),
        0xFF01..=0xFF5E => char::from_u32(code - 0xFF01 + 0x21).map_or(Reading::Same, Reading::As),
        0x1D400..=0x1D7FF => mathematical(code),
        0xE0000..=0xE01EF => Reading::Gone,
        _ => Reading::Same,
    }
}

fn digit(value: u32) -> Reading {
    char::from_digit(value, 10).map_or(Reading::Same, Reading::As)
}

fn numeral(value: u32) -> Reading {
    char::from_digit(value, 10).map_or(Reading::Same, Reading::Numeral)
}

fn latin(c: char) -> Reading {
    match c {
        '\u{85}' => Reading::As('\n'),
        '\u{A0}' => Reading::As(' '),
        '\u{AD}' => Reading::Gone,
        '¹' => numeral(1),
        '²' => numeral(2),
        '³' => numeral(3),
        '˗' => Reading::As('-'),
        'ı' => Reading::Resembles('i'),
        'ɡ' => Reading::Resembles('g'),
        'ɑ' => Reading::Resembles('a'),
        _ => Reading::Same,
    }
}

fn marks(code: u32) -> Reading {
    // U+034F, the combining grapheme joiner, joins nothing.
    if code == 0x34F { Reading::Gone } else { Reading::Joins }
}

fn punctuation(code: u32) -> Reading {
    match code {
        0x2000..=0x200A | 0x202F | 0x205F => Reading::As(' '),
        0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0x20E3 => Reading::Gone,
        0x2028 | 0x2029 => Reading::As('\n'),
        0x2010..=0x2013 | 0x2043 | 0x207B | 0x208B | 0x2212 => Reading::As('-'),
        0x2014 | 0x2015 => Reading::LongDash,
        0x2024 => Reading::As('.'),
        0x2070 => numeral(0),
        0x2074..=0x2079 => numeral(code - 0x2070),
        0x2080..=0x2089 => numeral(code - 0x2080),
        _ => Reading::Same,
    }
}

/// Mathematical Alphanumeric Symbols: alphabets of 52 letters, then Greek, then digits.
fn mathematical(code: u32) -> Reading {
    let letter = |index: u32| {
        let first = if index < 26 { 'A' } else { 'a' };
        char::from_u32(u32::from(first) + index % 26).map_or(Reading::Same, Reading::As)
    };
    match code {
        0x1D400..=0x1D6A3 => letter((code - 0x1D400) % 52),
        0x1D7CE..=0x1D7FF => digit((code - 0x1D7CE) % 10),
        _ => Reading::Same,
    }
}

/// The Latin letter that a Greek, Cyrillic or Armenian one looks like.
fn resembling(c: char) -> Option<char> {
    Some(match c {
        'а' | 'α' => 'a',
        'ԁ' => 'd',
        'е' => 'e',
        'һ' | 'հ' => 'h',
        'і' | 'ι' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'ӏ' => 'l',
        'о' | 'ο' | 'օ' => 'o',
        'р' | 'ρ' => 'p',
        'с' | 'ϲ' => 'c',
        'ԛ' => 'q',
        'ѕ' => 's',
        'τ' => 't',
        'ս' | 'υ' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'С' | 'Ϲ' => 'C',
        'Е' | 'Ε' => 'E',
        'Ԍ' => 'G',
        'Н' | 'Η' => 'H',
        'І' | 'Ι' | 'Ӏ' => 'I',
        'Ј' => 'J',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'Ν' => 'N',
        'О' | 'Ο' | 'Օ' => 'O',
        'Р' | 'Ρ' => 'P',
        'Ԛ' => 'Q',
        'Ѕ' => 'S',
        'Т' | 'Τ' => 'T',
        'Ս' => 'U',
        'Ѵ' => 'V',
        'Ԝ' => 'W',
        'Х' | 'Χ' => 'X',
        'Ү' | 'Υ' | 'У' => 'Y',
        'Ζ' => 'Z',
        _ => return None,
    })
}
