//! A table in this process's memory, for tests and measurements.

use crate::table::{Said, Table};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Swaps that are tried for one change, as the shell does.
const SWAPS_MAX: usize = 32;

/// Values with the number of their changes.
#[derive(Default)]
pub struct Memory {
    values: Mutex<HashMap<String, (Vec<u8>, u64)>>,
    to_lose: Mutex<u32>,
    busy: Mutex<Option<String>>,
}

impl Memory {
    /// A table whose next `swaps` swaps are lost, as if somebody else had been faster.
    #[must_use]
    pub fn losing(swaps: u32) -> Memory {
        let table = Memory::default();
        table.lose(swaps);
        table
    }

    /// From now on that many swaps are lost.
    pub fn lose(&self, swaps: u32) {
        *held(&self.to_lose) = swaps;
    }

    /// From now on others always are faster at that name; `None`: at none.
    pub fn keep_busy(&self, name: Option<&str>) {
        *held(&self.busy) = name.map(str::to_owned);
    }

    /// Puts a value there, whatever it is.
    pub fn put(&self, name: &str, value: Vec<u8>) {
        let mut values = held(&self.values);
        let changes = values.get(name).map_or(0, |(_, changes)| *changes);
        values.insert(name.to_owned(), (value, changes.wrapping_add(1)));
    }

    /// All names, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = held(&self.values).keys().cloned().collect();
        names.sort();
        names
    }

    fn loses(&self, name: &str) -> bool {
        if held(&self.busy).as_deref() == Some(name) {
            return true;
        }
        let mut to_lose = held(&self.to_lose);
        let loses = *to_lose > 0;
        *to_lose = to_lose.saturating_sub(1);
        loses
    }

    fn swap(&self, name: &str, seen: Option<u64>, value: Vec<u8>) -> bool {
        let mut values = held(&self.values);
        if values.get(name).map(|(_, changes)| *changes) != seen {
            return false;
        }
        values.insert(name.to_owned(), (value, seen.unwrap_or(0).wrapping_add(1)));
        true
    }
}

/// A poisoned lock means that a test has failed already.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Table for Memory {
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        held(&self.values).get(name).map(|(value, _)| value.clone())
    }

    fn change<T>(&self, name: &str, change: &mut dyn FnMut(Option<&[u8]>) -> Said<T>) -> Option<T> {
        for _ in 0..SWAPS_MAX {
            let found = held(&self.values).get(name).cloned();
            let seen = found.as_ref().map(|(_, changes)| *changes);
            let (wanted, said) = change(found.as_ref().map(|(value, _)| value.as_slice()));
            let Some(wanted) = wanted else { return Some(said) };
            if !self.loses(name) && self.swap(name, seen, wanted) {
                return Some(said);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_change_of_several_threads_is_lost() {
        let table = Memory::default();
        let count = |old: Option<&[u8]>| {
            let old = old.map_or(0, |old| old[0]);
            (Some(vec![old + 1]), ())
        };
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    for _ in 0..50 {
                        while table.change("n", &mut { count }).is_none() {}
                    }
                });
            }
        });
        assert_eq!(table.read("n"), Some(vec![200]));
    }
}
