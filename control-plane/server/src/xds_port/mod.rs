//! The port where Envoys ask for xDS and the module for keys: plain on loopback
//! or a Unix socket, or with TLS; with or without a bearer token.

mod bearer;
mod connections;
mod identity;
mod refusals;
mod stream;
#[cfg(test)]
mod tests;
mod unix;

use crate::error::Failure;
use crate::{files, listen};
use axum::extract::connect_info::ConnectInfo;
use axum::middleware::from_fn_with_state;
use bearer::Bearer;
use connections::Connections;
use identity::Identity;
use model::{Control, Host, XdsListen, XdsPort};
use refusals::Refusals;
use resources::bootstrap::{ControlAddress, ControlPort, ControlTls, ControlToken};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use stream::Peer;

/// The setting, for messages.
const SETTING: &str = "control.xds";

/// Where the port is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// On an address, its port never 0.
    Tcp(SocketAddr),
    /// On a Unix socket: absolute.
    Unix(PathBuf),
}

impl Opened {
    /// The address, where it is no Unix socket.
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Opened::Tcp(address) => Some(*address),
            Opened::Unix(_) => None,
        }
    }
}

impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Opened::Tcp(address) => address.fmt(f),
            Opened::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Name of the socket in the data folder.
const SOCKET_NAME: &str = "xds.sock";

/// Longest path that the socket in the data folder may have, in bytes: the system takes
/// 107 (unix(7)), and a name beside it is bound first.
const OWN_SOCKET_PATH_BYTES_MAX: usize = 100;

/// The port for an Envoy of our own: nobody but the owner of the data folder can
/// connect, unless the configuration says where it is, or the path is too long.
pub fn for_own_envoy(control: &Control, data: &Path) -> XdsPort {
    let socket = data.join(SOCKET_NAME);
    if control.xds_given {
        return control.xds.clone();
    }
    if socket.as_os_str().len() > OWN_SOCKET_PATH_BYTES_MAX {
        tracing::warn!(
            "the path of control.data is too long for a Unix socket in it: {SETTING} listens on \
             loopback, where every user of this machine can ask"
        );
        return control.xds.clone();
    }
    XdsPort { listen: XdsListen::Unix(socket), ..control.xds.clone() }
}

/// The port, open; nobody is answered yet.
pub struct Port {
    /// Where.
    pub opened: Opened,
    connections: Connections,
    bearer: Option<Bearer>,
    refusals: Refusals,
}

/// Opens the port. Port 0 takes `last`, the one of the last run, if it is free.
pub async fn open(port: &XdsPort, last: Option<SocketAddr>) -> Result<Port, Failure> {
    let refusals = Refusals::default();
    let identity = port.tls.as_ref().map(Identity::read).transpose()?;
    let (opened, plain) = match &port.listen {
        XdsListen::Unix(path) => {
            let path = files::absolute(path)?;
            let listener = unix::bind(&path).await?;
            (Opened::Unix(path), Connections::Unix(listener))
        }
        XdsListen::Tcp(address) => {
            let listener = listen::listen(SETTING, *address, last).await?;
            let address = listener.local_addr().map_err(Failure::internal)?;
            (Opened::Tcp(address), Connections::Tcp(listener))
        }
    };
    let bearer = port.token.as_ref().map(|token| Bearer::new(token.reveal(), refusals.clone()));
    let connections = match identity {
        Some(identity) => plain.over_tls(identity, bearer.is_some(), refusals.clone()),
        None => plain,
    };
    Ok(Port { opened, connections, bearer, refusals })
}

impl Port {
    /// Answers with `routes`, in the background and for ever. Whoever lacks the
    /// token gets none of them.
    pub fn serve(self, routes: axum::Router) {
        let routes = match self.bearer {
            Some(bearer) => routes.layer(from_fn_with_state(bearer, bearer::only_with_token)),
            None => routes,
        };
        let service = routes.into_make_service_with_connect_info::<Peer>();
        tokio::spawn(self.refusals.report());
        tokio::spawn(async move {
            if let Err(error) = axum::serve(self.connections, service).await {
                tracing::error!(setting = SETTING, %error, "this address is served no longer");
            }
        });
    }
}

/// Who asks, for whoever answers.
fn peer(request: &axum::extract::Request) -> Option<&Peer> {
    request.extensions().get::<ConnectInfo<Peer>>().map(|info| &info.0)
}

/// The port as an Envoy has to dial it. `token_file`: a file on Envoy's machine
/// that the token is read from, instead of the bootstrap.
pub fn as_dialled(
    port: &XdsPort,
    opened: &Opened,
    token_file: Option<&Path>,
) -> Result<ControlPort, Failure> {
    let token = match (&port.token, token_file) {
        (None, None) => None,
        (Some(_), Some(path)) => Some(ControlToken::File(files::absolute(path)?)),
        (Some(token), None) => Some(ControlToken::Inline(token.reveal().to_owned())),
        (None, Some(_)) => {
            return Err(Failure::Usage("--token-file: control.xds.token is not set".to_owned()));
        }
    };
    let tls = if port.tls.is_some() { Some(identity_of_envoy(port)?) } else { None };
    Ok(ControlPort { address: address(port, opened), tls, token })
}

fn address(port: &XdsPort, opened: &Opened) -> ControlAddress {
    match (&port.connect, opened) {
        (Some((Host::Name(name), number)), _) => ControlAddress::Name(name.clone(), *number),
        (Some((Host::Ip(ip), number)), _) => ControlAddress::Socket((*ip, *number).into()),
        (None, Opened::Unix(path)) => ControlAddress::Pipe(path.clone()),
        (None, Opened::Tcp(address)) => ControlAddress::Socket(listen::reachable(*address)),
    }
}

fn identity_of_envoy(port: &XdsPort) -> Result<ControlTls, Failure> {
    let missing = |field: &str, why: &str| {
        Failure::Refused(format!("control.xds.envoy.{field} is not set: {why}"))
    };
    let envoy = &port.envoy;
    let ca = envoy.ca.as_deref();
    let ca = ca.ok_or_else(|| missing("ca", "an Envoy cannot know its control plane without"))?;
    let own = match (&envoy.cert, &envoy.key) {
        (Some(cert), Some(key)) => Some((files::absolute(cert)?, files::absolute(key)?)),
        _ => None,
    };
    let must_show = port.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
    if must_show && own.is_none() {
        return Err(missing("cert", "control.xds.tls.client_ca asks for a certificate of Envoy"));
    }
    Ok(ControlTls { ca: files::absolute(ca)?, own })
}
