//! `pools`: sets of equal inference servers.

use crate::balance::{Balance, Load, Metrics};
use crate::breakers::Breakers;
use crate::discover::Discovery;
use crate::document::{Cursor, Fields};
use crate::endpoint::Endpoint;
use crate::engine_access::{Credentials, EngineTls, Protocol, base_path};
use crate::health::{Ejection, Health};
use crate::ids::{EngineModel, FieldName};
use crate::media;
use crate::place::{Place, Written};
use crate::schema::Section;
use crate::units;
use contract::limits::{MEDIUM_TOKENS_DEFAULT, TEMPLATE_TOKENS_DEFAULT};
use contract::policy::{AffinityConfig as Affinity, Engine, MediaConfig};
use contract::price::Prices;
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

/// Most `context`, and most tokens of anything in it; far beyond any model, and every sum
/// over it fits.
pub(crate) const CONTEXT_MAX: u64 = 1_000_000_000;

/// How long a whole answer may take, by default and at all.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(120);
pub(crate) const TIMEOUT_BOUNDS: RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(86_400);

/// How long an endpoint that is no longer wanted is kept, by default and at all.
const DRAIN_DEFAULT: Duration = Duration::from_secs(300);
pub(crate) const DRAIN_BOUNDS: RangeInclusive<Duration> =
    Duration::ZERO..=Duration::from_secs(86_400);

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
    /// Most tokens of an answer, put in where the caller names none; at most the context.
    /// `None`: what the context leaves.
    pub max_tokens: Option<NonZeroU64>,
    /// Most tokens that the engine's chat template adds to a request.
    pub template_tokens: u64,
    /// Most tokens that one image, sound, film or page is to the engine.
    pub medium_tokens: u64,
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
    /// Prices in nano-dollars: per million tokens, and for each of what else is counted.
    pub prices: Prices,
    /// How long a whole answer that is not streamed may take.
    pub timeout: Duration,
    /// Fields of the request's body that callers may set beyond those that the engine's
    /// kind allows.
    pub allow_fields: Vec<FieldName>,
    /// Whether the engine's prefix cache is kept apart by tenant; only for engines that
    /// can ([`Engine::has_cache_salt`]).
    pub cache_salt: bool,
    /// Images, sound and documents in a request.
    pub media: MediaConfig,
    /// What is said of some of `endpoints` beside their address. Zones only where the
    /// gateway has one.
    pub places: BTreeMap<Endpoint, Place>,
    /// Above this load of the servers in the gateway's zone, in percent of `max_active`,
    /// those of other zones take part.
    pub spill_percent: u8,
    /// The credential that every request carries.
    pub credentials: Option<Credentials>,
    /// What the servers speak.
    pub protocol: Protocol,
    /// What stands before the path of the API at them; empty: nothing.
    pub base_path: String,
    /// How certificates are verified; `None`: by the authorities that the machine knows.
    pub tls: Option<EngineTls>,
    /// How many further servers are tried before the next pool is; at most
    /// [`RETRIES_MAX`].
    pub retries: u32,
    /// How long the first bytes of an answer may take before another server is tried;
    /// `None`: as long as the whole answer.
    pub first_token_timeout: Option<Duration>,
    /// What one Envoy has under way at most.
    pub breakers: Breakers,
    /// For how long a server that is new gets less than its share; `None`: not at all.
    pub slow_start: Option<Duration>,
    /// Below which share of well servers requests go to all of them, well or not, in percent;
    /// `None`: never.
    pub panic_percent: Option<u8>,
    /// Which requests go to the same server.
    pub affinity: Affinity,
}

/// Further servers of a pool that are tried, by default and at most: beyond that a request
/// keeps its caller waiting for what does not come.
const RETRIES_DEFAULT: u32 = 1;
pub(crate) const RETRIES_MAX: u32 = 3;

/// How long a new server may get less than its share.
pub(crate) const SLOW_START_BOUNDS: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(3_600);

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
    /// `zoned`: the gateway says where it is.
    pub(crate) fn read(cursor: &Cursor<'_>, base: &Path, zoned: bool) -> Option<Pool> {
        let fields = cursor.fields(Section::Pool);
        let engine = fields
            .require("engine", "one of vllm, sglang, tgi, llamacpp, triton, openai")
            .and_then(|field| field.choose(ENGINES));
        let model = fields
            .require("model", "the model's name on the inference servers")
            .and_then(|field| field.parse(EngineModel::parse));
        let tokens = Tokens::read(&fields);
        let written = Written::read(&fields, zoned);
        let discover = fields.get("discover").and_then(|field| Discovery::read(&field, base));
        let load = Load::read(&fields, engine, &written, zoned);
        let health = fields.get("health").as_ref().map(Health::read);
        let ejection = fields.get("ejection").as_ref().map(Ejection::read).unwrap_or_default();
        let drain =
            fields.value("drain", DRAIN_DEFAULT, |text| units::duration(text, DRAIN_BOUNDS));
        let prices = fields.get("price").as_ref().map(prices).unwrap_or_default();
        let timeout =
            fields.value("timeout", TIMEOUT_DEFAULT, |text| units::duration(text, TIMEOUT_BOUNDS));
        let access = Access::read(&fields, base, &written, discover.as_ref());
        let attempts = Attempts::read(&fields);
        let body = BodyFields::read(&fields, engine);
        let media = fields.get("media").as_ref().map(media::read).unwrap_or_default();
        fields.close();
        let (engine, model) = (engine?, model?);
        Some(Pool {
            engine,
            model,
            context: tokens.context,
            max_tokens: tokens.answer,
            template_tokens: tokens.template,
            medium_tokens: tokens.medium,
            endpoints: written.endpoints,
            places: written.places,
            discover,
            balance: load.balance,
            affinity: load.affinity,
            spill_percent: load.spill_percent,
            max_active: load.max_active,
            health,
            ejection,
            drain,
            metrics: load.metrics,
            prices,
            timeout,
            allow_fields: body.allowed,
            cache_salt: body.salted,
            media,
            credentials: access.credentials,
            protocol: access.protocol,
            base_path: access.base_path,
            tls: access.tls,
            retries: attempts.retries,
            first_token_timeout: attempts.first_token_timeout,
            breakers: attempts.breakers,
            slow_start: attempts.slow_start,
            panic_percent: attempts.panic_percent,
        })
    }
}

