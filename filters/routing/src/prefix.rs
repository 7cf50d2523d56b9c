//! How a prompt begins, as a few hashes.

use crate::rendezvous::hash;

/// Most hashes of the beginning, where what many requests share is.
const FIRST_MAX: usize = 16;
/// Most hashes of the end, where what a conversation said last is.
const LAST_MAX: usize = 16;
/// Bytes before which nothing is hashed for its own: some 64 tokens, four blocks of an
/// engine's cache, which are computed anew in a millisecond.
const LEAST_BYTES: usize = 256;

/// Hashes of a prompt's beginnings, from the shortest to the whole: two prompts have those in
/// common that they begin alike up to. Cuts are at the end of each text (a message of a
/// conversation that goes on), and within long texts at places that only what stands before
/// them decides. The first 16 and the last 16 are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocks {
    first: [u64; FIRST_MAX],
    last: [u64; LAST_MAX],
    /// How many there were.
    count: usize,
    /// The first one, or that of all where there is none.
    root: u64,
}

impl Blocks {
    /// Of the texts of a prompt, in the order in which the engine's template has them: system
    /// prompt, tools, messages. `scope` is what the engine keeps apart: the pool and, with
    /// `cache_salt`, the tenant.
    #[must_use]
    pub fn of<'t>(scope: &[&str], texts: impl IntoIterator<Item = &'t str>) -> Blocks {
        let seed = scope.iter().fold(0, |seed, part| hash(seed, part.as_bytes()));
        let mut cut = Cut { blocks: Blocks::default(), hash: seed, bytes: 0 };
        for text in texts {
            cut.text(text.as_bytes());
        }
        cut.blocks.root = if cut.blocks.count > 0 {
            cut.blocks.first.first().copied().unwrap_or_default()
        } else {
            cut.hash
        };
        cut.blocks
    }

    /// What requests are told apart by where nothing of them is remembered: the shortest
    /// beginning; of a prompt that is too short to have one, all of it.
    #[must_use]
    pub const fn root(&self) -> u64 {
        self.root
    }

    /// The hashes that are kept, from the longest beginning to the shortest.
    pub fn longest_first(&self) -> impl Iterator<Item = u64> {
        let first = self.first.iter().take(self.count).copied();
        let beyond = self.count.saturating_sub(FIRST_MAX);
        let oldest = beyond.saturating_sub(LAST_MAX);
        let last = (oldest..beyond).filter_map(|number| self.last.get(number % LAST_MAX).copied());
        last.rev().chain(first.rev())
    }

    fn push(&mut self, hash: u64) {
        let place = match self.count.checked_sub(FIRST_MAX) {
            None => self.first.get_mut(self.count),
            Some(beyond) => self.last.get_mut(beyond % LAST_MAX),
        };
        if let Some(place) = place {
            *place = hash;
        }
        self.count += 1;
    }
}

/// Where the cutting is.
struct Cut {
    blocks: Blocks,
    hash: u64,
    bytes: usize,
}

impl Cut {
    /// Blocks grow with what stands before them, so that a long text has few.
    fn text(&mut self, text: &[u8]) {
        let mut rest = text;
        while !rest.is_empty() {
            let block = LEAST_BYTES.max(self.bytes / 4);
            let (piece, more) = rest.split_at_checked(block).unwrap_or((rest, &[]));
            self.hash = hash(self.hash, piece);
            self.bytes += piece.len();
            rest = more;
            if self.bytes >= LEAST_BYTES {
                self.blocks.push(self.hash);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(texts: &[&str]) -> Vec<u64> {
        Blocks::of(&["p"], texts.iter().copied()).longest_first().collect()
    }

    /// How many hashes two prompts have in common.
    fn common(one: &[&str], other: &[&str]) -> usize {
        let other = hashes(other);
        hashes(one).iter().filter(|hash| other.contains(hash)).count()
    }

    #[test]
    fn a_short_prompt_has_no_hashes_and_still_a_root() {
        assert!(hashes(&["hello", "there"]).is_empty());
        assert!(hashes(&[]).is_empty());
        let root = |text| Blocks::of(&["p"], [text]).root();
        assert_ne!(root("hello"), root("hallo"));
    }

    #[test]
    fn a_conversation_that_goes_on_has_all_that_it_had() {
        let system = "You are the assistant of a company. ".repeat(30);
        let first = [system.as_str(), "How are you?"];
        let second = [system.as_str(), "How are you?", "Well.", "And now?"];
        let other = [system.as_str(), "Where am I?"];
        assert_eq!(common(&first, &second), hashes(&first).len());
        assert_eq!(common(&first, &other), hashes(&first).len() - 1);
        assert_eq!(hashes(&second).len(), hashes(&first).len() + 2);
        assert_eq!(Blocks::of(&["p"], first).root(), Blocks::of(&["p"], other).root());
    }

    #[test]
    fn two_long_texts_have_their_beginning_in_common() {
        let document = "word ".repeat(4_000);
        let (one, other) = (format!("{document}One?"), format!("{document}Two!"));
        let (all, both) = (hashes(&[&one]).len(), common(&[&one], &[&other]));
        assert!(both >= all - 1, "{both} of {all}");
        let moved = format!("!{other}");
        assert_eq!(common(&[&one], &[&moved]), 0);
    }

    #[test]
    fn what_the_engine_keeps_apart_has_nothing_in_common() {
        let text = "x".repeat(1_000);
        let of = |scope: &[&str]| Blocks::of(scope, [text.as_str()]);
        assert_ne!(of(&["p", "acme"]), of(&["p", "zeta"]));
        assert_ne!(of(&["p"]).root(), of(&["q"]).root());
    }

    #[test]
    fn of_many_the_first_and_the_last_are_kept() {
        let texts: Vec<String> = (0..100).map(|number| format!("{number:0300}")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let all = hashes(&texts);
        assert_eq!(all.len(), FIRST_MAX + LAST_MAX);
        assert_eq!(all[0], hashes(&texts[..100])[0]);
        assert_eq!(all[1..LAST_MAX], hashes(&texts[..99])[..LAST_MAX - 1], "they end alike");
        assert_eq!(all[LAST_MAX..], hashes(&texts[..99])[LAST_MAX..], "and begin");
        let huge = "x".repeat(20 << 20);
        assert!(hashes(&[&huge]).len() <= FIRST_MAX + LAST_MAX);
    }

    /// Gateways of all versions have to agree.
    #[test]
    fn blocks_are_what_they_always_were() {
        let text = "You are the assistant of a company. ".repeat(20);
        let blocks = Blocks::of(&["chat", "acme"], [text.as_str(), "Hello"]);
        assert_eq!(blocks.longest_first().collect::<Vec<_>>(), GOLDEN);
    }

    const GOLDEN: [u64; 4] = [
        17_096_513_580_358_723_431,
        5_095_607_749_918_244_988,
        6_758_185_744_471_410_825,
        16_930_170_436_636_696_694,
    ];
}
