//! Placeholders out of a real engine. The model of llama.cpp's server has random weights
//! and says nonsense, so a grammar tells it what to write: it makes the placeholders
//! itself, token by token, and the server cuts, parses and frames them as it does anything
//! else.

use crate::llamacpp::LlamaCpp;
use integration::{Result, SseReader, Tollgate, client};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const RECORD_TIMEOUT: Duration = Duration::from_secs(60);

const EMAIL: &str = "kim.minsu@example.com";
/// A value that JSON has to escape.
const PROJECT: &str = r#"Heron "X""#;
const CONFIG: &str = "\
masking:
  policies:
    default: { deny_words: ['Heron \"X\"'] }
tenants:
  acme: { masking: default }
pools:
  tiny:
    engine: llamacpp
    allow_fields: [grammar]
";

struct World {
    engine: LlamaCpp,
    gate: Tollgate,
    key: String,
    _folder: tempfile::TempDir,
}

/// Where an API has its text: in an answer, and in the events of one that is streamed.
#[derive(Clone, Copy)]
struct Api {
    path: &'static str,
    whole: &'static str,
    piece: &'static str,
}

impl Api {
    fn place(self, stream: bool) -> &'static str {
        if stream { self.piece } else { self.whole }
    }
}

const CHAT: Api = Api {
    path: "/v1/chat/completions",
    whole: "/choices/0/message/content",
    piece: "/choices/0/delta/content",
};
const TOOLS: Api = Api {
    whole: "/choices/0/message/tool_calls/0/function/arguments",
    piece: "/choices/0/delta/tool_calls/0/function/arguments",
    ..CHAT
};
const COMPLETIONS: Api =
    Api { path: "/v1/completions", whole: "/choices/0/text", piece: "/choices/0/text" };
const RESPONSES: Api =
    Api { path: "/v1/responses", whole: "/output/0/content/0/text", piece: "/delta" };

/// What is asked, as the field that the API has for it.
fn prompt(api: Api) -> Value {
    let text = format!("Write to {EMAIL} about {PROJECT}, 김민수");
    match api.path {
        "/v1/completions" => json!({"prompt": text}),
        "/v1/responses" => json!({"input": text}),
        _ => json!({"messages": [{"role": "user", "content": text}]}),
    }
}

