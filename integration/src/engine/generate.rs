//! An answer that was decided, written as its request wants it.

use std::time::Duration;

use super::Engine;
use super::account::Entry;
use super::answer::Answer;
use super::ask::{Ask, Interface};
use super::command::Fault;
use super::dialect;
use super::exchange::Step;
use super::send::{
    ENGINE_DIED, Events, JSON, break_off, lossless_prefix, message, send_error, send_json,
    stream_head,
};
use super::wire::{Request, Wire};

/// All that an answer is written by.
pub(super) struct Order<'a> {
    pub request: &'a Request,
    pub ask: &'a Ask,
    pub answer: &'a Answer,
    pub pace: Pace,
    pub fault: Option<Fault>,
    /// Where it is counted.
    pub entry: &'a Entry<'a>,
}

/// How fast an answer comes.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    pub ttft: Duration,
    pub interval: Duration,
}

impl Pace {
    fn whole(self, tokens: u64) -> Duration {
        let between = u32::try_from(tokens.saturating_sub(1)).unwrap_or(u32::MAX);
        self.ttft + self.interval.saturating_mul(between)
    }
}

impl Engine {
    /// The prompt of an order counts as read from here on.
    fn read(&self, order: &Order<'_>) {
        self.meters.read(order.answer.prompt_tokens);
        order.entry.read(order.answer.prompt_tokens, order.ask.max_tokens);
    }

    /// An answer in JSON: all of it after the time that its tokens take.
    pub(super) async fn whole(&self, wire: &mut Wire, order: &Order<'_>) -> Step {
        let Order { request, ask, answer, pace, fault, entry } = *order;
        let _place = self.place(wire).await?;
        self.read(order);
        wire.pause(pace.whole(answer.tokens)).await?;
        let body = dialect::json(ask.interface, answer);
        let half = body.len() / 2;
        let silent = matches!(ask.interface, Interface::Embeddings | Interface::Rerank);
        let tokens = if silent { 0 } else { answer.completion_tokens() };
        match fault {
            Some(Fault::MalformedJson | Fault::MalformedSse) => {
                return send_json(wire, request, 200, lossless_prefix(&body, half)).await;
            }
            Some(Fault::ErrorEvent) => {
                return send_error(wire, request, 500, ENGINE_DIED, "null").await;
            }
            Some(fault @ (Fault::ResetAfter(_) | Fault::HangAfter(_))) => {
                let whole = message(request, 200, JSON, "", &body);
                wire.send(&whole[..whole.len() - (body.len() - half)]).await?;
                return Err(break_off(wire, fault).await);
            }
            _ => {
                entry.about_to_send(tokens);
                send_json(wire, request, 200, &body).await?;
            }
        }
        self.meters.wrote(tokens);
        self.finish(order, tokens);
        Ok(())
    }

    /// An answer in events, each a chunk and a write of its own.
    pub(super) async fn stream(&self, wire: &mut Wire, order: &Order<'_>) -> Step {
        let Order { request, ask, answer, pace, fault, entry } = *order;
        wire.send(stream_head(request)).await?;
        let _place = self.place(wire).await?;
        self.read(order);
        let mut events = Events { wire, fault, sent: 0, entry };
        events.wire.pause(pace.ttft).await?;
        events.send_all(dialect::opening(ask.interface, answer)).await?;
        for step in answer.steps() {
            if step.start > 0 && !self.pose().hurry {
                events.wire.pause(pace.interval).await?;
            }
            if step.end == answer.tokens {
                events
                    .send_all(dialect::early(ask.interface, answer).into_iter().collect())
                    .await?;
            }
            let tokens = step.end - step.start;
            for event in dialect::tokens(ask.interface, answer, step) {
                events.send_tokens(&event, tokens).await?;
                self.meters.wrote(tokens);
            }
        }
        events.send_all(dialect::closing(ask.interface, answer)).await?;
        events.end(dialect::says_done(ask.interface)).await?;
        self.finish(order, 0);
        Ok(())
    }

    /// The answer is written, and these tokens of it are not counted yet.
    fn finish(&self, order: &Order<'_>, tokens: u64) {
        order.entry.sent(tokens);
        order.entry.whole();
        self.meters.finished(order.answer.finish);
    }
}
