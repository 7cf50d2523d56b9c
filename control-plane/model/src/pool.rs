//! `pools`: sets of equal inference servers.

use crate::balance::{Balance, Load, Metrics, why_mute};
use crate::discover::Discovery;
use crate::document::{Cursor, Fields};
use crate::endpoint::{Endpoint, Host};
use crate::health::{Ejection, Health};
use crate::ids::EngineModel;
use crate::schema::Section;
use crate::units;
use contract::price::Prices;
use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

/// Most `context`; far beyond any model, and every sum over it fits.
pub(crate) const CONTEXT_MAX: u64 = 1_000_000_000;

/// How long a whole answer may take, by default and at all.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(120);
pub(crate) const TIMEOUT_BOUNDS: RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(86_400);

/// How long an endpoint that is no longer wanted is kept, by default and at all.
const DRAIN_DEFAULT: Duration = Duration::from_secs(300);
pub(crate) const DRAIN_BOUNDS: RangeInclusive<Duration> =
    Duration::ZERO..=Duration::from_secs(86_400);

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

pub(crate) const ENGINES: &[(&str, Engine)] = &[
    ("vllm", Engine::Vllm),
    ("sglang", Engine::Sglang),
    ("tgi", Engine::Tgi),
    ("llamacpp", Engine::Llamacpp),
    ("triton", Engine::Triton),
    ("openai", Engine::Openai),
];

impl Pool {
    /// The pool, or nothing when something that it cannot be without is wrong.
    pub(crate) fn read(cursor: &Cursor<'_>, base: &Path) -> Option<Pool> {
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
        let discover = fields.get("discover").and_then(|field| Discovery::read(&field, base));
        let named = endpoints.iter().any(|endpoint| matches!(endpoint.host, Host::Name(_)));
        let load = Load::read(&fields, why_mute(engine, named));
        let health = fields.get("health").as_ref().map(Health::read);
        let ejection = fields.get("ejection").as_ref().map(Ejection::read).unwrap_or_default();
        let drain =
            fields.value("drain", DRAIN_DEFAULT, |text| units::duration(text, DRAIN_BOUNDS));
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
            discover,
            balance: load.balance,
            max_active: load.max_active,
            health,
            ejection,
            drain,
            metrics: load.metrics,
            prices,
            timeout,
        })
    }
}

/// The endpoints that are written down. Exactly one of `endpoints` and
/// `discover` stands there.
fn endpoints(fields: &Fields<'_, '_>) -> Vec<Endpoint> {
    let field = match (fields.get("endpoints"), fields.has("discover")) {
        (Some(field), discovered) => {
            if discovered {
                field.report_field("stands beside `discover`; give one of the two");
            }
            field
        }
        (None, true) => return Vec::new(),
        (None, false) => {
            fields.report("`endpoints` is missing; at least one http://HOST:PORT, or `discover`");
            return Vec::new();
        }
    };
    let Some(items) = field.items() else { return Vec::new() };
    if items.is_empty() {
        field.report("is empty; at least one http://HOST:PORT");
    }
    written(&items)
}

fn written(items: &[Cursor<'_>]) -> Vec<Endpoint> {
    let (mut endpoints, mut seen) = (Vec::new(), BTreeSet::new());
    for item in items {
        let Some(endpoint) = item.parse_unquoted(Endpoint::parse) else { continue };
        if !seen.insert(endpoint.clone()) {
            item.report("stands here a second time; once is allowed");
        }
        if endpoints.first().is_some_and(|first: &Endpoint| first.tls != endpoint.tls) {
            item.report("mixes http and https in one pool; make it two pools, or all the same");
        }
        endpoints.push(endpoint);
    }
    endpoints
}

fn prices(cursor: &Cursor<'_>) -> Prices {
    let fields = cursor.fields(Section::Price);
    let input = fields.value("input", 0, units::nano_dollars);
    let cached_input = fields.value("cached_input", input, units::nano_dollars);
    let output = fields.value("output", 0, units::nano_dollars);
    fields.close();
    Prices { input, cached_input, output }
}
