//! `control`: the control plane itself.

use crate::canary::Canary;
use crate::document::Cursor;
use crate::schema::Section;
use crate::secret::Secret;
use crate::units;
use crate::xds_port::XdsPort;
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

/// How long usage lines may wait in Envoy's memory.
pub(crate) const FLUSH_BOUNDS: RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_secs(60);

/// How often a running stream writes a usage line, by default and at all.
const INTERVAL_DEFAULT: Duration = Duration::from_secs(1);
pub(crate) const INTERVAL_BOUNDS: RangeInclusive<Duration> =
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
    /// Where Envoys ask.
    pub xds: XdsPort,
    /// Whether `xds` stands in the configuration; `up` has a better default than
    /// [`Control::xds`].
    pub xds_given: bool,
    /// `None`: a change goes to every Envoy at once.
    pub canary: Option<Canary>,
    /// Envoy's admin interface; always on loopback; port 0 takes a free one.
    pub envoy_admin: SocketAddr,
    /// The data folder, the configuration's folder before relative ones.
    pub data: PathBuf,
    /// The URL of the PostgreSQL database with the ledger, which may hold a password;
    /// `None`: an SQLite file in the data folder.
    pub database: Option<Secret>,
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
            fields.get("admin_token").and_then(|field| field.parse_unquoted(units::token));
        if let Some(xds) = fields.get("xds") {
            control.xds = XdsPort::read(&xds, base, local(XDS_PORT));
            control.xds_given = true;
        }
        control.canary = fields.get("canary").and_then(|canary| Canary::read(&canary));
        control.envoy_admin = fields.value("envoy_admin", control.envoy_admin, envoy_admin);
        control.data = fields.value("data", control.data, |text| units::path(text, base));
        control.database = fields.get("database").and_then(|field| field.parse_unquoted(database));
        control.wasm = fields.value("wasm", control.wasm, |text| units::path(text, base));
        control.usage_flush = fields.value("usage_flush", UsageFlush::Line, usage_flush);
        control.usage_interval = fields.value("usage_interval", INTERVAL_DEFAULT, |text| {
            units::duration(text, INTERVAL_BOUNDS)
        });
        fields.close();
        control
    }

    /// The defaults, with `base` as the configuration's folder.
    fn at(base: &Path) -> Control {
        Control {
            admin: local(ADMIN_PORT),
            admin_token: None,
            xds: XdsPort::loopback(local(XDS_PORT)),
            xds_given: false,
            canary: None,
            envoy_admin: local(ENVOY_ADMIN_PORT),
            data: base.join(DATA),
            database: None,
            wasm: base.join(WASM),
            usage_flush: UsageFlush::Line,
            usage_interval: INTERVAL_DEFAULT,
        }
    }
}

const ENVOY_ADMIN_OPEN: &str = "is not a loopback address; allowed: 127.0.0.0/8 and [::1], \
    because Envoy asks nobody there who he is, and takes orders to stop";

fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// An address that only programs on this machine reach.
fn envoy_admin(text: &str) -> Result<SocketAddr, String> {
    let address = units::socket_address(text)?;
    if address.ip().is_loopback() { Ok(address) } else { Err(ENVOY_ADMIN_OPEN.to_owned()) }
}

/// Schemes of the databases that a ledger can be in.
const DATABASE_SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// Longest URL of a database.
const DATABASE_BYTES_MAX: usize = 1024;

/// The URL of a database. What is wrong inside of it, the start says.
fn database(text: &str) -> Result<Secret, String> {
    let rest = DATABASE_SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme));
    let graphic = text.bytes().all(|byte| byte.is_ascii_graphic());
    if rest.is_some_and(|rest| !rest.is_empty()) && graphic && text.len() <= DATABASE_BYTES_MAX {
        return Ok(Secret::new(text.to_owned()));
    }
    Err(format!(
        "is not the URL of a database; write postgres://USER:PASSWORD@HOST:PORT/NAME, at most \
         {DATABASE_BYTES_MAX} visible ASCII characters without spaces"
    ))
}

fn usage_flush(text: &str) -> Result<UsageFlush, String> {
    if text == "line" {
        return Ok(UsageFlush::Line);
    }
    let within = units::duration(text, FLUSH_BOUNDS);
    within.map(UsageFlush::Within).map_err(|error| format!("{error}; or `line`"))
}