/// How many tokens there may be of what.
struct Tokens {
    context: Option<NonZeroU64>,
    answer: Option<NonZeroU64>,
    template: u64,
    medium: u64,
}

impl Tokens {
    fn read(pool: &Fields<'_, '_>) -> Tokens {
        let tokens = |text: &str| units::count(text, CONTEXT_MAX);
        let some = |name| pool.get(name).and_then(|field| field.parse(tokens));
        let or = |name, default| some(name).map_or(default, NonZeroU64::get);
        let context = some("context");
        let answer = pool.get("max_tokens").and_then(|field| {
            let answer = field.parse(tokens)?;
            if context.is_some_and(|context| answer > context) {
                field.report("is more than `context`, which the answer is a part of");
            }
            Some(answer)
        });
        let template = or("template_tokens", TEMPLATE_TOKENS_DEFAULT);
        let medium = or("medium_tokens", MEDIUM_TOKENS_DEFAULT);
        Tokens { context, answer, template, medium }
    }
}

/// How the servers are spoken to.
struct Access {
    credentials: Option<Credentials>,
    protocol: Protocol,
    base_path: String,
    tls: Option<EngineTls>,
}

impl Access {
    fn read(
        pool: &Fields<'_, '_>,
        base: &Path,
        written: &Written,
        discover: Option<&Discovery>,
    ) -> Access {
        let plain = match discover {
            Some(discovery) => !discovery.tls,
            // Where nothing can be read, that is a problem of its own.
            None => written.endpoints.first().is_some_and(|first| !first.tls),
        };
        Access {
            credentials: pool.get("credentials").and_then(|field| Credentials::read(&field)),
            protocol: Protocol::of(pool),
            base_path: pool.value("base_path", String::new(), base_path),
            tls: EngineTls::of(pool, base, plain),
        }
    }
}

/// How often, for how long and how much at once is tried.
struct Attempts {
    retries: u32,
    first_token_timeout: Option<Duration>,
    breakers: Breakers,
    slow_start: Option<Duration>,
    panic_percent: Option<u8>,
}

impl Attempts {
    fn read(pool: &Fields<'_, '_>) -> Attempts {
        let time = |name, bounds: RangeInclusive<Duration>| {
            pool.get(name)?.parse(|text| units::duration(text, bounds))
        };
        let retries = pool.value("retries", RETRIES_DEFAULT.into(), |text| {
            units::whole(text, 0..=RETRIES_MAX.into())
        });
        Attempts {
            retries: u32::try_from(retries).unwrap_or(RETRIES_MAX),
            first_token_timeout: time("first_token_timeout", TIMEOUT_BOUNDS),
            breakers: pool.get("breakers").as_ref().map(Breakers::read).unwrap_or_default(),
            slow_start: time("slow_start", SLOW_START_BOUNDS),
            panic_percent: pool
                .get("panic_threshold")
                .and_then(|field| field.parse(units::percent)),
        }
    }
}

/// Who sets which fields of a request's body: callers, or the gateway for them.
struct BodyFields {
    allowed: Vec<FieldName>,
    salted: bool,
}

/// The field that keeps prefix caches apart.
const SALT: &str = "cache_salt";

/// What is said when callers are allowed to set it and the gateway does.
const SALT_IS_OURS: &str = "is what the gateway puts in for each tenant; with `cache_salt: none` \
    callers may set it";

impl BodyFields {
    fn read(pool: &Fields<'_, '_>, engine: Option<Engine>) -> BodyFields {
        let salted = salted(pool, engine);
        let parse = |text: &str| match FieldName::parse(text) {
            Ok(_) if salted && text == SALT => Err(SALT_IS_OURS.to_owned()),
            name => name.map_err(|error| error.to_string()),
        };
        let allowed = pool.get("allow_fields").map(|fields| fields.parse_items(parse));
        BodyFields { allowed: allowed.unwrap_or_default(), salted }
    }
}

pub(crate) const SALTS: &[(&str, bool)] = &[("tenant", true), ("none", false)];

/// Whether there is a salt for each tenant: where nothing is said, if the engine takes
/// one.
fn salted(pool: &Fields<'_, '_>, engine: Option<Engine>) -> bool {
    let takes = engine.is_none_or(Engine::has_cache_salt);
    let Some(field) = pool.get(SALT) else { return takes };
    let chosen = field.choose(SALTS).unwrap_or(takes);
    if chosen && !takes {
        field.report(
            "`tenant` is not what this engine can do; vllm and sglang keep the caches of \
             tenants apart. Write none, or remove it",
        );
    }
    chosen
}

fn prices(cursor: &Cursor<'_>) -> Prices {
    let fields = cursor.fields(Section::Price);
    let or = |name, default| fields.value(name, default, units::nano_dollars);
    let input = or("input", 0);
    let prices = Prices {
        input,
        cached_input: or("cached_input", input),
        output: or("output", 0),
        request: or("request", 0),
        image: or("image", 0),
        page: or("page", 0),
        audio_second: or("audio_second", 0),
        gpu_second: or("gpu_second", 0),
    };
    fields.close();
    prices
}
