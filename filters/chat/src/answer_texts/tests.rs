use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

mod captured;
mod golden;

/// Replaces a word, and keeps back what may still become it.
#[derive(Default)]
struct Swap {
    from: &'static str,
    to: &'static str,
    held: BTreeMap<Lane, String>,
}

impl Swap {
    fn new(from: &'static str, to: &'static str) -> Self {
        Self { from, to, held: BTreeMap::new() }
    }
}

impl LaneTexts for Swap {
    fn piece(&mut self, lane: &Lane, text: &str) -> Option<String> {
        assert!(!text.is_empty());
        let all = self.held.remove(lane).unwrap_or_default() + text;
        let replaced = all.replace(self.from, self.to);
        let kept = (1..self.from.len())
            .rev()
            .find(|n| self.from.get(..*n).is_some_and(|start| replaced.ends_with(start)));
        let (leaves, kept) = replaced.split_at(replaced.len() - kept.unwrap_or(0));
        if !kept.is_empty() {
            self.held.insert(*lane, kept.to_owned());
        }
        (leaves != text).then(|| leaves.to_owned())
    }

    fn holds(&self, lane: &Lane) -> bool {
        self.held.contains_key(lane)
    }

    fn end(&mut self, lane: &Lane) -> Option<String> {
        self.held.remove(lane)
    }

    fn whole(&mut self, _: Field, text: &str) -> Option<String> {
        assert!(!text.is_empty());
        text.contains(self.from).then(|| text.replace(self.from, self.to))
    }
}

const X: (&str, &str) = ("[X]", "a\"\\\n한");

/// What leaves of an answer that comes in pieces that end at `cuts`.
fn passed(form: Form, answer: &[u8], cuts: &[usize], swap: (&'static str, &'static str)) -> String {
    let mut texts = Swap::new(swap.0, swap.1);
    let mut passing = AnswerTexts::new(form, &Api::Chat);
    let mut out = Vec::new();
    let mut at = 0;
    for cut in cuts.iter().chain([&answer.len()]) {
        out.extend(passing.push(&answer[at..*cut], &mut texts));
        at = *cut;
    }
    out.extend(passing.finish(&mut texts));
    assert!(passing.finish(&mut texts).is_empty() && texts.held.is_empty());
    String::from_utf8(out).unwrap()
}

/// The same, whatever the cuts.
fn passed_any_way(form: Form, answer: &str, swap: (&'static str, &'static str)) -> String {
    let whole = passed(form, answer.as_bytes(), &[], swap);
    let every: Vec<_> = (0..answer.len()).collect();
    assert_eq!(passed(form, answer.as_bytes(), &every, swap), whole, "byte by byte");
    if answer.len() < 1_000 {
        for cut in 0..answer.len() {
            assert_eq!(passed(form, answer.as_bytes(), &[cut], swap), whole, "cut at {cut}");
        }
    }
    whole
}

fn stream(answer: &str) -> String {
    passed_any_way(Form::EventStream, answer, X)
}

fn json_answer(answer: &str) -> String {
    passed_any_way(Form::Json, answer, X)
}

/// The lanes of a stream, as a plain client puts them together.
fn told(stream: &str) -> BTreeMap<String, String> {
    let mut told = BTreeMap::new();
    let mut add = |lane: String, text: &Value| {
        if let Some(text) = text.as_str() {
            told.entry(lane).or_insert_with(String::new).push_str(text);
        }
    };
    for data in stream.lines().filter_map(|line| line.strip_prefix("data: ")) {
        let Ok(document) = serde_json::from_str::<Value>(data) else { continue };
        for choice in document["choices"].as_array().into_iter().flatten() {
            let index = &choice["index"];
            add(format!("{index} text"), &choice["text"]);
            for field in ["content", "reasoning", "reasoning_content", "refusal"] {
                add(format!("{index} {field}"), &choice["delta"][field]);
            }
            for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
                let call_index = &call["index"];
                add(format!("{index} call {call_index}"), &call["function"]["arguments"]);
                add(format!("{index} name {call_index}"), &call["function"]["name"]);
                add(format!("{index} id {call_index}"), &call["id"]);
            }
        }
        let kind = document["type"].as_str().unwrap_or_default();
        let place = format!(
            "{} {} {}",
            document["index"], document["output_index"], document["content_index"]
        );
        if kind == "content_block_delta" {
            for field in ["text", "thinking", "partial_json", "signature"] {
                add(format!("{place} {field}"), &document["delta"][field]);
            }
        } else if kind.ends_with(".delta") {
            add(format!("{place} {kind}"), &document["delta"]);
        }
    }
    told
}

