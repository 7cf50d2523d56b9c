//! Answers of every API that name two texts, written in every style, and a plain
//! reading of them.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What an answer names.
pub(super) struct Texts {
    pub(super) model: &'static str,
    pub(super) mail: String,
    pub(super) word: String,
}

impl Texts {
    fn say(&self) -> String {
        format!("{}: {}", self.word, self.mail)
    }

    fn arguments(&self) -> String {
        json!({"note": self.word}).to_string()
    }
}

/// How a text is divided among events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Split {
    Whole,
    /// One character an event.
    Letters,
    /// Five characters an event, marks written as `\u005b`.
    Escaped,
}

impl Split {
    /// The pieces, each as a string in JSON.
    fn pieces(self, text: &str) -> Vec<String> {
        let letters: Vec<char> = text.chars().collect();
        let size = match self {
            Split::Whole => letters.len(),
            Split::Letters => 1,
            Split::Escaped => 5,
        };
        let written = |piece: &[char]| {
            if self == Split::Escaped {
                return format!("\"{}\"", piece.iter().copied().map(escaped).collect::<String>());
            }
            json!(piece.iter().collect::<String>()).to_string()
        };
        letters.chunks(size).map(written).collect()
    }
}

fn escaped(letter: char) -> String {
    if letter.is_alphanumeric() { letter.into() } else { format!("\\u{:04x}", u32::from(letter)) }
}

/// How a stream is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    line_end: &'static str,
    /// Whether it ends with `[DONE]`, where the API has that.
    done: bool,
    /// Whether the reason to finish comes in an event without text.
    finish_alone: bool,
    comments: bool,
}

impl Style {
    pub(super) const ALL: [Style; 4] = [
        Style { line_end: "\n", done: true, finish_alone: true, comments: false },
        Style { line_end: "\r\n", done: false, finish_alone: false, comments: true },
        Style { line_end: "\n", done: false, finish_alone: false, comments: false },
        Style { line_end: "\r\n", done: true, finish_alone: true, comments: true },
    ];
}

/// A stream that is being written.
struct Stream {
    out: String,
    style: Style,
    events: usize,
}

impl Stream {
    fn of(style: Style) -> Stream {
        Stream { out: String::new(), style, events: 0 }
    }

    fn line(&mut self, line: &str) {
        self.out += line;
        self.out += self.style.line_end;
    }

    fn data(&mut self, data: &str) {
        self.line(&format!("data: {data}"));
        if self.style.comments && self.events.is_multiple_of(3) {
            self.line(": inside");
        }
        self.line("");
        if self.style.comments && self.events.is_multiple_of(4) {
            self.line(": between");
            self.line("");
        }
        self.events += 1;
    }

