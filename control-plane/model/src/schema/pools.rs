//! The tables of `pools`.

use super::{Change, Field, Kind, Presence, Section, Table, form};
use crate::balance::{INTERVAL_BOUNDS, MAX_ACTIVE_MAX, STALE_AFTER_MAX};
use crate::discover::{HOLD_EMPTY_BOUNDS, SOURCES};
use crate::health::{self, BASE_BOUNDS, FAILURES_MAX};
use crate::pool::{CONTEXT_MAX, DRAIN_BOUNDS, TIMEOUT_BOUNDS};
use Change::{Live, Start};
use Presence::{Default, Otherwise, Required};

pub(super) const POOL: Table = Table {
    section: Section::Pool,
    name: "pools.NAME",
    one_of: &["endpoints", "discover"],
    fields: &[
        Field::new(
            "engine",
            Kind::Choice(&["vllm", "sglang", "tgi", "llamacpp", "triton", "openai"]),
            Required,
            Live,
            "vllm",
            "the software; `openai` for anything else with OpenAI's API",
        ),
        Field::new(
            "model",
            Kind::Text(&form::MODEL_NAME),
            Required,
            Live,
            "meta-llama/Llama-3.3-70B-Instruct",
            "the model's name on those servers",
        ),
        Field::new(
            "context",
            Kind::Count(CONTEXT_MAX),
            Otherwise("not known"),
            Live,
            "131072",
            "most tokens of prompt and answer together",
        ),
        Field::new(
            "endpoints",
            Kind::List(&Kind::Text(&form::ENDPOINT), 1, None),
            Otherwise("-"),
            Live,
            "[http://10.0.0.11:8000]",
            "the servers, without a path; no two the same; all `http` or all `https`. Exactly one \
             of `endpoints` and `discover`",
        ),
        Field::new(
            "discover",
            Kind::Map(Section::Discover),
            Otherwise("-"),
            Live,
            "{ dns: llama.gpu.svc:8000 }",
            "who is asked for the servers: exactly one of the sources `env`, `file`, `dns`, \
             `kubernetes`, `consul`",
        ),
        Field::new(
            "balance",
            Kind::Map(Section::Balance),
            Default("{}"),
            Live,
            "{ by: round_robin }",
            "how a server is picked",
        ),
        Field::new(
            "health",
            Kind::Map(Section::Health),
            Otherwise("nobody asks"),
            Live,
            "{}",
            "asks every server whether it is well; `health: {}` does so with the defaults",
        ),
        Field::new(
            "ejection",
            Kind::Map(Section::Ejection),
            Default("{}"),
            Live,
            "{ failures: 3 }",
            "when a server is passed over for its answers, whatever its health path says",
        ),
        Field::new(
            "drain",
            Kind::Duration(*DRAIN_BOUNDS.start(), *DRAIN_BOUNDS.end()),
            Default("5m"),
            Live,
            "10m",
            "how long a server that is no longer wanted is kept, without new requests, for those \
             that it still answers",
        ),
        Field::new(
            "metrics",
            Kind::Map(Section::Metrics),
            Otherwise("asked with `by: load`, else not"),
            Live,
            "{}",
            "asks every server for its load; not for `openai`, nor with host names in `endpoints`",
        ),
        Field::new(
            "price",
            Kind::Map(Section::Price),
            Default("{}"),
            Live,
            "{ input: 0.60 }",
            "what callers pay",
        ),
        Field::new(
            "timeout",
            Kind::Duration(*TIMEOUT_BOUNDS.start(), *TIMEOUT_BOUNDS.end()),
            Default("120s"),
            Live,
            "5m",
            "how long an answer that is not streamed may take",
        ),
        Field::new(
            "allow_fields",
            Kind::List(&Kind::Text(&form::PLAIN_NAME), 0, None),
            Default("[]"),
            Live,
            "[top_k, min_p]",
            "fields of the body that callers may set beyond those of OpenAI's API; others are 400 \
             `field_not_allowed`",
        ),
        Field::new(
            "cache_salt",
            Kind::Choice(&["tenant", "none"]),
            Otherwise("`tenant` for `vllm` and `sglang`, `none` for others"),
            Live,
            "none",
            "keeps the engine's prefix cache apart by tenant; `tenant` only for `vllm` and \
             `sglang`",
        ),
        Field::new(
            "media",
            Kind::Map(Section::Media),
            Default("{}"),
            Live,
            "{ kinds: [image] }",
            "images, sound and documents in a request",
        ),
    ],
};

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

