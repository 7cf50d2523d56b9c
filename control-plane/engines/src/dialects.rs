//! What each engine calls the signals of its load.

mod llamacpp;
mod sglang;
mod tgi;
mod triton;
mod trtllm;
mod vllm;

use crate::exposition::Line;
use crate::signals::Snapshot;
use model::Engine;

/// Reads the answers of one kind of engine, one after the other.
pub trait Dialect: Send {
    /// Forgets the last answer.
    fn start(&mut self);
    /// Takes one line of the answer; lines that it does not know are many.
    fn take(&mut self, line: &Line<'_>);
    /// What the lines since the start say together.
    fn snapshot(&self) -> Snapshot;
}

/// The dialect of an engine; `None` where nothing is known of its metrics.
#[must_use]
pub fn of(engine: Engine) -> Option<Box<dyn Dialect>> {
    match engine {
        Engine::Vllm => Some(Box::new(vllm::Vllm::default())),
        Engine::Sglang => Some(Box::new(sglang::Sglang::default())),
        Engine::Tgi => Some(Box::new(tgi::Tgi::default())),
        Engine::Llamacpp => Some(Box::new(llamacpp::Llamacpp::default())),
        Engine::Triton => Some(Box::new(triton::Triton::default())),
        Engine::Openai => None,
    }
}

/// Whether an engine tells of its load at all.
#[must_use]
pub fn tells(engine: Engine) -> bool {
    engine != Engine::Openai
}

/// Whether it tells how soon it answers.
#[must_use]
pub fn tells_latency(engine: Engine) -> bool {
    tells(engine)
}

#[cfg(test)]
mod tests;
