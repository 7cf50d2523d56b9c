//! Several samples of one metric made into one figure.

/// A figure that counts: neither negative nor infinite nor not a number, which
/// an engine exports before it knows better.
fn counts(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

/// The sum over all label sets; `None` until there is one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum(Option<f64>);

impl Sum {
    pub(crate) fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value.filter(|value| counts(*value)) {
            *self.0.get_or_insert(0.0) += value;
        }
    }

    pub(crate) fn total(self) -> Option<f64> {
        self.0.filter(|total| total.is_finite())
    }
}

/// The mean of a share over all label sets, 0 to 1; `None` until there is one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mean {
    sum: f64,
    samples: f64,
}

impl Mean {
    pub(crate) fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value.filter(|value| counts(*value)) {
            self.sum += value.min(1.0);
            self.samples += 1.0;
        }
    }

    pub(crate) fn share(self) -> Option<f64> {
        (self.samples > 0.0).then(|| self.sum / self.samples)
    }
}

/// A part of a whole, 0 to 1; `None` where either is unknown or the whole is nothing.
pub(crate) fn share(part: Option<f64>, whole: Option<f64>) -> Option<f64> {
    let whole = whole.filter(|whole| *whole > 0.0)?;
    part.map(|part| (part / whole).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_leaves_out_what_does_not_count() {
        let mut sum = Sum::default();
        assert_eq!(sum.total(), None);
        for value in [None, Some(f64::NAN), Some(f64::INFINITY), Some(-1.0)] {
            sum.add(value);
        }
        assert_eq!(sum.total(), None);
        sum.add(Some(0.0));
        sum.add(Some(2.5));
        assert_eq!(sum.total(), Some(2.5));
        sum.add(Some(f64::MAX));
        sum.add(Some(f64::MAX));
        assert_eq!(sum.total(), None);
    }

    #[test]
    fn a_mean_stays_a_share() {
        let mut mean = Mean::default();
        assert_eq!(mean.share(), None);
        for value in [Some(0.5), Some(3.0), Some(f64::NAN), None] {
            mean.add(value);
        }
        assert_eq!(mean.share(), Some(0.75));
    }

    #[test]
    fn a_part_of_nothing_is_unknown() {
        assert_eq!(share(Some(1.0), Some(4.0)), Some(0.25));
        assert_eq!(share(Some(9.0), Some(4.0)), Some(1.0));
        assert_eq!(share(Some(1.0), Some(0.0)), None);
        assert_eq!(share(None, Some(4.0)), None);
        assert_eq!(share(Some(1.0), None), None);
    }
}
