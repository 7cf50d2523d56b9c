//! Texts from templates: the same ones for the same seed.

use crate::records;
use crate::rng::Rng;
use crate::sample::{Made, Sample};
use crate::slots;
use crate::templates::{self, Field, Genre, Language};

/// How many of a hundred texts have no value.
const SILENT_PERCENT: usize = 33;

struct Sources {
    korean: Vec<Genre>,
    english: Vec<Genre>,
    technical: Vec<Genre>,
    telling: Vec<Field>,
    silent: Vec<Field>,
}

impl Sources {
    fn new() -> Self {
        let genres = templates::genres();
        let of = |language, genres: Vec<Genre>| -> (Vec<Genre>, Vec<Genre>) {
            genres.into_iter().partition(|genre| genre.language == language)
        };
        let (korean, rest) = of(Language::Korean, genres);
        let (english, technical) = of(Language::English, rest);
        let (telling, silent) =
            templates::fields().into_iter().partition(|field| slots::is_value(field.slot));
        Sources { korean, english, technical, telling, silent }
    }
}

/// So many texts, Korean and English in turn.
pub fn corpus(seed: u64, texts: usize) -> Vec<Sample> {
    let sources = Sources::new();
    let mut rng = Rng::new(seed);
    (0..texts).map(|at| text(&mut rng, &sources, at % 2 == 0)).collect()
}

fn text(rng: &mut Rng, sources: &Sources, korean: bool) -> Sample {
    let telling = !rng.chance(SILENT_PERCENT);
    let genres = if korean { &sources.korean } else { &sources.english };
    match rng.below(100) {
        0..=54 => lines(rng, genres, telling),
        55..=76 => lines(rng, &sources.technical, telling),
        place => fielded(rng, sources, telling, korean, place < 94),
    }
}

/// Texts of some kilobytes whose sentences have a number here and there.
pub fn prose(seed: u64) -> Vec<String> {
    let genres = templates::genres();
    let plain = |line: &&&str| {
        slots::parts(line).iter().all(|(_, slot)| slot.is_none_or(|slot| slot == "n"))
    };
    let lines: Vec<&str> = genres
        .iter()
        .filter(|genre| genre.name == "prose")
        .flat_map(|genre| genre.silent.iter().filter(plain).copied())
        .collect();
    let mut rng = Rng::new(seed);
    let mut text = || {
        let mut pieces = Vec::new();
        for _ in 0..60 {
            let line = rng.pick(&lines);
            fill(&mut rng, line, &mut pieces);
            pieces.push(Made::plain(" "));
        }
        Sample { genre: "prose", pieces }.plain().said
    };
    (0..100).map(|_| text()).collect()
}

/// Some of the items, none twice.
fn some<'a, T>(rng: &mut Rng, from: &'a [T], count: usize) -> Vec<&'a T> {
    let mut places: Vec<usize> = Vec::new();
    while places.len() < count.min(from.len()) {
        let place = rng.below(from.len());
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places.into_iter().filter_map(|place| from.get(place)).collect()
}

fn shuffled<T>(rng: &mut Rng, mut items: Vec<T>) -> Vec<T> {
    for end in (1..items.len()).rev() {
        items.swap(end, rng.below(end + 1));
    }
    items
}

fn lines(rng: &mut Rng, genres: &[Genre], telling: bool) -> Sample {
    let Some(genre) = genres.get(rng.below(genres.len())) else {
        return Sample { genre: "none", pieces: Vec::new() };
    };
    let (told, silent) =
        if telling { (1 + rng.below(4), 1 + rng.below(3)) } else { (0, 2 + rng.below(5)) };
    let mut body = some(rng, &genre.telling, told);
    body.extend(some(rng, &genre.silent, silent));
    let mut lines = Vec::new();
    lines.extend(some(rng, &fitting(&genre.heads, telling), 1).into_iter().copied());
    lines.extend(shuffled(rng, body).into_iter().copied());
    if rng.chance(50) {
        lines.extend(some(rng, &fitting(&genre.tails, telling), 1).into_iter().copied());
    }
    let joint = if genre.name == "prose" { " " } else { "\n" };
    let mut pieces = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        if place > 0 {
            pieces.push(Made::plain(joint));
        }
        fill(rng, line, &mut pieces);
    }
    Sample { genre: genre.name, pieces }
}

/// A text without values has a head without one.
fn fitting(lines: &[&'static str], telling: bool) -> Vec<&'static str> {
    lines.iter().copied().filter(|line| telling || !templates::tells(line)).collect()
}

/// Puts what was made into the slots of a line.
fn fill(rng: &mut Rng, line: &str, pieces: &mut Vec<Made>) {
    for (before, slot) in slots::parts(line) {
        pieces.push(Made::plain(before.replace('⏎', "\n")));
        if let Some(made) = slot.and_then(|slot| slots::fill(rng, slot)) {
            pieces.push(made);
        }
    }
}

fn fielded(rng: &mut Rng, sources: &Sources, telling: bool, korean: bool, one: bool) -> Sample {
    let (told, silent) = match (telling, one) {
        (true, true) => (2 + rng.below(4), 1 + rng.below(4)),
        (true, false) => (1 + rng.below(3), 1 + rng.below(2)),
        (false, _) => (0, 3 + rng.below(4)),
    };
    let mut fields = some(rng, &sources.telling, told);
    fields.extend(some(rng, &sources.silent, silent));
    let fields = shuffled(rng, fields);
    let (genre, pieces) = match one {
        true => records::record(rng, &fields, korean),
        false => records::table(rng, &fields, korean),
    };
    Sample { genre, pieces }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_texts() {
        let said = |seed| corpus(seed, 40).iter().map(|sample| sample.plain()).collect::<Vec<_>>();
        assert_eq!(said(7), said(7));
        assert_ne!(said(7), said(8));
    }

    #[test]
    fn marks_are_where_they_say() {
        for labelled in corpus(3, 200).iter().map(Sample::plain) {
            for mark in &labelled.marks {
                for span in mark.also.iter().chain([&mark.span]) {
                    assert!(labelled.said.get(span.clone()).is_some_and(|said| !said.is_empty()));
                }
            }
        }
    }

    #[test]
    fn a_third_has_no_values_and_the_others_some_four() {
        let samples = corpus(1, 2000);
        let telling: Vec<_> = samples.iter().filter(|sample| sample.has_pii()).collect();
        assert!((1200..1450).contains(&telling.len()), "{}", telling.len());
        let values: usize = telling.iter().map(|sample| sample.plain().pii().count()).sum();
        assert!((6..12).contains(&(values * 2 / telling.len())), "{values}");
    }
}
