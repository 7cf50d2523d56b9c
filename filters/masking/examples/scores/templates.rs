//! Sentences and lines that values are put into, and the fields of records.

use crate::slots;

/// Whose lines make a text together.
pub struct Genre {
    pub name: &'static str,
    pub language: Language,
    pub heads: Vec<&'static str>,
    pub tails: Vec<&'static str>,
    /// Lines with a slot of a value.
    pub telling: Vec<&'static str>,
    /// Lines without.
    pub silent: Vec<&'static str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Korean,
    English,
    Technical,
}

/// One field of a record, and what stands in it.
pub struct Field {
    pub key: &'static str,
    pub korean: &'static str,
    pub english: &'static str,
    pub slot: &'static str,
}

const SOURCES: &[(Language, &str)] = &[
    (Language::Korean, include_str!("templates/korean.txt")),
    (Language::English, include_str!("templates/english.txt")),
    (Language::Technical, include_str!("templates/technical.txt")),
];

pub fn genres() -> Vec<Genre> {
    let split = |(language, text): &(Language, &'static str)| {
        let language = *language;
        text.split("=== ").skip(1).map(move |block| genre(language, block)).collect::<Vec<_>>()
    };
    SOURCES.iter().flat_map(split).collect()
}

fn genre(language: Language, block: &'static str) -> Genre {
    let mut lines = block.lines();
    let name = lines.next().unwrap_or_default();
    let (heads, rest): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with('^'));
    let (tails, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|line| line.starts_with('$'));
    let (telling, silent) = rest.into_iter().partition(|line| tells(line));
    let bare = |lines: Vec<&'static str>| {
        lines.into_iter().map(|line| line.trim_start_matches(['^', '$'])).collect()
    };
    Genre { name, language, heads: bare(heads), tails: bare(tails), telling, silent }
}

/// Whether a value is in it.
pub fn tells(template: &str) -> bool {
    slots::parts(template).iter().any(|(_, slot)| slot.is_some_and(slots::is_value))
}

pub fn fields() -> Vec<Field> {
    let field = |line: &'static str| {
        let mut parts = line.split(" | ");
        let mut part = || parts.next().unwrap_or_default();
        Field { key: part(), korean: part(), english: part(), slot: part() }
    };
    include_str!("templates/fields.txt").lines().map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn every_slot_can_be_filled() {
        let mut rng = Rng::new(1);
        let lines = genres().into_iter().flat_map(|genre| {
            [genre.heads, genre.tails, genre.telling, genre.silent].into_iter().flatten()
        });
        for line in lines {
            for slot in slots::parts(line).into_iter().filter_map(|(_, slot)| slot) {
                assert!(slots::fill(&mut rng, slot).is_some(), "{slot} in {line}");
            }
        }
        for field in fields() {
            assert!(slots::fill(&mut rng, field.slot).is_some(), "{} of {}", field.slot, field.key);
        }
    }

    #[test]
    fn every_genre_has_both_kinds_of_lines() {
        for genre in genres() {
            assert!(genre.telling.len() > 5 && genre.silent.len() > 5, "{}", genre.name);
        }
    }
}