    /// An event that has its type as its name.
    fn named(&mut self, data: &str) {
        let (_, kind) = data.split_once(r#""type":""#).unwrap();
        let kind = kind.split('"').next().unwrap().to_owned();
        self.line(&format!("event: {kind}"));
        self.data(data);
    }

    /// An event of chats and completions with one choice.
    fn choice(&mut self, index: usize, said: &str, finish: &str) {
        let finish =
            if finish.is_empty() { String::new() } else { format!(r#","finish_reason":{finish}"#) };
        self.data(&format!(r#"{{"choices":[{{"index":{index},{said}{finish}}}]}}"#));
    }

    /// The pieces of a choice, and its end.
    fn choices(&mut self, index: usize, said: &[String], finish: &str) {
        let (last, before) = said.split_last().unwrap();
        before.iter().for_each(|said| self.choice(index, said, ""));
        self.last_choice(index, last, finish);
    }

    fn last_choice(&mut self, index: usize, said: &str, finish: &str) {
        if self.style.finish_alone {
            self.choice(index, said, "");
            self.choice(index, r#""delta":{}"#, finish);
        } else {
            self.choice(index, said, finish);
        }
    }

    /// What follows the last choice.
    fn end(mut self) -> String {
        self.data(r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#);
        if self.style.done {
            self.data("[DONE]");
        }
        self.out
    }
}

fn begin_chat(texts: &Texts, style: Style) -> Stream {
    let mut stream = Stream::of(style);
    let model = texts.model;
    stream.data(&format!(
        r#"{{"id":"c","model":"{model}","choices":[{{"index":0,"delta":{{"role":"assistant","content":""}},"finish_reason":null}}]}}"#
    ));
    stream
}

fn deltas(field: &str, text: &str, split: Split) -> Vec<String> {
    let delta = |piece: &String| format!(r#""delta":{{"{field}":{piece}}}"#);
    split.pieces(text).iter().map(delta).collect()
}

fn content(texts: &Texts, split: Split, style: Style) -> String {
    let mut stream = begin_chat(texts, style);
    stream.choices(0, &deltas("content", &texts.say(), split), r#""stop""#);
    stream.end()
}

fn thought(texts: &Texts, split: Split, style: Style) -> String {
    let mut stream = begin_chat(texts, style);
    for thought in deltas("reasoning_content", &texts.mail, split) {
        stream.choice(0, &thought, "");
    }
    stream.choices(0, &deltas("content", &texts.word, split), r#""length""#);
    stream.end()
}

fn call(texts: &Texts, split: Split, style: Style) -> String {
    let mut stream = begin_chat(texts, style);
    let call = |index: usize, more: &str, piece: &str| {
        format!(
            r#""delta":{{"tool_calls":[{{"index":{index},{more}"function":{{"arguments":{piece}}}}}]}}"#
        )
    };
    stream.choice(0, &call(0, r#""id":"t0","#, r#""""#), "");
    for piece in split.pieces(&texts.arguments()) {
        stream.choice(0, &call(0, "", &piece), "");
    }
    stream.choice(0, &call(1, r#""id":"t1","#, r#""""#), "");
    let arguments = json!({"note": texts.mail}).to_string();
    let pieces = split.pieces(&arguments);
    let pieces: Vec<_> = pieces.iter().map(|piece| call(1, "", piece)).collect();
    stream.choices(0, &pieces, r#""tool_calls""#);
    stream.end()
}

fn choices(texts: &Texts, split: Split, style: Style) -> String {
    let mut stream = begin_chat(texts, style);
    let first = deltas("content", &texts.mail, split);
    let second = deltas("content", &texts.say(), split);
    // Values have other lengths than what stands for them: the longest goes last alone.
    let (last, second) = second.split_last().unwrap();
    for index in 0..first.len().max(second.len()) {
        if let Some(said) = first.get(index) {
            stream.choice(0, said, "");
        }
        if let Some(said) = second.get(index) {
            stream.choice(1, said, "");
        }
    }
    stream.choice(0, r#""delta":{}"#, r#""stop""#);
    stream.last_choice(1, last, r#""stop""#);
    stream.end()
}

fn completion(texts: &Texts, split: Split, style: Style) -> String {
    let mut stream = Stream::of(style);
    let model = texts.model;
    stream.data(&format!(r#"{{"model":"{model}","choices":[{{"index":0,"text":""}}]}}"#));
    let text = |piece: &String| format!(r#""text":{piece}"#);
    let pieces: Vec<_> = split.pieces(&texts.say()).iter().map(text).collect();
    stream.choices(0, &pieces, r#""stop""#);
    stream.end()
}

fn message(texts: &Texts, split: Split, style: Style) -> String {
    let mut stream = Stream::of(style);
    let model = texts.model;
    stream.named(&format!(
        r#"{{"type":"message_start","message":{{"id":"m","model":"{model}","content":[],"usage":{{"input_tokens":3}}}}}}"#
    ));
    let blocks = [
        (r#"{"type":"thinking","thinking":""}"#, "thinking", texts.word.clone()),
        (r#"{"type":"text","text":""}"#, "text", texts.mail.clone()),
        (r#"{"type":"tool_use","id":"t","input":{}}"#, "partial_json", texts.arguments()),
    ];
    for (index, (block, field, text)) in blocks.iter().enumerate() {
        stream.named(&format!(
            r#"{{"type":"content_block_start","index":{index},"content_block":{block}}}"#
        ));
        let kind = if *field == "partial_json" { "input_json" } else { field };
        for piece in split.pieces(text) {
            stream.named(&format!(
                r#"{{"type":"content_block_delta","index":{index},"delta":{{"type":"{kind}_delta","{field}":{piece}}}}}"#
            ));
        }
        stream.named(&format!(r#"{{"type":"content_block_stop","index":{index}}}"#));
    }
    stream.named(r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}"#);
    stream.named(r#"{"type":"message_stop"}"#);
    stream.out
}

fn response(texts: &Texts, split: Split, style: Style) -> String {
    let mut stream = Stream::of(style);
    let model = texts.model;
    stream.named(&format!(r#"{{"type":"response.created","response":{{"model":"{model}"}}}}"#));
    let say = json!(texts.mail).to_string();
    for piece in split.pieces(&texts.mail) {
        stream.named(&format!(
            r#"{{"type":"response.output_text.delta","output_index":0,"delta":{piece}}}"#
        ));
    }
    stream
        .named(&format!(r#"{{"type":"response.output_text.done","output_index":0,"text":{say}}}"#));
    let arguments = json!(texts.arguments()).to_string();
    for piece in split.pieces(&texts.arguments()) {
        stream.named(&format!(
            r#"{{"type":"response.function_call_arguments.delta","output_index":1,"delta":{piece}}}"#
        ));
    }
    stream.named(&format!(
        r#"{{"type":"response.function_call_arguments.done","output_index":1,"arguments":{arguments}}}"#
    ));
    stream.named(&format!(
        r#"{{"type":"response.completed","response":{{"model":"{model}","output":[{{"type":"message","content":[{{"type":"output_text","text":{say}}}]}},{{"type":"function_call","arguments":{arguments}}}],"usage":{{"input_tokens":3,"output_tokens":2}}}}}}"#
    ));
    stream.out
}

/// A kind of stream.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
    pub(super) write: fn(&Texts, Split, Style) -> String,
    /// What a client has read of it in the end, among other texts.
    pub(super) says: fn(&Texts) -> Vec<String>,
}

const CHAT: &str = "/v1/chat/completions";

pub(super) const STREAMS: &[Kind] = &[
    Kind { name: "content", path: CHAT, write: content, says: |texts| vec![texts.say()] },
    Kind {
        name: "thought",
        path: CHAT,
        write: thought,
        says: |texts| vec![texts.mail.clone(), texts.word.clone()],
    },
    Kind { name: "call", path: CHAT, write: call, says: |texts| vec![texts.arguments()] },
    Kind {
        name: "choices",
        path: CHAT,
        write: choices,
        says: |texts| vec![texts.mail.clone(), texts.say()],
    },
    Kind {
        name: "completion",
        path: "/v1/completions",
        write: completion,
        says: |texts| vec![texts.say()],
    },
    Kind {
        name: "message",
        path: "/v1/messages",
        write: message,
        says: |texts| vec![texts.word.clone(), texts.mail.clone(), texts.arguments()],
    },
    Kind {
        name: "response",
        path: "/v1/responses",
        write: response,
        says: |texts| vec![texts.mail.clone(), texts.arguments()],
    },
];

/// A body in JSON.
type Json = (&'static str, &'static str, fn(&Texts) -> String);

pub(super) const JSON: [Json; 4] = [
    ("chat", CHAT, |texts| {
        let (model, say, arguments) = (texts.model, json!(texts.say()), json!(texts.arguments()));
        format!(
            r#"{{ "model":"{model}","choices":[{{"index":0,"message":{{"role":"assistant","content":{say},"reasoning_content":{say},"tool_calls":[{{"id":"t","function":{{"name":"f","arguments":{arguments}}}}}]}}}},{{"index":1,"message":{{"content":{say}}}}}],"usage":{{"prompt_tokens":3}}}}"#
        )
    }),
    ("completion", "/v1/completions", |texts| {
        let (model, say) = (texts.model, json!(texts.say()));
        format!("{{\"choices\":[{{\"index\":0,\"text\":{say}}}],\n\"model\":\"{model}\"}}\n")
    }),
    ("message", "/v1/messages", |texts| {
        let (model, say, word) = (texts.model, json!(texts.say()), json!(texts.word));
        format!(
            r#"{{"type":"message","model":"{model}","content":[{{"type":"thinking","thinking":{say}}},{{"type":"text","text":{say}}},{{"type":"tool_use","id":"t","name":"f","input":{{"note":{word}}}}}]}}"#
        )
    }),
    ("response", "/v1/responses", |texts| {
        let (model, say, arguments) = (texts.model, json!(texts.say()), json!(texts.arguments()));
        format!(
            r#"{{"object":"response","model":"{model}","output":[{{"type":"message","content":[{{"type":"output_text","text":{say}}}]}},{{"type":"function_call","call_id":"t","arguments":{arguments}}}]}}"#
        )
    }),
];

/// What a plain client reads in a stream.
pub(super) struct Told {
    /// Its texts, put together.
    pub(super) texts: BTreeMap<String, String>,
    /// Its lines without them.
    pub(super) rest: Vec<String>,
}

/// Members whose strings are texts.
const TEXTS: [&str; 8] = [
    "content",
    "text",
    "reasoning",
    "reasoning_content",
    "thinking",
    "partial_json",
    "arguments",
    "delta",
];

pub(super) fn told(stream: &str) -> Told {
    let mut told = Told { texts: BTreeMap::new(), rest: Vec::new() };
    for line in stream.split_inclusive('\n') {
        let document = line.strip_prefix("data: ").map(serde_json::from_str::<Value>);
        let Some(Ok(mut document)) = document else {
            told.rest.push(line.to_owned());
            continue;
        };
        take_texts(&mut document, "", &mut told.texts);
        let end = line.trim_start_matches(|letter| letter != '\r' && letter != '\n');
        told.rest.push(format!("{document}{end}"));
    }
    told
}

/// Takes the texts out of a document, by the place that they have in the answer.
fn take_texts(value: &mut Value, place: &str, texts: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) => {
            let told = ["type", "index", "output_index"].into_iter();
            let told: Vec<_> = told.filter_map(|name| members.get(name)).collect();
            let place = told.iter().fold(place.to_owned(), |place, told| format!("{place} {told}"));
            for (name, member) in members.iter_mut() {
                let place = format!("{place} {name}");
                match member {
                    Value::String(text) if TEXTS.contains(&name.as_str()) => {
                        texts.entry(place).or_default().push_str(&std::mem::take(text));
                    }
                    member => take_texts(member, &place, texts),
                }
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter_mut().enumerate() {
                let has_index = item.get("index").is_some();
                let place = if has_index { place.into() } else { format!("{place} {number}") };
                take_texts(item, &place, texts);
            }
        }
        _ => {}
    }
}
