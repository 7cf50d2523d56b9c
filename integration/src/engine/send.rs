//! The bytes of an answer, whole ones and the ones that a fault breaks.

use super::account::Entry;
use super::command::Fault;
use super::dialect::error_json;
use super::exchange::{Ending, Step};
use super::wire::{Request, Wire};

/// What vLLM says, in other words, when its model process is gone.
pub const ENGINE_DIED: &str = "The engine encountered an issue.";
/// Media type of all that is no stream.
pub const JSON: &str = "application/json";
/// Events before a stream breaks where the fault does not say how many.
const EVENTS_BEFORE_BREAK: u64 = 3;
/// Cut JSON, a line without a field name, bytes that are no UTF-8, a bare comment
/// and a field without a value.
const NO_EVENTS: &[u8] = b"data: {\"id\":\"chatcmpl-broken\",\"choices\":[{\"ind\n\n\
    no field\n\ndata: \xff\xfe\xc3(\n\n:\n\ndata\n\n";
const DONE: &str = "data: [DONE]\n\n";

/// The faults that come before anything is read of the request.
pub async fn fail_first(wire: &mut Wire, request: &Request, fault: Option<Fault>) -> Step {
    match fault {
        Some(Fault::Refuse) => Err(Ending::Closed),
        Some(Fault::ResetBefore) => Err(Ending::Reset),
        Some(Fault::Hang) => {
            wire.left().await;
            Err(Ending::ClientLeft)
        }
        Some(Fault::SlowHeaders(time)) => wire.pause(time).await,
        Some(Fault::Status(status)) => {
            send_error(wire, request, status, "as commanded", "null").await?;
            Err(Ending::Answered)
        }
        Some(Fault::Later(status, seconds)) => {
            let body = error_json("as commanded", kind_of(status), "null", status);
            let later = format!("retry-after: {seconds}\r\n");
            wire.send(message(request, status, JSON, &later, &body)).await?;
            Err(Ending::Answered)
        }
        _ => Ok(()),
    }
}

/// Ends an exchange in its middle, as the fault says.
pub async fn break_off(wire: &mut Wire, fault: Fault) -> Ending {
    if matches!(fault, Fault::HangAfter(_)) {
        wire.left().await;
        return Ending::ClientLeft;
    }
    wire.settle().await;
    Ending::Reset
}

/// The events of one stream, and the fault that lies in wait for it.
pub struct Events<'a> {
    /// Where they go.
    pub wire: &'a mut Wire,
    /// What happens to them.
    pub fault: Option<Fault>,
    /// How many went.
    pub sent: u64,
    /// Where tokens are counted.
    pub entry: &'a Entry<'a>,
}

impl Events<'_> {
    /// Sends one event in a chunk of its own.
    pub async fn send(&mut self, event: impl AsRef<[u8]>) -> Step {
        match self.fault {
            Some(fault @ (Fault::ResetAfter(count) | Fault::HangAfter(count)))
                if self.sent >= count =>
            {
                return Err(break_off(self.wire, fault).await);
            }
            Some(Fault::ErrorEvent) if self.sent >= EVENTS_BEFORE_BREAK => {
                return self.end_with_error().await;
            }
            Some(Fault::MalformedSse | Fault::MalformedJson)
                if self.sent >= EVENTS_BEFORE_BREAK =>
            {
                self.wire.send(chunk(NO_EVENTS)).await?;
                self.wire.send("0\r\n\r\n").await?;
                return Err(Ending::Answered);
            }
            _ => {}
        }
        self.sent += 1;
        self.wire.send(chunk(event.as_ref())).await
    }

    /// Sends one event that has so many tokens in it.
    pub async fn send_tokens(&mut self, event: &str, tokens: u64) -> Step {
        self.entry.about_to_send(tokens);
        self.send(event).await?;
        self.entry.sent(tokens);
        Ok(())
    }

    /// Sends several, one after the other.
    pub async fn send_all(&mut self, events: Vec<String>) -> Step {
        for event in events {
            self.send(event).await?;
        }
        Ok(())
    }

    /// Ends the stream. A fault that waited for more events than there were
    /// comes now: what was asked to break never ends well.
    pub async fn end(&mut self, says_done: bool) -> Step {
        match self.fault {
            Some(fault @ (Fault::ResetAfter(_) | Fault::HangAfter(_))) => {
                return Err(break_off(self.wire, fault).await);
            }
            Some(Fault::ErrorEvent) => return self.end_with_error().await,
            Some(Fault::NoDone) => {}
            _ if says_done => self.wire.send(chunk(DONE.as_bytes())).await?,
            _ => {}
        }
        self.wire.send("0\r\n\r\n").await
    }

    async fn end_with_error(&mut self) -> Step {
        let error = error_json(ENGINE_DIED, "InternalServerError", "null", 500);
        self.wire.send(chunk(format!("data: {error}\n\n").as_bytes())).await?;
        self.wire.send(chunk(DONE.as_bytes())).await?;
        self.wire.send("0\r\n\r\n").await?;
        Err(Ending::Answered)
    }
}

/// An error in vLLM's shape; `param` is JSON.
pub async fn send_error(
    wire: &mut Wire,
    request: &Request,
    status: u16,
    message: &str,
    param: &str,
) -> Step {
    let body = error_json(message, kind_of(status), param, status);
    send_json(wire, request, status, &body).await
}

fn kind_of(status: u16) -> &'static str {
    match status {
        404 => "NotFoundError",
        429 => "RateLimitError",
        500.. => "InternalServerError",
        _ => "BadRequestError",
    }
}

/// An answer in JSON.
pub async fn send_json(wire: &mut Wire, request: &Request, status: u16, body: &str) -> Step {
    send(wire, request, status, JSON, body).await
}

/// An answer of any kind, in one write.
pub async fn send(
    wire: &mut Wire,
    request: &Request,
    status: u16,
    media_type: &str,
    body: &str,
) -> Step {
    wire.send(message(request, status, media_type, "", body)).await
}

/// Head and body of an answer with a length; `lines` are further ones of the head.
pub fn message(
    request: &Request,
    status: u16,
    media_type: &str,
    lines: &str,
    body: &str,
) -> String {
    let (head, length) = (head(request, status, media_type), body.len());
    format!("{head}{lines}content-length: {length}\r\n\r\n{body}")
}

/// Head of a stream.
pub fn stream_head(request: &Request) -> String {
    let head = head(request, 200, "text/event-stream; charset=utf-8");
    format!("{head}transfer-encoding: chunked\r\n\r\n")
}

fn head(request: &Request, status: u16, media_type: &str) -> String {
    let reason = reason(status);
    let close = if request.head.keeps_alive() { "" } else { "connection: close\r\n" };
    let id = request.head.header("x-request-id").filter(|id| is_plain(id));
    let id = id.map_or(String::new(), |id| format!("x-request-id: {id}\r\n"));
    format!(
        "HTTP/1.1 {status} {reason}\r\nserver: uvicorn\r\ncontent-type: {media_type}\r\n{id}{close}"
    )
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "As Commanded",
    }
}

/// Whether an id may be put into JSON and headers as it is.
pub fn is_plain(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    !id.is_empty() && id.bytes().all(plain)
}

/// The longest prefix of at most `bytes` that ends between two characters.
pub fn lossless_prefix(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

fn chunk(data: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", data.len()).into_bytes();
    chunk.extend_from_slice(data);
    chunk.extend_from_slice(b"\r\n");
    chunk
}
