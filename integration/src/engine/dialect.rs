//! An answer in the words of chat, completions, embeddings and rerank, field by
//! field as vLLM 0.32 writes them.

use super::answer::{Answer, Finish, quoted};
use super::ask::{Interface, UsageEvents};
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

/// Events of one token: one for each choice.
pub fn token(interface: Interface, answer: &Answer, token: u64) -> Vec<String> {
    match interface {
        Interface::Responses => vec![responses::delta(answer, token)],
        Interface::Messages => vec![messages::delta(answer, token)],
        Interface::Chat => {
            (0..answer.choices).map(|index| chat_token(answer, token, index)).collect()
        }
        Interface::Completions | Interface::Embeddings | Interface::Rerank => {
            (0..answer.choices).map(|index| completion_token(answer, token, index)).collect()
        }
    }
}

/// Events after the last token, `[DONE]` excluded.
pub fn closing(interface: Interface, answer: &Answer) -> Vec<String> {
    let mut events = match interface {
        Interface::Responses => return responses::closing(answer),
        Interface::Messages => return messages::closing(answer),
        Interface::Chat => (0..answer.choices).filter_map(|it| chat_finish(answer, it)).collect(),
        Interface::Completions | Interface::Embeddings | Interface::Rerank => Vec::new(),
    };
    if answer.usage != UsageEvents::Never {
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
    let (head, echo, tokens) =
        (envelope("embd", "list", answer), echoed(answer), answer.prompt_tokens);
    format!(
        r#"{{{head},"data":[{vectors}],{echo}"usage":{{"prompt_tokens":{tokens},"total_tokens":{tokens},"completion_tokens":0,"prompt_tokens_details":{{"cached_tokens":0}},"completion_tokens_details":null}}}}"#
    )
}

fn rerank_json(answer: &Answer) -> String {
    let rank = |index: u64| {
        format!(r#"{{"index":{index},"relevance_score":{:.4}}}"#, 1.0 / (index + 1) as f64)
    };
    let ranks = listed(answer.items, rank);
    let Answer { id, model, prompt_tokens, .. } = answer;
    let echo = echoed(answer);
    format!(
        r#"{{"id":"score-{id}","model":{model},{echo}"usage":{{"prompt_tokens":{prompt_tokens},"total_tokens":{prompt_tokens}}},"results":[{ranks}]}}"#
    )
}

fn chat_role(answer: &Answer, index: u64) -> String {
    let delta = r#""delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null"#;
    chat_event(answer, &format!(r#"{{"index":{index},{delta}}}"#), 0)
}

/// The last token carries `length` itself; `stop` comes in an event of its own.
fn chat_token(answer: &Answer, token: u64, index: u64) -> String {
    let text = quoted(&answer.piece(token));
    let finish = match answer.finish {
        Finish::Length if token + 1 == answer.tokens => r#""length","stop_reason":null"#,
        Finish::Length | Finish::Stop => "null",
    };
    let choice = format!(
        r#"{{"index":{index},"delta":{{"content":{text}}},"logprobs":null,"finish_reason":{finish},"token_ids":null}}"#
    );
    chat_event(answer, &choice, token * answer.choices + index + 1)
}

fn chat_finish(answer: &Answer, index: u64) -> Option<String> {
    let told = answer.finish == Finish::Length && answer.tokens > 0;
    let word = finish_word(answer);
    let choice = format!(
        r#"{{"index":{index},"delta":{{}},"logprobs":null,"finish_reason":"{word}","stop_reason":null,"token_ids":null}}"#
    );
    (!told).then(|| chat_event(answer, &choice, answer.completion_tokens()))
}

fn chat_event(answer: &Answer, choice: &str, sent: u64) -> String {
    let head = envelope("chatcmpl", "chat.completion.chunk", answer);
    let usage = usage_so_far(answer, sent);
    format!("data: {{{head},\"choices\":[{choice}]{usage}}}\n\n")
}

fn completion_token(answer: &Answer, token: u64, index: u64) -> String {
    let text = quoted(&answer.piece(token));
    let finish = match token + 1 == answer.tokens {
        true => format!("\"{}\"", finish_word(answer)),
        false => "null".to_owned(),
    };
    let head = envelope("cmpl", "text_completion", answer);
    let usage = usage_so_far(answer, token * answer.choices + index + 1);
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
    let (prompt, completion) = (answer.prompt_tokens, answer.completion_tokens());
    let total = prompt + completion;
    format!(
        r#"{{"prompt_tokens":{prompt},"total_tokens":{total},"completion_tokens":{completion},"prompt_tokens_details":{{"cached_tokens":0}}}}"#
    )
}

/// The running usage, which has no details, as a field to append.
fn usage_so_far(answer: &Answer, sent: u64) -> String {
    if answer.usage != UsageEvents::Every {
        return String::new();
    }
    let (prompt, total) = (answer.prompt_tokens, answer.prompt_tokens + sent);
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
