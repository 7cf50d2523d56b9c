//! An answer in the words of Anthropic's Messages, as vLLM 0.32 writes them.

use std::ops::Range;

use super::answer::{Answer, Finish, quoted};

pub(super) fn json(answer: &Answer) -> String {
    let (text, reason) = (quoted(&answer.whole_text()), stop_reason(answer));
    let Answer { id, model, .. } = answer;
    let usage = usage(answer);
    format!(
        r#"{{"id":"chatcmpl-{id}","type":"message","role":"assistant","content":[{{"type":"text","text":{text}}}],"model":{model},"stop_reason":"{reason}","usage":{usage}}}"#
    )
}

pub(super) fn opening(answer: &Answer) -> Vec<String> {
    let Answer { id, model, .. } = answer;
    let usage = match answer.counts() {
        None => String::new(),
        Some((input, _)) => format!(r#","usage":{{"input_tokens":{input},"output_tokens":0}}"#),
    };
    vec![
        event(
            "message_start",
            &format!(
                r#""message":{{"id":"chatcmpl-{id}","type":"message","role":"assistant","content":[],"model":{model},"stop_reason":null,"stop_sequence":null{usage}}}"#
            ),
        ),
        event("content_block_start", r#""content_block":{"type":"text","text":""},"index":0"#),
    ]
}

pub(super) fn delta(answer: &Answer, tokens: Range<u64>) -> String {
    let text = quoted(&answer.text(tokens));
    event(
        "content_block_delta",
        &format!(r#""delta":{{"type":"text_delta","text":{text}}},"index":0"#),
    )
}

pub(super) fn closing(answer: &Answer) -> Vec<String> {
    let (reason, usage) = (stop_reason(answer), usage(answer));
    let delta =
        format!(r#""delta":{{"stop_reason":"{reason}","stop_sequence":null}},"usage":{usage}"#);
    vec![
        event("content_block_stop", r#""index":0"#),
        event("message_delta", &delta),
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n".to_owned(),
    ]
}

fn event(name: &str, fields: &str) -> String {
    format!("event: {name}\ndata: {{\"type\":\"{name}\",{fields}}}\n\n")
}

fn usage(answer: &Answer) -> String {
    let Some((input, output)) = answer.counts() else { return "null".to_owned() };
    format!(
        r#"{{"input_tokens":{input},"output_tokens":{output},"cache_creation_input_tokens":0,"cache_read_input_tokens":0}}"#
    )
}

fn stop_reason(answer: &Answer) -> &'static str {
    match answer.finish {
        Finish::Stop => "end_turn",
        Finish::Length => "max_tokens",
    }
}
