//! The KV cache of an engine: blocks in use, and behind them those of earlier prompts until
//! their place is needed.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

/// The blocks of an engine.
#[derive(Debug)]
pub(super) struct Cache {
    capacity: usize,
    /// Blocks that have no name: of answers, and of prompts that are not computed yet.
    nameless: usize,
    named: HashMap<u64, Block, BuildHasherDefault<AsItIs>>,
    /// Named blocks that nobody uses, the oldest first.
    unused: BTreeMap<u64, u64>,
    clock: u64,
}

/// The hash of a name, which is one already.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let bytes = bytes.iter().map(|byte| u64::from(*byte));
        self.0 = bytes.fold(self.0, |name, byte| name << 8 | byte);
    }

    fn write_u64(&mut self, name: u64) {
        self.0 = name;
    }
}

#[derive(Debug, Default)]
struct Block {
    users: usize,
    stamp: u64,
}

impl Cache {
    pub(super) fn new(capacity: usize) -> Cache {
        Cache {
            capacity,
            nameless: 0,
            named: HashMap::default(),
            unused: BTreeMap::new(),
            clock: 0,
        }
    }

    /// Share of the blocks in use, 0 to 1.
    pub(super) fn used_share(&self) -> f64 {
        self.in_use() as f64 / self.capacity as f64
    }

    fn in_use(&self) -> usize {
        self.nameless + self.named.len() - self.unused.len()
    }

    /// How many of the first blocks are there.
    pub(super) fn known(&self, blocks: &[u64]) -> usize {
        blocks.iter().take_while(|block| self.named.contains_key(block)).count()
    }

    /// Takes the first `known` blocks into use, and `more` without a name; `false`: there is
    /// no room.
    pub(super) fn admit(&mut self, blocks: &[u64], known: usize, more: usize) -> bool {
        let waking = blocks[..known].iter().filter(|block| self.named[block].users == 0).count();
        if self.in_use() + waking + more > self.capacity {
            return false;
        }
        for block in &blocks[..known] {
            self.hold(*block);
        }
        self.nameless += more;
        while self.nameless + self.named.len() > self.capacity {
            let Some((_, oldest)) = self.unused.pop_first() else { break };
            self.named.remove(&oldest);
        }
        true
    }

    /// Names blocks that had none and keeps them in use.
    pub(super) fn name(&mut self, blocks: &[u64]) {
        self.nameless -= blocks.len();
        for block in blocks {
            self.hold(*block);
        }
    }

    fn hold(&mut self, name: u64) {
        let block = self.named.entry(name).or_default();
        if block.users == 0 {
            self.unused.remove(&block.stamp);
        }
        block.users += 1;
    }

    /// Lets go of named blocks, the last one first to be given away, and of nameless ones.
    pub(super) fn release(&mut self, blocks: &[u64], nameless: usize) {
        self.nameless -= nameless;
        for name in blocks.iter().rev() {
            let Some(block) = self.named.get_mut(name) else { continue };
            block.users -= 1;
            if block.users == 0 {
                self.clock += 1;
                block.stamp = self.clock;
                self.unused.insert(self.clock, *name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_computed_is_found_again_until_its_place_is_needed() {
        let mut cache = Cache::new(4);
        assert!(cache.admit(&[1, 2], 0, 3));
        cache.name(&[1, 2]);
        assert_eq!(cache.used_share(), 0.75);
        cache.release(&[1, 2], 1);
        assert_eq!((cache.known(&[1, 2, 3]), cache.used_share()), (2, 0.0));
        assert!(cache.admit(&[7, 8, 9], 0, 3));
        assert_eq!(cache.known(&[1, 2]), 1, "the end of a prompt goes first");
        assert!(!cache.admit(&[1, 5], 1, 1), "one is in use for each of four");
    }

    #[test]
    fn a_block_of_two_is_kept_until_both_are_gone() {
        let mut cache = Cache::new(8);
        assert!(cache.admit(&[1], 0, 1));
        cache.name(&[1]);
        assert!(cache.admit(&[1], 1, 0));
        cache.release(&[1], 0);
        assert_eq!(cache.used_share(), 0.125);
        cache.release(&[1], 0);
        assert_eq!(cache.used_share(), 0.0);
    }
}
