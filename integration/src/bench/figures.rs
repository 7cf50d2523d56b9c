//! What is made of many measurements of one thing.

use std::fmt;
use std::time::Duration;

/// A median with what it lies between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The one in the middle, or between the two there.
    pub median: f64,
    min: f64,
    max: f64,
}

impl Spread {
    /// Of at least one value; `None` of none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let upper = *values.get(values.len() / 2)?;
        let lower = *values.get((values.len() - 1) / 2)?;
        Some(Spread { median: f64::midpoint(lower, upper), min, max })
    }
}

/// `MEDIAN (MIN–MAX)` with the formatter's precision and sign.
impl fmt::Display for Spread {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = out.precision().unwrap_or(0);
        let Spread { median, min, max } = *self;
        match out.sign_plus() {
            true => write!(out, "{median:+.digits$} ({min:+.digits$} to {max:+.digits$})"),
            false => write!(out, "{median:.digits$} ({min:.digits$}–{max:.digits$})"),
        }
    }
}

/// The time that `share` (0 to 1) of the sorted times do not exceed, by the
/// nearest rank; zero of none.
pub fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// `amount` for each of `count`; nothing where there were none.
pub fn each(amount: f64, count: u64) -> f64 {
    if count == 0 { f64::NAN } else { amount / count as f64 }
}

/// A time in µs.
pub fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_is_between_the_two_in_the_middle() {
        let spread = |values: &[f64]| Spread::of(values.iter().copied());
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[3.0]), Some(Spread { median: 3.0, min: 3.0, max: 3.0 }));
        assert_eq!(spread(&[9.0, 1.0, 2.0]), Some(Spread { median: 2.0, min: 1.0, max: 9.0 }));
        assert_eq!(spread(&[4.0, 1.0, 2.0, 9.0]), Some(Spread { median: 3.0, min: 1.0, max: 9.0 }));
    }

    #[test]
    fn a_spread_is_written_with_the_digits_that_are_asked_for() {
        let spread = Spread { median: 1.25, min: -0.5, max: 2.0 };
        assert_eq!(format!("{spread:.1}"), "1.2 (-0.5–2.0)");
        assert_eq!(format!("{spread:+.2}"), "+1.25 (-0.50 to +2.00)");
    }

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let times: Vec<Duration> = (1..=200).map(Duration::from_micros).collect();
        assert_eq!(percentile(&times, 0.50), Duration::from_micros(100));
        assert_eq!(percentile(&times, 0.99), Duration::from_micros(198));
        assert_eq!(percentile(&times[..1], 0.99), Duration::from_micros(1));
        assert_eq!(percentile(&[], 0.99), Duration::ZERO);
    }

    #[test]
    fn nothing_is_divided_by_nothing() {
        assert_eq!(each(6.0, 3), 2.0);
        assert!(each(6.0, 0).is_nan());
    }
}
