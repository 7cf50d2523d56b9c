//! `gateway`: where callers come in.

use crate::document::Cursor;
use crate::unbuilt::Section;
use crate::units;
use contract::limits::{MAX_BODY_BYTES_DEFAULT, MAX_BODY_BYTES_MAX};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Port of the default address.
const PORT: u16 = 8080;

/// Least `max_body`: a smaller one would refuse almost every chat.
const MAX_BODY_BYTES_LEAST: u64 = 1024;

/// How long a stream may be silent when nothing is said, and the bounds of it.
const IDLE_DEFAULT: Duration = Duration::from_secs(60);
const IDLE_BOUNDS: RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(86_400);

/// Most worker threads; more than any machine has cores.
const WORKERS_MAX: u64 = 1024;

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
    /// Envoy's worker threads; `None`: as many as there are cores.
    pub workers: Option<NonZeroU32>,
}

impl Gateway {
    pub(crate) fn read(cursor: Option<&Cursor<'_>>) -> Gateway {
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
        gateway.workers = fields.get("workers").and_then(|field| field.parse(workers));
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
            workers: None,
        }
    }
}

fn workers(text: &str) -> Result<NonZeroU32, String> {
    let count = units::count(text, WORKERS_MAX)?;
    NonZeroU32::try_from(count).map_err(|error| error.to_string())
}
