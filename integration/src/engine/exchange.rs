//! From a request to the bytes of its answer.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::Engine;
use super::account::Entry;
use super::answer::{Answer, Circumstances, echo, quoted};
use super::ask::{Ask, Interface};
use super::command::{Commands, Echo};
use super::generate::{Order, Pace};
use super::pose::Pose;
use super::replay::{Capture, pause_between};
use super::send::{fail_first, is_plain, send, send_error, send_json};
use super::wire::{Request, Wire};

/// For bytes that are no request.
pub const BAD_REQUEST: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Why an exchange ended before its answer was written in the plain way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The answer is whole all the same, and the connection may go on.
    Answered,
    /// The answer is whole and the connection ends with it.
    AnsweredLast,
    /// The connection ends here.
    Closed,
    /// The connection is reset here.
    Reset,
    /// The client was gone first.
    ClientLeft,
}

/// A step of an exchange, or what ended the exchange in it.
pub type Step<T = ()> = Result<T, Ending>;

impl Engine {
    /// Answers one request, and counts it.
    pub(super) async fn exchange(&self, wire: &mut Wire, request: &Request) -> Step {
        let path = request.head.path_alone();
        if path == "/sim/requests" {
            let counters = serde_json::to_string(&self.meters.counters());
            return send_json(wire, request, 200, &counters.unwrap_or_default()).await;
        }
        if path == "/sim/pose" {
            return self.strike_pose(wire, request).await;
        }
        if path == "/sim/received" {
            return self.tell_received(wire, request).await;
        }
        if let Some(told) = self.told_of_account(path) {
            return send_json(wire, request, 200, &told).await;
        }
        let path = self.without_base_path(path);
        self.record.iter().for_each(|record| record.keep(request));
        self.meters.arrived(path);
        let flight = path.starts_with("/v1/").then(|| self.meters.flight());
        let result = self.route(wire, request, path).await;
        match result {
            Ok(()) | Err(Ending::Answered | Ending::AnsweredLast) => self.meters.ended(false),
            Err(Ending::ClientLeft) => self.meters.ended(true),
            Err(Ending::Closed | Ending::Reset) => {}
        }
        drop(flight);
        result
    }

