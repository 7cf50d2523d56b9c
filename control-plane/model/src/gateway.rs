//! `gateway`: where callers come in.

use crate::document::Cursor;
use crate::ids::ZoneName;
use crate::retry::Retry;
use crate::schema::Section;
use crate::units;
use contract::limits::{MAX_BODY_BYTES_DEFAULT, MAX_BODY_BYTES_MAX, REPLAY_BYTES_DEFAULT};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Port of the default address.
const PORT: u16 = 8080;

/// Least `max_body`: a smaller one would refuse almost every chat.
pub(crate) const MAX_BODY_BYTES_LEAST: u64 = 1024;

/// How long a stream may be silent when nothing is said, and the bounds of it.
const IDLE_DEFAULT: Duration = Duration::from_secs(60);
pub(crate) const IDLE_BOUNDS: RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(86_400);

/// Most worker threads; more than any machine has cores.
pub(crate) const WORKERS_MAX: u32 = 1024;

/// The section `gateway`, defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Where callers connect; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether answers carry `x-tollgate-pool`.
    pub expose_pool: bool,
    /// Largest request body in bytes.
    pub max_body_bytes: u64,
    /// How long a stream may be silent before it is ended.
    pub stream_idle_timeout: Duration,
    /// `None`: plain text.
    pub tls: Option<Tls>,
    /// Envoy's worker threads; `None`: as many as there are cores.
    pub workers: Option<NonZeroU32>,
    /// Largest request body in bytes that is sent again after a failure.
    pub replay_body_bytes: u64,
    /// After which failures.
    pub retry: Retry,
    /// Where the gateway is; its servers are tried before those of other zones.
    pub zone: Option<ZoneName>,
}

/// What the gateway shows to callers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate chain, a PEM file, the configuration's folder before relative ones.
    pub cert: PathBuf,
    /// The key of it.
    pub key: PathBuf,
    /// Who must have signed the certificates that callers may show, a PEM file; `None`:
    /// nobody is asked for one.
    pub client_ca: Option<PathBuf>,
}

impl Tls {
    fn read(cursor: &Cursor<'_>, base: &Path) -> Option<Tls> {
        let fields = cursor.fields(Section::GatewayTls);
        let file = |field: Cursor<'_>| field.parse(|text| units::path(text, base));
        let cert = fields.require("cert", "the certificate, a PEM file").and_then(file);
        let key = fields.require("key", "the certificate's key, a PEM file").and_then(file);
        let client_ca = fields.get("client_ca").map(file);
        fields.close();
        let client_ca = client_ca.map_or(Some(None), |file| file.map(Some));
        Some(Tls { cert: cert?, key: key?, client_ca: client_ca? })
    }
}

impl Gateway {
    pub(crate) fn read(cursor: Option<&Cursor<'_>>, base: &Path) -> Gateway {
        let mut gateway = Gateway::default();
        let Some(cursor) = cursor else { return gateway };
        let fields = cursor.fields(Section::Gateway);
        gateway.listen = fields.value("listen", gateway.listen, units::socket_address);
        gateway.expose_pool = fields.value("expose_pool", false, units::truth);
        gateway.max_body_bytes = fields.value("max_body", gateway.max_body_bytes, |text| {
            units::size(text, MAX_BODY_BYTES_LEAST..=MAX_BODY_BYTES_MAX)
        });
        gateway.stream_idle_timeout =
            fields.value("stream_idle_timeout", gateway.stream_idle_timeout, |text| {
                units::duration(text, IDLE_BOUNDS)
            });
        gateway.workers = fields
            .get("workers")
            .and_then(|field| field.parse(|text| units::count_u32(text, WORKERS_MAX)));
        gateway.replay_body_bytes =
            fields.value("replay_body", gateway.replay_body_bytes, |text| {
                units::size(text, MAX_BODY_BYTES_LEAST..=MAX_BODY_BYTES_MAX)
            });
        gateway.retry = fields.get("retry").as_ref().map(Retry::read).unwrap_or_default();
        gateway.zone = fields.get("zone").and_then(|zone| zone.parse(ZoneName::parse));
        gateway.tls = fields.get("tls").and_then(|tls| Tls::read(&tls, base));
        fields.close();
        gateway
    }
}

impl Default for Gateway {
    fn default() -> Self {
        Gateway {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)),
            expose_pool: false,
            max_body_bytes: MAX_BODY_BYTES_DEFAULT,
            stream_idle_timeout: IDLE_DEFAULT,
            tls: None,
            workers: None,
            replay_body_bytes: REPLAY_BYTES_DEFAULT,
            retry: Retry::default(),
            zone: None,
        }
    }
}
