//! The healthy instances of a service in Consul, by blocking queries.
//!
//! Consul answers with an index; a question that names an index is not answered
//! until something has changed since then, or its time is up ("Blocking Queries"
//! in Consul's documentation of its HTTP API).

mod instances;
mod question;
#[cfg(test)]
mod tests;

use crate::backoff::Backoff;
use crate::source::Sink;
use model::Consul;
use question::Question;
use std::future::pending;
use std::time::Duration;
use tokio::time::sleep;

/// The pause after an answer: a service that never rests is asked for four times
/// a second, and so is a server that does not block.
const PACE: Duration = Duration::from_millis(250);

/// Watches a service for ever. `tls`: its instances are spoken to over TLS.
pub(crate) async fn run(consul: Consul, tls: bool, sink: Sink) {
    watch(consul, tls, sink, Backoff::default(), PACE).await;
}

async fn watch(consul: Consul, tls: bool, sink: Sink, mut backoff: Backoff, pace: Duration) {
    let question = match Question::new(consul) {
        Ok(question) => question,
        Err(reason) => {
            sink.failing(reason);
            return pending().await;
        }
    };
    let mut index = 0;
    loop {
        match question.ask(index).await {
            Ok(answer) => {
                let (endpoints, zones, problems) =
                    instances::endpoints(&answer.instances, tls, &question);
                sink.found_usable(endpoints, zones, &problems);
                index = next_index(index, answer.index);
                backoff.worked();
                sleep(pace).await;
            }
            Err(reason) => {
                // The next answer comes at once and shows that it works again.
                index = 0;
                sink.failing(reason);
                sleep(backoff.failed()).await;
            }
        }
    }
}

/// The index to ask with after `answered` came for `asked`; 0 does not block.
///
/// "Reset the index if it goes backwards": the server's state was restored. "Sanity
/// check index is greater than zero": with 0 the next question would not block.
fn next_index(asked: u64, answered: u64) -> u64 {
    if answered < asked { 0 } else { answered.max(1) }
}
