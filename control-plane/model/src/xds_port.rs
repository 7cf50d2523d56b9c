//! `control.xds`: where Envoys ask, and how they and the control plane know each
//! other.

use crate::document::{Cursor, Fields};
use crate::endpoint::{self, Host};
use crate::schema::Section;
use crate::secret::Secret;
use crate::units;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Longest path of a Unix socket: `sun_path` of Linux without its last zero (unix(7)).
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// What a port that strangers reach may lack.
const TLS: &str = "`tls`";
const NAME: &str = "`tls.client_ca` or `token`";

/// Where Envoys ask for xDS. Beyond loopback and Unix sockets it has TLS, and a
/// certificate or a token that an Envoy must show. It holds a secret and therefore
/// has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct XdsPort {
    /// Where the control plane listens.
    pub listen: XdsListen,
    /// What Envoys dial; only with [`XdsListen::Tcp`]. `None`: what is listened on.
    pub connect: Option<(Host, u16)>,
    /// `None`: plain text.
    pub tls: Option<XdsTls>,
    /// What an Envoy must show as bearer.
    pub token: Option<Secret>,
    /// What the bootstrap tells Envoy to show and to believe; only with `tls`.
    pub envoy: EnvoyIdentity,
}

/// An address or a Unix socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum XdsListen {
    /// An address; port 0 takes a free one.
    Tcp(SocketAddr),
    /// A Unix socket, the configuration's folder before relative ones.
    Unix(PathBuf),
}

/// Who the control plane is, and whom it believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XdsTls {
    /// Its certificate chain, PEM.
    pub cert: PathBuf,
    /// The key of it, PEM.
    pub key: PathBuf,
    /// Who must have signed the certificate of an Envoy; `None`: it shows none.
    pub client_ca: Option<PathBuf>,
}

/// Files on the machine of an Envoy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvoyIdentity {
    /// Who must have signed the certificate of the control plane.
    pub ca: Option<PathBuf>,
    /// The certificate chain that Envoy shows; with `key` or not at all.
    pub cert: Option<PathBuf>,
    /// The key of it.
    pub key: Option<PathBuf>,
}

impl XdsPort {
    /// A port on an address, without TLS, token or names.
    #[must_use]
    pub fn loopback(address: SocketAddr) -> XdsPort {
        XdsPort::plain(XdsListen::Tcp(address))
    }

    /// The address, where it is no Unix socket.
    #[must_use]
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self.listen {
            XdsListen::Tcp(address) => Some(address),
            XdsListen::Unix(_) => None,
        }
    }

    fn plain(listen: XdsListen) -> XdsPort {
        let envoy = EnvoyIdentity::default();
        XdsPort { listen, connect: None, tls: None, token: None, envoy }
    }

    /// The short form is what is listened on; the long one has the rest as well.
    /// `default` is what is listened on when nothing is said.
    pub(crate) fn read(cursor: &Cursor<'_>, base: &Path, default: SocketAddr) -> XdsPort {
        if !cursor.is_scalar() {
            return XdsPort::read_map(cursor, base, default);
        }
        let listen = cursor.parse(|text| listen(text, base));
        let port = XdsPort::plain(listen.unwrap_or(XdsListen::Tcp(default)));
        port.close_to_strangers(cursor, &[TLS, NAME]);
        port
    }

    fn read_map(cursor: &Cursor<'_>, base: &Path, default: SocketAddr) -> XdsPort {
        let fields = cursor.fields(Section::XdsPort);
        let place = fields.get("listen");
        let listen = place.as_ref().and_then(|field| field.parse(|text| listen(text, base)));
        let mut port = XdsPort::plain(listen.unwrap_or(XdsListen::Tcp(default)));
        port.connect = connect(&fields, &port.listen);
        let tls = fields.get("tls");
        port.tls = tls.as_ref().and_then(|tls| XdsTls::read(tls, base));
        port.token = fields.get("token").and_then(|token| token.parse_unquoted(units::token));
        if let Some(envoy) = fields.get("envoy") {
            port.envoy = EnvoyIdentity::read(&envoy, base);
            if tls.is_none() {
                envoy
                    .report_field("needs `tls` beside it; without TLS nobody shows or asks for it");
            }
        }
        let lacks = port.lacks(fields.has("tls"), fields.has("token"));
        fields.close();
        port.close_to_strangers(place.as_ref().unwrap_or(cursor), &lacks);
        port
    }

    /// What strangers could pass for want of. What is there and wrong has been
    /// reported and is not missing.
    fn lacks(&self, has_tls: bool, has_token: bool) -> Vec<&'static str> {
        let authority = self.tls.as_ref().map(|tls| tls.client_ca.is_some());
        let named = has_token || authority.unwrap_or(has_tls);
        [(TLS, has_tls), (NAME, named)]
            .iter()
            .filter(|(_, has)| !has)
            .map(|(lack, _)| *lack)
            .collect()
    }

    /// Reports what a port lacks that others than this machine reach.
    fn close_to_strangers(&self, place: &Cursor<'_>, lacks: &[&str]) {
        let address = self.tcp().filter(|address| !address.ip().is_loopback());
        if let Some(address) = address.filter(|_| !lacks.is_empty()) {
            place.report(format_args!(
                "`{address}` is not a loopback address and needs {} beside `listen`, so that only \
                 your Envoys are told of pools and keys",
                lacks.join(", and ")
            ));
        }
    }
}

