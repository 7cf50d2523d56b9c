//! Where the members `usage` of a document stand, in the bytes that leave.

use std::ops::Range;

/// What kind of value a usage is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Null,
    #[default]
    Other,
}

impl Kind {
    /// By the value's first byte.
    pub(crate) fn of(byte: u8) -> Self {
        match byte {
            b'{' => Self::Object,
            b'n' => Self::Null,
            _ => Self::Other,
        }
    }
}

/// One member `usage`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UsagePlace {
    pub(crate) kind: Kind,
    /// What goes with it: the comma before it, or, where no member stands before it
    /// that stays, all up to the next member.
    pub(crate) member: Range<usize>,
    pub(crate) value: Range<usize>,
}

/// Collects them while the members of a document are read.
#[derive(Default)]
pub(crate) struct UsagePlaces {
    /// Whether `null` is taken out too.
    pub(crate) nulls: bool,
    found: Vec<UsagePlace>,
    comma: Option<usize>,
    name: usize,
    /// Whether a member was there that stays.
    has_kept: bool,
    /// Whether the last member that was found reaches up to the next.
    is_open: bool,
}

impl UsagePlaces {
    pub(crate) fn clear(&mut self) {
        self.found.clear();
        self.comma = None;
        self.has_kept = false;
        self.is_open = false;
    }

    /// So many bytes before them have left.
    pub(crate) fn move_back(&mut self, bytes: usize) {
        let back = |place: &mut usize| *place = place.saturating_sub(bytes);
        for UsagePlace { member, value, .. } in &mut self.found {
            [member, value]
                .into_iter()
                .flat_map(|span| [&mut span.start, &mut span.end])
                .for_each(back);
        }
        self.comma.iter_mut().for_each(back);
        back(&mut self.name);
    }

    /// The members so far, in order.
    pub(crate) fn found(&self) -> &[UsagePlace] {
        &self.found
    }

    pub(crate) fn comma(&mut self, at: usize) {
        self.comma = Some(at);
    }

    /// A name begins, at its quote.
    pub(crate) fn name(&mut self, at: usize) {
        self.name = at;
        if std::mem::take(&mut self.is_open)
            && let Some(last) = self.found.last_mut()
        {
            last.member.end = at;
        }
    }

    /// The value of the last name begins; [`Kind::Other`] where it is another member.
    pub(crate) fn value(&mut self, kind: Kind, at: usize) {
        let goes = kind == Kind::Object || (kind == Kind::Null && self.nulls);
        if !goes {
            self.has_kept = true;
            return;
        }
        let comma = self.comma.filter(|_| self.has_kept);
        let start = comma.unwrap_or(self.name);
        self.found.push(UsagePlace { kind, member: start..at, value: at..at });
    }

    /// The value of a member `usage` has ended.
    pub(crate) fn end(&mut self, at: usize) {
        let Some(last) = self.found.last_mut().filter(|last| last.value.is_empty()) else {
            return;
        };
        last.value.end = at;
        last.member.end = at;
        self.is_open = !self.has_kept;
    }
}
