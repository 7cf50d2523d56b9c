//! `/v1/audio/transcriptions`: a form with a file goes in, a text comes out.

use serde_json::json;

use super::Engine;
use super::answer::echo;
use super::command::{Commands, Echo, UsageTold};
use super::exchange::Step;
use super::send::{fail_first, send_error, send_json};
use super::wire::{Request, Wire};

/// A part of a form (RFC 7578).
#[derive(Debug, PartialEq, Eq)]
struct Part<'a> {
    name: String,
    content: &'a [u8],
}

impl Engine {
    /// Answers a form as vLLM does: with words, and the seconds of the recording.
    pub(super) async fn transcribe(
        &self,
        wire: &mut Wire,
        request: &Request,
        commands: &Commands,
    ) -> Step {
        let entry = self.entry(request);
        fail_first(wire, request, commands.fault).await?;
        let parts = match parts(request) {
            Ok(parts) => parts,
            Err(wrong) => return send_error(wire, request, 400, &wrong, "null").await,
        };
        let field = |name: &str| parts.iter().rev().find(|part| part.name == name);
        let model = field("model").map(|part| String::from_utf8_lossy(part.content).into_owned());
        if let Some(other) = model.filter(|name| *name != self.options.model) {
            let message = format!("The model `{other}` does not exist.");
            return send_error(wire, request, 404, &message, "\"model\"").await;
        }
        let Some(file) = field("file") else {
            return send_error(wire, request, 400, "Field required: file", "null").await;
        };
        let text = match commands.echo {
            Some(Echo::Body) => echo(&request.head.path, &request.head.headers, &request.body),
            Some(Echo::Text) => {
                let prompt = field("prompt").map_or(&[][..], |part| part.content);
                String::from_utf8_lossy(prompt).into_owned()
            }
            None => "w0 w1 w2".to_owned(),
        };
        let seconds = file.content.len().div_ceil(BYTES_A_SECOND);
        entry.heard(seconds as u64);
        let mut answer = json!({"text": text, "usage": {"type": "duration", "seconds": seconds}});
        if commands.usage.unwrap_or(self.options.usage) == UsageTold::Never {
            answer["usage"] = serde_json::Value::Null;
        }
        send_json(wire, request, 200, &answer.to_string()).await?;
        entry.whole();
        Ok(())
    }
}

/// What a second of sound takes here, whatever its format.
const BYTES_A_SECOND: usize = 16_000;

const PARAMETER: &str = "boundary=";

/// Every part of the body; the error is the message for the client.
fn parts(request: &Request) -> Result<Vec<Part<'_>>, String> {
    let kind = request.head.header("content-type").unwrap_or_default();
    let at =
        kind.to_ascii_lowercase().find(PARAMETER).ok_or("a form with a boundary is required")?;
    let boundary = kind[at + PARAMETER.len()..].trim_matches('"');
    let open = format!("--{boundary}\r\n");
    let between = format!("\r\n--{boundary}");
    let mut rest = request.body.strip_prefix(open.as_bytes()).ok_or("no first boundary")?;
    let mut parts = Vec::new();
    loop {
        let end = find(rest, between.as_bytes()).ok_or("no last boundary")?;
        parts.push(part(&rest[..end])?);
        let after = &rest[end + between.len()..];
        match after.strip_prefix(b"\r\n") {
            Some(next) => rest = next,
            None if after.starts_with(b"--") => return Ok(parts),
            None => return Err("a boundary is broken".to_owned()),
        }
    }
}

fn part(bytes: &[u8]) -> Result<Part<'_>, String> {
    let end = find(bytes, b"\r\n\r\n").ok_or("a part has no head")?;
    let head = String::from_utf8_lossy(&bytes[..end]);
    let name = head.split_once("name=\"").and_then(|(_, rest)| rest.split_once('"'));
    let name = name.ok_or("a part has no name")?.0.to_owned();
    Ok(Part { name, content: &bytes[end + 4..] })
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::Head;

    fn request(body: &str) -> Request {
        let head = b"POST / HTTP/1.1\r\ncontent-type: multipart/form-data; boundary=B\r\n\r\n";
        Request { head: Head::of_request(head).unwrap().unwrap(), body: body.into() }
    }

    #[test]
    fn parts_are_told_apart() {
        let body = "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n\
                    \r\n--C\r\n--B\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\ntiny\r\n--B--\r\n";
        let request = request(body);
        let parts = parts(&request).unwrap();
        let seen: Vec<_> = parts.iter().map(|part| (part.name.as_str(), part.content)).collect();
        assert_eq!(seen, [("file", &b"\r\n--C"[..]), ("model", b"tiny")]);
    }

    #[test]
    fn what_is_no_form_says_why() {
        for body in ["", "--B\r\nx", "--B\r\n\r\n\r\n--B--", "--B\r\nname=\"a\"\r\n\r\n1\r\n--Bx"] {
            assert!(parts(&request(body)).is_err(), "{body:?}");
        }
    }
}
