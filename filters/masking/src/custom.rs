//! Patterns of a policy: regular expressions in the syntax of the `regex` crates.
//!
//! Each becomes two automata of a bounded size when the policy is made ready; over a
//! text they take one step a byte, so no pattern makes a text slow. `\b`, `\d`, `\w`
//! and `\s` mean ASCII: in Korean a particle follows a value without a space, and by
//! Unicode's reading it would be part of the same word.

use std::ops::Range;

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::util::primitives::StateID;
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::hir::Hir;
use regex_syntax::hir::translate::TranslatorBuilder;

mod plain;

/// The longest pattern, in characters.
pub const PATTERN_CHARS_MAX: usize = 1000;

/// How deep groups of a pattern may be nested; reading them recurses.
pub const PATTERN_DEPTH_MAX: u32 = 50;

/// The largest automaton of one pattern; it has two.
pub const AUTOMATON_BYTES_MAX: usize = 2 << 20;

/// The memory that building an automaton may take.
const BUILDING_BYTES_MAX: usize = 8 << 20;

/// How far all searches in a text may look past what they have found, in lengths of
/// the text: an expression like `a|a.*b` makes every search read on to the end.
const OVERLOOK_TEXTS_MAX: usize = 16;

/// A pattern, ready.
pub struct Pattern {
    forward: dense::DFA<Vec<u32>>,
    /// From the end of a match to its beginning.
    backward: dense::DFA<Vec<u32>>,
}

impl Pattern {
    /// Makes a pattern ready.
    ///
    /// # Errors
    /// Why it cannot be used, as the end of a sentence.
    pub fn compile(pattern: &str) -> Result<Self, String> {
        if pattern.chars().count() > PATTERN_CHARS_MAX {
            return Err(format!("is longer than {PATTERN_CHARS_MAX} characters"));
        }
        let hir = parse(pattern)?;
        match hir.properties().minimum_len() {
            Some(0) => Err("matches the empty text".to_owned()),
            None => Err("can match nothing".to_owned()),
            Some(_) => Ok(Self {
                forward: automaton(&hir, false).ok_or_else(too_large)?,
                backward: automaton(&hir, true).ok_or_else(too_large)?,
            }),
        }
    }

    /// The memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.forward.memory_usage() + self.backward.memory_usage()
    }

    /// Every match, in order and apart from each other: the leftmost, of these the one
    /// that the pattern prefers.
    pub fn find(&self, text: &str, mut put: impl FnMut(Range<usize>)) {
        let mut overlook = text.len().saturating_mul(OVERLOOK_TEXTS_MAX);
        let mut at = 0;
        while let Some(end) = self.end(text.as_bytes(), at, &mut overlook) {
            let input = Input::new(text).span(at..end).anchored(Anchored::Yes);
            let Ok(Some(start)) = self.backward.try_search_rev(&input) else { return };
            if end <= at {
                return;
            }
            put(start.offset()..end);
            at = end;
        }
    }

    /// Where the next match ends. What is looked at behind it is taken off `overlook`;
    /// when that is used up, the first match that is found will do.
    fn end(&self, text: &[u8], from: usize, overlook: &mut usize) -> Option<usize> {
        let dfa = &self.forward;
        let mut state = dfa.start_state_forward(&Input::new(text).range(from..)).ok()?;
        let (mut found, mut at) = (None, from);
        while let Some(byte) = text.get(at) {
            state = dfa.next_state(state, *byte);
            if dfa.is_special_state(state) {
                if dfa.is_dead_state(state) || dfa.is_quit_state(state) {
                    return found;
                }
                if dfa.is_match_state(state) {
                    // A match is told one byte late.
                    found = Some(at);
                } else {
                    at = skip(dfa, state, text, at + 1) - 1;
                }
            }
            at += 1;
            if found.is_some() {
                match overlook.checked_sub(1) {
                    Some(left) => *overlook = left,
                    None => return found,
                }
            }
        }
        let last = dfa.next_eoi_state(state);
        if dfa.is_match_state(last) { Some(text.len()) } else { found }
    }
}

/// The next place that can change a state.
fn skip(dfa: &dense::DFA<Vec<u32>>, state: StateID, text: &[u8], at: usize) -> usize {
    if !dfa.is_accel_state(state) {
        return at;
    }
    let rest = text.get(at..).unwrap_or_default();
    let next = match dfa.accelerator(state) {
        [a] => memchr::memchr(*a, rest),
        [a, b] => memchr::memchr2(*a, *b, rest),
        [a, b, c] => memchr::memchr3(*a, *b, *c, rest),
        _ => Some(0),
    };
    at + next.unwrap_or(rest.len())
}

fn too_large() -> String {
    format!(
        "needs an automaton of more than {AUTOMATON_BYTES_MAX} bytes; shorter repetitions and \
         smaller classes make it smaller"
    )
}

fn parse(pattern: &str) -> Result<Hir, String> {
    let reason = |kind: String| format!("is not a regular expression: {kind}");
    let mut parser = ParserBuilder::new().nest_limit(PATTERN_DEPTH_MAX).build();
    let mut ast = parser.parse(pattern).map_err(|error| reason(error.kind().to_string()))?;
    if plain::has_unicode_class(&ast) {
        return Err(r"has a class of Unicode's (\p); write a range such as [가-힣]".to_owned());
    }
    plain::make_ascii(&mut ast);
    let translated = TranslatorBuilder::new().utf8(true).build().translate(pattern, &ast);
    translated.map_err(|error| reason(error.kind().to_string()))
}

fn automaton(hir: &Hir, reverse: bool) -> Option<dense::DFA<Vec<u32>>> {
    let nfa: NFA = thompson::Compiler::new()
        .configure(
            thompson::Config::new()
                .reverse(reverse)
                .which_captures(WhichCaptures::None)
                .nfa_size_limit(Some(AUTOMATON_BYTES_MAX)),
        )
        .build_from_hir(hir)
        .ok()?;
    let (start, kind) = if reverse {
        (StartKind::Anchored, MatchKind::All)
    } else {
        (StartKind::Unanchored, MatchKind::LeftmostFirst)
    };
    dense::Builder::new()
        .configure(
            dense::Config::new()
                .start_kind(start)
                .match_kind(kind)
                .dfa_size_limit(Some(AUTOMATON_BYTES_MAX))
                .determinize_size_limit(Some(BUILDING_BYTES_MAX)),
        )
        .build_from_nfa(&nfa)
        .ok()
}

#[cfg(test)]
#[path = "custom/tests.rs"]
mod tests;
