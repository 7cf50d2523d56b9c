//! Whether two things take the same time, as far as can be seen (Reparaz, Balasch,
//! Verbauwhede: "Dude, is my code constant time?", 2017).

use std::fmt;

/// From here on a t says that there is a difference: by chance one of two such t is
/// there once in some 70,000 comparisons of the same with itself.
pub const T_MAX: f64 = 4.5;
/// Share of the times that the second t is of: the slowest are those in which
/// something came between.
const KEPT: f64 = 0.9;
/// Medians that the interval is made of.
const RESAMPLES: usize = 1_000;
/// Share of them that the interval leaves out at each end.
const LEFT_OUT: f64 = 0.025;
/// Any number but 0.
const SEED: u64 = 0x9E37_79B9_7F4A_7C15;

/// What two series of times say of each other; in their unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// Of the first and of the second.
    pub medians: [f64; 2],
    /// Between these the second median less the first one lies, in 95 of 100 cases.
    pub interval: [f64; 2],
    /// Welch's t of all times.
    pub t: f64,
    /// The same without the slowest tenth of both together.
    pub t_cropped: f64,
}

impl Compared {
    /// Of two series that are not empty.
    pub fn of(first: &[f64], second: &[f64]) -> Compared {
        let limit = quantile(&[first, second].concat(), KEPT);
        let crop = |times: &[f64]| -> Vec<f64> {
            times.iter().copied().filter(|time| *time <= limit).collect()
        };
        Compared {
            medians: [quantile(first, 0.5), quantile(second, 0.5)],
            interval: interval(first, second),
            t: welch(first, second),
            t_cropped: welch(&crop(first), &crop(second)),
        }
    }

    /// Whether both t are below [`T_MAX`].
    pub fn is_same(&self) -> bool {
        self.t.abs() < T_MAX && self.t_cropped.abs() < T_MAX
    }

    /// The headings of [`Compared::cells`].
    pub fn heading(unit: &str) -> Vec<String> {
        vec![
            "first and second".to_owned(),
            format!("medians, {unit}"),
            format!("second − first (95 %), {unit}"),
            "t".to_owned(),
            "t of the fastest 90 %".to_owned(),
            String::new(),
        ]
    }

    /// A row of a table.
    pub fn cells(&self, name: &str) -> Vec<String> {
        let ([first, second], [low, high]) = (self.medians, self.interval);
        vec![
            name.to_owned(),
            format!("{first:.1}, {second:.1}"),
            format!("{:+.1} ({low:+.1} to {high:+.1})", second - first),
            format!("{:+.1}", self.t),
            format!("{:+.1}", self.t_cropped),
            self.to_string(),
        ]
    }
}

/// The verdict.
impl fmt::Display for Compared {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.is_same() { "no difference beyond noise" } else { "A DIFFERENCE" })
    }
}

/// Numbers that look random and are the same in every run (Marsaglia's xorshift).
pub struct Chance(u64);

impl Chance {
    /// From the beginning.
    pub fn new() -> Chance {
        Chance(SEED)
    }

    /// Any number below `end`, which is small.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % end.max(1)
    }
}

/// In which order the two of a pair come: at random, and in two pairs that follow each
/// other once each way. Who comes first finds the machine otherwise than who is second.
pub struct Turns {
    chance: Chance,
    last: Option<usize>,
}

impl Turns {
    /// From the beginning.
    pub fn new() -> Turns {
        Turns { chance: Chance::new(), last: None }
    }

    /// The next pair's order.
    pub fn next(&mut self) -> [usize; 2] {
        let first = match self.last.take() {
            Some(last) => 1 - last,
            None => *self.last.insert(self.chance.below(2)),
        };
        [first, 1 - first]
    }
}

/// How many standard errors the second mean is above the first (Welch, 1947); 0 where
/// nothing can be said, and without end where times that never vary differ.
fn welch(first: &[f64], second: &[f64]) -> f64 {
    let (Some(a), Some(b)) = (moments(first), moments(second)) else { return 0.0 };
    let (difference, error) = (b.0 - a.0, (a.1 + b.1).sqrt());
    if difference == 0.0 { 0.0 } else { difference / error }
}

