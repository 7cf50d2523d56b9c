use super::*;
use crate::memory::Memory;

fn stream(events: u64, bytes: u64, output: u64) -> Seen {
    Seen { delivered: Delivered { events, bytes }, output, request_bytes: 600, input: 100 }
}

fn taught(answers: impl Iterator<Item = Seen>) -> Learned {
    let table = Memory::default();
    for (turn, seen) in answers.enumerate() {
        learn(&table, "p", turn as u64, &seen);
    }
    Learned::of(&table, "p")
}

#[test]
fn before_anything_is_known() {
    let learned = Learned::of(&Memory::default(), "p");
    let tokens = |events, bytes| learned.output_tokens(Delivered { events, bytes });
    assert_eq!([tokens(7, 100), tokens(0, 100), tokens(0, 1)], [7, 25, 1]);
    assert_eq!([tokens(0, 0), tokens(9, 4), tokens(3, 0)], [0, 4, 0], "a token has a byte");
    assert_eq!([learned.input_tokens(0), learned.input_tokens(2)], [0, 1]);
    assert_eq!(learned.input_tokens(4_000), 1_000);
}

#[test]
fn an_engine_with_a_token_an_event_is_counted_to_the_token() {
    let learned = taught((1..100).map(|n| stream(n * 3, n * 3 * (3 + n % 4), n * 3)));
    for events in [1, 17, 5_000] {
        assert_eq!(learned.output_tokens(Delivered { events, bytes: events * 9 }), events);
    }
}

#[test]
fn an_engine_that_sends_several_is_counted_by_bytes() {
    // Five bytes a token; from one to eight tokens an event.
    let learned = taught((1..100).map(|n| stream(40, 40 * 5 * (1 + n % 8), 40 * (1 + n % 8))));
    for tokens in [20, 1_000, 30_000] {
        let found = learned.output_tokens(Delivered { events: tokens / 3, bytes: tokens * 5 });
        assert!(found.abs_diff(tokens) * 50 <= tokens, "{found} of {tokens}");
    }
}

#[test]
fn an_engine_with_two_tokens_each_event_is_counted_by_events() {
    let learned = taught((1..200).map(|n| stream(100, 100 * (5 + n % 9), 200)));
    assert_eq!(learned.output_tokens(Delivered { events: 500, bytes: 9_999 }), 1_000);
}

#[test]
fn whole_answers_teach_bytes_alone() {
    let learned = taught((0..100).map(|_| stream(0, 300, 100)));
    assert_eq!(learned.output_tokens(Delivered { events: 0, bytes: 3_000 }), 1_000);
    assert_eq!(learned.output_tokens(Delivered { events: 8, bytes: 3_000 }), 8);
    assert_eq!(learned.input_tokens(6_000), 1_000);
}

#[test]
fn one_odd_answer_does_not_turn_it() {
    let usual = (0..100).map(|_| stream(100, 450, 100));
    let odd = std::iter::once(stream(1, 450, 100));
    let learned = taught(usual.chain(odd).chain((0..40).map(|_| stream(100, 450, 100))));
    let found = learned.output_tokens(Delivered { events: 1_000, bytes: 4_500 });
    assert!(found.abs_diff(1_000) <= 20, "{found}");
}

#[test]
fn later_answers_are_learned_from_one_in_eight() {
    let learned = taught((0..64 + 80).map(|_| stream(10, 40, 10)));
    assert_eq!(learned.answers, LEARNED_FIRST + 10);
}

#[test]
fn what_is_broken_is_as_nothing() {
    let table = Memory::default();
    for value in [vec![], vec![1; 5], vec![9; 57], vec![1, 2]] {
        table.put("est/p", value);
        assert_eq!(Learned::of(&table, "p"), Learned::default());
    }
    table.put("est/p", [vec![1], vec![255; 60]].concat());
    let learned = Learned::of(&table, "p");
    assert_eq!(learned.output_tokens(Delivered { events: u64::MAX, bytes: 9 }), 9);
    learn(&table, "p", 0, &stream(u64::MAX, u64::MAX, u64::MAX));
}
