//! Answers with placeholders that an engine writes to its socket in pieces of every
//! size: the client reads the same bytes, with the values.

use super::{EMAIL, POLICY, World, chat};
use integration::{Engine, RawAnswer, RawClient, Result, SseReader, Tollgate};
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";

/// Seeds of sizes that a test is repeated with.
const SEEDS: u64 = 12;

/// An answer that an engine gives, and what the client reads of it.
struct Case {
    name: &'static str,
    path: &'static str,
    is_stream: bool,
    body: String,
    /// What stands behind the last chunk of it; `None`: it has a length.
    trailers: Option<&'static str>,
    /// Where the texts stand in an event or in the body.
    texts: &'static [&'static str],
}

impl Case {
    fn stream(name: &'static str, path: &'static str, body: String) -> Case {
        let texts: &[&str] = match path {
            CHAT => &[
                "/choices/0/delta/content",
                "/choices/0/delta/tool_calls/0/function/arguments",
                "/choices/0/delta/reasoning_content",
            ],
            _ => &["/delta/text", "/delta/partial_json", "/delta/thinking"],
        };
        Case { name, path, is_stream: true, body, trailers: Some(""), texts }
    }

    fn json(name: &'static str, path: &'static str, body: &Value) -> Case {
        let texts: &[&str] = match path {
            CHAT => &[
                "/choices/0/message/content",
                "/choices/0/message/tool_calls/0/function/arguments",
                "/choices/0/message/reasoning_content",
            ],
            _ => &["/content/1/text", "/content/2/input/to", "/content/0/thinking"],
        };
        let body = body.to_string();
        Case { name, path, is_stream: false, body, trailers: None, texts }
    }

    /// The answer's bytes as an engine writes them, an event a chunk.
    fn bytes(&self) -> String {
        let media = if self.is_stream { "text/event-stream" } else { "application/json" };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {media}\r\n");
        let Some(trailers) = self.trailers else {
            return format!("{head}content-length: {}\r\n\r\n{}", self.body.len(), self.body);
        };
        let chunk = |part: &str| format!("{:x}\r\n{part}\r\n", part.len());
        let chunks: String = self.body.split_inclusive("\n\n").map(chunk).collect();
        format!("{head}transfer-encoding: chunked\r\n\r\n{chunks}0\r\n{trailers}\r\n")
    }

    fn write(&self, folder: &Path) -> Result<()> {
        Ok(std::fs::write(folder.join(format!("{}.response.http", self.name)), self.bytes())?)
    }

