use proptest::prelude::*;

use super::{Digits, Scene};
use crate::evidence::words;

words!(PHONE = ["전화", "phone", "tel"]);

#[test]
fn places_are_found_in_any_chunk() {
    let text = format!("{}12:3@{}045", "가".repeat(21), "-".repeat(60));
    let scene = Scene::of(&text);
    let runs: Vec<_> = scene.digits().iter().map(|run| scene.slice(run.start..run.end)).collect();
    assert_eq!(runs, ["12", "3", "045"]);
    assert_eq!(scene.colons(), [65]);
    assert_eq!(scene.ats(), [67]);
}

#[test]
fn gaps_lie_between_runs() {
    let scene = Scene::of("call 010-1234 5678");
    assert_eq!(scene.gap(0), Some("-"));
    assert_eq!(scene.gap(1), Some(" "));
    assert_eq!(scene.gap(2), None);
    assert_eq!(*scene.digits_of(5..18), [0, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn windows_are_cut_by_characters() {
    let text = format!("전화{}가나", " ".repeat(38));
    let scene = Scene::of(&text);
    let at = text.len() - 6;
    assert!(scene.says_before(at, &PHONE));
    assert!(!scene.says_before(at + 3, &PHONE));
    assert!(!scene.says_before_within(at, 39, &PHONE));
    assert_eq!(scene.chars_before(at + 6, 2), "가나");
    assert_eq!(scene.chars_behind(at, 1), "가");
    assert_eq!(scene.chars_behind(0, 0), "");
    assert_eq!(scene.chars_before(6, 0), "");
    assert_eq!(scene.chars_behind(0, 1000), text);
    assert_eq!(scene.chars_before(text.len(), 1000), text);
}

#[test]
fn lines_can_bound_a_window() {
    let scene = Scene::of("phone\n12\ntel");
    assert!(scene.says_before(6, &PHONE) && !scene.says_before_on_line(6, &PHONE));
    assert!(scene.says_behind(8, &PHONE) && !scene.says_behind_on_line(8, &PHONE));
    assert_eq!(scene.line(7), 6..8);
    assert_eq!(scene.line(12), 9..12);
}

#[test]
fn latin_words_stand_by_themselves() {
    let scene = Scene::of("hotel telephone TEL: 휴대전화는 ");
    assert!(!PHONE.stand_in("hotel telephone"));
    assert!(scene.says_behind_within(0, 20, &PHONE));
    assert!(scene.says_behind_within(21, 6, &PHONE));
}

proptest! {
    #[test]
    fn digits_are_what_a_plain_reader_finds(text in "[0-9a@:가 ]{0,300}") {
        let scene = Scene::of(&text);
        let mut runs: Vec<Digits> = Vec::new();
        for (at, _) in text.match_indices(|c: char| c.is_ascii_digit()) {
            match runs.last_mut() {
                Some(run) if run.end == at => run.end = at + 1,
                _ => runs.push(Digits { start: at, end: at + 1 }),
            }
        }
        prop_assert_eq!(scene.digits(), runs);
        prop_assert!(scene.ats().iter().copied().eq(text.match_indices('@').map(|(at, _)| at)));
    }

    #[test]
    fn windows_are_what_a_plain_reader_cuts(text in "[a가é𝟘]{0,30}", at: usize, chars in 0usize..12) {
        let scene = Scene::of(&text);
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let index = at % places.len();
        let at = places[index];
        prop_assert_eq!(scene.chars_before(at, chars), &text[places[index.saturating_sub(chars)]..at]);
        let end = places[(index + chars).min(places.len() - 1)];
        prop_assert_eq!(scene.chars_behind(at, chars), &text[at..end]);
    }
}
