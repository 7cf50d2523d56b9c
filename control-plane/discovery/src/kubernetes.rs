//! The `EndpointSlice`s of a service in Kubernetes.

use crate::source::Sink;
use model::Kubernetes;

pub(crate) async fn run(_kubernetes: Kubernetes, _tls: bool, _sink: Sink) {
    std::future::pending().await
}
