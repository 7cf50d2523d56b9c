//! An answer in the words of OpenAI's Responses, as vLLM 0.32 writes them.

use std::ops::Range;

use super::answer::{Answer, Finish, quoted};

pub(super) fn json(answer: &Answer) -> String {
    let (status, item) = (status(answer), item(answer, status(answer)));
    response(answer, status, &item, &usage(answer))
}

pub(super) fn opening(answer: &Answer) -> Vec<String> {
    let begun = format!(r#""response":{}"#, response(answer, "in_progress", "", "null"));
    let id = &answer.id;
    let item = format!(
        r#""item":{{"id":"msg_{id}","content":[],"role":"assistant","status":"in_progress","type":"message"}},"output_index":0"#
    );
    let part = format!(
        r#""content_index":0,"item_id":"msg_{id}","output_index":0,"part":{{"annotations":[],"text":"","type":"output_text","logprobs":[]}}"#
    );
    vec![
        event("response.created", &begun, 0),
        event("response.in_progress", &begun, 1),
        event("response.output_item.added", &item, 2),
        event("response.content_part.added", &part, 3),
    ]
}

pub(super) fn delta(answer: &Answer, tokens: Range<u64>) -> String {
    let sequence = 4 + tokens.start / answer.tokens_per_event;
    let (id, text) = (&answer.id, quoted(&answer.text(tokens)));
    let fields = format!(
        r#""content_index":0,"delta":{text},"item_id":"msg_{id}","logprobs":[],"output_index":0"#
    );
    event("response.output_text.delta", &fields, sequence)
}

pub(super) fn closing(answer: &Answer) -> Vec<String> {
    let (id, text) = (&answer.id, quoted(&answer.whole_text()));
    let (status, item) = (status(answer), item(answer, status(answer)));
    let at = format!(r#""content_index":0,"item_id":"msg_{id}","output_index":0"#);
    let part = format!(
        r#"{at},"part":{{"annotations":[],"text":{text},"type":"output_text","logprobs":null}}"#
    );
    let whole = format!(r#""response":{}"#, response(answer, status, &item, &usage(answer)));
    let next = 4 + answer.tokens.div_ceil(answer.tokens_per_event);
    vec![
        event("response.output_text.done", &format!(r#"{at},"logprobs":[],"text":{text}"#), next),
        event("response.content_part.done", &part, next + 1),
        event("response.output_item.done", &format!(r#""item":{item},"output_index":0"#), next + 2),
        event(&format!("response.{status}"), &whole, next + 3),
    ]
}

fn event(name: &str, fields: &str, sequence: u64) -> String {
    format!(
        "event: {name}\ndata: {{{fields},\"sequence_number\":{sequence},\"type\":\"{name}\"}}\n\n"
    )
}

fn response(answer: &Answer, status: &str, item: &str, usage: &str) -> String {
    let Answer { id, created, model, .. } = answer;
    let incomplete = match status {
        "incomplete" => r#"{"reason":"max_output_tokens"}"#,
        _ => "null",
    };
    format!(
        r#"{{"id":"resp_{id}","created_at":{created},"incomplete_details":{incomplete},"instructions":null,"metadata":null,"model":{model},"object":"response","output":[{item}],"parallel_tool_calls":true,"temperature":0.0,"tool_choice":"auto","tools":[],"top_p":1.0,"background":false,"status":"{status}","text":null,"truncation":"disabled","usage":{usage},"user":null}}"#
    )
}

fn item(answer: &Answer, status: &str) -> String {
    let (id, text) = (&answer.id, quoted(&answer.whole_text()));
    format!(
        r#"{{"id":"msg_{id}","content":[{{"annotations":[],"text":{text},"type":"output_text","logprobs":null}}],"role":"assistant","status":"{status}","type":"message"}}"#
    )
}

fn usage(answer: &Answer) -> String {
    let Some((input, output)) = answer.counts() else { return "null".to_owned() };
    let total = input + output;
    format!(
        r#"{{"input_tokens":{input},"input_tokens_details":{{"cached_tokens":0}},"output_tokens":{output},"output_tokens_details":{{"reasoning_tokens":0}},"total_tokens":{total}}}"#
    )
}

fn status(answer: &Answer) -> &'static str {
    match answer.finish {
        Finish::Stop => "completed",
        Finish::Length => "incomplete",
    }
}
