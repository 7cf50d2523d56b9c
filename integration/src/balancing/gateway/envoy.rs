//! Envoy's least request with weights: a schedule by earliest deadline in which a host's share
//! is its weight over its requests under way (Envoy, "Weighted least request",
//! `active_request_bias` 1).

use crate::balancing::random::Random;

/// The schedule; without weights, or with equal ones, there is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shares {
    weights: Vec<u32>,
    deadlines: Vec<f64>,
    now: f64,
}

impl Shares {
    /// Takes new weights; the schedule begins anew where they have changed.
    pub(crate) fn set(&mut self, weights: &[u32], active: &[u32], random: &mut Random) {
        if self.weights == weights {
            return;
        }
        self.weights = weights.to_vec();
        self.now = 0.0;
        let hosts = weights.iter().zip(active);
        self.deadlines =
            hosts.map(|(weight, active)| random.unit() * pace(*weight, *active)).collect();
    }

    /// The host whose turn it is; `None`: all weights are equal.
    pub(crate) fn next(&mut self, active: &[u32]) -> Option<usize> {
        let first = self.weights.first()?;
        if self.weights.iter().all(|weight| weight == first) {
            return None;
        }
        let hosts = self.deadlines.iter().enumerate();
        let (host, deadline) = hosts.min_by(|one, two| one.1.total_cmp(two.1))?;
        self.now = self.now.max(*deadline);
        self.deadlines[host] = self.now + pace(self.weights[host], active[host]);
        Some(host)
    }
}

/// The time between two turns of a host.
fn pace(weight: u32, active: u32) -> f64 {
    f64::from(active + 1) / f64::from(weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(weights: &[u32], active: &[u32]) -> Vec<usize> {
        let mut shares = Shares::default();
        shares.set(weights, active, &mut Random::new(1));
        let mut turns = vec![0; weights.len()];
        (0..900).filter_map(|_| shares.next(active)).for_each(|host| turns[host] += 1);
        turns
    }

    #[test]
    fn shares_go_with_weights_and_against_requests() {
        let near = |turns: &[usize], expected: [usize; 2]| {
            turns.iter().zip(expected).all(|(turns, expected)| turns.abs_diff(expected) <= 2)
        };
        assert!(near(&turns(&[2, 1], &[0, 0]), [600, 300]));
        assert!(near(&turns(&[2, 1], &[3, 0]), [300, 600]));
        assert_eq!(turns(&[5, 5], &[0, 0]), [0, 0], "that is the draw of two");
    }
}
