//! Addresses: ours to listen on, and the gateway's to keep for Envoy.

use crate::error::Failure;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::{TcpListener, TcpSocket};

/// Listens on `address`. Port 0 takes `last`, the port of the last run, if that
/// is free, else any free one.
pub async fn listen(
    setting: &'static str,
    address: SocketAddr,
    last: Option<SocketAddr>,
) -> Result<TcpListener, Failure> {
    if let Some(last) = again(address, last)
        && let Ok(listener) = TcpListener::bind(last).await
    {
        return Ok(listener);
    }
    TcpListener::bind(address).await.map_err(|cause| Failure::Listen { setting, address, cause })
}

/// The address of the last run, where the configured one leaves the port open.
fn again(address: SocketAddr, last: Option<SocketAddr>) -> Option<SocketAddr> {
    last.filter(|last| address.port() == 0 && last.ip() == address.ip() && last.port() != 0)
}

/// A port that is kept for Envoy: bound and not listened on, so that Envoy,
/// which shares ports (`SO_REUSEPORT`), can have it and nobody is given it by
/// accident while Envoy is away.
pub struct Kept {
    /// The address, its port never 0.
    pub address: SocketAddr,
    _socket: TcpSocket,
}

/// Keeps the gateway's address. `in_use`: an Envoy of ours has it already;
/// otherwise somebody who listens there is an error, for with a shared port the
/// two would take each other's callers.
pub fn keep(address: SocketAddr, last: Option<SocketAddr>, in_use: bool) -> Result<Kept, Failure> {
    let again = again(address, last).and_then(|last| bind(last, in_use).ok());
    again.map_or_else(|| bind(address, in_use), Ok)
}

fn bind(address: SocketAddr, in_use: bool) -> Result<Kept, Failure> {
    let failed = |cause| Failure::Listen { setting: "gateway.listen", address, cause };
    if !in_use && address.port() != 0 {
        // Without SO_REUSEPORT this fails where anybody listens.
        drop(std::net::TcpListener::bind(address).map_err(failed)?);
    }
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(failed)?;
    socket.set_reuseport(true).map_err(failed)?;
    socket.bind(address).map_err(failed)?;
    Ok(Kept { address: socket.local_addr().map_err(failed)?, _socket: socket })
}

/// An address that can be connected to, for one that is listened on.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    #[tokio::test]
    async fn an_open_port_is_the_one_of_the_last_run() {
        let first = listen("control.xds", ANY, None).await.unwrap().local_addr().unwrap();
        let second = listen("control.xds", ANY, Some(first)).await.unwrap();
        assert_eq!(second.local_addr().unwrap(), first);
        let third = listen("control.xds", ANY, Some(first)).await.unwrap();
        assert_ne!(third.local_addr().unwrap(), first);
    }

    #[tokio::test]
    async fn a_kept_port_can_be_shared_and_not_taken() {
        let kept = keep(ANY, None, false).unwrap();
        assert_ne!(kept.address.port(), 0);
        assert!(std::net::TcpListener::bind(kept.address).is_err());
        let envoy = TcpSocket::new_v4().unwrap();
        envoy.set_reuseport(true).unwrap();
        envoy.bind(kept.address).unwrap();
        let _listening = envoy.listen(8).unwrap();
        // The next run, which adopts that Envoy, keeps it as well; a stranger does not.
        assert_eq!(keep(ANY, Some(kept.address), true).unwrap().address, kept.address);
        assert!(keep(kept.address, None, false).is_err());
    }

    #[test]
    fn what_is_listened_on_everywhere_is_reached_on_loopback() {
        let table = [
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
            ("10.0.0.5:80", "10.0.0.5:80"),
        ];
        for (listen, reached) in table {
            assert_eq!(reachable(listen.parse().unwrap()), reached.parse().unwrap());
        }
    }
}
