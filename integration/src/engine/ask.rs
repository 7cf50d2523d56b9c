//! What a request body asks of an engine, and how many tokens it is.

use serde_json::Value;

/// The interfaces that generate, embed or rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interface {
    /// `/v1/chat/completions`
    Chat,
    /// `/v1/completions`
    Completions,
    /// `/v1/embeddings`
    Embeddings,
    /// `/v1/responses`
    Responses,
    /// `/v1/messages` (Anthropic's)
    Messages,
    /// `/v1/rerank`
    Rerank,
}

impl Interface {
    /// The interface at a path.
    pub fn at(path: &str) -> Option<Interface> {
        Some(match path {
            "/v1/chat/completions" => Interface::Chat,
            "/v1/completions" => Interface::Completions,
            "/v1/embeddings" => Interface::Embeddings,
            "/v1/responses" => Interface::Responses,
            "/v1/messages" => Interface::Messages,
            "/v1/rerank" | "/rerank" => Interface::Rerank,
            _ => return None,
        })
    }

    /// Fields of the body that hold what the model reads.
    fn text_fields(self) -> &'static [&'static str] {
        match self {
            Interface::Chat => &["messages"],
            Interface::Completions => &["prompt"],
            Interface::Embeddings => &["input"],
            Interface::Responses => &["instructions", "input"],
            Interface::Messages => &["system", "messages"],
            Interface::Rerank => &["query", "documents"],
        }
    }

    fn generates(self) -> bool {
        !matches!(self, Interface::Embeddings | Interface::Rerank)
    }
}

/// In which events of a stream usage is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum UsageEvents {
    /// In none.
    #[default]
    Never,
    /// In one of its own at the end (`stream_options.include_usage`).
    AtEnd,
    /// In every one (`stream_options.continuous_usage_stats`).
    Every,
}

/// A request, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The interface it came in by.
    pub interface: Interface,
    /// The model it names, if any.
    pub model: Option<String>,
    /// Whether the answer is to be a stream.
    pub stream: bool,
    /// Where the stream is to tell usage.
    pub usage: UsageEvents,
    /// Answers wanted: `n`, times the prompts of a completion. Not under 1.
    pub choices: u64,
    /// The most tokens for each choice.
    pub max_tokens: Option<u64>,
    /// Inputs of an embedding, documents of a ranking. Not under 1.
    pub items: u64,
    /// Words of every text in the request; token ids count one each. Not under 1.
    pub prompt_tokens: u64,
    /// Every text in the request, a line each.
    pub text: String,
}

impl Ask {
    /// Reads a body; the error is the message for the client.
    pub fn parse(interface: Interface, body: &[u8]) -> Result<Ask, String> {
        let body: Value = serde_json::from_slice(body)
            .map_err(|error| format!("1 validation error: JSON decode error: {error}"))?;
        let must_have = interface.text_fields()[interface.text_fields().len() - 1];
        if body.get(must_have).is_none_or(Value::is_null) {
            return Err(format!("1 validation error: Field required: body.{must_have}"));
        }
        let field = |name: &str| body.get(name);
        let flag = |value: Option<&Value>| value.and_then(Value::as_bool).unwrap_or(false);
        let limits = ["max_tokens", "max_completion_tokens", "max_output_tokens"];
        let words: u64 =
            interface.text_fields().iter().filter_map(|name| field(name)).map(words).sum();
        let mut text = Vec::new();
        interface.text_fields().iter().filter_map(|name| field(name)).for_each(|value| {
            texts(value, &mut text);
        });
        let items = field(must_have).map_or(1, items);
        let prompts = if interface == Interface::Completions { items } else { 1 };
        Ok(Ask {
            interface,
            model: field("model").and_then(Value::as_str).map(str::to_owned),
            stream: interface.generates() && flag(field("stream")),
            usage: usage_events(field("stream_options")),
            choices: field("n").and_then(Value::as_u64).unwrap_or(1).max(1) * prompts,
            max_tokens: limits.iter().find_map(|name| field(name)?.as_u64()),
            items,
            prompt_tokens: words.max(1),
            text: text.join("\n"),
        })
    }
}

fn usage_events(options: Option<&Value>) -> UsageEvents {
    let on = |name| options.and_then(|it| it.get(name)).and_then(Value::as_bool) == Some(true);
    match (on("include_usage"), on("continuous_usage_stats")) {
        (true, true) => UsageEvents::Every,
        (true, false) => UsageEvents::AtEnd,
        (false, _) => UsageEvents::Never,
    }
}

