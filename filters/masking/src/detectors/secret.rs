//! Keys, tokens and passwords.
//!
//! One automaton finds every beginning that providers give their keys and every name
//! that people give theirs; the file of the family reads on from there, by hand and
//! within bounds. A token ends at the first character outside of its alphabet.

mod auth_header;
mod aws;
mod checksum;
mod command;
mod github;
mod jwt;
mod keyed;
mod name;
mod pem;
mod plausible;
mod provider;
mod slack;
mod stand_in;
mod table;
mod unprefixed;
mod value;

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use contract::masking::PiiType;

use table::Tables;

use crate::resolve::{Candidate, Candidates, Kind, Level};
use crate::scene::Scene;

/// Reads on from a hit.
type Read = fn(&Scene<'_>, &Range<usize>) -> Option<Candidate>;

/// What is looked for, and who reads on.
struct Family {
    literals: fn() -> Vec<&'static str>,
    read: Read,
}

const FAMILIES: [Family; 9] = [
    Family { literals: command::literals, read: command::read },
    Family { literals: aws::literals, read: aws::read },
    Family { literals: github::literals, read: github::read },
    Family { literals: slack::literals, read: slack::read },
    Family { literals: jwt::literals, read: jwt::read },
    Family { literals: pem::literals, read: pem::read },
    Family { literals: provider::literals, read: provider::read },
    Family { literals: auth_header::literals, read: auth_header::read },
    Family { literals: keyed::literals, read: keyed::read },
];

/// The automaton, and the family of each of its patterns.
struct Search {
    automaton: AhoCorasick,
    readers: Vec<Read>,
    /// The first pattern that does not know how its token ends: schemes and names.
    loose_from: usize,
    /// The first pattern that is a name.
    names_from: usize,
}

static SEARCH: LazyLock<Option<Search>> = LazyLock::new(|| {
    let patterns: Vec<(&str, Read)> = FAMILIES
        .iter()
        .flat_map(|family| (family.literals)().into_iter().map(|literal| (literal, family.read)))
        .collect();
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(AhoCorasickKind::DFA))
        .build(patterns.iter().map(|(literal, _)| literal))
        .ok()?;
    let names_from = patterns.len() - keyed::literals().len();
    let readers = patterns.into_iter().map(|(_, read)| read).collect();
    let loose_from = names_from - auth_header::literals().len();
    Some(Search { automaton, readers, loose_from, names_from })
});

/// Puts down every secret.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    unprefixed::find(scene, found);
    let Some(search) = &*SEARCH else { return };
    let (mut read_to, mut tokens_to) = (0, 0);
    let mut tables = Tables::default();
    for hit in search.automaton.find_iter(scene.bytes()) {
        let pattern = hit.pattern().as_usize();
        // Names do not count within a value, beginnings of tokens do: they know its end.
        if hit.start() < if pattern < search.loose_from { tokens_to } else { read_to } {
            continue;
        }
        if pattern >= search.names_from
            && let Some(head_end) = tables.read(scene, hit.end(), found)
        {
            (read_to, tokens_to) = (head_end, head_end);
            continue;
        }
        let read = search.readers.get(pattern);
        if let Some(candidate) = read.and_then(|read| read(scene, &hit.range())) {
            let second = (pattern >= search.names_from).then(|| keyed::second(scene, &candidate));
            read_to = candidate.span.end;
            if pattern < search.loose_from {
                tokens_to = read_to;
            }
            found.0.push(candidate);
            found.0.extend(second.flatten());
        }
    }
}

/// Whether a name before a value calls it a key or a password: what looks harmless by
/// itself is none then.
pub fn is_named(scene: &Scene<'_>, value_start: usize) -> bool {
    keyed::names(scene, value_start)
}

/// Whether a user or a password only shows where one goes, or stands for another.
pub fn is_stand_in(value: &str) -> bool {
    stand_in::stands_in(value)
}

fn certain(span: Range<usize>) -> Candidate {
    Candidate { kind: Kind::Pii(PiiType::Secret), span, level: Level::Certain }
}

fn innocent(span: Range<usize>) -> Candidate {
    Candidate { kind: Kind::Innocent, span, level: Level::Certain }
}

#[cfg(test)]
mod tests;