/// Every lane of a stream says what it said, with the word replaced.
fn check_stream(answer: &str, swap: (&'static str, &'static str)) -> String {
    let out = passed_any_way(Form::EventStream, answer, swap);
    let plain = told(answer).into_iter().map(|(lane, text)| (lane, text.replace(swap.0, swap.1)));
    assert_eq!(told(&out), plain.collect());
    out
}

fn chat(delta: &str, finish: &str) -> String {
    format!(
        "data: {{\"id\":\"c\",\"choices\":[{{\"index\":0,\"delta\":{delta},\
         \"finish_reason\":{finish}}}]}}\n\n"
    )
}

#[test]
fn what_does_not_change_is_byte_identical() {
    for answer in [
        "\u{feff}: hello\r\n\r\ndata:  { \"choices\" : [ ] }\r\n\r\nevent: x\r\rdata\n\n\n\nid: 1\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"\\u0041\\/\"}}]}\n\ndata: [DONE]\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"choices\":1}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"\\ud800\\u0000\"}}]}\n\ndata: {\"choi",
        "data: not json\n\ndata: [1,2]\n\ndata: \"[X]\"\n\n",
        "",
        "\n\n\r\r\r\n\r\n",
    ] {
        assert_eq!(stream(answer), answer);
    }
    for body in ["", "{", "[]", "\"[X]\"", " {\"choices\" : [ ] } ", "{\"a\":1,\"a\":\"[X]\"}"] {
        assert_eq!(json_answer(body), body);
    }
}