    /// The path of the API; one that is none where what has to stand before it does not.
    fn without_base_path<'p>(&self, path: &'p str) -> &'p str {
        match path.strip_prefix(self.options.base_path.as_str()) {
            Some(path) => path,
            None if path.starts_with("/v1/") => "/",
            None => path,
        }
    }

    /// What was delivered; `None` where the path asks for something else.
    fn told_of_account(&self, path: &str) -> Option<String> {
        match path {
            "/sim/delivered" => serde_json::to_string(&self.account.delivered()).ok(),
            "/sim/counters" => serde_json::to_string(&self.account.sums()).ok(),
            _ => None,
        }
    }

    /// The attempt in the account, under the gateway's id where there is one.
    pub(super) fn entry(&self, request: &Request) -> Entry<'_> {
        let id = request.head.header("x-request-id").filter(|id| !id.is_empty());
        let own = || format!("unnamed-{}", self.next_answer());
        let id = id.map_or_else(own, str::to_owned);
        self.account.begin(&id, request.head.path_alone())
    }

    async fn strike_pose(&self, wire: &mut Wire, request: &Request) -> Step {
        match Pose::parse(&request.body) {
            Ok(pose) => self.take_pose(pose),
            Err(wrong) => return send_error(wire, request, 400, &wrong, "null").await,
        }
        send_json(wire, request, 200, "{}").await
    }

    /// What was recorded, from the number in the query on.
    async fn tell_received(&self, wire: &mut Wire, request: &Request) -> Step {
        let query = request.head.path.split_once("?since=").map(|(_, number)| number);
        let since = query.and_then(|number| number.parse().ok()).unwrap_or(0);
        let received = self.record.as_ref().map(|record| record.since(since));
        let told = serde_json::to_string(&received.unwrap_or_default());
        send_json(wire, request, 200, &told.unwrap_or_default()).await
    }

    async fn route(&self, wire: &mut Wire, request: &Request, path: &str) -> Step {
        let pose = self.pose();
        let is_asked = path.starts_with("/v1/") && request.head.method == "POST";
        let standing = is_asked.then(|| self.standing_fault(&pose)).flatten();
        let commands = match Commands::of(&request.head, standing) {
            Ok(commands) => commands,
            Err(wrong) => return send_error(wire, request, 400, &wrong, "null").await,
        };
        if let (Some(name), Some(captures)) = (&commands.replay, &self.options.captures) {
            return self.replay(wire, request, &commands, captures, name).await;
        }
        wire.split(commands.split);
        match (request.head.method.as_str(), path, Interface::at(path)) {
            ("POST", _, Some(interface)) => {
                self.generate(wire, request, interface, &commands).await
            }
            ("POST", "/v1/audio/transcriptions", _) => {
                self.transcribe(wire, request, &commands).await
            }
            ("GET", "/health", _) => {
                send(wire, request, pose.health.unwrap_or(200), "text/plain", "").await
            }
            ("GET", "/v1/models", _) => send_json(wire, request, 200, &self.models()).await,
            ("GET", "/metrics", _) => {
                let text = self.meters.prometheus(&self.options.model, self.options.batch, &pose);
                send(wire, request, 200, "text/plain; version=1.0.0; charset=utf-8", &text).await
            }
            (_, "/health" | "/v1/models" | "/metrics", _) | (_, _, Some(_)) => {
                send_json(wire, request, 405, r#"{"detail":"Method Not Allowed"}"#).await
            }
            _ => send_json(wire, request, 404, r#"{"detail":"Not Found"}"#).await,
        }
    }

    async fn replay(
        &self,
        wire: &mut Wire,
        request: &Request,
        commands: &Commands,
        captures: &Path,
        name: &str,
    ) -> Step {
        let Ok(capture) = Capture::load(captures, name) else {
            let message = format!("no capture is called {name}");
            return send_error(wire, request, 400, &message, "null").await;
        };
        let pieces = capture.pieces(commands.cuts);
        let pause = pause_between(pieces.len());
        for (index, piece) in pieces.into_iter().enumerate() {
            if index > 0 {
                wire.pause(pause).await?;
            }
            wire.send(piece).await?;
        }
        if capture.keeps_alive() { Ok(()) } else { Err(Ending::AnsweredLast) }
    }

    async fn generate(
        &self,
        wire: &mut Wire,
        request: &Request,
        interface: Interface,
        commands: &Commands,
    ) -> Step {
        let entry = self.entry(request);
        fail_first(wire, request, commands.fault).await?;
        let ask = match Ask::parse(interface, &request.body) {
            Ok(ask) => ask,
            Err(wrong) => return send_error(wire, request, 400, &wrong, "null").await,
        };
        if let Some(other) = ask.model.as_ref().filter(|name| **name != self.options.model) {
            let message = format!("The model `{other}` does not exist.");
            return send_error(wire, request, 404, &message, "\"model\"").await;
        }
        let answer = Answer::decide(&ask, self.circumstances(request, &ask, commands));
        let pace = Pace {
            ttft: commands.ttft.unwrap_or(self.options.ttft),
            interval: commands.interval.unwrap_or(self.options.token_interval),
        };
        let fault = commands.fault;
        entry.read(0, ask.max_tokens);
        let order = Order { request, ask: &ask, answer: &answer, pace, fault, entry: &entry };
        match ask.stream {
            true => self.stream(wire, &order).await,
            false => self.whole(wire, &order).await,
        }
    }

    fn circumstances(
        &self,
        request: &Request,
        ask: &Ask,
        commands: &Commands,
    ) -> Circumstances<'_> {
        let own = || format!("{:016x}", self.next_answer());
        let id = request.head.header("x-request-id").filter(|id| is_plain(id));
        let received = || echo(&request.head.path, &request.head.headers, &request.body);
        let silent = matches!(ask.interface, Interface::Embeddings | Interface::Rerank);
        Circumstances {
            id: id.map_or_else(own, str::to_owned),
            created: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs()),
            model: &self.options.model,
            tokens: if silent { 0 } else { commands.tokens.unwrap_or(self.options.tokens) },
            continuous_usage: self.options.continuous_usage,
            echo: commands.echo.map(|echo| match echo {
                Echo::Body => received(),
                Echo::Text => ask.text.clone(),
            }),
            told: commands.usage.unwrap_or(self.options.usage),
            tokens_per_event: commands.tokens_per_event.unwrap_or(self.options.tokens_per_event),
            words: commands.words.unwrap_or(self.options.words),
            obeys_limits: !commands.ignores_limits,
        }
    }

    /// Waits for a place in the batch; held for as long as what it returns.
    pub(super) async fn place(&self, wire: &mut Wire) -> Step<Place<'_>> {
        let permit = match self.batch.try_acquire() {
            Ok(permit) => permit,
            Err(_) => {
                let _waiting = self.meters.wait();
                tokio::select! {
                    permit = self.batch.acquire() => permit.map_err(|_| Ending::Closed)?,
                    () = wire.left() => return Err(Ending::ClientLeft),
                }
            }
        };
        Ok(Place { _permit: permit, _running: self.meters.run() })
    }

    fn models(&self) -> String {
        let name = quoted(&self.options.model);
        format!(
            r#"{{"object":"list","data":[{{"id":{name},"object":"model","created":0,"owned_by":"vllm","root":{name},"parent":null,"max_model_len":131072}}]}}"#
        )
    }
}

/// One seat in the batch, given back when dropped.
pub(super) struct Place<'a> {
    _permit: tokio::sync::SemaphorePermit<'a>,
    _running: super::meters::Gauge<'a>,
}
