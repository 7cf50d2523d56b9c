//! The table that all workers of a process share.

use std::hash::{DefaultHasher, Hash, Hasher};

/// What shall stand in the table, `None` for what stands there already; and what else there
/// is to say.
pub type Said<T> = (Option<Vec<u8>>, T);

/// Values by name, changed by compare-and-swap: Envoy's shared data, or
/// [`Memory`](crate::memory::Memory).
pub trait Table {
    /// What stands there.
    fn read(&self, name: &str) -> Option<Vec<u8>>;

    /// Changes a value as if no other worker were there. `change` is given what stands there,
    /// and says what shall, or `None` for no change; it is asked again when somebody else was
    /// faster. Returns what it said last beside that; `None`: somebody else always was, and
    /// nothing has changed.
    fn change<T>(&self, name: &str, change: &mut dyn FnMut(Option<&[u8]>) -> Said<T>) -> Option<T>;
}

/// How often a change that must not be lost is tried anew, beyond the tries of the table.
const TRIES: usize = 16;

/// [`Table::change`] for what must happen: that of which only a worker's end would take care
/// otherwise.
pub(crate) fn change_surely<T>(
    table: &impl Table,
    name: &str,
    change: &mut dyn FnMut(Option<&[u8]>) -> Said<T>,
) -> Option<T> {
    (0..TRIES).find_map(|_| table.change(name, change))
}

/// The number that names are hashed with: what stands in the table, else `made`, which the
/// caller has made at random. With it nobody outside can choose names that meet in a slot.
pub fn salt(table: &impl Table, made: u64) -> u64 {
    let mut keep = |old: Option<&[u8]>| match old
        .and_then(|old| <[u8; 8]>::try_from(old).ok())
        .map(u64::from_le_bytes)
    {
        Some(salt) => (None, salt),
        None => (Some(made.to_le_bytes().to_vec()), made),
    };
    change_surely(table, "salt", &mut keep).unwrap_or(made)
}

/// A hash of `parts`, of which none can pass for two.
pub(crate) fn hashed(salt: u64, parts: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    salt.hash(&mut hasher);
    parts.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;

    #[test]
    fn all_workers_have_one_salt() {
        let table = Memory::default();
        assert_eq!(salt(&table, 7), 7);
        assert_eq!(salt(&table, 8), 7);
    }

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(hashed(1, &["a", "b"]), hashed(1, &["ab"]));
        assert_ne!(hashed(1, &["a", "bc"]), hashed(1, &["ab", "c"]));
        assert_ne!(hashed(1, &["a"]), hashed(2, &["a"]));
        assert_eq!(hashed(1, &["a"]), hashed(1, &["a"]));
    }

    #[test]
    fn what_must_happen_outlasts_others() {
        let table = Memory::losing(40);
        let mut set = |_: Option<&[u8]>| (Some(vec![1]), ());
        assert_eq!(table.change("x", &mut set), None, "32 swaps are lost");
        assert_eq!(change_surely(&table, "x", &mut set), Some(()));
        assert_eq!(table.read("x"), Some(vec![1]));
    }
}
