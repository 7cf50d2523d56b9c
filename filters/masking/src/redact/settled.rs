//! Tags are settled: every value has its placeholder.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use contract::masking::{Action, PiiType};

use super::{Redaction, literals};
use crate::placeholder::masked;
use crate::policy::Policy;
use crate::restore::Issued;
use crate::tag::{TAG_CHARS_MAX, TAG_CHARS_MIN, TAG_CHARS_STEP, TagKey};
use crate::value::Value;

/// A request of which all texts are known. Not to be logged: it has the values.
pub struct Settled {
    policy: Rc<Policy>,
    counts: BTreeMap<PiiType, u64>,
    tags: BTreeMap<PiiType, BTreeMap<Value, String>>,
}

impl Settled {
    /// What goes out for a value; `None` when it goes out as it is.
    #[must_use]
    pub fn replacement(&self, of: PiiType, value: &str) -> Option<Cow<'static, str>> {
        match self.policy.action(of) {
            Action::Alert | Action::Off => None,
            Action::Restore => Some(self.placeholder(of, value).unwrap_or_else(|| masked(of))),
            Action::Mask | Action::Block => Some(masked(of)),
        }
        .map(Cow::Owned)
    }

    fn placeholder(&self, of: PiiType, value: &str) -> Option<String> {
        let tag = self.tags.get(&of)?.get(value)?;
        Some(self.policy.template().placeholder(of, tag))
    }

    /// How many values were found, by type; those of [`Action::Alert`] and repeated ones
    /// among them.
    #[must_use]
    pub fn counts(&self) -> &BTreeMap<PiiType, u64> {
        &self.counts
    }

    /// What the answer is restored from.
    #[must_use]
    pub fn into_issued(self) -> Issued {
        let template = self.policy.template();
        let all = self
            .tags
            .into_iter()
            .flat_map(|(of, tags)| tags.into_iter().map(move |(value, tag)| (of, tag, value)));
        Issued::new(template, all)
    }
}

pub(super) fn settle(redaction: Redaction) -> Settled {
    let Redaction { policy, key, counts, values, mut literals } = redaction;
    literals.sort_unstable();
    let tags = values.into_iter().map(|(of, values)| (of, tags(&key, of, values, &literals)));
    let tags = tags.collect();
    Settled { policy, counts, tags }
}

/// The tags of a type's values. A value that all tags are taken for has none: it is
/// masked and does not come back.
fn tags(
    key: &TagKey,
    of: PiiType,
    values: BTreeSet<Value>,
    literals: &[u64],
) -> BTreeMap<Value, String> {
    let longest = |value: Value| (key.tag(of, value.as_str()), value);
    let mut all: Vec<_> = values.into_iter().map(longest).collect();
    all.sort_unstable();
    let shared = shared_chars(all.iter().map(|(tag, _)| tag));
    let settled = all.into_iter().zip(shared).filter_map(|((tag, value), shared)| {
        let chars = free_length(of, &tag, shared, literals)?;
        Some((value, tag.get(..chars)?.iter().map(|byte| char::from(*byte)).collect()))
    });
    settled.collect()
}

/// How many characters each of the sorted tags begins with that another one begins with
/// too.
fn shared_chars<'t>(tags: impl Iterator<Item = &'t [u8; TAG_CHARS_MAX]>) -> Vec<usize> {
    let mut shared = Vec::new();
    let mut last: Option<&[u8; TAG_CHARS_MAX]> = None;
    for tag in tags {
        let same = |other: &[u8; TAG_CHARS_MAX]| {
            tag.iter().zip(other).take_while(|(one, other)| one == other).count()
        };
        let with_last = last.map_or(0, same);
        if let Some(before) = shared.last_mut() {
            *before = with_last.max(*before);
        }
        shared.push(with_last);
        last = Some(tag);
    }
    shared
}

/// The shortest length at which a tag is a value's alone and stands nowhere in the
/// request.
fn free_length(
    of: PiiType,
    tag: &[u8; TAG_CHARS_MAX],
    shared: usize,
    literals: &[u64],
) -> Option<usize> {
    let mut lengths = (TAG_CHARS_MIN..=TAG_CHARS_MAX).step_by(TAG_CHARS_STEP);
    lengths.find(|chars| {
        let core = tag.get(..*chars).map(|tag| literals::digest_of(of, tag));
        *chars > shared && core.is_some_and(|core| literals.binary_search(&core).is_err())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(beginning: &str) -> [u8; TAG_CHARS_MAX] {
        let mut tag = [b'z'; TAG_CHARS_MAX];
        tag[..beginning.len()].copy_from_slice(beginning.as_bytes());
        tag
    }

    #[test]
    fn a_tag_shares_with_both_of_its_neighbours() {
        let tags = [tag("a1b2c3d4"), tag("a1b2c3x4"), tag("a1b5"), tag("q1")];
        assert_eq!(shared_chars(tags.iter()), [6, 6, 3, 0]);
        assert_eq!(shared_chars([].iter()), [0; 0]);
    }

    #[test]
    fn a_tag_is_as_long_as_it_must_be() {
        let tag = tag("a1b2c3d4e5");
        let taken = |taken: &[&str]| {
            let mut literals: Vec<_> = taken
                .iter()
                .map(|tag| literals::digest_of(PiiType::Email, tag.as_bytes()))
                .collect();
            literals.sort_unstable();
            literals
        };
        for (shared, literals, expected) in [
            (0, taken(&[]), 6),
            (5, taken(&[]), 6),
            (6, taken(&[]), 8),
            (7, taken(&[]), 8),
            (0, taken(&["a1b2c3"]), 8),
            (0, taken(&["a1b2c3d4"]), 6),
            (0, taken(&["A1B2C3", "a1b2c3d4"]), 10),
        ] {
            assert_eq!(free_length(PiiType::Email, &tag, shared, &literals), Some(expected));
        }
        assert_eq!(free_length(PiiType::Email, &tag, TAG_CHARS_MAX, &[]), None);
    }
}
