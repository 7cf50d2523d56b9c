//! Models whose names are patterns.

use crate::model::Model;
use contract::glob::Glob;
use hashbrown::HashMap;
use std::rc::Rc;

/// Families, found by the piece that their pattern begins or ends with: of thousands, few are
/// held against a name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Families {
    members: Vec<(Glob, Rc<Model>)>,
    by_start: Index,
    by_end: Index,
}

/// Numbers of families by a piece of text.
#[derive(Clone, Debug, Default)]
struct Index {
    /// Lengths of the pieces.
    lengths: Vec<usize>,
    numbers: HashMap<Box<str>, Vec<usize>>,
}

impl Families {
    /// Adds one that is tried after all that are there.
    pub(crate) fn push(&mut self, pattern: &str, model: Rc<Model>) {
        let start = pattern.split('*').next().unwrap_or_default();
        let end = pattern.rsplit('*').next().unwrap_or_default();
        let number = self.members.len();
        if start.len() >= end.len() {
            self.by_start.add(start, number);
        } else {
            self.by_end.add(end, number);
        }
        self.members.push((Glob::new(pattern), model));
    }

    /// The first one that fits.
    pub(crate) fn find(&self, name: &str) -> Option<&Rc<Model>> {
        let starts = self.by_start.lengths.iter().filter_map(|length| name.get(..*length));
        let ends = self
            .by_end
            .lengths
            .iter()
            .filter_map(|length| name.get(name.len().checked_sub(*length)?..));
        let starts = starts.filter_map(|piece| self.first(&self.by_start, piece, name));
        let ends = ends.filter_map(|piece| self.first(&self.by_end, piece, name));
        let (_, model) = self.members.get(starts.chain(ends).min()?)?;
        Some(model)
    }

    /// The first number under a piece whose family fits.
    fn first(&self, index: &Index, piece: &str, name: &str) -> Option<usize> {
        let mut numbers = index.numbers.get(piece)?.iter().copied();
        numbers.find(|number| self.members.get(*number).is_some_and(|(glob, _)| glob.matches(name)))
    }
}

impl Index {
    fn add(&mut self, piece: &str, number: usize) {
        if !self.lengths.contains(&piece.len()) {
            self.lengths.push(piece.len());
        }
        self.numbers.entry(piece.into()).or_default().push(number);
    }
}

#[cfg(test)]
mod tests {
    use crate::Table;
    use crate::table::tests::{config, family};
    use proptest::prelude::*;

    fn table(patterns: &[&str]) -> Table {
        let mut config = config(&["p"], &[]);
        config.families = patterns.iter().map(|pattern| family(pattern, "p")).collect();
        Table::compile(&config).unwrap()
    }

    #[test]
    fn the_first_pattern_that_fits_wins() {
        let table = table(&["gpt-4o-mini*", "gpt-4o*", "*-mini", "claude-*-v2", "*o*", "세*", "*"]);
        let found = |name| table.resolve("", name).unwrap().name().to_owned();
        assert_eq!(found("gpt-4o-mini-2"), "gpt-4o-mini*");
        assert_eq!(found("gpt-4o"), "gpt-4o*");
        assert_eq!(found("phi-mini"), "*-mini");
        assert_eq!(found("claude-opus-v2"), "claude-*-v2");
        assert_eq!(found("claude-opus-v3"), "*o*");
        assert_eq!(found("세종"), "세*");
        assert_eq!(found("se"), "*");
        assert_eq!(found(""), "*");
    }

    #[test]
    fn no_family_fits_everything() {
        assert!(table(&["gpt-*", "*-mini"]).resolve("", "llama").is_none());
    }

    proptest! {
        /// The index finds what trying one after another does.
        #[test]
        fn the_index_forgets_nobody(
            patterns in prop::collection::vec("[ab]{0,2}[*][ab*]{0,3}", 1..8),
            name in "[ab]{0,5}",
        ) {
            let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
            let expected = patterns.iter().find(|pattern| contract::glob::matches(pattern, &name));
            let table = table(&patterns);
            let found = table.resolve("", &name).map(|model| model.name());
            prop_assert_eq!(found, expected.copied());
        }
    }
}
