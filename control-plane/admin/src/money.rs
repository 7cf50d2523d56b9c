//! Dollars as people write them.

/// Decimal places of a nano-dollar.
const PLACES: usize = 9;

/// The nano-dollars of a decimal number such as `-0.25`; `None` where it is none, has more
/// than nine places or does not fit.
#[must_use]
pub fn nanodollars(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, places) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !are_digits(whole) || !are_digits(places) || places.len() > PLACES {
        return None;
    }
    let all: i128 = format!("{whole}{places:0<PLACES$}").parse().ok()?;
    i64::try_from(sign * all).ok()
}

/// Nano-dollars as dollars, exactly.
#[must_use]
pub fn dollars(nanodollars: i64) -> String {
    let sign = if nanodollars < 0 { "-" } else { "" };
    let all = nanodollars.unsigned_abs();
    let one = 10_u64.pow(PLACES as u32);
    format!("{sign}{}.{:0PLACES$}", all / one, all % one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        let table = [
            ("0", Some(0)),
            ("0.25", Some(250_000_000)),
            ("-0.25", Some(-250_000_000)),
            ("12", Some(12_000_000_000)),
            ("0.000000001", Some(1)),
            ("9223372036.854775807", Some(i64::MAX)),
            ("-9223372036.854775808", Some(i64::MIN)),
            ("9223372036.854775808", None),
            ("0.0000000001", None),
            ("1e3", None),
            ("+1", None),
            ("--1", None),
            (".5", None),
            ("5.", None),
            ("", None),
            ("-", None),
            ("99999999999999999999999999999999999999999", None),
        ];
        for (text, expected) in table {
            assert_eq!(nanodollars(text), expected, "{text}");
        }
    }

    #[test]
    fn money_is_exact() {
        let table = [
            (0, "0.000000000"),
            (34_800, "0.000034800"),
            (1_000_000_001, "1.000000001"),
            (-5, "-0.000000005"),
            (i64::MIN, "-9223372036.854775808"),
        ];
        for (amount, text) in table {
            assert_eq!(dollars(amount), text);
            assert_eq!(nanodollars(text), Some(amount));
        }
    }
}
