//! Typographic tricks: the same value, written so that patterns miss it.

use std::ops::Range;

use masking::PiiType;
use unicode_normalization::UnicodeNormalization;

use crate::rng::Rng;
use crate::sample::{Labelled, Made, Mark, Sample, What, is_pii};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trick {
    FullWidth,
    ZeroWidth,
    SoftHyphen,
    OddDash,
    OddSpace,
    SpacedDigits,
    BrokenLine,
    WrittenAt,
    Homoglyph,
    LetterForDigit,
    HangulDigits,
    Nfd,
    Percent,
    Entity,
    UnicodeEscape,
}

use Trick::{
    BrokenLine, Entity, FullWidth, HangulDigits, Homoglyph, LetterForDigit, Nfd, OddDash, OddSpace,
    Percent, SoftHyphen, SpacedDigits, UnicodeEscape, WrittenAt, ZeroWidth,
};

impl Trick {
    pub const ALL: &[Trick] = &[
        FullWidth,
        ZeroWidth,
        SoftHyphen,
        OddDash,
        OddSpace,
        SpacedDigits,
        BrokenLine,
        WrittenAt,
        Homoglyph,
        LetterForDigit,
        HangulDigits,
        Nfd,
        Percent,
        Entity,
        UnicodeEscape,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            FullWidth => "full-width",
            ZeroWidth => "zero-width",
            SoftHyphen => "soft hyphen",
            OddDash => "odd dash",
            OddSpace => "no-break, thin space",
            SpacedDigits => "spaced digits",
            BrokenLine => "broken over a line",
            WrittenAt => "[at], 골뱅이",
            Homoglyph => "homoglyphs",
            LetterForDigit => "O for zero",
            HangulDigits => "공일공",
            Nfd => "NFD",
            Percent => "%40",
            Entity => "&#64;",
            UnicodeEscape => "\\uXXXX",
        }
    }

    /// Whether people would write a value of this kind so.
    fn fits(self, of: PiiType, kind: &str, text: &str) -> bool {
        let short = text.len() <= 60;
        let secret = matches!(of, PiiType::Secret | PiiType::UrlCredentials);
        match self {
            FullWidth | ZeroWidth | SoftHyphen | UnicodeEscape => short && !text.contains('\\'),
            OddDash => text.contains('-') && !secret && of != PiiType::Email,
            OddSpace => numeric(of) && text.contains([' ', '-']),
            SpacedDigits => numeric(of) && text.len() <= 20 && !text.contains(['+', '(', ' ']),
            BrokenLine => short && (numeric(of) || of == PiiType::Email || is_token(of, kind)),
            WrittenAt | Percent => of == PiiType::Email,
            Entity => of == PiiType::Email || numeric(of) && text.contains('-'),
            Homoglyph => short && reads_as_words(of, kind) && homoglyphs(text) > 0,
            LetterForDigit => numeric(of) && text.contains('0'),
            HangulDigits => {
                matches!(of, PiiType::Phone | PiiType::KrRrn | PiiType::KrBankAccount)
                    && !text.contains(['+', '(', ')'])
            }
            Nfd => !text.is_ascii() || !secret,
        }
    }

    fn play(self, rng: &mut Rng, text: &str) -> String {
        match self {
            FullWidth => text.chars().map(wide).collect(),
            ZeroWidth => {
                let sign = rng.pick(&['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}']);
                sprinkled(rng, text, sign)
            }
            SoftHyphen => sprinkled(rng, text, '\u{ad}'),
            OddDash => {
                let dash = rng.pick(&['‐', '‑', '‒', '–', '—', '−', '－', '﹣', '―', 'ㅡ']);
                text.replace('-', &dash.to_string())
            }
            OddSpace => {
                let space = rng.pick(&['\u{a0}', '\u{2009}', '\u{202f}', '\u{3000}', '\u{2007}']);
                text.replace([' ', '-'], &space.to_string())
            }
            SpacedDigits => spaced(text),
            BrokenLine => broken(rng, text),
            WrittenAt => written_at(rng, text),
            Homoglyph => text.chars().map(|sign| other_script(sign).unwrap_or(sign)).collect(),
            LetterForDigit => {
                let letter = rng.pick(&["O", "o", "O"]);
                text.replace('0', letter)
            }
            HangulDigits => {
                let zero = rng.pick(&['공', '공', '영']);
                text.chars().map(|sign| hangul_digit(sign, zero)).collect()
            }
            Nfd => text.nfd().collect(),
            Percent => text.replace('@', "%40"),
            Entity => {
                let (at, dash) =
                    rng.pick(&[("&#64;", "&#45;"), ("&#x40;", "&#x2d;"), ("&commat;", "&#45;")]);
                text.replace('@', at).replace('-', dash)
            }
            UnicodeEscape => escaped(rng, text),
        }
    }
}

