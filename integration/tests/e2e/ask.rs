//! One request, and what the gateway told.

use integration::{Result, Tollgate, client};
use serde_json::Value;

pub const CHAT: &str = "/v1/chat/completions";
pub const HELLO: &str = r#"{"model":"tiny","messages":[{"role":"user","content":"hello"}]}"#;

/// An answer.
#[derive(Debug, Clone)]
pub struct Told {
    pub status: u16,
    /// The code of a refusal; empty where there is none.
    pub code: String,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Told {
    /// Status and code.
    pub fn what(&self) -> (u16, &str) {
        (self.status, &self.code)
    }

    /// What the engine received, where it was told to say so: `path`, `headers`, `body`.
    pub fn echo(&self) -> Value {
        let message = &self.body["choices"][0]["message"]["content"];
        let text = message.as_str().or(self.body["text"].as_str()).unwrap_or_default();
        serde_json::from_str(text).unwrap_or_default()
    }

    /// The id of the usage record.
    pub fn id(&self) -> &str {
        self.headers.get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default()
    }

    pub async fn of(request: reqwest::RequestBuilder) -> Result<Told> {
        let answer = request.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body: Value = serde_json::from_slice(&answer.bytes().await?).unwrap_or_default();
        let code = body["error"]["code"].as_str().unwrap_or_default().to_owned();
        Ok(Told { status, code, headers, body })
    }
}

/// A POST of JSON with these headers; the engine echoes what it gets.
pub fn post(
    gate: &Tollgate,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> reqwest::RequestBuilder {
    let request = client().post(format!("{}{path}", gate.url())).body(body.to_owned());
    let request = request.header("content-type", "application/json").header("x-sim-echo", "body");
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

/// The chat that everybody may ask, with this `authorization`.
pub async fn hello(gate: &Tollgate, authorization: &str) -> Result<Told> {
    Told::of(post(gate, CHAT, &[("authorization", authorization)], HELLO)).await
}

/// A chat with this model, by a key or a token.
pub async fn chat(gate: &Tollgate, bearer: &str, model: &str) -> Result<Told> {
    let authorization = format!("Bearer {bearer}");
    let body = HELLO.replace("tiny", model);
    Told::of(post(gate, CHAT, &[("authorization", &authorization)], &body)).await
}

/// A GET by a key or a token.
pub async fn get(gate: &Tollgate, bearer: &str, path: &str) -> Result<Told> {
    Told::of(client().get(format!("{}{path}", gate.url())).bearer_auth(bearer)).await
}

/// The ids of the models that a caller is shown.
pub async fn models(gate: &Tollgate, bearer: &str) -> Result<Vec<String>> {
    let list = get(gate, bearer, "/v1/models").await?.body;
    let rows = list["data"].as_array().cloned().unwrap_or_default();
    Ok(rows.iter().filter_map(|row| row["id"].as_str().map(str::to_owned)).collect())
}

/// A key that is made with these further arguments.
pub async fn key(gate: &Tollgate, tenant: &str, more: &[&str]) -> Result<integration::KeyMade> {
    let make = ["keys", "create", "--tenant", tenant, "--name", "made", "--format", "json"];
    Ok(serde_json::from_value(gate.cli_json(&[&make[..], more].concat()).await?)?)
}

/// A field of what runs, such as the address of the admin API.
pub fn running(gate: &Tollgate, field: &str) -> Result<String> {
    let run: Value = serde_json::from_slice(&std::fs::read(gate.data().join("run.json"))?)?;
    Ok(run[field].as_str().unwrap_or_default().to_owned())
}
