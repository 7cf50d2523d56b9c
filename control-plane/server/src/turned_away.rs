//! What Envoys tell of attempts that an engine has turned away with a word on when to come
//! again: the server is left alone until then.
//!
//! Envoy tells it as lines of an access log that it sends over gRPC. They may be lost, as may a
//! server's word: then it is asked once more, and says it again.

use crate::roster::{PutOff, Roster};
use admin::CLOCK;
use contract::names::{TURNED_AWAY, pool_of_cluster};
use contract::refusal::retry_after_s;
use envoy_types::pb::envoy::config::core::v3::address::Address as Kind;
use envoy_types::pb::envoy::config::core::v3::socket_address::PortSpecifier;
use envoy_types::pb::envoy::config::core::v3::{Address, SocketAddress};
use envoy_types::pb::envoy::data::accesslog::v3::HttpAccessLogEntry;
use envoy_types::pb::envoy::service::accesslog::v3::access_log_service_server::{
    AccessLogService, AccessLogServiceServer,
};
use envoy_types::pb::envoy::service::accesslog::v3::stream_access_logs_message::LogEntries;
use envoy_types::pb::envoy::service::accesslog::v3::{
    StreamAccessLogsMessage, StreamAccessLogsResponse,
};
use std::net::{IpAddr, SocketAddr};
use tonic::{Request, Response, Status, Streaming};

/// Listens to Envoys, and lets servers rest.
pub struct TurnedAway {
    roster: Roster,
}

impl TurnedAway {
    /// The service for the servers of `roster`.
    pub fn service(roster: Roster) -> AccessLogServiceServer<TurnedAway> {
        AccessLogServiceServer::new(TurnedAway { roster })
    }

    fn hear(&self, message: &StreamAccessLogsMessage) {
        let Some(LogEntries::HttpLogs(lines)) = &message.log_entries else { return };
        self.roster.put_off(lines.log_entry.iter().filter_map(word), CLOCK.now_ms());
    }
}

#[tonic::async_trait]
impl AccessLogService for TurnedAway {
    /// Listens until the Envoy is gone.
    async fn stream_access_logs(
        &self,
        request: Request<Streaming<StreamAccessLogsMessage>>,
    ) -> Result<Response<StreamAccessLogsResponse>, Status> {
        let mut messages = request.into_inner();
        while let Some(message) = messages.message().await? {
            // The first message of a stream says which log it is.
            if message.identifier.as_ref().is_some_and(|it| it.log_name != TURNED_AWAY) {
                return Err(Status::invalid_argument("this log is not read here"));
            }
            self.hear(&message);
        }
        Ok(Response::new(StreamAccessLogsResponse {}))
    }
}

/// `None` for a line that says nothing of when to come again, or not of whom.
fn word(line: &HttpAccessLogEntry) -> Option<PutOff<'_>> {
    let common = line.common_properties.as_ref()?;
    let answer = line.response.as_ref()?;
    let status = u16::try_from(answer.response_code?.value).ok()?;
    let told = answer.response_headers.get("retry-after")?;
    Some(PutOff {
        pool: pool_of_cluster(&common.upstream_cluster)?,
        server: address(common.upstream_remote_address.as_ref()?)?,
        seconds: retry_after_s(status, told)?,
    })
}

fn address(of: &Address) -> Option<SocketAddr> {
    let Kind::SocketAddress(SocketAddress { address, port_specifier, .. }) = of.address.as_ref()?
    else {
        return None;
    };
    let Some(PortSpecifier::PortValue(port)) = port_specifier else { return None };
    let address: IpAddr = address.parse().ok()?;
    Some(SocketAddr::new(address, u16::try_from(*port).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use envoy_types::pb::envoy::data::accesslog::v3::{AccessLogCommon, HttpResponseProperties};
    use envoy_types::pb::google::protobuf::UInt32Value;

    fn line(cluster: &str, server: (&str, u32), status: u32, told: &str) -> HttpAccessLogEntry {
        let (address, port) = server;
        let server = Address {
            address: Some(Kind::SocketAddress(SocketAddress {
                address: address.to_owned(),
                port_specifier: Some(PortSpecifier::PortValue(port)),
                ..SocketAddress::default()
            })),
        };
        HttpAccessLogEntry {
            common_properties: Some(AccessLogCommon {
                upstream_remote_address: Some(server),
                upstream_cluster: cluster.to_owned(),
                ..AccessLogCommon::default()
            }),
            response: Some(HttpResponseProperties {
                response_code: Some(UInt32Value { value: status }),
                response_headers: [("retry-after".to_owned(), told.to_owned())].into(),
                ..HttpResponseProperties::default()
            }),
            ..HttpAccessLogEntry::default()
        }
    }

    #[test]
    fn a_line_says_who_wants_to_be_left_alone_and_for_how_long() {
        let v4 = ("10.0.0.1", 80);
        let server = "10.0.0.1:80".parse().unwrap();
        let rests = |seconds| Some(PutOff { pool: "a", server, seconds });
        let table = [
            (line("pool/a", v4, 429, "7"), rests(7)),
            (line("pool/a", v4, 503, "3600"), rests(3_600)),
            (line("pool/a", v4, 503, "soon"), None),
            (line("pool/a", v4, 500, "7"), None),
            (line("control", v4, 503, "7"), None),
            (line("pool/a", ("10.0.0.1", 65_536), 503, "7"), None),
            (line("pool/a", ("engine.example", 80), 503, "7"), None),
            (HttpAccessLogEntry::default(), None),
        ];
        for (line, expected) in table {
            assert_eq!(word(&line), expected, "{line:?}");
        }
        let v6 = line("pool/a", ("::1", 80), 429, "1");
        assert_eq!(word(&v6).map(|it| it.server), Some("[::1]:80".parse().unwrap()));
    }
}
