//! Many clients at once, each request's outcome noted, to be held against the ledger.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::sse::SseAnswer;
use crate::{Result, client};

/// After a failure a client waits so long, so as not to spin at a closed port.
const AFTER_FAILURE: Duration = Duration::from_millis(5);

/// What a load consists of.
#[derive(Debug, Clone)]
pub struct Load {
    url: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Value,
    clients: usize,
}

/// How one request went, as its client saw it.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// The `x-request-id` of the answer.
    pub id: Option<String>,
    /// Status, where an answer began.
    pub status: Option<u16>,
    /// 200, and the body whole: parsable JSON, or a stream to its `[DONE]` without
    /// an error event.
    pub complete: bool,
    /// Usage as the body told it last.
    pub input_tokens: Option<u64>,
    /// Usage as the body told it last.
    pub output_tokens: Option<u64>,
    /// Stream events that had text in them.
    pub text_events: u64,
    /// What broke, in words.
    pub error: Option<String>,
    /// From sending to the last byte.
    pub took: Duration,
}

/// A load that goes on until it is stopped.
pub struct RunningLoad {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    clients: Vec<JoinHandle<Vec<Outcome>>>,
}

impl Load {
    /// Chats with the model `tiny`, in JSON, from one client.
    pub fn on(url: &str) -> Load {
        Load {
            url: url.trim_end_matches('/').to_owned(),
            path: "/v1/chat/completions".to_owned(),
            headers: Vec::new(),
            body: json!({
                "model": "tiny",
                "messages": [{"role": "user", "content": "Say hello to the load"}],
            }),
            clients: 1,
        }
    }

    /// API key of every request.
    pub fn key(self, key: &str) -> Load {
        self.header("authorization", &format!("Bearer {key}"))
    }

    /// Model of every request.
    pub fn model(self, name: &str) -> Load {
        self.field("model", json!(name))
    }

    /// Asks for streams, with usage at their end.
    pub fn stream(self) -> Load {
        self.field("stream", json!(true)).field("stream_options", json!({"include_usage": true}))
    }

    /// A field of every body.
    pub fn field(mut self, name: &str, value: Value) -> Load {
        self.body[name] = value;
        self
    }

    /// A header of every request.
    pub fn header(mut self, name: &str, value: &str) -> Load {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Requests at once, each on a connection of its own.
    pub fn clients(mut self, clients: usize) -> Load {
        self.clients = clients;
        self
    }

    /// Sends so many requests, and returns all outcomes.
    pub async fn count(&self, requests: u64) -> Result<Vec<Outcome>> {
        self.begin(requests).outcomes().await
    }

    /// Sends for so long, lets the last requests end, and returns all outcomes.
    pub async fn during(&self, time: Duration) -> Result<Vec<Outcome>> {
        let running = self.start();
        tokio::time::sleep(time).await;
        running.stop().await
    }

    /// Sends until it is stopped.
    pub fn start(&self) -> RunningLoad {
        self.begin(u64::MAX)
    }

    fn begin(&self, requests: u64) -> RunningLoad {
        let stop = Arc::new(AtomicBool::new(false));
        let sent = Arc::new(AtomicU64::new(0));
        let one = |_| {
            let (load, stop, sent) = (self.clone(), Arc::clone(&stop), Arc::clone(&sent));
            tokio::spawn(async move { load.one_client(requests, &stop, &sent).await })
        };
        let clients = (0..self.clients).map(one).collect();
        RunningLoad { stop, sent, clients }
    }

    async fn one_client(self, requests: u64, stop: &AtomicBool, sent: &AtomicU64) -> Vec<Outcome> {
        let client = client();
        let mut outcomes = Vec::new();
        while !stop.load(Relaxed) && sent.fetch_add(1, Relaxed) < requests {
            let outcome = self.one_request(&client).await;
            let failed = !outcome.complete;
            outcomes.push(outcome);
            if failed {
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
        outcomes
    }

    async fn one_request(&self, client: &reqwest::Client) -> Outcome {
        let begun = Instant::now();
        let mut request = client.post(format!("{}{}", self.url, self.path)).json(&self.body);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut outcome = match request.send().await {
            Ok(answer) => read(answer).await,
            Err(error) => Outcome { error: Some(chain(&error)), ..Outcome::default() },
        };
        outcome.took = begun.elapsed();
        outcome
    }
}

impl RunningLoad {
    /// Requests begun so far.
    pub fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    /// Lets the requests under way end, and returns all outcomes.
    pub async fn stop(self) -> Result<Vec<Outcome>> {
        self.stop.store(true, Relaxed);
        self.outcomes().await
    }

    async fn outcomes(self) -> Result<Vec<Outcome>> {
        let mut all = Vec::new();
        for client in self.clients {
            all.extend(client.await?);
        }
        Ok(all)
    }
}

async fn read(answer: reqwest::Response) -> Outcome {
    let header = |name: &str| answer.headers().get(name)?.to_str().ok().map(str::to_owned);
    let outcome = Outcome {
        id: header("x-request-id"),
        status: Some(answer.status().as_u16()),
        ..Outcome::default()
    };
    match header("content-type").is_some_and(|it| it.starts_with("text/event-stream")) {
        true => read_stream(outcome, answer).await,
        false => read_json(outcome, answer).await,
    }
}

async fn read_json(outcome: Outcome, answer: reqwest::Response) -> Outcome {
    let bytes = match answer.bytes().await {
        Ok(bytes) => bytes,
        Err(error) => return Outcome { error: Some(chain(&error)), ..outcome },
    };
    match serde_json::from_slice::<Value>(&bytes) {
        Ok(body) if outcome.status == Some(200) => {
            Outcome { complete: true, ..with_usage(outcome, &body["usage"]) }
        }
        Ok(body) => Outcome { error: Some(body.to_string()), ..outcome },
        Err(error) => Outcome { error: Some(error.to_string()), ..outcome },
    }
}

async fn read_stream(outcome: Outcome, answer: reqwest::Response) -> Outcome {
    let stream = SseAnswer::read(answer).await;
    let events = stream.json();
    let has_text = |event: &&Value| {
        let text = &event["choices"][0]["delta"]["content"];
        text.as_str().is_some_and(|text| !text.is_empty())
    };
    let error = events.iter().find(|event| !event["error"].is_null());
    let broken = (!stream.complete).then(|| "the stream was cut".to_owned());
    let outcome = Outcome {
        text_events: events.iter().filter(has_text).count() as u64,
        complete: outcome.status == Some(200) && stream.complete && stream.done && error.is_none(),
        error: error.map(Value::to_string).or(broken),
        ..outcome
    };
    with_usage(outcome, &stream.usage().unwrap_or_default())
}

fn with_usage(outcome: Outcome, usage: &Value) -> Outcome {
    Outcome {
        input_tokens: usage["prompt_tokens"].as_u64(),
        output_tokens: usage["completion_tokens"].as_u64(),
        ..outcome
    }
}

/// An error with its causes: reqwest's own text stops at "error sending request".
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
