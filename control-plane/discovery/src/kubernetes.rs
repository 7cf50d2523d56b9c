//! The `EndpointSlice`s of a service in Kubernetes, listed once and watched from
//! then on.
//!
//! The rules of list and watch are those of "Efficient detection of changes" in
//! the concepts of the Kubernetes API: a list names the version that it shows, a
//! watch goes on from there, a bookmark moves that version forward, and 410 Gone
//! says that the version is forgotten and everything has to be listed again.

mod access;
#[cfg(test)]
mod api_server;
mod slices;
#[cfg(test)]
mod tests;
mod watch;

use crate::backoff::Backoff;
use crate::source::Sink;
use model::Kubernetes;
use watch::Watch;

/// Watches a service for ever. `tls`: its endpoints are spoken to over TLS.
pub(crate) async fn run(service: Kubernetes, tls: bool, sink: Sink) {
    let mut backoff = Backoff::default();
    let client = loop {
        match access::client(service.api.as_deref()).await {
            Ok(client) => break client,
            Err(reason) => sink.failing(reason),
        }
        tokio::time::sleep(backoff.failed()).await;
    };
    Watch::new(client, service, tls, sink, Backoff::default()).run().await;
}
