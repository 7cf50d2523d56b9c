//! An answer in the words of chat, completions, embeddings and rerank, field by
//! field as vLLM 0.32 writes them.

use std::ops::Range;

use super::answer::{Answer, Finish, quoted};
use super::ask::{Interface, UsageEvents};
use super::command::UsageTold;
use super::{messages, responses};

const FINGERPRINT: &str = "simulator";

/// The body of an answer that is no stream.
pub fn json(interface: Interface, answer: &Answer) -> String {
    match interface {
        Interface::Chat => chat_json(answer),
        Interface::Completions => completion_json(answer),
        Interface::Embeddings => embeddings_json(answer),
        Interface::Rerank => rerank_json(answer),
        Interface::Responses => responses::json(answer),
        Interface::Messages => messages::json(answer),
    }
}

/// Events before the first token, each with its empty line.
pub fn opening(interface: Interface, answer: &Answer) -> Vec<String> {
    match interface {
        Interface::Chat => (0..answer.choices).map(|index| chat_role(answer, index)).collect(),
        Interface::Responses => responses::opening(answer),
        Interface::Messages => messages::opening(answer),
        Interface::Completions | Interface::Embeddings | Interface::Rerank => Vec::new(),
    }
}

/// Events of some tokens: one for each choice.
pub fn tokens(interface: Interface, answer: &Answer, tokens: Range<u64>) -> Vec<String> {
    let each = |event: fn(&Answer, Range<u64>, u64) -> String| {
        (0..answer.choices).map(|index| event(answer, tokens.clone(), index)).collect()
    };
    match interface {
        Interface::Responses => vec![responses::delta(answer, tokens)],
        Interface::Messages => vec![messages::delta(answer, tokens)],
        Interface::Chat => each(chat_tokens),
        Interface::Completions | Interface::Embeddings | Interface::Rerank => {
            each(completion_tokens)
        }
    }
}

/// What comes before the last tokens though its place is behind them.
pub fn early(interface: Interface, answer: &Answer) -> Option<String> {
    let is_early = answer.told == UsageTold::Early && says_done(interface);
    (is_early && answer.usage != UsageEvents::Never).then(|| usage_event(interface, answer))
}

/// Events after the last token, `[DONE]` excluded.
pub fn closing(interface: Interface, answer: &Answer) -> Vec<String> {
    let mut events = match interface {
        Interface::Responses => return responses::closing(answer),
        Interface::Messages => return messages::closing(answer),
        Interface::Chat => (0..answer.choices).filter_map(|it| chat_finish(answer, it)).collect(),
        Interface::Completions | Interface::Embeddings | Interface::Rerank => Vec::new(),
    };
    if answer.usage != UsageEvents::Never && answer.told != UsageTold::Early {
        events.push(usage_event(interface, answer));
    }
    events
}

/// Whether streams of this interface end with `data: [DONE]`.
pub fn says_done(interface: Interface) -> bool {
    matches!(interface, Interface::Chat | Interface::Completions)
}

/// `{"error":…}` of vLLM; `code` is the status.
pub fn error_json(message: &str, kind: &str, param: &str, status: u16) -> String {
    let message = quoted(message);
    format!(
        r#"{{"error":{{"message":{message},"type":"{kind}","param":{param},"code":{status}}}}}"#
    )
}

fn chat_json(answer: &Answer) -> String {
    let (text, finish) = (quoted(&answer.whole_text()), finish_word(answer));
    let choice = |index: u64| {
        format!(
            r#"{{"index":{index},"message":{{"role":"assistant","content":{text},"refusal":null,"annotations":null,"audio":null,"function_call":null,"reasoning":null}},"logprobs":null,"finish_reason":"{finish}","stop_reason":null,"token_ids":null}}"#
        )
    };
    let choices = listed(answer.choices, choice);
    let (head, usage) = (envelope("chatcmpl", "chat.completion", answer), usage_at_end(answer));
    format!(
        r#"{{{head},"choices":[{choices}],"service_tier":null,"system_fingerprint":"{FINGERPRINT}","usage":{usage},"prompt_logprobs":null,"prompt_token_ids":null,"kv_transfer_params":null}}"#
    )
}

fn completion_json(answer: &Answer) -> String {
    let (text, finish) = (quoted(&answer.whole_text()), finish_word(answer));
    let choice = |index: u64| {
        format!(
            r#"{{"index":{index},"text":{text},"logprobs":null,"finish_reason":"{finish}","stop_reason":null,"token_ids":null,"prompt_logprobs":null}}"#
        )
    };
    let choices = listed(answer.choices, choice);
    let (head, usage) = (envelope("cmpl", "text_completion", answer), usage_at_end(answer));
    format!(
        r#"{{{head},"choices":[{choices}],"service_tier":null,"system_fingerprint":"{FINGERPRINT}","usage":{usage},"kv_transfer_params":null}}"#
    )
}

