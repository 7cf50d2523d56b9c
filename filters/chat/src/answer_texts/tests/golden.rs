//! Conversations of every API and engine, with a word of theirs cut in every way.

use super::*;

/// A conversation whose texts say `{}`, each event one of these pieces of it.
fn cut_over_events(event: impl Fn(&str) -> String, text: &str, every: usize) -> String {
    let pieces: Vec<_> = text.as_bytes().chunks(every).collect();
    pieces.iter().map(|piece| event(std::str::from_utf8(piece).unwrap())).collect()
}

const TEXT: &str = "to [X], [X][X] and [Y] [[X]] [X";

/// How long pieces are, in bytes.
const EVERY: [usize; 6] = [1, 2, 3, 5, 8, TEXT.len()];

const MESSAGES: [(&str, &str); 3] = [
    (
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
        "text_delta\",\"text",
    ),
    (
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\"}}\n\n",
        "thinking_delta\",\"thinking",
    ),
    (
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}}\n\n",
        "input_json_delta\",\"partial_json",
    ),
];

#[test]
fn messages() {
    for (start, delta) in MESSAGES {
        for every in EVERY {
            let event = |piece: &str| {
                format!(
                    "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{{\"type\":\"{delta}\":\"{piece}\"}}}}\n\n"
                )
            };
            let stop = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":1}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
            let answer = format!("{start}{}{stop}", cut_over_events(event, TEXT, every));
            let out = check_stream(&answer, X);
            assert!(out.starts_with(start) && out.ends_with(stop));
        }
    }
}

#[test]
fn responses() {
    for kind in ["output_text", "reasoning_text", "refusal", "function_call_arguments"] {
        for every in EVERY {
            let event = |piece: &str| {
                format!(
                    "event: response.{kind}.delta\ndata: {{\"delta\":\"{piece}\",\"content_index\":0,\"output_index\":2,\"type\":\"response.{kind}.delta\"}}\n\n"
                )
            };
            let done = format!(
                "event: response.{kind}.done\ndata: {{\"text\":\"{TEXT}\",\"output_index\":2,\"type\":\"response.{kind}.done\"}}\n\n"
            );
            let answer = cut_over_events(event, TEXT, every) + &done;
            let out = check_stream(&answer, X);
            assert!(out.ends_with(&done.replace("[X]", "a\\\"\\\\\\n한")), "{out}");
        }
    }
}

#[test]
fn chat_and_completions() {
    for delta in [
        "\"delta\":{\"content\":\"{}\"}",
        "\"delta\":{\"reasoning_content\":\"{}\"}",
        "\"delta\":{\"refusal\":\"{}\"}",
        "\"delta\":{\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":\"{}\"}}]}",
        "\"text\":\"{}\"",
    ] {
        for every in EVERY {
            let event = |piece: &str| {
                let delta = delta.replace("{}", piece);
                format!(
                    "data: {{\"choices\":[{{{delta},\"index\":0,\"finish_reason\":null}}]}}\n\n"
                )
            };
            let end = "data: {\"choices\":[{\"delta\":{},\"index\":0,\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
            let out = check_stream(&(cut_over_events(event, TEXT, every) + end), X);
            assert!(out.ends_with(end), "{out}");
        }
    }
}