/// Too long to be remembered: written by machines, wrapped by mailers.
fn is_token(of: PiiType, kind: &str) -> bool {
    of == PiiType::Secret && !matches!(kind, "password" | "hex key" | "aws secret")
}

/// Where one letter is easily typed on another keyboard.
fn reads_as_words(of: PiiType, kind: &str) -> bool {
    use PiiType::{Email, Iban, KrPassport, Mrn, UrlCredentials};
    matches!(of, Email | Iban | KrPassport | Mrn | UrlCredentials)
        || of == PiiType::Secret && kind != "hex key"
}

/// Types that are digits above all.
fn numeric(of: PiiType) -> bool {
    use PiiType::{
        CreditCard, KrBankAccount, KrBrn, KrDriverLicense, KrFrn, KrRrn, Phone, UsItin, UsSsn,
    };
    matches!(
        of,
        CreditCard
            | KrBankAccount
            | KrBrn
            | KrDriverLicense
            | KrFrn
            | KrRrn
            | Phone
            | UsItin
            | UsSsn
    )
}

fn wide(sign: char) -> char {
    match sign {
        '!'..='~' => char::from_u32(u32::from(sign) + 0xfee0).unwrap_or(sign),
        _ => sign,
    }
}

/// Some signs inside a text, one at least.
fn sprinkled(rng: &mut Rng, text: &str, sign: char) -> String {
    let count = text.chars().count();
    let sure = 1 + rng.below(count.saturating_sub(1));
    let mut out = String::new();
    for (place, letter) in text.chars().enumerate() {
        if place > 0 && (place == sure || rng.chance(15)) {
            out.push(sign);
        }
        out.push(letter);
    }
    out
}

fn spaced(text: &str) -> String {
    let letters: Vec<String> = text.chars().map(String::from).collect();
    letters.join(" ")
}

/// Behind a separator where there is one.
fn broken(rng: &mut Rng, text: &str) -> String {
    let places: Vec<usize> = text
        .char_indices()
        .filter(|(place, sign)| *place + 1 < text.len() && matches!(sign, '-' | '@' | ' '))
        .map(|(place, sign)| place + sign.len_utf8())
        .collect();
    let place = match places.is_empty() {
        true => text.len() / 2,
        false => rng.pick(&places),
    };
    let (before, behind) = text.split_at_checked(place).unwrap_or((text, ""));
    format!("{before}{}{behind}", rng.pick(&["\n", "\n", "\r\n"]))
}

fn written_at(rng: &mut Rng, text: &str) -> String {
    let (at, dot) = rng.pick(&[
        ("[at]", "."),
        (" [at] ", "."),
        ("(at)", "."),
        (" (at) ", " (dot) "),
        ("[at]", "[dot]"),
        (" at ", " dot "),
        ("골뱅이", "."),
        (" 골뱅이 ", "."),
        ("[골뱅이]", "."),
        ("골뱅이", "점"),
        ("＠", "."),
        (" @ ", "."),
    ]);
    match text.split_once('@') {
        Some((nick, domain)) => format!("{nick}{at}{}", domain.replace('.', dot)),
        None => text.to_owned(),
    }
}

fn other_script(sign: char) -> Option<char> {
    let pairs = [
        ('a', 'а'),
        ('e', 'е'),
        ('o', 'о'),
        ('p', 'р'),
        ('c', 'с'),
        ('x', 'х'),
        ('y', 'у'),
        ('i', 'і'),
        ('A', 'А'),
        ('B', 'В'),
        ('E', 'Е'),
        ('K', 'К'),
        ('M', 'М'),
        ('H', 'Н'),
        ('O', 'О'),
        ('P', 'Р'),
        ('C', 'С'),
        ('T', 'Т'),
        ('X', 'Х'),
        ('I', 'Ι'),
        ('N', 'Ν'),
    ];
    pairs.iter().find(|(latin, _)| *latin == sign).map(|(_, other)| *other)
}

