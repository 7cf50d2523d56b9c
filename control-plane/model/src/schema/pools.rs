//! The tables of `pools`.

use super::{Change, Field, Kind, Presence, Section, Table, form};
use crate::health::{self, BASE_BOUNDS, FAILURES_MAX, RETRY_AFTER_BOUNDS};
use crate::pool::{CONTEXT_MAX, DRAIN_BOUNDS, RETRIES_MAX, SLOW_START_BOUNDS, TIMEOUT_BOUNDS};
use Change::{Live, Said};
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
            "max_tokens",
            Kind::Count(CONTEXT_MAX),
            Otherwise("what the context leaves, 32768 where it is not known"),
            Live,
            "4096",
            "most tokens of an answer, put in where the caller names none; at most `context`",
        ),
        Field::new(
            "template_tokens",
            Kind::Count(CONTEXT_MAX),
            Default("256"),
            Live,
            "64",
            "most tokens that the engine's chat template adds to what is in a request",
        ),
        Field::new(
            "medium_tokens",
            Kind::Count(CONTEXT_MAX),
            Default("16384"),
            Live,
            "4096",
            "most tokens that one image, sound, film or page is to the engine",
        ),
        Field::new(
            "endpoints",
            Kind::List(
                &Kind::Either(&[Kind::Text(&form::ENDPOINT), Kind::Map(Section::Endpoint)]),
                1,
                None,
            ),
            Otherwise("-"),
            Live,
            "[{ url: https://10.0.0.11:8443, zone: eu-1a }]",
            "the servers; no two the same; all `http` or all `https`. Exactly one of `endpoints` \
             and `discover`",
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
            "spill",
            Kind::Percent(1, 100),
            Otherwise("`85%` where the servers are asked for their load"),
            Live,
            "70%",
            "above this load of the servers in the gateway's zone, those of other zones take \
             part; only where the gateway and the servers have zones",
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
            Otherwise("asked with `by: load`, `by: latency`, zones or `spill`, else not"),
            Live,
            "{ port: 8002 }",
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
            "first_token_timeout",
            Kind::Duration(*TIMEOUT_BOUNDS.start(), *TIMEOUT_BOUNDS.end()),
            Otherwise("as long as the whole answer"),
            Live,
            "20s",
            "how long the first bytes of a stream may take before another server is tried, where that \
             is less than `gateway.stream_idle_timeout`; other answers have `timeout`",
        ),
        Field::new(
            "retries",
            Kind::Whole(0, RETRIES_MAX as u64),
            Default("1"),
            Live,
            "2",
            "how many further servers of the pool are tried before the next pool is",
        ),
        Field::new(
            "breakers",
            Kind::Map(Section::Breakers),
            Default("{}"),
            Live,
            "{ requests: 500 }",
            "the most that one Envoy has under way to the pool; beyond it requests are refused \
             with 503, whatever the fallbacks",
        ),
        Field::new(
            "slow_start",
            Kind::Duration(*SLOW_START_BOUNDS.start(), *SLOW_START_BOUNDS.end()),
            Otherwise("not at all"),
            Live,
            "30s",
            "for how long a server that is new gets less than its share",
        ),
        Field::new(
            "panic_threshold",
            Kind::Percent(1, 100),
            Otherwise("never"),
            Live,
            "20%",
            "below this share of well servers requests go to all of them, well or not; not where \
             they can go on to another pool, nor where servers of other zones come second",
        ),
        Field::new(
            "credentials",
            Kind::Map(Section::Credentials),
            Otherwise("none"),
            Live,
            "{ header: authorization, value: Bearer ${ENGINE_KEY} }",
            "what the servers want to see; no server of another pool gets it",
        ),
        Field::new(
            "protocol",
            Kind::Choice(&["http1", "http2"]),
            Default("http1"),
            Live,
            "http2",
            "what the servers speak; `http2` without TLS is by prior knowledge",
        ),
        Field::new(
            "base_path",
            Kind::Text(&form::BASE_PATH),
            Otherwise("nothing"),
            Live,
            "/openai",
            "what stands at the servers before the path of the API: `/openai/v1/chat/completions`; \
             not before the paths of `health` and `metrics`",
        ),
        Field::new(
            "tls",
            Kind::Map(Section::EngineTls),
            Otherwise("authorities that the machine knows"),
            Said("live, the file too"),
            "{ ca: engines-ca.pem }",
            "how `https` servers are verified",
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
            Kind::Percent(1, 100),
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
        Field::new(
            "retry_after",
            Kind::Duration(*RETRY_AFTER_BOUNDS.start(), *RETRY_AFTER_BOUNDS.end()),
            Default("1m"),
            Live,
            "10m",
            "how long at most a server is left alone that has answered 429 or 503 with \
             `retry-after`; `0s`: it is not",
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
        each("request", "0.0001", "for each request that an engine has answered"),
        each("image", "0.002", "for each image of a request"),
        each("page", "0.001", "for each page of its documents"),
        each("audio_second", "0.0001", "for each second of sound that the engine has heard"),
        each(
            "gpu_second",
            "0.0005",
            "for each second from the request's leaving to the answer's end",
        ),
    ],
};

/// A price of one of something.
const fn each(name: &'static str, example: &'static str, meaning: &'static str) -> Field {
    Field::new(name, Kind::Money, Default("0"), Live, example, meaning)
}
