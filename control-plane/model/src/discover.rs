//! `pools.NAME.discover`: where the endpoints of a pool are asked for.

use crate::secret::Secret;
use std::path::PathBuf;
use std::time::Duration;

/// How long a source that suddenly reports no endpoint at all is not believed.
pub(crate) const HOLD_EMPTY_DEFAULT: Duration = Duration::from_secs(30);

/// Where the endpoints of a pool come from, when they are not written down.
#[derive(Clone, PartialEq, Eq)]
pub struct Discovery {
    /// Who is asked.
    pub source: Source,
    /// Whether endpoints that come without a scheme are spoken to over TLS.
    pub tls: bool,
    /// How long the last endpoints are kept after the source said that there
    /// are none; zero believes it at once.
    pub hold_empty: Duration,
}

/// Who is asked for endpoints.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// An environment variable of the control plane: URLs or `HOST:PORT`, with
    /// commas or white space between them. Read once, at the start.
    Env(String),
    /// A file: a JSON or YAML list of URLs or `HOST:PORT`, or Envoy's own EDS
    /// file (`resources:` with `ClusterLoadAssignment`). Absolute; watched.
    File(PathBuf),
    /// A name in the DNS.
    Dns(Dns),
    /// The `EndpointSlice`s of a service in Kubernetes.
    Kubernetes(Kubernetes),
    /// The healthy instances of a service in Consul.
    Consul(Consul),
}

/// A name in the DNS: A and AAAA records with a port, or SRV records without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    /// The name, in lower case.
    pub name: String,
    /// The port of every address; `None`: the name has SRV records.
    pub port: Option<u16>,
    /// Who is asked; `None`: the servers of the system (`/etc/resolv.conf`).
    pub server: Option<std::net::SocketAddr>,
}

/// A service in Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kubernetes {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub service: String,
    /// Name or number of the port; `None`: the slice's only one.
    pub port: Option<String>,
    /// Base URL of an API server that needs no credentials, such as
    /// `http://127.0.0.1:8001` of `kubectl proxy`; `None`: the service account of
    /// the pod, else the kubeconfig of the user.
    pub api: Option<String>,
}

/// A service in Consul.
#[derive(Clone, PartialEq, Eq)]
pub struct Consul {
    /// Its name.
    pub service: String,
    /// Base URL of the agent.
    pub address: String,
    /// Only instances with this tag.
    pub tag: Option<String>,
    /// Another data centre than the agent's.
    pub datacenter: Option<String>,
    /// An ACL token.
    pub token: Option<Secret>,
}
