//! `pools`: sets of equal inference servers.

use crate::discover::Discovery;
use crate::document::{Cursor, Fields};
use crate::endpoint::Endpoint;
use crate::ids::EngineModel;
use crate::unbuilt::Section;
use crate::units;
use contract::price::Prices;
use std::num::NonZeroU64;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Most `context`; far beyond any model, and every sum over it fits.
const CONTEXT_MAX: u64 = 1_000_000_000;

/// How long a whole answer may take, by default and at all.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(120);
const TIMEOUT_BOUNDS: RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(86_400);

/// How often an endpoint is asked whether it is well, by default and at all.
const HEALTH_INTERVAL_DEFAULT: Duration = Duration::from_secs(5);
const HEALTH_INTERVAL_BOUNDS: RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(300);

/// Where an endpoint is asked when nothing is said.
const HEALTH_PATH: &str = "/health";

/// Gateway errors in a row after which an endpoint is passed over.
const EJECTION_FAILURES_DEFAULT: u32 = 5;

/// Share of failed requests above which an endpoint is passed over, in percent.
const EJECTION_ERROR_PERCENT_DEFAULT: u8 = 50;

/// How long for the first time. With Envoy's sweep it is tried again within 10 s.
const EJECTION_BASE_DEFAULT: Duration = Duration::from_secs(5);

/// Requests at once that one engine does well with, when nothing is said.
const MAX_ACTIVE_DEFAULT: u32 = 32;

/// How long an endpoint that is no longer wanted is kept, by default.
const DRAIN_DEFAULT: Duration = Duration::from_secs(300);

/// Where engines tell of their load when nothing is said.
const METRICS_PATH: &str = "/metrics";
const METRICS_INTERVAL_DEFAULT: Duration = Duration::from_secs(1);
const METRICS_STALE_AFTER_DEFAULT: u32 = 5;

/// Longest path of a health check.
const HEALTH_PATH_BYTES_MAX: usize = 1024;

/// Which inference server software runs in a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// vLLM.
    Vllm,
    /// SGLang.
    Sglang,
    /// Text Generation Inference.
    Tgi,
    /// llama.cpp's server.
    Llamacpp,
    /// Triton with its OpenAI front end.
    Triton,
    /// Anything else that speaks OpenAI's API.
    Openai,
}

/// How Envoy picks one endpoint of a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Balance {
    /// One after the other.
    RoundRobin,
    /// The less busy of two that are drawn at random.
    #[default]
    LeastRequest,
    /// As [`Balance::LeastRequest`], with weights from what the engines report
    /// of their load.
    Load,
}

/// How an endpoint is asked whether it is well.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Health {
    /// Path of the question; 200 means well.
    pub path: String,
    /// Time between two questions.
    pub interval: Duration,
}

/// When an endpoint that answers badly is passed over for a while, whatever its
/// health path says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ejection {
    /// Gateway errors (502, 503, 504) or failed connections in a row; at least 1.
    pub failures: u32,
    /// Share of failed requests among those of one sweep, in percent, 1 to 100.
    pub error_percent: u8,
    /// How long it is passed over for the first time, at most 8 s.
    pub base: Duration,
}

impl Default for Ejection {
    fn default() -> Self {
        Ejection {
            failures: EJECTION_FAILURES_DEFAULT,
            error_percent: EJECTION_ERROR_PERCENT_DEFAULT,
            base: EJECTION_BASE_DEFAULT,
        }
    }
}

/// How the engines of a pool are asked for their load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// Path of the Prometheus text.
    pub path: String,
    /// Port of the metrics; `None`: the endpoint's own.
    pub port: Option<u16>,
    /// Time between two questions to one engine.
    pub interval: Duration,
    /// After how many intervals without an answer its last figures count no more; at least 1.
    pub stale_after: u32,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics {
            path: METRICS_PATH.to_owned(),
            port: None,
            interval: METRICS_INTERVAL_DEFAULT,
            stale_after: METRICS_STALE_AFTER_DEFAULT,
        }
    }
}

/// A set of equal inference servers, defaults filled in. It may hold a secret and
/// therefore has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Pool {
    /// The software that runs there.
    pub engine: Engine,
    /// The model's name on those servers.
    pub model: EngineModel,
    /// Most tokens of prompt and answer together; `None`: not known.
    pub context: Option<NonZeroU64>,
    /// At least one, or none where they are discovered; all with TLS or all
    /// without; no two the same.
    pub endpoints: Vec<Endpoint>,
    /// Where they are asked for; `None`: `endpoints` has them.
    pub discover: Option<Discovery>,
    /// How one of them is picked.
    pub balance: Balance,
    /// Requests at once that one engine does well with: the measure of its load;
    /// at least 1.
    pub max_active: u32,
    /// `None`: nobody asks; an endpoint is judged by its answers alone.
    pub health: Option<Health>,
    /// When an endpoint is passed over for its answers.
    pub ejection: Ejection,
    /// How long an endpoint that is no longer wanted is kept, without new
    /// requests, for those that it still answers.
    pub drain: Duration,
    /// `None`: the engines are not asked for their load.
    pub metrics: Option<Metrics>,
    /// Prices in nano-dollars per million tokens.
    pub prices: Prices,
    /// How long a whole answer that is not streamed may take.
    pub timeout: Duration,
}

