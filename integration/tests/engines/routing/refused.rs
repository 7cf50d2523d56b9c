//! What engines refuse, in words of their own.

use serde_json::{Value, json};

/// A model that vLLM does not have.
pub const MISNAMED: &str = "inside/never-heard-of";

/// More than either engine's context, in tokens: both have one for each byte.
const PROMPT_TOO_LONG: usize = 9_000;
/// What is only found inside an engine or between it and the gateway: names of models, paths,
/// addresses.
const INSIDES: [&str; 5] = ["inside", ".tools", ".py", "127.0.0.1", "://"];

/// What an engine refuses, and what its caller is to read of that.
#[derive(Debug)]
pub struct Refused {
    pub model: &'static str,
    pub fields: Value,
    pub status: u16,
    pub code: &'static str,
    /// Of the engine's; none of a 404, which is full of names.
    pub words: &'static str,
}

impl Refused {
    /// 400, with these of the engine's words.
    fn new(fields: Value, words: &'static str) -> Refused {
        Refused { model: "chat", fields, status: 400, code: "invalid_request", words }
    }

    pub fn by_vllm() -> [Refused; 3] {
        [
            Refused::new(json!({"messages": too_long()}), "context length"),
            Refused::new(json!({"temperature": -1}), "temperature must be non-negative"),
            Refused {
                model: "renamed",
                fields: json!({}),
                status: 404,
                code: "not_found",
                words: "",
            },
        ]
    }

    pub fn by_llamacpp() -> [Refused; 2] {
        [
            Refused::new(json!({"messages": too_long()}), "context size"),
            Refused::new(json!({"grammar": "root ::= ("}), "grammar"),
        ]
    }
}

fn too_long() -> Value {
    json!([{"role": "user", "content": "x".repeat(PROMPT_TOO_LONG)}])
}

/// The message of an error that has this code, the gateway's shape and nothing of the engine's
/// insides.
pub fn message<'e>(error: &'e Value, code: &str) -> &'e str {
    let fields: Vec<&String> = error.as_object().into_iter().flat_map(|it| it.keys()).collect();
    assert_eq!(fields, ["code", "message", "param", "type"], "{error}");
    assert_eq!(error["code"], code, "{error}");
    for inside in INSIDES {
        assert!(!error.to_string().contains(inside), "{inside}: {error}");
    }
    error["message"].as_str().expect("a message is a text")
}
