//! Shares of requests.

use crate::chain::Chain;
use crate::rendezvous::{Standing, hash};
use std::rc::Rc;

/// Pools with their shares; those without one are left out.
#[derive(Clone, Debug)]
pub(crate) struct Split {
    shares: Box<[Share]>,
}

#[derive(Clone, Debug)]
struct Share {
    candidate: u64,
    weight: u32,
    chain: Rc<Chain>,
}

impl Split {
    /// Of chains with their weights; `None` where all weights are 0.
    pub(crate) fn new(chains: impl IntoIterator<Item = (Rc<Chain>, u32)>) -> Option<Split> {
        let shares = chains.into_iter().filter(|(_, weight)| *weight > 0);
        let shares: Box<[Share]> =
            shares.filter_map(|(chain, weight)| share(chain, weight)).collect();
        (!shares.is_empty()).then_some(Split { shares })
    }

    /// The chain that `unit` belongs to; it is asked for only where there are several. `None`
    /// never happens.
    pub(crate) fn draw(&self, unit: impl FnOnce() -> u64) -> Option<&Rc<Chain>> {
        if let [only] = &*self.shares {
            return Some(&only.chain);
        }
        let unit = unit();
        let standings = self
            .shares
            .iter()
            .map(|share| (Standing::new(share.candidate, share.weight, unit), &share.chain));
        let best =
            standings.reduce(|best, next| if next.0.is_before(best.0) { next } else { best });
        best.map(|(_, chain)| chain)
    }

    /// The chains of all pools.
    pub(crate) fn chains(&self) -> impl Iterator<Item = &Rc<Chain>> {
        self.shares.iter().map(|share| &share.chain)
    }
}

fn share(chain: Rc<Chain>, weight: u32) -> Option<Share> {
    let candidate = hash(0, chain.first()?.pool.as_bytes());
    Some(Share { candidate, weight, chain })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Route, tests::pool};
    use proptest::prelude::*;

    const USERS: u64 = 100_000;

    fn split(weights: &[u32]) -> Split {
        let chain = |number: usize| {
            let pool = format!("pool-{number}");
            let route = Rc::new(Route { config: self::pool(&pool), pool });
            Rc::new(Chain::new(&route, []))
        };
        Split::new(weights.iter().enumerate().map(|(number, weight)| (chain(number), *weight)))
            .unwrap()
    }

    /// The number of the pool of each user in an experiment.
    fn drawn(split: &Split, experiment: &str, users: u64) -> Vec<usize> {
        let experiment = hash(0, experiment.as_bytes());
        let unit = |user: u64| hash(experiment, format!("user-{user}").as_bytes());
        let pool = |user| {
            let chain = split.draw(|| unit(user)).unwrap();
            chain.attempts()[0].pool.strip_prefix("pool-").unwrap().parse().unwrap()
        };
        (0..users).map(pool).collect()
    }

    /// The share of each pool.
    fn shares(pools: &[usize], count: usize) -> Vec<f64> {
        let has = |number| pools.iter().filter(|pool| **pool == number).count() as f64;
        (0..count).map(|number| has(number) / pools.len() as f64).collect()
    }

    fn wanted(weights: &[u32]) -> Vec<f64> {
        let sum: u32 = weights.iter().sum();
        weights.iter().map(|weight| f64::from(*weight) / f64::from(sum)).collect()
    }

    #[test]
    fn each_pool_gets_its_share() {
        for weights in [&[1, 1][..], &[90, 10], &[99, 1], &[5, 0, 3, 2], &[1, 2, 3, 4, 5, 6, 7]] {
            let found = shares(&drawn(&split(weights), "e", USERS), weights.len());
            for (found, wanted) in found.iter().zip(wanted(weights)) {
                // Four standard deviations of a draw.
                let spread = 4.0 * (wanted * (1.0 - wanted) / USERS as f64).sqrt();
                assert!((found - wanted).abs() <= spread, "{weights:?}: {found} for {wanted}");
            }
        }
    }

    /// Two experiments divide by themselves: who is in the first half of one is in the first
    /// half of the other as often as anybody else.
    #[test]
    fn two_experiments_do_not_correlate() {
        let split = split(&[1, 1]);
        let (one, two) = (drawn(&split, "colour", USERS), drawn(&split, "size", USERS));
        let both = one.iter().zip(&two).filter(|(one, two)| **one == 0 && **two == 0).count();
        let deviation = both as f64 / USERS as f64 - 0.25;
        assert!(deviation.abs() < 4.0 * (0.25 * 0.75 / USERS as f64).sqrt(), "{deviation}");
        assert_eq!(one, drawn(&split, "colour", USERS), "and always alike");
    }

    #[test]
    fn one_pool_is_not_drawn_for() {
        let split = split(&[0, 3, 0]);
        assert_eq!(split.draw(|| panic!("nobody asks")).unwrap().attempts()[0].pool, "pool-1");
    }

    #[test]
    fn no_share_is_no_split() {
        assert!(Split::new([]).is_none());
    }

    /// A step of a rollout: with two pools nobody moves but those who must.
    #[test]
    fn with_two_pools_the_fewest_move() {
        let (before, after) =
            (drawn(&split(&[99, 1]), "e", USERS), drawn(&split(&[90, 10]), "e", USERS));
        let moved = before.iter().zip(&after).filter(|(before, after)| before != after);
        assert!(moved.clone().all(|(before, after)| (*before, *after) == (0, 1)));
        let share = moved.count() as f64 / USERS as f64;
        assert!((share - 0.09).abs() < 0.004, "{share}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Who moves goes to a pool whose weight grew by more than that of the one he leaves;
        /// and as many move as the distance of the shares bounds: never twice those who must.
        #[test]
        fn only_those_move_who_must(
            before in prop::collection::vec(1_u32..100, 2..6),
            change in prop::collection::vec(0_u32..100, 6),
        ) {
            let after: Vec<u32> = change[..before.len()].iter().map(|weight| weight + 1).collect();
            let users = 4_000;
            let (was, is) = (drawn(&split(&before), "e", users), drawn(&split(&after), "e", users));
            let growth = |pool: usize| f64::from(after[pool]) / f64::from(before[pool]);
            let moved: Vec<(usize, usize)> =
                was.into_iter().zip(is).filter(|(was, is)| was != is).collect();
            for (was, is) in &moved {
                prop_assert!(growth(*is) > growth(*was), "from {was} to {is}");
            }
            let pairs = wanted(&before).into_iter().zip(wanted(&after));
            let apart = pairs.map(|(before, after)| (before - after).abs());
            let must = apart.sum::<f64>() / 2.0;
            let most = 2.0 * must / (1.0 + must);
            let spread = 4.0 * (0.25 / users as f64).sqrt();
            prop_assert!(moved.len() as f64 / users as f64 <= most + spread);
        }

        /// Of one changed weight nobody hears who was with another pool and stays off this one.
        #[test]
        fn one_changed_weight_moves_nobody_between_the_others(
            weights in prop::collection::vec(1_u32..100, 3..6),
            changed in 1_u32..200,
        ) {
            let mut after = weights.clone();
            after[0] = changed;
            let (was, is) = (drawn(&split(&weights), "e", 4_000), drawn(&split(&after), "e", 4_000));
            for (was, is) in was.into_iter().zip(is).filter(|(was, is)| was != is) {
                let moved = if changed > weights[0] { is } else { was };
                prop_assert_eq!(moved, 0);
            }
        }
    }
}