    /// The texts of an answer, put together.
    fn read(&self, answer: &RawAnswer) -> Vec<String> {
        let documents: Vec<Value> = if self.is_stream {
            let events = SseReader::default().feed(&answer.body);
            events.iter().filter_map(|event| serde_json::from_str(&event.data).ok()).collect()
        } else {
            vec![answer.json()]
        };
        let text = |document: &Value, place: &str| {
            document.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let texts = self.texts.iter();
        texts
            .map(|place| documents.iter().map(|document| text(document, place)).collect())
            .collect()
    }
}

fn arguments(mail: &str) -> String {
    json!({"to": mail}).to_string()
}

fn letters(text: &str) -> impl Iterator<Item = String> {
    text.chars().map(|letter| json!(letter.to_string()).to_string())
}

fn chat_stream(mail: &str, line_end: &str, more: &str) -> String {
    let mut deltas = Vec::new();
    deltas.extend(letters(mail).map(|it| format!(r#"{{"reasoning_content":{it}}}"#)));
    deltas.extend(letters(&format!("To {mail}!")).map(|it| format!(r#"{{"content":{it}}}"#)));
    deltas.extend(
        letters(&arguments(mail)).map(|it| {
            format!(r#"{{"tool_calls":[{{"index":0,"function":{{"arguments":{it}}}}}]}}"#)
        }),
    );
    let event =
        |delta: &String| format!(r#"data: {{"choices":[{{"index":0,"delta":{delta}}}]}}"#) + "\n\n";
    (deltas.iter().map(event).collect::<String>() + more).replace('\n', line_end)
}

fn messages_stream(mail: &str) -> String {
    let blocks = [
        ("thinking", "thinking_delta", "thinking", mail.to_owned()),
        ("text", "text_delta", "text", format!("To {mail}!")),
        ("tool_use", "input_json_delta", "partial_json", arguments(mail)),
    ];
    let mut out = String::new();
    let mut event = |data: Value| {
        out += &format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap_or_default());
    };
    for (index, (block, kind, field, text)) in blocks.iter().enumerate() {
        event(
            json!({"type": "content_block_start", "index": index, "content_block": {"type": block}}),
        );
        for letter in text.chars() {
            let delta = json!({"type": kind, *field: letter.to_string()});
            event(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        }
        event(json!({"type": "content_block_stop", "index": index}));
    }
    event(json!({"type": "message_stop"}));
    out
}

fn chat_json(mail: &str) -> Value {
    let call = json!({"id": "t", "function": {"name": "send", "arguments": arguments(mail)}});
    let said = format!("To {mail}!");
    let message = json!({"content": said, "reasoning_content": mail, "tool_calls": [call]});
    json!({"model": "org/tiny", "choices": [{"index": 0, "message": message}]})
}

fn messages_json(mail: &str) -> Value {
    json!({"type": "message", "model": "org/tiny", "content": [
        {"type": "thinking", "thinking": mail},
        {"type": "text", "text": format!("To {mail}!")},
        {"type": "tool_use", "id": "t", "name": "send", "input": {"to": mail}},
    ]})
}

/// A gateway with a fixed key of its placeholders, and the placeholder of [`EMAIL`].
async fn begin(folder: &Path) -> Result<(World, String)> {
    let keyed = POLICY
        .replace("masking:\n  policies", "masking:\n  key: made-up-masking-key-0002\n  policies");
    let engine = Engine::start().model("org/tiny").record().captures(folder).spawn().await?;
    let yaml = format!("models: {{ tiny: p }}\n{keyed}");
    let gate = Tollgate::with(&yaml).engine("p", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let world = World { engine, gate, key };
    world.chat(EMAIL).await?;
    let received: Value = serde_json::from_str(&world.received().await?)?;
    let placeholder = received["messages"][0]["content"].as_str().unwrap_or_default().to_owned();
    assert!(placeholder.starts_with("[EMAIL_"), "{received}");
    Ok((world, placeholder))
}

async fn replay(world: &World, case: &Case, cuts: &str) -> Result<RawAnswer> {
    let mut body = chat(EMAIL);
    body["stream"] = case.is_stream.into();
    body["max_tokens"] = 9.into();
    let headers = format!(
        "authorization: Bearer {}\r\nx-sim-replay: {}\r\nx-sim-cuts: {cuts}\r\n",
        world.key, case.name
    );
    let mut client = RawClient::connect(world.gate.url()).await?;
    client.post(case.path, &headers, &body.to_string()).await?;
    Ok(client.answer().await?)
}

/// The client reads the same at every size of the pieces; these are its bytes.
async fn check(world: &World, case: &Case, says: &[String]) -> Result<String> {
    let mut bodies = Vec::new();
    let random = (0..SEEDS).map(|seed| format!("random:{seed}"));
    for cuts in ["whole".to_owned(), "bytes".to_owned()].into_iter().chain(random) {
        let answer = replay(world, case, &cuts).await?;
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(answer.status == 200 && answer.complete, "{} {cuts}: {body}", case.name);
        assert_eq!(case.read(&answer), says, "{} {cuts}: {body}", case.name);
        bodies.push(body);
        assert_eq!(bodies.first(), bodies.last(), "{} {cuts}", case.name);
    }
    Ok(bodies.swap_remove(0))
}

fn says(mail: &str) -> Vec<String> {
    vec![format!("To {mail}!"), arguments(mail), mail.to_owned()]
}

#[tokio::test]
async fn streams_are_the_same_in_pieces_of_every_size() -> Result<()> {
    let folder = TempDir::with_prefix("captures-")?;
    let (world, mail) = begin(folder.path()).await?;
    let done = "data: [DONE]\n\n";
    for (case, ends) in [
        (Case::stream("chat", CHAT, chat_stream(&mail, "\n", done)), "data: [DONE]\n\n"),
        (Case::stream("crlf", CHAT, chat_stream(&mail, "\r\n", done)), "data: [DONE]\r\n\r\n"),
        (Case::stream("no-done", CHAT, chat_stream(&mail, "\n", "")), "}]}\n\n"),
        (Case::stream("messages", MESSAGES, messages_stream(&mail)), "\"message_stop\"}\n\n"),
    ] {
        case.write(folder.path())?;
        let body = check(&world, &case, &says(EMAIL)).await?;
        assert!(body.ends_with(ends) && !body.contains("EMAIL"), "{}: {body}", case.name);
    }
    Ok(())
}

#[tokio::test]
async fn json_is_the_same_in_pieces_of_every_size() -> Result<()> {
    let folder = TempDir::with_prefix("captures-")?;
    let (world, mail) = begin(folder.path()).await?;
    let renamed = |body: Value| body.to_string().replace("org/tiny", "tiny");
    for (case, expected) in [
        (Case::json("chat", CHAT, &chat_json(&mail)), renamed(chat_json(EMAIL))),
        (Case::json("messages", MESSAGES, &messages_json(&mail)), renamed(messages_json(EMAIL))),
    ] {
        case.write(folder.path())?;
        let mut says = says(EMAIL);
        if case.path == MESSAGES {
            EMAIL.clone_into(&mut says[1]);
        }
        assert_eq!(check(&world, &case, &says).await?, expected, "{}", case.name);
    }
    Ok(())
}

/// What was held back of the last text has left when trailers end the answer.
#[tokio::test]
async fn answers_that_end_with_trailers_are_whole() -> Result<()> {
    let folder = TempDir::with_prefix("captures-")?;
    let (world, mail) = begin(folder.path()).await?;
    let (half, _) = mail.split_at(mail.len() - 3);
    let more = letters(half).map(|letter| {
        format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":{letter}}}}}]}}\n\n")
    });
    let stream = chat_stream(&mail, "\n", &more.collect::<String>());
    let trailers = Some("x-trailer: 1\r\n");
    let stream = Case { trailers, ..Case::stream("stream", CHAT, stream) };
    let json = Case { trailers, ..Case::json("json", CHAT, &chat_json(&mail)) };
    let mut stream_says = says(EMAIL);
    stream_says[0] += half;
    for (case, says) in [(stream, stream_says), (json, says(EMAIL))] {
        case.write(folder.path())?;
        check(&world, &case, &says).await?;
    }
    Ok(())
}
