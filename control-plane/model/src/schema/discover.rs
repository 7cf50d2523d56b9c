//! The tables of `pools.NAME.discover`.

use super::{Change, Field, Kind, Presence, Section, Table, form};
use crate::discover::{HOLD_EMPTY_BOUNDS, SOURCES};
use Change::{Live, Start};
use Presence::{Default, Otherwise, Required};

pub(super) const DISCOVER: Table = Table {
    section: Section::Discover,
    name: "pools.NAME.discover",
    one_of: &SOURCES,
    fields: &[
        Field::new(
            "env",
            Kind::Text(&form::VARIABLE),
            Otherwise("-"),
            Start,
            "LLAMA_ENDPOINTS",
            "an environment variable of the control plane: URLs or `HOST:PORT`, with commas or \
             white space between them",
        ),
        Field::new(
            "file",
            Kind::Text(&form::PATH),
            Otherwise("-"),
            Live,
            "llama.yaml",
            "a watched file: a JSON or YAML list of URLs or `HOST:PORT`, or Envoy's own EDS file",
        ),
        Field::new(
            "dns",
            Kind::Either(&[Kind::Text(&form::DNS_AND_PORT), Kind::Map(Section::Dns)]),
            Otherwise("-"),
            Live,
            "llama.gpu.svc:8000",
            "a name in the DNS: its addresses with that port, or its SRV records where no port is \
             given; asked again when the TTL has passed",
        ),
        Field::new(
            "kubernetes",
            Kind::Map(Section::Kubernetes),
            Otherwise("-"),
            Live,
            "{ namespace: gpu, service: llama }",
            "the EndpointSlices of a service, watched",
        ),
        Field::new(
            "consul",
            Kind::Map(Section::Consul),
            Otherwise("-"),
            Live,
            "{ service: llama }",
            "the healthy instances of a service, watched",
        ),
        Field::new(
            "scheme",
            Kind::Choice(&["http", "https"]),
            Default("http"),
            Live,
            "https",
            "how servers that come without a scheme are spoken to",
        ),
        Field::new(
            "hold_empty",
            Kind::Duration(*HOLD_EMPTY_BOUNDS.start(), *HOLD_EMPTY_BOUNDS.end()),
            Default("30s"),
            Live,
            "0s",
            "how long a source that suddenly reports no server at all is not believed",
        ),
    ],
};

pub(super) const DNS: Table = Table {
    section: Section::Dns,
    name: "pools.NAME.discover.dns",
    one_of: &[],
    fields: &[
        Field::new(
            "name",
            Kind::Text(&form::DNS_NAME),
            Required,
            Live,
            "llama.gpu.svc",
            "the name",
        ),
        Field::new(
            "port",
            Kind::Count(u16::MAX as u64),
            Otherwise("SRV records have it"),
            Live,
            "8000",
            "the port of every address",
        ),
        Field::new(
            "server",
            Kind::Text(&form::SERVER),
            Otherwise("those of `/etc/resolv.conf`"),
            Live,
            "127.0.0.1:5353",
            "who is asked",
        ),
    ],
};

pub(super) const KUBERNETES: Table = Table {
    section: Section::Kubernetes,
    name: "pools.NAME.discover.kubernetes",
    one_of: &[],
    fields: &[
        Field::new("namespace", Kind::Text(&form::LABEL), Required, Live, "gpu", "its namespace"),
        Field::new("service", Kind::Text(&form::LABEL), Required, Live, "llama", "its name"),
        Field::new(
            "port",
            Kind::Text(&form::SERVICE_PORT),
            Otherwise("the slice's only one"),
            Live,
            "http",
            "which port",
        ),
        Field::new(
            "api",
            Kind::Text(&form::BASE_URL),
            Otherwise("the pod's service account, else the kubeconfig"),
            Live,
            "http://127.0.0.1:8001",
            "an API server that needs no credentials, such as that of `kubectl proxy`",
        ),
    ],
};

pub(super) const CONSUL: Table = Table {
    section: Section::Consul,
    name: "pools.NAME.discover.consul",
    one_of: &[],
    fields: &[
        Field::new("service", Kind::Text(&form::PLAIN_NAME), Required, Live, "llama", "its name"),
        Field::new(
            "address",
            Kind::Text(&form::BASE_URL),
            Default("http://127.0.0.1:8500"),
            Live,
            "https://consul.example:8501",
            "the agent",
        ),
        Field::new(
            "tag",
            Kind::Text(&form::PLAIN_NAME),
            Otherwise("any"),
            Live,
            "gpu",
            "only instances with this tag",
        ),
        Field::new(
            "datacenter",
            Kind::Text(&form::PLAIN_NAME),
            Otherwise("the agent's"),
            Live,
            "eu-1",
            "which data centre",
        ),
        Field::new(
            "token",
            Kind::Text(&form::TOKEN),
            Otherwise("none"),
            Live,
            "${CONSUL_TOKEN}",
            "an ACL token",
        ),
    ],
};
