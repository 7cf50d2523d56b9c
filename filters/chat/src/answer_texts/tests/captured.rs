//! Every recorded answer of a real engine.

use super::*;
use crate::captures::{Message, files, message};

/// Words that the recorded answers say, with one that needs escapes for each.
const WORDS: [(&str, &str); 3] = [("Hello", "<\"안녕\\n>"), (" help", "?"), ("you", "")];

fn form(message: &Message) -> Option<Form> {
    let media = message.header("content-type")?;
    if media.starts_with("text/event-stream") {
        return Some(Form::EventStream);
    }
    media.contains("json").then_some(Form::Json)
}

#[test]
fn an_answer_that_does_not_change_is_the_same_at_any_cut() {
    let mut seen = 0;
    for path in files(".response.http") {
        let message = message(&path);
        let Some(form) = form(&message) else { continue };
        let every: Vec<_> = (0..message.body.len()).collect();
        for cuts in [&[][..], &every] {
            let out = passed(form, &message.body, cuts, ("\u{1}", ""));
            assert!(out.as_bytes() == message.body, "{}", path.display());
        }
        seen += 1;
    }
    assert!(seen > 150);
}

#[test]
fn every_lane_of_a_stream_says_the_same_with_words_replaced() {
    let mut changed = 0;
    for path in files(".response.http") {
        let message = message(&path);
        if form(&message) != Some(Form::EventStream) {
            continue;
        }
        let text = std::str::from_utf8(&message.body).unwrap();
        for (from, to) in WORDS {
            let whole = passed(Form::EventStream, &message.body, &[], (from, to));
            let every: Vec<_> = (0..text.len()).collect();
            assert_eq!(passed(Form::EventStream, &message.body, &every, (from, to)), whole);
            for cut in (0..text.len()).step_by(1 + text.len() / 12) {
                let cuts = [cut, (cut + 7).min(text.len())];
                assert_eq!(passed(Form::EventStream, &message.body, &cuts, (from, to)), whole);
            }
            let plain = told(text).into_iter();
            let plain = plain.map(|(lane, text)| (lane, text.replace(from, to))).collect();
            assert_eq!(told(&whole), plain, "{}", path.display());
            changed += usize::from(whole != text);
        }
    }
    assert!(changed > 40, "{changed}");
}

#[test]
fn every_document_of_the_recorded_answers_is_read() {
    for path in files(".response.http") {
        let message = message(&path);
        let text = String::from_utf8_lossy(&message.body);
        for data in text.lines().filter_map(|line| line.strip_prefix("data: {")) {
            let data = format!("{{{data}");
            let is_json = serde_json::from_str::<Value>(&data).is_ok();
            let mut document = Document::default();
            assert_eq!(document.read(data.as_bytes(), true).is_some(), is_json, "{data}");
        }
    }
}