const ENGINES: &[(&str, Engine)] = &[
    ("vllm", Engine::Vllm),
    ("sglang", Engine::Sglang),
    ("tgi", Engine::Tgi),
    ("llamacpp", Engine::Llamacpp),
    ("triton", Engine::Triton),
    ("openai", Engine::Openai),
];

const BALANCES: &[(&str, Balance)] =
    &[("round_robin", Balance::RoundRobin), ("least_request", Balance::LeastRequest)];

impl Pool {
    /// The pool, or nothing when something that it cannot be without is wrong.
    pub(crate) fn read(cursor: &Cursor<'_>) -> Option<Pool> {
        let fields = cursor.fields(Section::Pool);
        let engine = fields
            .require("engine", "one of vllm, sglang, tgi, llamacpp, triton, openai")
            .and_then(|field| field.choose(Section::Pool, ENGINES));
        let model = fields
            .require("model", "the model's name on the inference servers")
            .and_then(|field| field.parse(EngineModel::parse));
        let context = fields
            .get("context")
            .and_then(|field| field.parse(|text| units::count(text, CONTEXT_MAX)));
        let endpoints = endpoints(&fields);
        let balance = fields.get("balance").as_ref().map(balance).unwrap_or_default();
        let health = fields.get("health").as_ref().map(Health::read);
        let prices = fields.get("price").as_ref().map(prices).unwrap_or_default();
        let timeout =
            fields.value("timeout", TIMEOUT_DEFAULT, |text| units::duration(text, TIMEOUT_BOUNDS));
        fields.close();
        let (engine, model) = (engine?, model?);
        Some(Pool {
            engine,
            model,
            context,
            endpoints,
            discover: None,
            balance,
            max_active: MAX_ACTIVE_DEFAULT,
            health,
            ejection: Ejection::default(),
            drain: DRAIN_DEFAULT,
            metrics: None,
            prices,
            timeout,
        })
    }
}

/// Endpoints by address are not asked for where others are: those are reported
/// for what they are.
fn endpoints(fields: &Fields<'_, '_>) -> Vec<Endpoint> {
    let field = if fields.has("discover") {
        fields.get("endpoints")
    } else {
        fields.require("endpoints", "at least one http://HOST:PORT")
    };
    let Some(field) = field else { return Vec::new() };
    let Some(items) = field.items() else { return Vec::new() };
    if items.is_empty() {
        field.report("is empty; at least one http://HOST:PORT");
    }
    let mut endpoints = Vec::new();
    for item in items {
        let Some(endpoint) = item.parse_unquoted(Endpoint::parse) else { continue };
        if endpoints.contains(&endpoint) {
            item.report("stands here a second time; once is allowed");
        }
        if endpoints.first().is_some_and(|first: &Endpoint| first.tls != endpoint.tls) {
            item.report("mixes http and https in one pool; make it two pools, or all the same");
        }
        endpoints.push(endpoint);
    }
    endpoints
}

fn balance(cursor: &Cursor<'_>) -> Balance {
    let fields = cursor.fields(Section::Balance);
    let by = fields.get("by").and_then(|field| field.choose(Section::Balance, BALANCES));
    if let Some(affinity) = fields.get("affinity") {
        affinity.choose(Section::Balance, &[("none", ())]);
    }
    fields.close();
    by.unwrap_or_default()
}

impl Health {
    fn read(cursor: &Cursor<'_>) -> Health {
        let fields = cursor.fields(Section::Health);
        let path = fields.value("path", HEALTH_PATH.to_owned(), health_path);
        let interval = fields.value("interval", HEALTH_INTERVAL_DEFAULT, |text| {
            units::duration(text, HEALTH_INTERVAL_BOUNDS)
        });
        fields.close();
        Health { path, interval }
    }
}

fn health_path(text: &str) -> Result<String, &'static str> {
    let graphic = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    let sized = text.starts_with('/') && text.len() <= HEALTH_PATH_BYTES_MAX;
    if graphic && sized {
        return Ok(text.to_owned());
    }
    Err("is not a path; write one such as /health, without spaces or #")
}

fn prices(cursor: &Cursor<'_>) -> Prices {
    let fields = cursor.fields(Section::Price);
    let input = fields.value("input", 0, units::nano_dollars);
    let cached_input = fields.value("cached_input", input, units::nano_dollars);
    let output = fields.value("output", 0, units::nano_dollars);
    fields.close();
    Prices { input, cached_input, output }
}
