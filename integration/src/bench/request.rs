//! The bytes of one request, made once.

use serde_json::json;

/// Bytes of the body of a small chat.
pub const SMALL_BYTES: usize = 2048;
/// Bytes of the body of a large one.
pub const LARGE_BYTES: usize = 1 << 20;
/// Where chats are asked for.
pub const PATH: &str = "/v1/chat/completions";
/// What the prompt is filled up with.
const WORDS: &str = "a prompt of ordinary length, such as a question with some context has. ";

/// What a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// An answer in one piece.
    Json,
    /// So many tokens as events, these apart (µs).
    Stream {
        /// Tokens of the answer.
        tokens: u64,
        /// Between two of them; 0: as fast as they can be written.
        interval_us: u64,
    },
}

/// A chat completion.
#[derive(Debug, Clone, Copy)]
pub struct Chat<'a> {
    /// What is asked for.
    pub ask: Ask,
    /// The model's name.
    pub model: &'a str,
    /// Of the body, whatever the model is called.
    pub bytes: usize,
}

impl Chat<'_> {
    /// The body.
    pub fn body(&self) -> String {
        let with = |prompt: &str| body(self.ask, self.model, prompt);
        let room = self.bytes.saturating_sub(with("").len());
        with(&WORDS.chars().cycle().take(room).collect::<String>())
    }

    /// Head and body, with this `authorization`.
    pub fn request(&self, authorization: &str) -> Vec<u8> {
        post(&self.body(), &commands(self.ask), authorization)
    }
}

/// The body of a chat that says this.
pub fn body(ask: Ask, model: &str, prompt: &str) -> String {
    let mut body = json!({
        "model": model,
        "messages": [{ "role": "user", "content": prompt }],
        "temperature": 0.7,
    });
    if ask != Ask::Json {
        body["stream"] = true.into();
        body["stream_options"] = json!({ "include_usage": true });
    }
    body.to_string()
}

/// Head and body of a chat; `commands` are whole lines of the head.
pub fn post(body: &str, commands: &str, authorization: &str) -> Vec<u8> {
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nhost: bench\r\nauthorization: {authorization}\r\n\
         content-type: application/json\r\naccept: application/json\r\nuser-agent: bench\r\n\
         {commands}content-length: {}\r\n\r\n",
        body.len()
    );
    (head + body).into_bytes()
}

/// A question for the list of models: the smallest request that needs a credential.
pub fn models(authorization: &str) -> Vec<u8> {
    format!("GET /v1/models HTTP/1.1\r\nhost: bench\r\nauthorization: {authorization}\r\n\r\n")
        .into_bytes()
}

/// The simulator's, as header lines.
pub fn commands(ask: Ask) -> String {
    match ask {
        Ask::Json => String::new(),
        Ask::Stream { tokens, interval_us } => {
            format!("x-sim-tokens: {tokens}\r\nx-sim-interval: {interval_us}us\r\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(ask: Ask, model: &str) -> (String, serde_json::Value) {
        let request = Chat { ask, model, bytes: SMALL_BYTES }.request("Bearer k");
        let text = String::from_utf8(request).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(body.len(), SMALL_BYTES);
        (head.to_owned(), serde_json::from_str(body).unwrap())
    }

    #[test]
    fn every_body_has_the_same_size() {
        for model in ["chat", "a/much/longer-name"] {
            let (head, body) = split(Ask::Json, model);
            assert!(head.contains("authorization: Bearer k\r\n"), "{head}");
            assert!(head.ends_with("content-length: 2048"), "{head}");
            assert_eq!(body["model"], model);
            assert!(body.get("stream").is_none());
        }
    }

    #[test]
    fn a_stream_commands_the_simulator() {
        let ask = Ask::Stream { tokens: 500, interval_us: 1000 };
        let (head, body) = split(ask, "chat");
        assert!(head.contains("x-sim-tokens: 500\r\nx-sim-interval: 1000us\r\n"), "{head}");
        assert_eq!(body["stream"], true);
        assert_eq!(body["stream_options"]["include_usage"], true);
    }
}
