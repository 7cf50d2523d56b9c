use super::*;
use crate::sample::Made;

fn labelled(pieces: Vec<Made>) -> Labelled {
    let mut labelled = Labelled::default();
    pieces.into_iter().for_each(|made| labelled.push(made));
    labelled
}

fn finding(of: PiiType, span: Range<usize>) -> Finding {
    Finding { of, span }
}

/// `to a@b.kr, 010-1, 1.2.3`: mail at 3, phone at 11, version at 18.
fn text() -> Labelled {
    labelled(vec![
        Made::plain("to "),
        Made::pii(PiiType::Email, "plain", "a@b.kr"),
        Made::plain(", "),
        Made::pii(PiiType::Phone, "mobile", "010-1"),
        Made::plain(", "),
        Made::look_alike("version", "1.2.3"),
    ])
}

#[test]
fn half_right_and_one_too_many() {
    let mut scores = Scores::default();
    let found = [finding(PiiType::Email, 3..9), finding(PiiType::IpAddress, 18..23)];
    let outcome = scores.add("chat", &text(), &found);
    assert_eq!(scores.all(), Tally { right: 1, missed: 1, wrong: 1 });
    assert!((scores.all().f1() - 0.5).abs() < 1e-9);
    assert_eq!(scores.leaking, [1, 1]);
    assert_eq!(scores.look_alikes_hit(), [1, 1]);
    assert_eq!(scores.confusion.get(&("version", PiiType::IpAddress)), Some(&1));
    assert_eq!(outcome.leaks.len(), 1);
}

#[test]
fn punctuation_at_the_ends_does_not_count() {
    let found = [finding(PiiType::Email, 3..10), finding(PiiType::Phone, 10..16)];
    let outcome = Outcome::of(&text(), &found);
    assert!(outcome.values.iter().all(|(.., fate)| *fate == Fate::Right));
    assert!(outcome.wrong.is_empty() && outcome.leaks.is_empty() && outcome.hit.is_empty());
}

#[test]
fn other_edges_are_wrong_twice_but_leak_only_what_is_outside() {
    let wide = Outcome::of(&text(), &[finding(PiiType::Email, 0..9)]);
    assert_eq!(wide.values.first().map(|(.., fate)| fate.clone()), Some(Fate::Edges));
    assert_eq!((wide.wrong.len(), wide.leaks.len()), (1, 1));
    let narrow = Outcome::of(&text(), &[finding(PiiType::Email, 5..9)]);
    assert_eq!((narrow.wrong.len(), narrow.leaks.len()), (1, 2));
}

#[test]
fn another_type_is_wrong_and_does_not_leak() {
    let found = [finding(PiiType::Email, 3..9), finding(PiiType::Secret, 11..16)];
    let outcome = Outcome::of(&text(), &found);
    assert_eq!(outcome.values[1].2, Fate::Taken(PiiType::Secret));
    assert_eq!((outcome.wrong.len(), outcome.leaks.len()), (1, 0));
}

#[test]
fn what_is_as_right_counts_as_right() {
    let made = Made::pii(PiiType::Mrn, "MRN-", "1234").between("MRN-", "").or_all();
    let text = labelled(vec![made]);
    for span in [0..8, 4..8] {
        let outcome = Outcome::of(&text, &[finding(PiiType::Mrn, span)]);
        assert_eq!(outcome.values[0].2, Fate::Right);
        assert!(outcome.wrong.is_empty() && outcome.leaks.is_empty());
    }
}

#[test]
fn what_is_neutral_alters_nothing() {
    let text = labelled(vec![Made::neutral("neutral", "127.0.0.1"), Made::plain(" 9.9.9.9")]);
    let mut scores = Scores::default();
    scores.add("log", &text, &[finding(PiiType::IpAddress, 0..9)]);
    assert_eq!((scores.altered, scores.all()), ([0, 1], Tally::default()));
    scores.add("log", &text, &[finding(PiiType::IpAddress, 10..17)]);
    assert_eq!((scores.altered, scores.all().wrong), ([1, 2], 1));
}