/// What an answer says at `api`'s place; of a stream that has several calls of tools, each.
fn said(api: Api, stream: bool, answer: &[u8]) -> Vec<String> {
    let text = |json: &Value| {
        json.pointer(api.place(stream)).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    if !stream {
        return vec![text(&serde_json::from_slice(answer).unwrap_or_default())];
    }
    let mut calls = BTreeMap::<u64, String>::new();
    for event in SseReader::default().feed(answer) {
        let event: Value = serde_json::from_str(&event.data).unwrap_or_default();
        let call = event.pointer("/choices/0/delta/tool_calls/0/index").and_then(Value::as_u64);
        *calls.entry(call.unwrap_or_default()).or_default() += &text(&event);
    }
    calls.into_values().collect()
}

impl World {
    async fn start() -> Result<World> {
        let folder = tempfile::tempdir()?;
        let engine = LlamaCpp::start(folder.path()).await?;
        let gate = Tollgate::with(CONFIG).endpoint("tiny", "tiny", &engine.url).start().await?;
        let key = gate.key("acme").await?.key;
        Ok(World { engine, gate, key, _folder: folder })
    }

    /// Asks with these further fields; the answer as it came.
    async fn ask(&self, api: Api, further: &Value) -> Result<Vec<u8>> {
        let mut body = prompt(api);
        for (name, value) in further.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        body["model"] = "tiny".into();
        let request = client().post(format!("{}{}", self.gate.url(), api.path)).json(&body);
        let answer = request.bearer_auth(&self.key).send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let answer = answer.bytes().await?.to_vec();
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
        assert_eq!(headers["x-tollgate-masked"], "2");
        Ok(answer)
    }

    /// What the engine had last: its prompt, and what its model made of it.
    async fn slot(&self) -> Result<(String, String)> {
        let slots = client().get(format!("{}/slots", self.engine.url)).send().await?;
        let slots: Value = slots.json().await?;
        let text = |name: &str| slots[0][name].as_str().unwrap_or_default().to_owned();
        Ok((text("prompt"), text("generated")))
    }

    /// The placeholders of the mail address and of the project.
    async fn placeholders(&self) -> Result<[String; 2]> {
        self.ask(CHAT, &json!({"response_format": exactly(&json!("ok"))})).await?;
        let (prompt, _) = self.slot().await?;
        Ok(["[EMAIL_", "[DENY_WORD_"].map(|begin| {
            let found = prompt.find(begin).and_then(|at| prompt[at..].split_inclusive(']').next());
            found.unwrap_or_else(|| panic!("no {begin} in {prompt}")).to_owned()
        }))
    }

    /// Asks in both ways; the model has to have made `made`, and the caller to be told
    /// what `holds`.
    async fn gives_back(
        &self,
        api: Api,
        further: &Value,
        made: &str,
        holds: impl Fn(&str) -> bool,
    ) -> Result<()> {
        for stream in [false, true] {
            let mut further = further.clone();
            further["stream"] = stream.into();
            let answer = self.ask(api, &further).await?;
            let (prompt, generated) = self.slot().await?;
            assert!(prompt.contains("김민수") && generated.contains(made), "{prompt}{generated}");
            let (said, answer) = (said(api, stream, &answer), String::from_utf8_lossy(&answer));
            let all = said.iter().all(|text| holds(text));
            assert!(all, "{}, stream {stream}: {said:?}\n{answer}", api.path);
            assert!(!answer.contains(made), "{answer}");
        }
        Ok(())
    }

    /// The engine's log shows every request and what was made of it.
    fn assert_unseen(&self, placeholders: &[String]) -> Result<()> {
        let log =
            String::from_utf8_lossy(&std::fs::read(&self.engine.process.stderr)?).into_owned();
        for placeholder in placeholders {
            assert!(log.contains(placeholder.as_str()), "{placeholder} is not in the log");
        }
        assert!(!log.contains(EMAIL) && !log.contains("Heron"), "{}", self.engine.process.tails());
        Ok(())
    }
}

/// A `response_format` that leaves one answer.
fn exactly(answer: &Value) -> Value {
    json!({"type": "json_schema", "json_schema": {"name": "answer", "schema": {"const": answer}}})
}

/// An object that has just these members.
fn schema(members: &Value) -> Value {
    let members = members.as_object().into_iter().flatten();
    let (names, members): (Vec<_>, serde_json::Map<_, _>) =
        members.map(|(name, value)| (name, (name.clone(), json!({"const": value})))).unzip();
    json!({"type": "object", "properties": members, "required": names, "additionalProperties": false})
}

/// A grammar that leaves one text. Callers may write `grammar` here, so it is a text like
/// any other: a placeholder that stands in it whole would be the caller's own.
fn grammar(text: &str) -> Value {
    let quoted = |one: char| format!("{:?}", one.to_string());
    let characters: Vec<String> = text.chars().map(quoted).collect();
    json!({"grammar": format!("root ::= {}", characters.join(" "))})
}

#[tokio::test]
async fn structured_output_comes_back() -> Result<()> {
    let world = World::start().await?;
    let placeholders = world.placeholders().await?;
    let [email, project] = &placeholders;
    let (made, meant) =
        (json!({"to": email, "about": project}), json!({"to": EMAIL, "about": PROJECT}));
    let formats = [
        exactly(&made),
        json!({"type": "json_schema", "json_schema": {"name": "mail", "schema": schema(&made)}}),
    ];
    for format in formats {
        let further = json!({"response_format": format});
        let holds = |said: &str| serde_json::from_str::<Value>(said).is_ok_and(|it| it == meant);
        world.gives_back(CHAT, &further, email, holds).await?;
    }
    world.assert_unseen(&placeholders)
}

#[tokio::test]
async fn prose_comes_back_however_its_placeholders_are_written() -> Result<()> {
    let world = World::start().await?;
    let placeholders = world.placeholders().await?;
    let [email, project] = &placeholders;
    let meant = format!("[메일] {EMAIL}에게, \"{PROJECT}\" [1] {EMAIL}");
    for written in [email.clone(), email.to_lowercase(), email.replace('_', "\\_")] {
        let made = format!("[메일] {written}에게, \"{project}\" [1] {written}");
        for api in [CHAT, COMPLETIONS, RESPONSES] {
            world.gives_back(api, &grammar(&made), &written, |said| said == meant).await?;
        }
    }
    world.assert_unseen(&placeholders)
}

#[tokio::test]
async fn arguments_of_tools_come_back() -> Result<()> {
    let world = World::start().await?;
    let placeholders = world.placeholders().await?;
    let [email, project] = &placeholders;
    let parameters = schema(&json!({"to": email, "about": project}));
    let further = json!({
        "tools": [{"type": "function", "function": {"name": "send", "parameters": parameters}}],
        "tool_choice": "required",
        "logit_bias": {"1": 100, "2": 50},
    });
    let meant = json!({"to": EMAIL, "about": PROJECT});
    let holds = |said: &str| serde_json::from_str::<Value>(said).is_ok_and(|it| it == meant);
    world.gives_back(TOOLS, &further, email, holds).await?;
    world.assert_unseen(&placeholders)
}

#[tokio::test]
async fn usage_is_what_the_engine_counts() -> Result<()> {
    let world = World::start().await?;
    let [email, _] = world.placeholders().await?;
    let further = json!({"response_format": exactly(&json!(email)), "stream": true,
        "stream_options": {"include_usage": true}});
    world.ask(CHAT, &further).await?;
    let told = |rows: &[Value]| rows.iter().filter(|row| row["source"] == "engine").count() == 2;
    let rows = world.gate.usage_when(told, RECORD_TIMEOUT).await?;
    for row in rows {
        assert_eq!(row["masked"], json!({"DENY_WORD": 1, "EMAIL": 1}), "{row}");
        assert!(row["output_tokens"].as_u64() > Some(0), "{row}");
    }
    Ok(())
}