fn homoglyphs(text: &str) -> usize {
    text.chars().filter(|sign| other_script(*sign).is_some()).count()
}

fn hangul_digit(sign: char, zero: char) -> char {
    let digits = [zero, '일', '이', '삼', '사', '오', '육', '칠', '팔', '구'];
    let value = sign.to_digit(10).and_then(|value| usize::try_from(value).ok());
    value.and_then(|value| digits.get(value).copied()).unwrap_or(sign)
}

/// All of it, or the signs between the letters.
fn escaped(rng: &mut Rng, text: &str) -> String {
    let all = rng.chance(40) || text.chars().all(char::is_alphanumeric);
    let mut out = String::new();
    for sign in text.chars() {
        match all || !sign.is_alphanumeric() {
            true => {
                let mut units = [0; 2];
                sign.encode_utf16(&mut units)
                    .iter()
                    .for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
            }
            false => out.push(sign),
        }
    }
    out
}

/// The tricks that some value of a text can be written with.
pub fn fitting(sample: &Sample) -> Vec<Trick> {
    let fits = |trick: &Trick| sample.pieces.iter().any(|made| trick_fits(*trick, made));
    Trick::ALL.iter().copied().filter(fits).collect()
}

fn trick_fits(trick: Trick, made: &Made) -> bool {
    let Some(Mark { what: What::Pii(of), kind, span, .. }) = &made.mark else { return false };
    let Some(value) = made.text.get(span.clone()) else { return false };
    // Decomposed labels count as much as decomposed values, so texts in ASCII do not.
    if trick == Nfd && made.text.is_ascii() {
        return true;
    }
    trick.fits(*of, kind, value)
}

/// A text with one trick played on all values that it fits.
pub fn played(rng: &mut Rng, sample: &Sample, trick: Trick) -> Labelled {
    let mut labelled = Labelled::default();
    for made in &sample.pieces {
        labelled.push(match (trick, is_pii(made) && trick_fits(trick, made)) {
            (_, true) => play(rng, made, trick),
            (Nfd, false) if made.mark.is_none() => Made::plain(made.text.nfd().collect::<String>()),
            _ => made.clone(),
        });
    }
    labelled
}

/// Rewrites the value; what is around it in the same piece stays.
fn play(rng: &mut Rng, made: &Made, trick: Trick) -> Made {
    let Some(mark) = &made.mark else { return made.clone() };
    let around = |range: Range<usize>| made.text.get(range).unwrap_or_default();
    let before = around(0..mark.span.start);
    let value = trick.play(rng, around(mark.span.clone()));
    let behind = around(mark.span.end..made.text.len());
    let moved = |place: usize| match place >= mark.span.end {
        true => place - mark.span.len() + value.len(),
        false => place,
    };
    let also = mark.also.iter().map(|span| moved(span.start)..moved(span.end)).collect();
    let span = mark.span.start..mark.span.start + value.len();
    let text = format!("{before}{value}{behind}");
    Made { text, mark: Some(Mark { span, also, ..mark.clone() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, trick: Trick) -> String {
        trick.play(&mut Rng::new(1), text)
    }

    #[test]
    fn tricks_keep_what_is_said() {
        assert_eq!(of("010-1", FullWidth), "０１０－１");
        assert_eq!(of("010-2", HangulDigits).replace('영', "공"), "공일공-이");
        assert_eq!(of("a@b", Percent), "a%40b");
        assert_eq!(of("010-1", SpacedDigits), "0 1 0 - 1");
        assert_eq!(of("가", Nfd).chars().count(), 2);
        assert_eq!(of("12", UnicodeEscape), "\\u0031\\u0032");
        assert_eq!(of("0102-1", BrokenLine).replace('\r', ""), "0102-\n1");
        assert_eq!(of("a-bc", SoftHyphen).replace('\u{ad}', ""), "a-bc");
        assert_ne!(of("a-bc", ZeroWidth), "a-bc");
    }

    #[test]
    fn a_span_grows_with_its_value_and_so_do_those_around_it() {
        let made = Made::pii(PiiType::Email, "plain", "a@b").between("x", "y").or_all();
        let played = play(&mut Rng::new(1), &made, Percent);
        let mark = played.mark.unwrap();
        assert_eq!((played.text.as_str(), mark.span, mark.also), ("xa%40by", 1..6, vec![0..7]));
    }
}
