//! The healthy instances of a service in Consul.

use crate::source::Sink;
use model::Consul;

pub(crate) async fn run(_consul: Consul, _tls: bool, _sink: Sink) {
    std::future::pending().await
}
