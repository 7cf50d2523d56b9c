//! One request of the suite, and what its client heard of the answer before it left.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::http1::{Framing, Head};
use crate::sse::{Event, SseReader};
use crate::{Failure, Result};

/// Longest silence of a gateway before a request counts as broken.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Of one read.
const READ_BYTES: usize = 64 * 1024;

/// When a client hangs up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// After the whole answer.
    Never,
    /// After so many events.
    AfterEvents(u64),
    /// After so many bytes of the answer, its head included.
    AfterBytes(usize),
    /// So long after it has asked.
    AfterTime(Duration),
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Path of the API.
    pub path: &'static str,
    /// Body in JSON.
    pub body: Value,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// When the client hangs up.
    pub leave: Leave,
}

/// What a client heard.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    /// The gateway's `x-request-id`; `None` where the client was told none.
    pub id: Option<String>,
    /// 0 where there was no answer.
    pub status: u16,
    /// Tokens in the events, or the whole answer, that arrived.
    pub tokens: u64,
    /// Events that arrived.
    pub events: u64,
    /// Bytes that arrived, the head included.
    pub bytes: usize,
    /// Status 200, and the body ended as its framing says, without an error event.
    pub whole: bool,
    /// The code of an error, in a body or in an event.
    pub code: Option<String>,
    /// The last usage that was told.
    pub usage: Option<Value>,
    /// Why the last choice ended.
    pub finish: Option<String>,
}

impl Question {
    /// A chat.
    pub fn chat(model: &str) -> Question {
        let messages = json!([{"role": "user", "content": "Count to as many as you may"}]);
        Question {
            path: "/v1/chat/completions",
            body: json!({"model": model, "messages": messages}),
            headers: Vec::new(),
            leave: Leave::Never,
        }
    }

    /// Another path, with this body beside the model.
    pub fn at(path: &'static str, model: &str, mut body: Value) -> Question {
        body["model"] = json!(model);
        Question { path, body, headers: Vec::new(), leave: Leave::Never }
    }

    /// As a stream.
    pub fn stream(self) -> Question {
        self.field("stream", json!(true))
    }

    /// A field of the body.
    pub fn field(mut self, name: &str, value: Value) -> Question {
        self.body[name] = value;
        self
    }

    /// A header, for instance a command to the simulator.
    pub fn header(mut self, name: &str, value: &str) -> Question {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Tokens of the answer, and the time between two.
    pub fn tokens(self, tokens: u64, interval: Duration) -> Question {
        let interval = format!("{}us", interval.as_micros());
        self.header("x-sim-tokens", &tokens.to_string()).header("x-sim-interval", &interval)
    }

    /// When its client hangs up.
    pub fn leaving(mut self, leave: Leave) -> Question {
        self.leave = leave;
        self
    }

    /// Asks it, on a connection of its own.
    ///
    /// # Errors
    /// The URL is no `http://ADDRESS`. A gateway that breaks off is no error: it is heard.
    pub async fn ask(&self, url: &str, key: &str) -> Result<Heard> {
        let address = address_of(url)?;
        let mut heard = Hearing::default();
        let asking = self.converse(address, key, &mut heard);
        match self.leave {
            Leave::AfterTime(time) => drop(tokio::time::timeout(time, asking).await),
            _ => drop(asking.await),
        }
        Ok(heard.heard)
    }

    async fn converse(
        &self,
        to: SocketAddr,
        key: &str,
        hearing: &mut Hearing,
    ) -> std::io::Result<()> {
        let mut wire = TcpStream::connect(to).await?;
        wire.set_nodelay(true)?;
        wire.write_all(&self.bytes(key)).await?;
        let mut buffer = vec![0; READ_BYTES];
        while !hearing.is_over && !self.leaves(&hearing.heard) {
            let most = match self.leave {
                Leave::AfterBytes(bytes) => (bytes - hearing.heard.bytes).clamp(1, READ_BYTES),
                _ => READ_BYTES,
            };
            let read = tokio::time::timeout(SILENCE_MAX, wire.read(&mut buffer[..most]));
            let read = read.await.map_err(|_| std::io::ErrorKind::TimedOut)??;
            hearing.take(&buffer[..read]).map_err(std::io::Error::other)?;
        }
        Ok(())
    }

    fn leaves(&self, heard: &Heard) -> bool {
        match self.leave {
            Leave::AfterEvents(events) => heard.events >= events,
            Leave::AfterBytes(bytes) => heard.bytes >= bytes,
            Leave::Never | Leave::AfterTime(_) => false,
        }
    }

    fn bytes(&self, key: &str) -> Vec<u8> {
        let (path, body) = (self.path, self.body.to_string());
        let mut head = format!(
            "POST {path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n",
            body.len()
        );
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        (head + "\r\n" + &body).into_bytes()
    }
}

fn address_of(url: &str) -> Result<SocketAddr> {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    address.parse().map_err(|_| Failure::new(format!("{url} is no http://ADDRESS:PORT")))
}

/// An answer on its way.
#[derive(Default)]
struct Hearing {
    heard: Heard,
    unread: Vec<u8>,
    head: Option<(Framing, bool)>,
    fed: usize,
    reader: SseReader,
    is_over: bool,
    failed: bool,
}

impl Hearing {
    /// Takes what arrived; nothing is the end of the connection.
    fn take(&mut self, bytes: &[u8]) -> std::result::Result<(), crate::http1::Malformed> {
        self.unread.extend_from_slice(bytes);
        self.heard.bytes += bytes.len();
        self.is_over = bytes.is_empty();
        if self.head.is_none() {
            let Some(head) = Head::of_answer(&self.unread)? else { return Ok(()) };
            self.unread.drain(..head.bytes);
            self.heard.status = head.status;
            self.heard.id = head.header("x-request-id").map(str::to_owned);
            let kind = head.header("content-type").unwrap_or_default();
            self.head = Some((head.framing(), kind.starts_with("text/event-stream")));
        }
        let Some((framing, is_stream)) = &mut self.head else { return Ok(()) };
        let is_stream = *is_stream;
        let until_close = *framing == Framing::UntilClose && bytes.is_empty();
        let whole = framing.body(&self.unread)?.map(|(body, _)| body);
        let whole = whole.or_else(|| until_close.then(|| self.unread.clone()));
        let so_far = whole.as_deref().unwrap_or_else(|| framing.so_far(&self.unread)).to_vec();
        if is_stream {
            for event in self.reader.feed(&so_far[self.fed.min(so_far.len())..]) {
                self.event(&event);
            }
            self.fed = so_far.len();
        }
        if let Some(body) = whole {
            self.end(&body, is_stream);
        }
        Ok(())
    }

