//! The placeholders that a request has issued.

use std::ops::Range;

use contract::masking::PiiType;

use crate::placeholder::Template;
use crate::value::Value;

/// What stands between opening and closing, and what it stands for.
pub(crate) struct Core {
    key: String,
    name_bytes: usize,
    value: Value,
}

impl Core {
    /// What comes back.
    pub(super) fn value(&self) -> &str {
        self.value.as_str()
    }
}

/// Placeholders and their values. Not to be logged; the values are overwritten when it is
/// dropped.
#[derive(Default)]
pub struct Issued {
    opening: Vec<char>,
    closing: Vec<char>,
    joint_bytes: usize,
    /// In order of their keys.
    cores: Vec<Core>,
    /// The bytes that a placeholder can begin with, in all its spellings.
    starts: Option<Box<[bool; 256]>>,
}

/// First bytes of the brackets `［` and `【` in UTF-8.
const WIDE_LEADS: [u8; 2] = [0xEF, 0xE3];

impl Issued {
    /// The placeholders of a template for these types, tags and values.
    pub(crate) fn new(
        template: &Template,
        all: impl Iterator<Item = (PiiType, String, Value)>,
    ) -> Self {
        let mut cores: Vec<_> = all
            .map(|(of, tag, value)| {
                let key = template.core(of, &tag);
                Core { key, name_bytes: of.as_str().len(), value }
            })
            .collect();
        cores.sort_by(|one, other| one.key.cmp(&other.key));
        let opening: Vec<_> = template.opening.chars().collect();
        let closing = template.closing.chars().collect();
        let starts = (!cores.is_empty()).then(|| starts(&opening, &cores));
        Self { opening, closing, joint_bytes: template.joint.len(), cores, starts }
    }

    /// Whether there is nothing to restore.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cores.is_empty()
    }

    /// How many placeholders there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cores.len()
    }

    /// The next place at which a placeholder could begin.
    pub(super) fn next_start(&self, text: &str, at: usize) -> Option<usize> {
        let starts = self.starts.as_deref()?;
        let can = |byte: &u8| starts.get(usize::from(*byte)).copied().unwrap_or_default();
        let rest = text.as_bytes().get(at..)?;
        rest.iter().position(can).map(|offset| at + offset)
    }

    /// A placeholder as it was issued.
    pub(super) fn exact(&self, core: &Core) -> String {
        let (name, tag) = core.key.split_at_checked(core.name_bytes).unwrap_or_default();
        let name = name.to_ascii_uppercase();
        self.opening
            .iter()
            .copied()
            .chain(name.chars())
            .chain(tag.chars())
            .chain(self.closing.iter().copied())
            .collect()
    }

    pub(super) fn opening(&self) -> &[char] {
        &self.opening
    }

    pub(super) fn closing(&self) -> &[char] {
        &self.closing
    }

    pub(super) fn all(&self) -> Beginning {
        Beginning { cores: 0..self.cores.len(), bytes: 0 }
    }

    /// The cores that go on with a character after such a beginning; `None` when none does.
    pub(super) fn narrowed(&self, from: &Beginning, next: char) -> Option<Beginning> {
        let next = u8::try_from(next).ok()?.to_ascii_lowercase();
        let cores = self.cores.get(from.cores.clone())?;
        let byte = |core: &Core| core.key.as_bytes().get(from.bytes).copied();
        let start = cores.partition_point(|core| byte(core) < Some(next));
        let end = cores.partition_point(|core| byte(core) <= Some(next));
        let first = from.cores.start;
        let cores = first + start..first + end;
        (!cores.is_empty()).then_some(Beginning { cores, bytes: from.bytes + 1 })
    }

    /// The core that a beginning is the whole of.
    pub(super) fn whole(&self, beginning: &Beginning) -> Option<&Core> {
        self.first(beginning).filter(|core| core.key.len() == beginning.bytes)
    }

    /// Whether a beginning is inside the type's name, its last letter included.
    pub(super) fn is_in_name(&self, beginning: &Beginning) -> bool {
        self.first(beginning).is_some_and(|core| beginning.bytes <= core.name_bytes)
    }

    /// Whether two of the parts of a placeholder meet behind a beginning.
    pub(super) fn is_at_joint(&self, beginning: &Beginning) -> bool {
        let joint = |core: &Core| {
            let before_tag = core.name_bytes + self.joint_bytes;
            [0, core.name_bytes, before_tag].contains(&beginning.bytes)
        };
        self.first(beginning).is_some_and(joint)
    }

    fn first(&self, beginning: &Beginning) -> Option<&Core> {
        self.cores.get(beginning.cores.start)
    }
}

/// Cores that begin with the same bytes.
pub(super) struct Beginning {
    cores: Range<usize>,
    bytes: usize,
}

fn starts(opening: &[char], cores: &[Core]) -> Box<[bool; 256]> {
    let mut starts = Box::new([false; 256]);
    let marks = opening.iter().filter_map(|mark| u8::try_from(*mark).ok());
    let letters = cores.iter().filter_map(|core| core.key.bytes().next());
    let letters = letters.map(|letter| letter.to_ascii_uppercase());
    for byte in marks.chain(letters).chain(WIDE_LEADS).chain([b'\\']) {
        if let Some(start) = starts.get_mut(usize::from(byte)) {
            *start = true;
        }
    }
    starts
}
