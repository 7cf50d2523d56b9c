//! Numbers as they are read out in Korean: 공일공-일이삼사-오육칠팔.
//!
//! The same syllables are words and particles (이, 일, 사, 구), so a number has at least
//! [`PLACES_MIN`] of them.

use std::ops::Range;

use super::phrases::Change;

/// The shortest number that is read: a telephone number without its area.
const PLACES_MIN: usize = 7;

/// How many syllables in a row show that digits are being read out.
const SYLLABLES_MIN: usize = 3;

/// What 이 begins a particle or an ending with: 이고, 이니, 이다, 이에요.
const ENDINGS: &[&str] = &["고", "니", "다", "에", "야", "며", "라", "지", "었", "므", "예", "십"];

/// Puts down every digit of a number that is read out.
pub fn read(text: &str, changes: &mut Vec<Change>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(first) = first_syllable(bytes, at) {
        let mut number = Number::read(bytes, first);
        at = number.end();
        number.trim(bytes);
        if number.counts() {
            number.tell(changes);
        }
    }
}

/// A digit with its value and whether a syllable says it.
struct Place {
    span: Range<usize>,
    value: u8,
    is_spoken: bool,
    /// What stands before it, behind the digit before.
    joint: Joint,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    None,
    Dash,
    Space,
    /// `에` is how a dash is read out.
    Spoken,
}

struct Number {
    places: Vec<Place>,
}

impl Number {
    fn read(bytes: &[u8], first: usize) -> Self {
        let mut places: Vec<Place> = Vec::new();
        let mut at = first;
        loop {
            let (joint, len) = if places.is_empty() { (Joint::None, 0) } else { joint(bytes, at) };
            let Some((value, width)) = digit(bytes, at + len) else { break };
            let span = at + len..at + len + width;
            at = span.end;
            places.push(Place { span, value, is_spoken: width > 1, joint });
        }
        Self { places }
    }

    fn end(&self) -> usize {
        self.places.last().map_or(usize::MAX, |place| place.span.end)
    }

    /// Takes off words that only look like digits: 이사 before a number, 이에요 behind it.
    fn trim(&mut self, bytes: &[u8]) {
        let starts_mobile = |two: &[Place]| matches!(two, [a, b] if a.value == 0 && b.value == 1 && a.joint == Joint::Space);
        if let Some(start) = self.places.windows(2).position(starts_mobile) {
            self.places.drain(..start);
        }
        let rest = bytes.get(self.end()..).unwrap_or_default();
        let is_particle = |last: &Place| last.is_spoken && last.value == 2 && goes_on(rest);
        if self.places.last().is_some_and(is_particle) {
            self.places.pop();
        }
        let has_run = self.places.iter().skip(1).any(|place| place.joint == Joint::None);
        let is_followed = matches!(rest, [b' ' | 0xEA..=0xED, ..]);
        while is_followed
            && has_run
            && self.places.len() > PLACES_MIN
            && self.places.last().is_some_and(|last| last.joint == Joint::Space && last.is_spoken)
        {
            self.places.pop();
        }
    }

    fn counts(&self) -> bool {
        let mut in_a_row = 0;
        let mut longest = 0;
        for place in &self.places {
            let goes_on = place.is_spoken && place.joint == Joint::None;
            in_a_row = if goes_on { in_a_row + 1 } else { usize::from(place.is_spoken) };
            longest = longest.max(in_a_row);
        }
        let all_spoken = self.places.iter().all(|place| place.is_spoken);
        let has_zero = self.places.iter().any(|place| place.value == 0);
        self.places.len() >= PLACES_MIN && (longest >= SYLLABLES_MIN || (all_spoken && has_zero))
    }

    fn tell(&self, changes: &mut Vec<Change>) {
        let mut end = None;
        for place in &self.places {
            if let (Joint::Spoken, Some(end)) = (place.joint, end) {
                changes.push(Change::to('-', end..place.span.start));
            }
            if place.is_spoken {
                changes.push(Change::to(char::from(b'0' + place.value), place.span.clone()));
            }
            end = Some(place.span.end);
        }
    }
}

fn goes_on(rest: &[u8]) -> bool {
    ENDINGS.iter().any(|ending| rest.starts_with(ending.as_bytes()))
}

fn first_syllable(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let rest = bytes.get(at..)?;
        at += rest.iter().position(|byte| matches!(byte, 0xEA..=0xED))?;
        if syllable(bytes.get(at..at + 3)?).is_some() {
            return Some(at);
        }
        at += 3;
    }
}

fn digit(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    match bytes.get(at)? {
        byte @ b'0'..=b'9' => Some((byte - b'0', 1)),
        _ => syllable(bytes.get(at..at + 3)?).map(|value| (value, 3)),
    }
}

fn syllable(bytes: &[u8]) -> Option<u8> {
    let &[a, b, c] = bytes else { return None };
    Some(match u32::from_be_bytes([0, a, b, c]) {
        0xEA_B3B5 | 0xEC_9881 => 0,
        0xEC_9DBC => 1,
        0xEC_9DB4 => 2,
        0xEC_82BC => 3,
        0xEC_82AC => 4,
        0xEC_98A4 => 5,
        0xEC_9CA1 | 0xEB_A5A9 => 6,
        0xEC_B9A0 => 7,
        0xED_8C94 => 8,
        0xEA_B5AC => 9,
        _ => return None,
    })
}

fn joint(bytes: &[u8], at: usize) -> (Joint, usize) {
    let rest = bytes.get(at..).unwrap_or_default();
    match rest {
        [b'-' | b'.', ..] => (Joint::Dash, 1),
        [b' ', b'-', b' ', ..] => (Joint::Dash, 3),
        [b' ', ..] => (Joint::Space, 1),
        // 에
        [0xEC, 0x97, 0x90, b' ', ..] => (Joint::Spoken, 4),
        [0xEC, 0x97, 0x90, ..] => (Joint::Spoken, 3),
        _ => (Joint::None, 0),
    }
}
