//! Parts of a whole: percentages, shares and scores.

use std::ops::RangeInclusive;

/// A percentage from `1%` to `100%`.
///
/// # Errors
/// When `text` is none.
pub(crate) fn percent(text: &str) -> Result<u8, String> {
    let number = percent_within(text, 1..=100)?;
    u8::try_from(number).map_err(|error| error.to_string())
}

/// A percentage within `bounds`.
///
/// # Errors
/// When `text` is none.
pub(crate) fn percent_within(text: &str, bounds: RangeInclusive<u32>) -> Result<u32, String> {
    let digits = text.strip_suffix('%').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    let number = digits.and_then(|digits| digits.parse().ok());
    number.filter(|number| bounds.contains(number)).ok_or_else(|| {
        let (least, most) = (bounds.start(), bounds.end());
        format!(
            "is not a percentage; write a whole number from {least}% to {most}%, such as {}%",
            if *least < 50 { 50 } else { 150 }
        )
    })
}

/// A share from `0.0001%` to `100%`, in millionths.
///
/// # Errors
/// When `text` is none.
pub(crate) fn per_million(text: &str) -> Result<u32, &'static str> {
    let wrong = "is not a share; write 0.0001% to 100% with at most four digits after the point, \
                 such as 10%";
    let (whole, fraction) = text
        .strip_suffix('%')
        .map(|number| number.split_once('.').unwrap_or((number, "0")))
        .ok_or(wrong)?;
    let digits = |part: &str, most| {
        (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    if !digits(whole, 3) || !digits(fraction, 4) {
        return Err(wrong);
    }
    let millionths: u32 = format!("{whole}{fraction:0<4}").parse().map_err(|_| wrong)?;
    if (1..=1_000_000).contains(&millionths) { Ok(millionths) } else { Err(wrong) }
}

/// A score from `0` to `1` with at most two digits after the point, in percent.
///
/// # Errors
/// When `text` is none.
pub(crate) fn score(text: &str) -> Result<u8, &'static str> {
    let wrong = "is not a score; write 0 to 1 with at most two digits after the point, such as 0.5";
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = (1..=2).contains(&fraction.len()) && fraction.bytes().all(|b| b.is_ascii_digit());
    let hundredths = format!("{fraction:0<2}").parse().ok().filter(|_| digits);
    match (whole, hundredths) {
        ("0", Some(percent)) => Ok(percent),
        ("1", Some(0)) => Ok(100),
        _ => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores() {
        let table = [
            ("0", Some(0)),
            ("0.5", Some(50)),
            ("0.05", Some(5)),
            ("0.99", Some(99)),
            ("1", Some(100)),
            ("1.0", Some(100)),
            ("1.01", None),
            ("2", None),
            ("0.125", None),
            ("0.", None),
            (".5", None),
            ("-0.5", None),
            ("0.+5", None),
            ("50%", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(score(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn percentages() {
        let table = [
            ("1%", Some(1)),
            ("050%", Some(50)),
            ("100%", Some(100)),
            ("0%", None),
            ("101%", None),
            ("+5%", None),
            ("50", None),
            ("%", None),
        ];
        for (text, number) in table {
            assert_eq!(percent(text).ok(), number, "{text}");
        }
        let within = |text| percent_within(text, 110..=1_000).ok();
        assert_eq!((within("110%"), within("1000%")), (Some(110), Some(1_000)));
        assert_eq!((within("109%"), within("1001%")), (None, None));
    }

    #[test]
    fn shares() {
        let table = [
            ("0.0001%", Some(1)),
            ("0.5%", Some(5_000)),
            ("2.50%", Some(25_000)),
            ("10%", Some(100_000)),
            ("100%", Some(1_000_000)),
            ("100.0%", Some(1_000_000)),
            ("0%", None),
            ("0.00001%", None),
            ("100.0001%", None),
            ("0100%", None),
            ("10", None),
            (".5%", None),
            ("5.%", None),
            ("+5%", None),
            ("%", None),
        ];
        for (text, expected) in table {
            assert_eq!(per_million(text).ok(), expected, "{text}");
        }
    }
}
