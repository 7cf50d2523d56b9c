//! Dates with the name of the month: `March 2, 1985`, `2nd of March 1985`, `02-Mar-85`.

use std::ops::Range;

use crate::scene::Scene;

/// The names; the first three letters also stand for them.
const NAMES: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A date that was read.
pub struct Month {
    /// All of it.
    pub span: Range<usize>,
    /// Its day, its year: digits.
    pub day: Range<usize>,
    /// Its year.
    pub year: Range<usize>,
    /// The month, from 1.
    pub number: u16,
}

/// Reads the date whose first digits are the run `first`: its day.
pub fn read_with_month(scene: &Scene<'_>, first: usize) -> Option<Month> {
    let (day, year) = (scene.digits().get(first)?, scene.digits().get(first + 1)?);
    let gap = scene.gap(first)?;
    if day.len() > 2 || !matches!(year.len(), 2 | 4) || gap.len() > GAP_BYTES_MAX {
        return None;
    }
    let ends =
        scene.byte(year.end).is_none_or(|byte| !byte.is_ascii_alphanumeric() && byte != b'_');
    let gap = without_ordinal(gap);
    let (number, start) = match month_of(gap) {
        Some(number) => (number, day.start),
        None if is_mark(gap) => month_before(scene, day.start)?,
        None => return None,
    };
    let (day, year) = (day.start..day.end, year.start..year.end);
    ends.then_some(Month { span: start..year.end, day, year, number })
}

/// Bytes of the longest gap: `th of September, `.
const GAP_BYTES_MAX: usize = 20;

fn without_ordinal(gap: &str) -> &str {
    let cut = ["st", "nd", "rd", "th"].iter().find_map(|ordinal| gap.strip_prefix(ordinal));
    cut.unwrap_or(gap)
}

fn is_mark(gap: &str) -> bool {
    matches!(gap, ", " | "," | " " | "-" | "/")
}

/// The month that a gap names, between marks.
fn month_of(gap: &str) -> Option<u16> {
    let marks = [' ', '-', ',', '.', '/', '\''];
    let word = gap.trim_matches(marks);
    let word = word.strip_prefix("of ").unwrap_or(word);
    named(word)
}

fn named(word: &str) -> Option<u16> {
    let is = |name: &&str| {
        let short = name.get(..3).is_some_and(|short| word.eq_ignore_ascii_case(short));
        short
            || word.eq_ignore_ascii_case(name)
            || (word.eq_ignore_ascii_case("sept") && name.starts_with("sept"))
    };
    let at = NAMES.iter().position(is)?;
    u16::try_from(at + 1).ok()
}

/// The month before a day, and where it begins.
fn month_before(scene: &Scene<'_>, day: usize) -> Option<(u16, usize)> {
    let head = scene.bytes().get(..day)?;
    let blank =
        head.iter().rev().take(2).take_while(|byte| matches!(byte, b' ' | b'.' | b'-')).count();
    let end = day - blank;
    let letters =
        head.get(..end)?.iter().rev().take(10).take_while(|b| b.is_ascii_alphabetic()).count();
    let number = named(scene.slice(end - letters..end))?;
    Some((number, end - letters))
}

#[cfg(test)]
mod tests {
    use super::read_with_month;
    use crate::scene::Scene;

    fn reads(text: &str) -> Option<(String, u16)> {
        let month = read_with_month(&Scene::of(text), 0)?;
        Some((text[month.span].to_owned(), month.number))
    }

    #[test]
    fn reads_dates() {
        for (text, number) in [
            ("March 2, 1985", 3),
            ("Mar. 2nd, 1985", 3),
            ("2 March 1985", 3),
            ("2nd of September 1985", 9),
            ("02-MAR-85", 3),
            ("Sept 2 1985", 9),
            ("December 31st, 1999", 12),
        ] {
            assert_eq!(reads(&format!("on {text}.")), Some((text.to_owned(), number)), "{text}");
        }
    }

    #[test]
    fn reads_nothing_else() {
        for text in [
            "March 1985",
            "2 marches 1985",
            "Marching 2, 1985",
            "2, 1985",
            "March 2, 198",
            "3 of 1985",
        ] {
            assert_eq!(reads(text), None, "{text}");
        }
    }
}
