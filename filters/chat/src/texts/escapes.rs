//! From what a JSON string says to how it stands, and back.

use std::ops::Range;

use crate::edit::json_string;
use crate::json::{Unit, Units};

/// `text` as it stands inside the quotes of a JSON string.
pub(super) fn inside(text: &str) -> String {
    let quoted = String::from_utf8(json_string(text)).unwrap_or_default();
    let bare = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    bare.unwrap_or_default().to_owned()
}

/// Which of the two sides of a string a place is counted on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Raw,
    Said,
}

impl Side {
    fn of(self, unit: &Unit) -> &Range<usize> {
        match self {
            Self::Raw => &unit.raw,
            Self::Said => &unit.said,
        }
    }
}

/// Spans of a string told on another side of it. Asked for spans in their order,
/// which do not overlap; one that begins or ends inside of an escape takes all of it.
pub(super) struct Places<'a> {
    units: Units<'a>,
    unit: Unit,
    from: Side,
    to: Side,
}

impl<'a> Places<'a> {
    /// `raw` is the inside of a checked string.
    pub(super) fn new(raw: &'a str, from: Side, to: Side) -> Self {
        Self { units: Units::of(raw), unit: Unit::default(), from, to }
    }

    pub(super) fn span(&mut self, span: &Range<usize>) -> Range<usize> {
        // Where it starts between two stretches, it starts the second one.
        self.go_to(|end| end <= span.start);
        let start = self.place(span.start, false);
        self.go_to(|end| end < span.end);
        start..self.place(span.end, true)
    }

    fn go_to(&mut self, is_before: impl Fn(usize) -> bool) {
        while is_before(self.from.of(&self.unit).end) {
            let Some(unit) = self.units.next() else { return };
            self.unit = unit;
        }
    }

    /// Where a place of the current stretch is; `up` is which end of an escape it
    /// belongs to.
    fn place(&self, at: usize, up: bool) -> usize {
        let (from, to) = (self.from.of(&self.unit), self.to.of(&self.unit));
        if at >= from.end {
            return to.end;
        }
        match (self.unit.is_escape, up) {
            (false, _) => to.start + at.saturating_sub(from.start),
            (true, true) if at > from.start => to.end,
            (true, _) => to.start,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Str;
    use proptest::prelude::*;

    const RAW: &str = r"a\u0041b\n\uD83D\uDE00é\\c";

    #[test]
    fn a_span_of_what_is_said_is_found_as_it_stands() {
        for (span, stands) in [
            (0..1, "a"),
            (1..2, r"\u0041"),
            (0..3, r"a\u0041b"),
            (3..4, r"\n"),
            (4..8, r"\uD83D\uDE00"),
            (5..6, r"\uD83D\uDE00"),
            (8..10, "é"),
            (10..12, r"\\c"),
            (11..12, "c"),
            (0..12, RAW),
        ] {
            let raw = Places::new(RAW, Side::Said, Side::Raw).span(&span);
            assert_eq!(RAW.get(raw), Some(stands), "{span:?}");
        }
    }

    #[test]
    fn a_span_that_cuts_an_escape_takes_all_of_it() {
        for (span, stands) in [(3..4, r"\u0041"), (0..2, r"a\u0041"), (6..8, r"\u0041b")] {
            let raw = Places::new(RAW, Side::Raw, Side::Raw).span(&span);
            assert_eq!(RAW.get(raw), Some(stands), "{span:?}");
        }
    }

    #[test]
    fn what_goes_inside_is_escaped() {
        assert_eq!(inside("a\"\\\n"), r#"a\"\\\n"#);
        assert_eq!(inside(""), "");
    }

    proptest! {
        #[test]
        fn characters_stand_where_they_are_said(text in ".{0,20}", odd in any::<bool>()) {
            let escaped: String = if odd {
                text.encode_utf16().filter(|unit| *unit != 0).map(|u| format!("\\u{u:04x}")).collect()
            } else {
                inside(&text)
            };
            let quoted = format!("\"{escaped}\"");
            let Some(string) = Str::at(&quoted, 0) else { return Ok(()) };
            let said = string.unescaped();
            let mut places = Places::new(string.raw(), Side::Said, Side::Raw);
            for (at, character) in said.char_indices() {
                let raw = places.span(&(at..at + character.len_utf8()));
                let alone = format!("\"{}\"", string.raw().get(raw).unwrap());
                let alone = Str::at(&alone, 0).unwrap().unescaped().into_owned();
                prop_assert_eq!(alone, character.to_string());
            }
        }
    }
}
