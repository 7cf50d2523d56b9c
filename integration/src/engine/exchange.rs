//! From a request to the bytes of its answer.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Engine;
use super::answer::{Answer, Circumstances, echo, quoted};
use super::ask::{Ask, Interface};
use super::command::{Commands, Echo, Fault};
use super::dialect;
use super::pose::Pose;
use super::replay::{Capture, pause_between};
use super::send::{
    ENGINE_DIED, Events, JSON, break_off, fail_first, is_plain, lossless_prefix, message, send,
    send_error, send_json, stream_head,
};
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
        let standing = pose.standing_fault().ok().flatten().or(self.options.fault);
        let commands = match Commands::of(&request.head, standing) {
            Ok(commands) => commands,
            Err(wrong) => return send_error(wire, request, 400, &wrong, "null").await,
        };
        if let (Some(name), Some(captures)) = (&commands.replay, &self.options.captures) {
            return self.replay(wire, request, &commands, captures, name).await;
        }
        match (request.head.method.as_str(), path, Interface::at(path)) {
            ("POST", _, Some(interface)) => {
                self.generate(wire, request, interface, &commands).await
            }
            ("POST", "/v1/audio/transcriptions", _) => {
                self.transcribe(wire, request, &commands).await
            }
            ("GET", "/health", _) => send(wire, request, 200, "text/plain", "").await,
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
        match ask.stream {
            true => self.stream(wire, request, &ask, &answer, pace, commands.fault).await,
            false => self.whole(wire, request, &ask, &answer, pace, commands.fault).await,
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
        }
    }

    /// An answer in JSON: all of it after the time that its tokens take.
    async fn whole(
        &self,
        wire: &mut Wire,
        request: &Request,
        ask: &Ask,
        answer: &Answer,
        pace: Pace,
        fault: Option<Fault>,
    ) -> Step {
        let _place = self.place(wire).await?;
        self.meters.read(answer.prompt_tokens);
        wire.pause(pace.whole(answer.tokens)).await?;
        let body = dialect::json(ask.interface, answer);
        let half = body.len() / 2;
        match fault {
            Some(Fault::MalformedJson | Fault::MalformedSse) => {
                return send_json(wire, request, 200, lossless_prefix(&body, half)).await;
            }
            Some(Fault::ErrorEvent) => {
                return send_error(wire, request, 500, ENGINE_DIED, "null").await;
            }
            Some(fault @ (Fault::ResetAfter(_) | Fault::HangAfter(_))) => {
                let whole = message(request, 200, JSON, &body);
                wire.send(&whole[..whole.len() - (body.len() - half)]).await?;
                return Err(break_off(wire, fault).await);
            }
            _ => send_json(wire, request, 200, &body).await?,
        }
        if !matches!(ask.interface, Interface::Embeddings | Interface::Rerank) {
            self.meters.wrote(answer.completion_tokens());
        }
        self.meters.finished(answer.finish);
        Ok(())
    }

    /// An answer in events, each a chunk and a write of its own.
    async fn stream(
        &self,
        wire: &mut Wire,
        request: &Request,
        ask: &Ask,
        answer: &Answer,
        pace: Pace,
        fault: Option<Fault>,
    ) -> Step {
        wire.send(stream_head(request)).await?;
        let _place = self.place(wire).await?;
        self.meters.read(answer.prompt_tokens);
        let mut events = Events { wire, fault, sent: 0 };
        events.wire.pause(pace.ttft).await?;
        events.send_all(dialect::opening(ask.interface, answer)).await?;
        for token in 0..answer.tokens {
            if token > 0 && !self.pose().hurry {
                events.wire.pause(pace.interval).await?;
            }
            for event in dialect::token(ask.interface, answer, token) {
                events.send(event).await?;
                self.meters.wrote(answer.completion_tokens() / answer.tokens / answer.choices);
            }
        }
        events.send_all(dialect::closing(ask.interface, answer)).await?;
        events.end(dialect::says_done(ask.interface)).await?;
        self.meters.finished(answer.finish);
        Ok(())
    }

    /// Waits for a place in the batch; held for as long as what it returns.
    async fn place(&self, wire: &mut Wire) -> Step<Place<'_>> {
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
struct Place<'a> {
    _permit: tokio::sync::SemaphorePermit<'a>,
    _running: super::meters::Gauge<'a>,
}

/// How fast an answer comes.
#[derive(Clone, Copy)]
struct Pace {
    ttft: Duration,
    interval: Duration,
}

impl Pace {
    fn whole(self, tokens: u64) -> Duration {
        let between = u32::try_from(tokens.saturating_sub(1)).unwrap_or(u32::MAX);
        self.ttft + self.interval.saturating_mul(between)
    }
}
