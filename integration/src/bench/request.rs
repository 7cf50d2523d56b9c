//! The bytes that the load sends, made once.

use serde_json::json;

/// Bytes of every request's body.
pub const BODY_BYTES: usize = 2048;
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

/// A chat completion for `model` with the key; the body has [`BODY_BYTES`],
/// whatever the model is called.
pub fn request(ask: Ask, model: &str, key: &str) -> Vec<u8> {
    let (body, commands) = (body(ask, model), commands(ask));
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\naccept: application/json\r\nuser-agent: bench\r\n\
         {commands}content-length: {}\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}

fn body(ask: Ask, model: &str) -> String {
    let with = |prompt: &str| {
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
    };
    let room = BODY_BYTES.saturating_sub(with("").len());
    with(&WORDS.chars().cycle().take(room).collect::<String>())
}

/// The simulator's, as header lines.
fn commands(ask: Ask) -> String {
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

    fn split(request: &[u8]) -> (String, serde_json::Value) {
        let text = String::from_utf8(request.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(body.len(), BODY_BYTES);
        (head.to_owned(), serde_json::from_str(body).unwrap())
    }

    #[test]
    fn every_body_has_the_same_size() {
        for model in ["chat", "a/much/longer-name"] {
            let (head, body) = split(&request(Ask::Json, model, "k"));
            assert!(head.contains("authorization: Bearer k\r\n"), "{head}");
            assert!(head.ends_with("content-length: 2048"), "{head}");
            assert_eq!(body["model"], model);
            assert!(body.get("stream").is_none());
        }
    }

    #[test]
    fn a_stream_commands_the_simulator() {
        let ask = Ask::Stream { tokens: 500, interval_us: 1000 };
        let (head, body) = split(&request(ask, "chat", "k"));
        assert!(head.contains("x-sim-tokens: 500\r\nx-sim-interval: 1000us\r\n"), "{head}");
        assert_eq!(body["stream"], true);
        assert_eq!(body["stream_options"]["include_usage"], true);
    }
}