#[test]
fn a_word_in_one_event_is_replaced_and_escaped() {
    let out = stream(&(chat(r#"{"content":"say [X]!"}"#, "null") + "data: [DONE]\n\n"));
    assert_eq!(out, chat(r#"{"content":"say a\"\\\n한!"}"#, "null") + "data: [DONE]\n\n");
}

#[test]
fn a_word_over_events_leaves_when_it_is_whole_and_no_event_is_lost() {
    let pieces = [r#"{"role":"assistant","content":"a ["}"#, r#"{"content":"X"}"#];
    let answer: String = pieces.iter().map(|delta| chat(delta, "null")).collect();
    let out = stream(&(answer + &chat(r#"{"content":"] b"}"#, "null") + &chat("{}", "\"stop\"")));
    let expected = chat(r#"{"role":"assistant","content":"a "}"#, "null")
        + &chat(r#"{"content":""}"#, "null")
        + &chat(r#"{"content":"a\"\\\n한 b"}"#, "null")
        + &chat("{}", "\"stop\"");
    assert_eq!(out, expected);
}

#[test]
fn what_is_kept_back_leaves_in_the_last_event_of_its_lane_or_before_it() {
    let answer = chat(r#"{"content":"a [X"}"#, "null");
    let finish = chat(r#"{"content":""}"#, "\"stop\"");
    let expected = chat(r#"{"content":"a "}"#, "null") + &chat(r#"{"content":"[X"}"#, "\"stop\"");
    assert_eq!(stream(&(answer.clone() + &finish)), expected);
    let finish = chat(r#"{"content":null}"#, "\"stop\"");
    let expected =
        chat(r#"{"content":"a "}"#, "null") + &chat(r#"{"content":"[X"}"#, "null") + &finish;
    assert_eq!(stream(&(answer.clone() + &finish)), expected);
    let same = chat(r#"{"content":"a [X"}"#, "\"length\"");
    assert_eq!(stream(&same), same);
    let done = "data: [DONE]\n\n";
    let expected = chat(r#"{"content":"a "}"#, "null") + &chat(r#"{"content":"[X"}"#, "null");
    assert_eq!(stream(&(answer.clone() + done)), expected.clone() + done);
    assert_eq!(stream(&answer), expected);
    let error = "data: {\"error\":{\"message\":\"no [X]\"}}\n\n";
    let told = "data: {\"error\":{\"message\":\"no a\\\"\\\\\\n한\"}}\n\n";
    assert_eq!(stream(&(answer + error)), expected + told);
}

#[test]
fn names_of_an_object_are_texts_and_stay_in_an_event_that_is_made_like_theirs() {
    let event = |said: &str, input: &str| {
        chat(&format!(r#"{{"content":"{said}","input":{input}}}"#), "null")
    };
    let out = stream(&event("a [", r#"{"[X]":"[X]","k":"v","":1}"#));
    let expected = event("a ", r#"{"a\"\\\n한":"a\"\\\n한","k":"v","":1}"#)
        + &event("[", r#"{"[X]":"","k":"","":1}"#);
    assert_eq!(out, expected);
}

#[test]
fn another_field_of_the_choice_ends_a_lane_and_another_choice_does_not() {
    let thought = chat(r#"{"reasoning":"a ["}"#, "null");
    let said = chat(r#"{"content":"b"}"#, "null");
    let expected = chat(r#"{"reasoning":"a "}"#, "null") + &chat(r#"{"reasoning":"["}"#, "null");
    assert_eq!(stream(&(thought.clone() + &said)), expected + &said);
    let other = said.replace("\"index\":0", "\"index\":1");
    let rest = chat(r#"{"reasoning":"X]"}"#, "null");
    let expected = chat(r#"{"reasoning":"a "}"#, "null")
        + &other
        + &chat(r#"{"reasoning":"a\"\\\n한"}"#, "null");
    assert_eq!(stream(&(thought + &other + &rest)), expected);
}

#[test]
fn one_thought_in_two_fields_is_replaced_in_both() {
    let pieces = ["a [", "X", "] b"];
    let delta = |text| format!(r#"{{"reasoning":"{text}","reasoning_content":"{text}"}}"#);
    let answer: String = pieces.iter().map(|piece| chat(&delta(piece), "null")).collect();
    check_stream(&answer, X);
}

#[test]
fn one_more_event_says_nothing_twice() {
    let first = r#"data: {"id":"c","choices":[{"index":0,"delta":{"content":"hi","tool_calls":[{"index":1,"id":"t","type":"function","function":{"name":"f","arguments":"{\"a\":\"["}}]},"logprobs":{"content":[{"token":"x"}]},"finish_reason":null},{"index":1,"delta":{},"finish_reason":"stop"}],"usage":{"total_tokens":3}}"#;
    let more = r#"data: {"id":"c","choices":[{"index":0,"delta":{"content":"","tool_calls":[{"index":1,"id":null,"type":"function","function":{"name":null,"arguments":"["}}]},"logprobs":null,"finish_reason":null},{"index":1,"delta":{},"finish_reason":null}],"usage":null}"#;
    // Where the stream ends with the event that has the text, it leaves there.
    let cut_off = format!("event: e\n{first}\n");
    assert_eq!(stream(&cut_off), cut_off);
    let out = stream(&format!("event: e\r\n{first}\r\n\r\ndata: [DONE]\r\n\r\n"));
    assert!(out.contains(&format!("\r\n\r\nevent: e\r\n{more}\r\n\r\ndata: [DONE]")), "{out}");
}

#[test]
fn data_of_several_lines_are_one_document() {
    let answer = "data: {\"choices\":[{\"delta\":\nid: 7\ndata: {\"content\":\"[X]\"},\r\ndata:\"index\":0}]}\n\n";
    let out = stream(answer);
    assert_eq!(out, answer.replace("[X]", "a\\\"\\\\\\n한"));
    let answer = answer.replace("[X]", "[X");
    let out = stream(&(answer.clone() + "data: [DONE]\n\n"));
    let more = "data: {\"choices\":[{\"delta\": {\"content\":\"[X\"}, \"index\":0}]}\n\n";
    assert_eq!(out, answer.replace("[X", "") + more + "data: [DONE]\n\n");
}

#[test]
fn an_event_over_the_bound_passes_as_it_is() {
    let mut texts = Swap::new("[X]", "x");
    let held = chat(r#"{"content":"[X"}"#, "null");
    let long = chat(&format!(r#"{{"content":"[X]{}"}}"#, "a".repeat(NUMBERS_BYTES_MAX)), "null");
    let short = chat(r#"{"content":"[X]"}"#, "null");
    let answer = held.clone() + &long + &short;
    let expected = chat(r#"{"content":""}"#, "null") + &held + &long + &short.replace("[X]", "x");
    for size in [answer.len(), 1000, 7] {
        let mut passing = AnswerTexts::new(Form::EventStream, &Api::Embeddings);
        let chunks = answer.as_bytes().chunks(size);
        let mut out: Vec<u8> = chunks.flat_map(|c| passing.push(c, &mut texts)).collect();
        out.extend(passing.finish(&mut texts));
        assert_eq!(String::from_utf8(out).unwrap(), expected, "{size}");
    }
    let mut passing = AnswerTexts::new(Form::Json, &Api::Embeddings);
    let mut out = passing.push(long.as_bytes(), &mut texts);
    out.extend(passing.push(b"[X]", &mut texts));
    out.extend(passing.finish(&mut texts));
    assert_eq!(out, [long.as_bytes(), b"[X]"].concat());
}

#[test]
fn halves_of_characters_do_not_hide_a_text() {
    let answer = chat(r#"{"content":"\ud83d\ude00 \ud83d \\ud83d [X]\u0000"}"#, "null");
    let expected = chat("{\"content\":\"😀 \u{fffd} \\\\ud83d a\\\"\\\\\\n한\u{fffd}\"}", "null");
    assert_eq!(stream(&answer), expected);
}

#[test]
fn whole_answers_are_replaced_wherever_they_have_texts() {
    for (body, replaced) in [
        (
            r#"{"choices":[{"index":0,"message":{"role":"[X]","content":"[X]","reasoning":"[X]","reasoning_content":"[X]","refusal":"[X]","tool_calls":[{"id":"[X]","function":{"name":"[X]","arguments":"{\"a\":\"[X]\"}"}}]},"finish_reason":"[X]"}],"model":"[X]"}"#,
            5,
        ),
        (
            r#"{"choices":[{"message":{"content":[{"type":"text","text":"[X]"},"[X]"],"function_call":{"name":"[X]","arguments":"[X]"},"audio":{"data":"[X]","transcript":"[X]"}}}]}"#,
            4,
        ),
        (r#"{"choices":[{"text":"[X]","logprobs":{"tokens":["[X]"]}}],"id":"[X]"}"#, 1),
        (
            r#"{"type":"message","role":"assistant","content":[{"type":"thinking","thinking":"[X]","signature":"[X]"},{"type":"text","text":"[X]"},{"type":"tool_use","id":"[X]","name":"[X]","input":{"a":"[X]","[X]":["[X]",{"b":"[X]"}]}}]}"#,
            6,
        ),
        (
            r#"{"object":"response","instructions":"[X]","metadata":{"a":"[X]"},"output":[{"type":"reasoning","summary":[{"text":"[X]"}],"content":[{"type":"reasoning_text","text":"[X]"}],"encrypted_content":"[X]"},{"type":"message","content":[{"type":"output_text","text":"[X]"},{"type":"refusal","refusal":"[X]"}]},{"type":"function_call","call_id":"[X]","arguments":"[X]"}],"text":{"format":{"name":"[X]"}},"tools":[{"name":"[X]"}]}"#,
            7,
        ),
        (
            r#"{"results":[{"index":0,"document":{"text":"[X]"}},{"document":"[X]"}],"model":"[X]"}"#,
            2,
        ),
        (r#"{"error":{"message":"[X]","code":"[X]","type":"[X]"}}"#, 1),
        (r#"{"object":"error","message":"[X]","type":"[X]"}"#, 1),
        (r#"{"detail":[{"loc":["[X]"],"msg":"[X]"}]}"#, 2),
        (r#"{"error":"[X]"}"#, 1),
        (r#"{"text":"[X]"}"#, 1),
        (r#"{"data":[{"embedding":[0.1]}],"unknown":"[X]"}"#, 0),
    ] {
        let out = json_answer(body);
        assert_eq!(out.matches("a\\\"\\\\\\n한").count(), replaced, "{out}");
        assert_eq!(out.replace("a\\\"\\\\\\n한", "[X]"), body);
    }
}

#[test]
fn fields_and_lanes_are_told() {
    struct Notes(Vec<(Lane, String)>, Vec<(Field, String)>);
    impl LaneTexts for Notes {
        fn piece(&mut self, lane: &Lane, text: &str) -> Option<String> {
            self.0.push((*lane, text.to_owned()));
            None
        }
        fn holds(&self, _: &Lane) -> bool {
            false
        }
        fn end(&mut self, _: &Lane) -> Option<String> {
            None
        }
        fn whole(&mut self, field: Field, text: &str) -> Option<String> {
            self.1.push((field, text.to_owned()));
            None
        }
    }
    let mut notes = Notes(Vec::new(), Vec::new());
    let mut passing = AnswerTexts::new(Form::EventStream, &Api::Chat);
    for data in [
        r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"a"},"index":3}]},"index":2}]}"#,
        r#"{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"text":"b"}]},{"text":"c"}]}}]}"#,
        r#"{"delta":{"type":"input_json_delta","partial_json":"d"},"index":4,"type":"content_block_delta"}"#,
        r#"{"delta":"e","output_index":5,"content_index":6,"type":"response.refusal.delta"}"#,
        r#"{"delta":"base64","type":"response.audio.delta"}"#,
        r#"{"choices":[{"text":"f","index":1}]}"#,
        r#"{"item":{"content":[{"text":"g"}]},"type":"response.output_item.done"}"#,
        r#"{"content_block":{"type":"tool_use","input":{"h":["i"]}},"type":"content_block_start"}"#,
    ] {
        let event = format!("data: {data}\n\n");
        assert_eq!(passing.push(event.as_bytes(), &mut notes), event.as_bytes());
    }
    let lane = |choice, field, part| Lane { choice, field, part };
    let told: Vec<_> = notes.0.iter().map(|(lane, text)| (*lane, text.as_str())).collect();
    assert_eq!(
        told,
        [
            (lane(2, Field::Arguments, 3), "a"),
            (lane(0, Field::Reasoning, 0), "b"),
            (lane(0, Field::Text, 0), "c"),
            (lane(4, Field::Arguments, 0), "d"),
            (lane(5, Field::Refusal, 6), "e"),
            (lane(1, Field::Text, 0), "f"),
        ]
    );
    let wholes: Vec<_> = notes.1.iter().map(|(field, text)| (*field, text.as_str())).collect();
    assert_eq!(wholes, [(Field::Text, "g"), (Field::Value, "h"), (Field::Value, "i")]);
}

proptest! {
    #[test]
    fn a_text_cut_over_events_in_any_way_is_replaced(
        texts in proptest::collection::vec("[\\[\\]Xa]{0,5}", 0..8),
        choices in proptest::collection::vec(0..2u8, 8),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..4),
    ) {
        let event = |(text, choice): (&String, &u8)| {
            let delta = chat(&format!(r#"{{"content":"{text}"}}"#), "null");
            delta.replace("\"index\":0", &format!("\"index\":{choice}"))
        };
        let answer: String = texts.iter().zip(&choices).map(event).collect();
        let whole = passed(Form::EventStream, answer.as_bytes(), &[], X);
        let plain = told(&answer).into_iter().map(|(lane, text)| (lane, text.replace(X.0, X.1)));
        prop_assert_eq!(told(&whole), plain.collect());
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(answer.len() + 1)).collect();
        cuts.sort_unstable();
        prop_assert_eq!(passed(Form::EventStream, answer.as_bytes(), &cuts, X), whole);
    }

    #[test]
    fn any_bytes_pass(bytes in "(data|event|:|\\{|\\}|\"|\\\\|\r|\n|choices|[a-z]){0,40}") {
        prop_assert_eq!(passed_any_way(Form::EventStream, &bytes, X), bytes.clone());
        prop_assert_eq!(passed_any_way(Form::Json, &bytes, X), bytes);
    }
}
