//! `control`: the control plane itself.

use crate::document::{Cursor, Fields};
use crate::secret::Secret;
use crate::unbuilt::Section;
use crate::units;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Ports of the default addresses.
const ADMIN_PORT: u16 = 8081;
const XDS_PORT: u16 = 18000;
const ENVOY_ADMIN_PORT: u16 = 9901;

/// Folders and files of the defaults.
const DATA: &str = "./tollgate-data";
const WASM: &str = "target/wasm/gateway.wasm";

/// Shortest admin token: it must not be empty.
const ADMIN_TOKEN_BYTES_MIN: usize = 1;

/// Longest admin token; it travels in a header.
const ADMIN_TOKEN_BYTES_MAX: usize = 1024;

/// How long usage lines may wait in Envoy's memory.
const FLUSH_BOUNDS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(60);

/// How often a running stream writes a usage line, by default and at all.
const INTERVAL_DEFAULT: Duration = Duration::from_secs(1);
const INTERVAL_BOUNDS: RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(60);

/// When a line of the usage spool reaches the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageFlush {
    /// Every line at once: nothing is lost when Envoy is killed.
    Line,
    /// Lines may wait in Envoy's memory for as long as this.
    Within(Duration),
}

/// The section `control`, defaults filled in. It holds a secret and therefore
/// has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Control {
    /// Admin API and dashboard; port 0 takes a free one.
    pub admin: SocketAddr,
    /// `None`: a random token is made in the data folder.
    pub admin_token: Option<Secret>,
    /// xDS; always on loopback; port 0 takes a free one.
    pub xds: SocketAddr,
    /// Envoy's admin interface; always on loopback; port 0 takes a free one.
    pub envoy_admin: SocketAddr,
    /// The data folder, the configuration's folder before relative ones.
    pub data: PathBuf,
    /// The Wasm module, the configuration's folder before relative ones.
    pub wasm: PathBuf,
    /// When a usage line reaches the kernel.
    pub usage_flush: UsageFlush,
    /// How often a running stream writes a usage line.
    pub usage_interval: Duration,
}

impl Control {
    pub(crate) fn read(cursor: Option<&Cursor<'_>>, base: &Path) -> Control {
        let mut control = Control::at(base);
        let Some(cursor) = cursor else { return control };
        let fields = cursor.fields(Section::Control);
        control.admin = fields.value("admin", control.admin, units::socket_address);
        control.admin_token =
            fields.get("admin_token").and_then(|field| field.parse_unquoted(admin_token));
        control.xds = loopback(&fields, "xds", control.xds, XDS_OPEN);
        control.envoy_admin =
            loopback(&fields, "envoy_admin", control.envoy_admin, ENVOY_ADMIN_OPEN);
        control.data = fields.value("data", control.data, |text| path(text, base));
        control.wasm = fields.value("wasm", control.wasm, |text| path(text, base));
        control.usage_flush = fields.value("usage_flush", UsageFlush::Line, usage_flush);
        control.usage_interval = fields.value("usage_interval", INTERVAL_DEFAULT, |text| {
            units::duration(text, INTERVAL_BOUNDS)
        });
        fields.close();
        control
    }

    /// The defaults, with `base` as the configuration's folder.
    fn at(base: &Path) -> Control {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Control {
            admin: local(ADMIN_PORT),
            admin_token: None,
            xds: local(XDS_PORT),
            envoy_admin: local(ENVOY_ADMIN_PORT),
            data: base.join(DATA),
            wasm: base.join(WASM),
            usage_flush: UsageFlush::Line,
            usage_interval: INTERVAL_DEFAULT,
        }
    }
}

const XDS_OPEN: &str = "is not a loopback address; allowed: 127.0.0.0/8 and [::1], because this \
    version of Tollgate does not ask who connects there (no mTLS)";

const ENVOY_ADMIN_OPEN: &str = "is not a loopback address; allowed: 127.0.0.0/8 and [::1], \
    because Envoy asks nobody there who he is, and takes orders to stop";

/// An address that only programs on this machine reach.
fn loopback(
    fields: &Fields<'_, '_>,
    name: &'static str,
    default: SocketAddr,
    open: &'static str,
) -> SocketAddr {
    fields.value(name, default, |text| {
        let address = units::socket_address(text)?;
        if address.ip().is_loopback() { Ok(address) } else { Err(open.to_owned()) }
    })
}

fn path(text: &str, base: &Path) -> Result<PathBuf, &'static str> {
    let wrong = text.is_empty() || text.contains(char::is_control);
    if wrong { Err("is not a path") } else { Ok(base.join(text)) }
}

fn usage_flush(text: &str) -> Result<UsageFlush, String> {
    if text == "line" {
        return Ok(UsageFlush::Line);
    }
    let within = units::duration(text, FLUSH_BOUNDS);
    within.map(UsageFlush::Within).map_err(|error| format!("{error}; or `line`"))
}

fn admin_token(text: &str) -> Result<Secret, String> {
    let allowed = ADMIN_TOKEN_BYTES_MIN..=ADMIN_TOKEN_BYTES_MAX;
    if allowed.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Secret::new(text.to_owned()));
    }
    Err(format!(
        "is not an admin token; allowed: {ADMIN_TOKEN_BYTES_MIN} to {ADMIN_TOKEN_BYTES_MAX} \
         visible ASCII characters without spaces"
    ))
}
