//! Sums of very many balances in little memory.
//!
//! Balances are put into buckets, and of each bucket only the sum of all its amounts is kept,
//! each times a random weight of its account and period. What the records come to and what
//! the balances say give equal sums; where one of them differs, so do the sums of its bucket,
//! but for a chance of one in 2^63.

use super::{MoneyFault, PAGE, Verification};
use crate::error::Error;
use crate::moves::{Amounts, Balances};
use crate::snapshot::{Balance, Snapshot};
use std::hash::{BuildHasher as _, RandomState};

const BUCKETS: usize = 4_096;

/// Most buckets whose balances are looked at one by one: some 1.5 % of all.
const SUSPECTS_MAX: usize = 64;

/// The sums of all buckets: what records come to, less what balances say.
pub(super) struct Fingerprints {
    random: RandomState,
    sums: Vec<[i128; 5]>,
}

/// Buckets whose sums are not zero.
pub(super) struct Suspects {
    random: RandomState,
    buckets: Vec<bool>,
}

impl Suspects {
    pub fn has(&self, account: &str, period: &str) -> bool {
        let bucket = bucket(&self.random, account, period);
        self.buckets.get(bucket).copied().unwrap_or(false)
    }
}

impl Fingerprints {
    pub fn new() -> Self {
        Fingerprints { random: RandomState::new(), sums: vec![[0; 5]; BUCKETS] }
    }

    /// Adds what records come to.
    pub fn add(&mut self, balances: &Balances) {
        for ((account, period), amounts) in balances {
            self.put(account, period, numbers(amounts), 1);
        }
    }

    /// Takes off what a balance says.
    pub fn take(&mut self, balance: &Balance) {
        self.put(&balance.account, &balance.period, numbers(&amounts(balance)), -1);
    }

    fn put(&mut self, account: &str, period: &str, numbers: [i64; 5], sign: i128) {
        // An odd weight: no amount is lost by it.
        let weight = self.random.hash_one(("weight", account, period)) >> 1 | 1;
        let bucket = bucket(&self.random, account, period);
        let Some(sums) = self.sums.get_mut(bucket) else { return };
        for (sum, number) in sums.iter_mut().zip(numbers) {
            let weighed = i128::from(weight).wrapping_mul(i128::from(number));
            *sum = sum.wrapping_add(weighed.wrapping_mul(sign));
        }
    }

    /// The buckets in which something is wrong, where there are any.
    pub fn suspects(&self) -> Option<Suspects> {
        let mut some = 0;
        let mut buckets = vec![false; BUCKETS];
        for (suspect, sums) in buckets.iter_mut().zip(&self.sums) {
            *suspect = *sums != [0; 5] && some < SUSPECTS_MAX;
            some += usize::from(*suspect);
        }
        (some > 0).then(|| Suspects { random: self.random.clone(), buckets })
    }
}

/// Names the balances among the suspects that are not what is `due`.
pub(super) async fn compare(
    snapshot: &mut dyn Snapshot,
    suspects: &Suspects,
    mut due: Balances,
    found: &mut Verification,
) -> Result<(), Error> {
    let mut after = (String::new(), String::new());
    loop {
        let page = snapshot.balances((&after.0, &after.1), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = (last.account.clone(), last.period.clone());
        for balance in page {
            if suspects.has(&balance.account, &balance.period) {
                let said = amounts(&balance);
                let key = (balance.account, balance.period);
                let records = due.remove(&key).unwrap_or_default();
                tell(key, said, records, found);
            }
        }
    }
    for (key, records) in due {
        tell(key, Amounts::default(), records, found);
    }
    Ok(())
}

fn tell(key: (String, String), said: Amounts, records: Amounts, found: &mut Verification) {
    if said != records {
        let sum = |of: Amounts| of.nanodollars.saturating_add(of.corrected_nanodollars);
        let (balance, records) = (sum(said), sum(records));
        found.found(MoneyFault::Balance { account: key.0, period: key.1, balance, records });
    }
}

fn bucket(random: &RandomState, account: &str, period: &str) -> usize {
    usize::try_from(random.hash_one((account, period)) % BUCKETS as u64).unwrap_or(0)
}

fn amounts(balance: &Balance) -> Amounts {
    let fits = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    Amounts {
        nanodollars: balance.nanodollars,
        corrected_nanodollars: balance.corrected_nanodollars,
        input_tokens: fits(balance.input_tokens),
        output_tokens: fits(balance.output_tokens),
        requests: fits(balance.requests),
    }
}

fn numbers(amounts: &Amounts) -> [i64; 5] {
    [
        amounts.nanodollars,
        amounts.corrected_nanodollars,
        amounts.input_tokens,
        amounts.output_tokens,
        amounts.requests,
    ]
}