/// Prompts, inputs or documents in a field: an array of token ids is one.
fn items(value: &Value) -> u64 {
    match value.as_array() {
        Some(array) if !array.iter().any(Value::is_number) => array.len().max(1) as u64,
        _ => 1,
    }
}

/// Words in a text field, in any of the shapes that the interfaces allow.
fn words(value: &Value) -> u64 {
    match value {
        Value::String(text) => text.split_whitespace().count() as u64,
        Value::Number(_) => 1,
        Value::Array(parts) => parts.iter().map(words).sum(),
        Value::Object(part) => {
            ["content", "text"].iter().filter_map(|name| part.get(*name)).map(words).sum()
        }
        Value::Null | Value::Bool(_) => 0,
    }
}

/// The texts themselves.
fn texts<'v>(value: &'v Value, all: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => all.push(text),
        Value::Array(parts) => parts.iter().for_each(|part| texts(part, all)),
        Value::Object(part) => {
            let fields = ["content", "text"].iter().filter_map(|name| part.get(*name));
            fields.for_each(|value| texts(value, all));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(interface: Interface, body: &str) -> Ask {
        Ask::parse(interface, body.as_bytes()).unwrap()
    }

    #[test]
    fn prompt_tokens_are_the_words_of_every_text() {
        use Interface::*;
        let table = [
            (Chat, r#"{"messages":[{"role":"user","content":"Say hello."}]}"#, 2),
            (Chat, r#"{"messages":[{"role":"system","content":"a b"},{"content":" c\n d "}]}"#, 4),
            (Chat, r#"{"messages":[{"content":[{"type":"text","text":"a b"},{"text":"c"}]}]}"#, 3),
            (Chat, r#"{"messages":[{"role":"assistant","content":null}]}"#, 1),
            (Completions, r#"{"prompt":"a b c"}"#, 3),
            (Completions, r#"{"prompt":["a b","c"]}"#, 3),
            (Completions, r#"{"prompt":[1,2,3,4]}"#, 4),
            (Embeddings, r#"{"input":[[101,200,300]]}"#, 3),
            (Responses, r#"{"instructions":"a","input":"b c"}"#, 3),
            (Responses, r#"{"input":[{"content":[{"type":"input_text","text":"b c"}]}]}"#, 2),
            (Messages, r#"{"system":"a b","messages":[{"content":"c"}]}"#, 3),
            (Rerank, r#"{"query":"a","documents":["b","c"]}"#, 3),
            (Chat, r#"{"messages":[{"content":""}]}"#, 1),
        ];
        for (interface, body, tokens) in table {
            assert_eq!(ask(interface, body).prompt_tokens, tokens, "{body}");
        }
    }

    #[test]
    fn limits_go_by_three_names() {
        for name in ["max_tokens", "max_completion_tokens", "max_output_tokens"] {
            let body = format!(r#"{{"messages":[],"{name}":7}}"#);
            assert_eq!(ask(Interface::Chat, &body).max_tokens, Some(7));
        }
        assert_eq!(ask(Interface::Chat, r#"{"messages":[]}"#).max_tokens, None);
    }

    #[test]
    fn stream_options_say_where_usage_is_told() {
        let usage = |options: &str| {
            let body = format!(r#"{{"messages":[],"stream":true,"stream_options":{options}}}"#);
            ask(Interface::Chat, &body).usage
        };
        assert_eq!(usage("null"), UsageEvents::Never);
        assert_eq!(usage(r#"{"include_usage":true}"#), UsageEvents::AtEnd);
        let every = r#"{"include_usage":true,"continuous_usage_stats":true}"#;
        assert_eq!(usage(every), UsageEvents::Every);
    }

    #[test]
    fn a_choice_for_each_prompt_and_n() {
        let body = r#"{"prompt":["a","b"],"n":3}"#;
        assert_eq!(ask(Interface::Completions, body).choices, 6);
        assert_eq!(ask(Interface::Chat, r#"{"messages":[{},{}],"n":2}"#).choices, 2);
    }

    #[test]
    fn what_is_no_request_says_why() {
        let parse = |body: &str| Ask::parse(Interface::Chat, body.as_bytes()).unwrap_err();
        assert!(parse("{").contains("JSON decode error"));
        assert!(parse(r#"{"model":"tiny"}"#).contains("body.messages"));
    }
}