/// The mean, and the variance of it; `None` of fewer than two.
fn moments(times: &[f64]) -> Option<(f64, f64)> {
    let count = times.len() as f64;
    let mean = times.iter().sum::<f64>() / count;
    let squares: f64 = times.iter().map(|time| (time - mean).powi(2)).sum();
    (times.len() > 1).then(|| (mean, squares / (count - 1.0) / count))
}

/// The time that `share` (0 to 1) of the times do not exceed, by the nearest rank.
fn quantile(times: &[f64], share: f64) -> f64 {
    let mut times = times.to_vec();
    let rank = (share * times.len() as f64).ceil() as usize;
    let at = rank.saturating_sub(1).min(times.len().saturating_sub(1));
    match times.is_empty() {
        true => f64::NAN,
        false => *times.select_nth_unstable_by(at, f64::total_cmp).1,
    }
}

/// Of the difference of the medians, by drawing anew (Efron's bootstrap).
fn interval(first: &[f64], second: &[f64]) -> [f64; 2] {
    let mut chance = Chance::new();
    let mut median = |times: &[f64]| {
        let drawn: Vec<f64> = times.iter().map(|_| times[chance.below(times.len())]).collect();
        quantile(&drawn, 0.5)
    };
    let differences: Vec<f64> = (0..RESAMPLES).map(|_| median(second) - median(first)).collect();
    [LEFT_OUT, 1.0 - LEFT_OUT].map(|share| quantile(&differences, share))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times about `middle`, now and then one that takes far longer.
    fn times(middle: f64, chance: &mut Chance) -> Vec<f64> {
        let mut time = || match chance.below(100) {
            0 => middle * 20.0,
            _ => middle + chance.below(1_000) as f64 / 100.0,
        };
        (0..2_000).map(|_| time()).collect()
    }

    #[test]
    fn the_t_is_the_textbook_s() {
        // Means 3 and 6, variances 2.5 and 2.5, five of each: t = 3 / sqrt(1).
        let first = [1.0, 2.0, 3.0, 4.0, 5.0];
        let second = first.map(|time| time + 3.0);
        assert!((welch(&first, &second) - 3.0).abs() < 1e-12);
        assert!((welch(&second, &first) + 3.0).abs() < 1e-12);
    }

    #[test]
    fn the_same_is_the_same_whatever_comes_between() {
        let mut chance = Chance::new();
        let (first, second) = (times(100.0, &mut chance), times(100.0, &mut chance));
        let compared = Compared::of(&first, &second);
        assert!(compared.is_same(), "{compared:?}");
        assert!(compared.interval[0] <= 0.0 && compared.interval[1] >= 0.0, "{compared:?}");
        assert_eq!(compared.to_string(), "no difference beyond noise");
    }

    #[test]
    fn a_small_difference_is_seen_below_the_outliers() {
        let mut chance = Chance::new();
        let (first, second) = (times(100.0, &mut chance), times(101.0, &mut chance));
        let compared = Compared::of(&first, &second);
        assert!(!compared.is_same() && compared.t_cropped > T_MAX, "{compared:?}");
        assert!(compared.interval[0] > 0.0, "{compared:?}");
        assert_eq!(compared.cells("x").last().map(String::as_str), Some("A DIFFERENCE"));
        assert_eq!(Compared::heading("ns").len(), compared.cells("x").len());
    }

    #[test]
    fn each_comes_first_as_often_as_the_other() {
        let mut turns = Turns::new();
        let orders: Vec<[usize; 2]> = (0..1_000).map(|_| turns.next()).collect();
        assert!(orders.iter().all(|[first, second]| first + second == 1));
        assert_eq!(orders.iter().filter(|order| order[0] == 0).count(), 500);
        assert!(orders.windows(2).any(|two| two[0] == two[1]), "at random, not in turn");
    }

    #[test]
    fn of_nothing_nothing_is_said() {
        assert_eq!(welch(&[], &[1.0, 2.0]), 0.0);
        assert_eq!(welch(&[1.0, 1.0], &[1.0, 1.0]), 0.0);
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn a_quantile_is_a_time_that_was_measured() {
        let times: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!(quantile(&times, 0.5), 100.0);
        assert_eq!(quantile(&times, 0.9), 180.0);
        assert_eq!(quantile(&times, 0.0), 1.0);
    }
}