    fn event(&mut self, event: &Event) {
        self.heard.events += 1;
        if let Ok(event) = serde_json::from_str::<Value>(&event.data) {
            self.failed |= !event["error"].is_null();
            self.note(&event);
        }
    }

    fn end(&mut self, body: &[u8], is_stream: bool) {
        self.is_over = true;
        if !is_stream {
            match serde_json::from_slice::<Value>(body) {
                Ok(body) => self.note(&body),
                Err(_) => self.failed = true,
            }
        }
        self.heard.whole = self.heard.status == 200 && !self.failed;
    }

    /// Every token has one `w` in it.
    fn note(&mut self, told: &Value) {
        self.heard.tokens += texts(told).matches('w').count() as u64;
        let usage = [&told["usage"], &told["response"]["usage"], &told["message"]["usage"]];
        if let Some(usage) = usage.into_iter().find(|usage| usage.is_object()) {
            self.heard.usage = Some(usage.clone());
        }
        if let Some(code) = told["error"]["code"].as_str() {
            self.heard.code = Some(code.to_owned());
        }
        if let Some(reason) = told["choices"][0]["finish_reason"].as_str() {
            self.heard.finish = Some(reason.to_owned());
        }
    }
}

/// The text that an event or a body delivers, whatever the interface.
fn texts(told: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let choices = told["choices"].as_array().into_iter().flatten();
    let choices = choices.map(|it| {
        text(&it["delta"]["content"]) + &text(&it["message"]["content"]) + &text(&it["text"])
    });
    let delta = match told["type"].as_str() {
        Some("content_block_delta") => text(&told["delta"]["text"]),
        Some("response.output_text.delta") => text(&told["delta"]),
        Some("message") => text(&told["content"][0]["text"]),
        _ => String::new(),
    };
    let output = match told["object"].as_str() {
        Some("response") => text(&told["output"][0]["content"][0]["text"]),
        _ => String::new(),
    };
    choices.collect::<String>() + &delta + &output
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(parts: &[&[u8]]) -> Heard {
        let mut hearing = Hearing::default();
        for part in parts {
            hearing.take(part).unwrap();
        }
        hearing.heard
    }

    #[test]
    fn tokens_are_counted_over_any_cut() {
        let event = "data: {\"choices\":[{\"delta\":{\"content\":\"w0 w1\"}}]}\n\n";
        let body = format!("{:x}\r\n{event}\r\n", event.len()).repeat(2);
        let answer = format!(
            "HTTP/1.1 200 OK\r\nx-request-id: a\r\ncontent-type: text/event-stream\r\n\
             transfer-encoding: chunked\r\n\r\n{body}0\r\n\r\n"
        );
        for cut in 1..answer.len() {
            let (first, second) = answer.as_bytes().split_at(cut);
            let heard = hear(&[first, second]);
            assert_eq!((heard.tokens, heard.events, heard.whole), (4, 2, true), "{cut}");
            assert_eq!(heard.id.as_deref(), Some("a"));
        }
        assert!(!hear(&[&answer.as_bytes()[..answer.len() - 3]]).whole);
    }

    #[test]
    fn every_interface_has_its_texts() {
        let table = [
            json!({"choices": [{"message": {"content": "w w"}}, {"text": "w"}]}),
            json!({"type": "message", "content": [{"text": "w w w"}]}),
            json!({"object": "response", "output": [{"content": [{"text": "w w w"}]}]}),
            json!({"type": "content_block_delta", "delta": {"text": "w w w"}}),
            json!({"type": "response.output_text.delta", "delta": "w w w"}),
        ];
        for told in table {
            assert_eq!(texts(&told).matches('w').count(), 3, "{told}");
        }
    }

    #[test]
    fn an_error_is_no_whole_answer() {
        let body = r#"{"error":{"code":"budget_exceeded"}}"#;
        let answer = format!("HTTP/1.1 429 No\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let heard = hear(&[answer.as_bytes()]);
        assert_eq!((heard.whole, heard.code.as_deref()), (false, Some("budget_exceeded")));
    }
}