impl XdsTls {
    fn read(cursor: &Cursor<'_>, base: &Path) -> Option<XdsTls> {
        let fields = cursor.fields(Section::XdsTls);
        let cert = fields.require("cert", "the control plane's certificate, a PEM file");
        let key = fields.require("key", "the certificate's key, a PEM file");
        let file = |field: &Cursor<'_>| field.parse(|text| units::path(text, base));
        let client_ca = fields.get("client_ca").map(|field| file(&field));
        fields.close();
        let (cert, key) = (cert.and_then(|field| file(&field)), key.and_then(|field| file(&field)));
        let client_ca = client_ca.map_or(Some(None), |file| file.map(Some));
        Some(XdsTls { cert: cert?, key: key?, client_ca: client_ca? })
    }
}

impl EnvoyIdentity {
    fn read(cursor: &Cursor<'_>, base: &Path) -> EnvoyIdentity {
        let fields = cursor.fields(Section::XdsEnvoy);
        let file = |field: Cursor<'_>| field.parse(|text| units::path(text, base));
        let ca = fields.get("ca").and_then(file);
        let cert = fields.get("cert").and_then(file);
        let key = fields.get("key").and_then(file);
        if fields.has("cert") != fields.has("key") {
            fields.report("`cert` and `key` belong together; give both or neither");
        }
        fields.close();
        EnvoyIdentity { ca, cert, key }
    }
}

fn connect(fields: &Fields<'_, '_>, listen: &XdsListen) -> Option<(Host, u16)> {
    let field = fields.get("connect")?;
    if matches!(listen, XdsListen::Unix(_)) {
        field.report_field("makes no sense with a Unix socket, which is dialled by its path");
    }
    field.parse(|text| {
        endpoint::host_and_required_port(text)
            .ok_or("is not what Envoy can dial; write HOST:PORT, such as control.example:18000")
    })
}

fn listen(text: &str, base: &Path) -> Result<XdsListen, String> {
    let Some(path) = text.strip_prefix("unix:") else {
        return units::socket_address(text)
            .map(XdsListen::Tcp)
            .map_err(|error| error + "; or unix:PATH");
    };
    let path = units::path(path, base)?;
    if path.as_os_str().len() > SOCKET_PATH_BYTES_MAX {
        return Err(format!(
            "is too long for a Unix socket; allowed: {SOCKET_PATH_BYTES_MAX} bytes with the \
             configuration's folder"
        ));
    }
    Ok(XdsListen::Unix(path))
}