pub(super) const BALANCE: Table = Table {
    section: Section::Balance,
    name: "pools.NAME.balance",
    one_of: &[],
    fields: &[
        Field::new(
            "by",
            Kind::Choice(&["round_robin", "least_request", "load"]),
            Default("least_request"),
            Live,
            "round_robin",
            "one after the other; the less busy of two drawn at random; or that with weights from \
             what the engines report of their load (not for `openai`, nor with host names in \
             `endpoints`)",
        ),
        Field::new(
            "max_active",
            Kind::Count(MAX_ACTIVE_MAX as u64),
            Default("32"),
            Live,
            "8",
            "requests at once that one server does well with: the measure of its load; only with \
             `by: load`",
        )
        .beside(&[("by", "load")]),
        Field::new(
            "affinity",
            Kind::Choice(&["none"]),
            Default("none"),
            Live,
            "none",
            "whether requests that belong together go to one server",
        ),
    ],
};

pub(super) const METRICS: Table = Table {
    section: Section::Metrics,
    name: "pools.NAME.metrics",
    one_of: &[],
    fields: &[
        Field::new(
            "path",
            Kind::Text(&form::URL_PATH),
            Default("/metrics"),
            Live,
            "/prometheus",
            "path of the Prometheus text",
        ),
        Field::new(
            "port",
            Kind::Count(u16::MAX as u64),
            Otherwise("the server's own"),
            Live,
            "8002",
            "port of it",
        ),
        Field::new(
            "interval",
            Kind::Duration(*INTERVAL_BOUNDS.start(), *INTERVAL_BOUNDS.end()),
            Default("1s"),
            Live,
            "250ms",
            "time between two questions to one server",
        ),
        Field::new(
            "stale_after",
            Kind::Count(STALE_AFTER_MAX as u64),
            Default("5"),
            Live,
            "3",
            "after how many intervals without an answer the last one counts no more",
        ),
    ],
};

pub(super) const HEALTH: Table = Table {
    section: Section::Health,
    name: "pools.NAME.health",
    one_of: &[],
    fields: &[
        Field::new(
            "path",
            Kind::Text(&form::URL_PATH),
            Default("/health"),
            Live,
            "/healthz?deep=1",
            "path of the question; 200 means well",
        ),
        Field::new(
            "interval",
            Kind::Duration(*health::INTERVAL_BOUNDS.start(), *health::INTERVAL_BOUNDS.end()),
            Default("5s"),
            Live,
            "2s",
            "time between two questions",
        ),
    ],
};

pub(super) const EJECTION: Table = Table {
    section: Section::Ejection,
    name: "pools.NAME.ejection",
    one_of: &[],
    fields: &[
        Field::new(
            "failures",
            Kind::Count(FAILURES_MAX as u64),
            Default("5"),
            Live,
            "3",
            "after so many gateway errors (502, 503, 504) or failed connections in a row",
        ),
        Field::new(
            "error_rate",
            Kind::Percent,
            Default("50%"),
            Live,
            "20%",
            "above this share of failed requests",
        ),
        Field::new(
            "base",
            Kind::Duration(*BASE_BOUNDS.start(), *BASE_BOUNDS.end()),
            Default("5s"),
            Live,
            "2s",
            "how long it is passed over for the first time",
        ),
    ],
};

pub(super) const PRICE: Table = Table {
    section: Section::Price,
    name: "pools.NAME.price",
    one_of: &[],
    fields: &[
        Field::new("input", Kind::Money, Default("0"), Live, "0.60", "per million prompt tokens"),
        Field::new(
            "cached_input",
            Kind::Money,
            Otherwise("same as `input`"),
            Live,
            "0.15",
            "per million of those that came from the engine's cache",
        ),
        Field::new(
            "output",
            Kind::Money,
            Default("0"),
            Live,
            "1.80",
            "per million generated tokens",
        ),
    ],
};