fn embeddings_json(answer: &Answer) -> String {
    let vector = |index: u64| {
        format!(r#"{{"index":{index},"object":"embedding","embedding":[0.5,-0.25,{index}.0]}}"#)
    };
    let vectors = listed(answer.items, vector);
    let (head, echo) = (envelope("embd", "list", answer), echoed(answer));
    let usage = usage_of_input(
        answer,
        r#","completion_tokens":0,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":null"#,
    );
    format!(r#"{{{head},"data":[{vectors}],{echo}"usage":{usage}}}"#)
}

fn rerank_json(answer: &Answer) -> String {
    let rank = |index: u64| {
        format!(r#"{{"index":{index},"relevance_score":{:.4}}}"#, 1.0 / (index + 1) as f64)
    };
    let ranks = listed(answer.items, rank);
    let Answer { id, model, .. } = answer;
    let (echo, usage) = (echoed(answer), usage_of_input(answer, ""));
    format!(r#"{{"id":"score-{id}","model":{model},{echo}"usage":{usage},"results":[{ranks}]}}"#)
}

fn chat_role(answer: &Answer, index: u64) -> String {
    let delta = r#""delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null"#;
    chat_event(answer, &format!(r#"{{"index":{index},{delta}}}"#), 0)
}

/// The last token carries `length` itself; `stop` comes in an event of its own.
fn chat_tokens(answer: &Answer, tokens: Range<u64>, index: u64) -> String {
    let text = quoted(&answer.text(tokens.clone()));
    let finish = match answer.finish {
        Finish::Length if tokens.end == answer.tokens => r#""length","stop_reason":null"#,
        Finish::Length | Finish::Stop => "null",
    };
    let choice = format!(
        r#"{{"index":{index},"delta":{{"content":{text}}},"logprobs":null,"finish_reason":{finish},"token_ids":null}}"#
    );
    chat_event(answer, &choice, tokens.end)
}

fn chat_finish(answer: &Answer, index: u64) -> Option<String> {
    let told = answer.finish == Finish::Length && answer.tokens > 0;
    let word = finish_word(answer);
    let choice = format!(
        r#"{{"index":{index},"delta":{{}},"logprobs":null,"finish_reason":"{word}","stop_reason":null,"token_ids":null}}"#
    );
    (!told).then(|| chat_event(answer, &choice, answer.tokens))
}

fn chat_event(answer: &Answer, choice: &str, sent: u64) -> String {
    let head = envelope("chatcmpl", "chat.completion.chunk", answer);
    let usage = usage_so_far(answer, sent);
    format!("data: {{{head},\"choices\":[{choice}]{usage}}}\n\n")
}

fn completion_tokens(answer: &Answer, tokens: Range<u64>, index: u64) -> String {
    let text = quoted(&answer.text(tokens.clone()));
    let finish = match tokens.end == answer.tokens {
        true => format!("\"{}\"", finish_word(answer)),
        false => "null".to_owned(),
    };
    let head = envelope("cmpl", "text_completion", answer);
    let usage = usage_so_far(answer, tokens.end);
    format!(
        "data: {{{head},\"choices\":[{{\"index\":{index},\"text\":{text},\"logprobs\":null,\"finish_reason\":{finish},\"stop_reason\":null,\"token_ids\":null}}]{usage}}}\n\n"
    )
}

fn usage_event(interface: Interface, answer: &Answer) -> String {
    let head = match interface {
        Interface::Chat => envelope("chatcmpl", "chat.completion.chunk", answer),
        _ => envelope("cmpl", "text_completion", answer),
    };
    let usage = usage_at_end(answer);
    format!(
        "data: {{{head},\"choices\":[],\"usage\":{usage},\"system_fingerprint\":\"{FINGERPRINT}\"}}\n\n"
    )
}

fn envelope(prefix: &str, object: &str, answer: &Answer) -> String {
    let Answer { id, created, model, .. } = answer;
    format!(r#""id":"{prefix}-{id}","object":"{object}","created":{created},"model":{model}"#)
}

fn usage_at_end(answer: &Answer) -> String {
    let Some((prompt, completion)) = answer.counts() else { return "null".to_owned() };
    let total = prompt + completion;
    format!(
        r#"{{"prompt_tokens":{prompt},"total_tokens":{total},"completion_tokens":{completion},"prompt_tokens_details":{{"cached_tokens":0}}}}"#
    )
}

/// The usage of what generates nothing, with `more` fields.
fn usage_of_input(answer: &Answer, more: &str) -> String {
    match answer.counts() {
        None => "null".to_owned(),
        Some((prompt, _)) => {
            format!(r#"{{"prompt_tokens":{prompt},"total_tokens":{prompt}{more}}}"#)
        }
    }
}

/// The running usage of one choice, which has no details, as a field to append: vLLM
/// counts each choice by itself, and all of them only at the end.
fn usage_so_far(answer: &Answer, sent: u64) -> String {
    if answer.usage != UsageEvents::Every {
        return String::new();
    }
    let (prompt, sent) = match answer.told {
        UsageTold::Zero => (0, 0),
        _ => (answer.prompt_tokens, sent),
    };
    let total = prompt + sent;
    format!(
        r#","usage":{{"prompt_tokens":{prompt},"total_tokens":{total},"completion_tokens":{sent}}}"#
    )
}

fn finish_word(answer: &Answer) -> &'static str {
    match answer.finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
    }
}

/// A field for what was received, in answers that have no text to put it in.
fn echoed(answer: &Answer) -> String {
    match answer.is_echo() {
        true => format!(r#""sim_echo":{},"#, quoted(&answer.whole_text())),
        false => String::new(),
    }
}

fn listed(count: u64, item: impl Fn(u64) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(",")
}
