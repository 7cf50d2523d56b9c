//! The configuration of the Wasm module, as it is sent through ECDS and the
//! bootstrap. The control plane writes it, `pipeline::Policy::compile` reads it.

use crate::limits::{
    FAILURES_PER_MINUTE_DEFAULT, MAX_SKEW_S_DEFAULT, MEDIUM_TOKENS_DEFAULT, REPLAY_BYTES_DEFAULT,
    STALE_FOR_MS_DEFAULT, TEMPLATE_TOKENS_DEFAULT,
};
use crate::masking::MaskingConfig;
use crate::price::Prices;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use crate::routes::{
    AffinityBounds, AffinityConfig, FamilyConfig, Language, ModelConfig, RuleConfig, ShadowConfig,
    ShareConfig, Sticky, WhenConfig,
};

/// The plugin configuration; `role` says what the module is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case", deny_unknown_fields)]
pub enum PluginConfig {
    /// Downstream filter: requests and answers.
    Gateway(Box<GatewayConfig>),
    /// Singleton service: keeps shared data up to date.
    Sync(SyncConfig),
    /// Upstream filter, once for each attempt: the body that this attempt's pool is to get.
    Engine(EngineConfig),
}

/// Configuration of the role `engine`: the same for all clusters, because the filter
/// `gateway` says of each request what is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineConfig {}

/// Configuration of the role `sync`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncConfig {
    /// The Envoy cluster that leads to the control plane.
    pub control_cluster: String,
}

/// Configuration of the role `gateway`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
    /// The Envoy cluster that leads to the control plane.
    pub control_cluster: String,
    /// Largest request body in bytes.
    pub max_body_bytes: u64,
    /// Whether answers carry `x-tollgate-pool`.
    #[serde(default)]
    pub expose_pool: bool,
    /// Whether the end of an answer is written to Envoy's own log before the
    /// client has it; see [`crate::spool::JOURNAL_MARK`].
    #[serde(default)]
    pub journal: bool,
    /// How callers are told apart.
    #[serde(default)]
    pub auth: AuthConfig,
    /// Masking policies.
    #[serde(default, skip_serializing_if = "MaskingConfig::is_empty")]
    pub masking: MaskingConfig,
    /// Limits by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, LimitsConfig>,
    /// Organisations that have a budget.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub organisations_with_budget: Vec<String>,
    /// Pools by name.
    pub pools: BTreeMap<String, PoolConfig>,
    /// Largest request body in bytes that is sent again after a failure; a larger one is
    /// sent once.
    #[serde(default = "replay_bytes")]
    pub replay_bytes: u64,
    /// How long the engine of a stream may say nothing, in milliseconds.
    #[serde(default = "stream_idle_timeout_ms")]
    pub stream_idle_timeout_ms: u64,
    /// Whether Envoy can send a request on to another pool; without it the fallbacks of
    /// models are passed over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub chains: bool,
    /// Models, the names that callers ask for.
    pub models: BTreeMap<String, ModelConfig>,
    /// Models whose names are patterns, in the order in which they are tried where no
    /// name is the one that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub families: Vec<FamilyConfig>,
    /// Other names of models.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub aliases: BTreeMap<String, String>,
    /// Roles by name.
    #[serde(default)]
    pub roles: BTreeMap<String, RoleConfig>,
    /// Tenants by name.
    pub tenants: BTreeMap<String, TenantConfig>,
}

/// A set of equal inference servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolConfig {
    /// The Envoy cluster.
    pub cluster: String,
    /// The model's name on those servers.
    pub model: String,
    /// What stands there before the path of the API; empty: nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub base_path: String,
    /// Most tokens of prompt and answer together; 0 where it is not known.
    #[serde(default)]
    pub context: u64,
    /// How long a whole answer that is not streamed may take, in milliseconds.
    pub timeout_ms: u64,
    /// Which prices a request to this pool is billed by.
    pub price_version: String,
    /// Those prices.
    #[serde(default)]
    pub prices: Prices,
    /// Most tokens of an answer, put in where the caller names none; `None`: what the
    /// context leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// Most tokens that the engine's chat template adds to what is in the body.
    #[serde(default = "template_tokens")]
    pub template_tokens: u64,
    /// Most tokens that one image, sound, film or page is to the engine.
    #[serde(default = "medium_tokens")]
    pub medium_tokens: u64,
    /// The software that runs there: it decides which fields callers may set.
    #[serde(default)]
    pub engine: Engine,
    /// Fields of the request's body that callers may set beyond those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_fields: Vec<String>,
    /// Whether `cache_salt` is put in, one of its kind for each tenant, so that the
    /// engine's prefix cache tells nothing of one tenant to another.
    #[serde(default)]
    pub cache_salt: bool,
    /// Images, sound and documents in a request.
    #[serde(default)]
    pub media: MediaConfig,
    /// How many further servers of the pool are tried before the next pool is.
    #[serde(default)]
    pub retries: u32,
    /// How long the first bytes of an answer may take before another server is tried, in
    /// milliseconds; `None`: as long as the whole answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_timeout_ms: Option<u64>,
    /// Which requests go to the same server.
    #[serde(default, skip_serializing_if = "AffinityConfig::is_none")]
    pub affinity: AffinityConfig,
}

fn stream_idle_timeout_ms() -> u64 {
    60_000
}

fn replay_bytes() -> u64 {
    REPLAY_BYTES_DEFAULT
}

fn template_tokens() -> u64 {
    TEMPLATE_TOKENS_DEFAULT
}

fn medium_tokens() -> u64 {
    MEDIUM_TOKENS_DEFAULT
}

/// What may be used in a minute and at a time; what is not there has no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// Requests that a minute refills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
    /// Requests at once, the capacity of the bucket; `None`: a minute's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
    /// Tokens that a minute refills, which is the capacity as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u32>,
    /// Requests under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrent: Option<u32>,
}

/// What holds for each user of a tenant by himself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsersConfig {
    /// The limits of each, by their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<String>,
    /// Whether each has a budget.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub budget: bool,
    /// Whether the body's `user` counts where the credential names none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_body: bool,
}

impl UsersConfig {
    /// Whether nothing holds for users.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == UsersConfig::default()
    }
}

/// Which inference server software runs in a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    #[default]
    Openai,
}

impl Engine {
    /// Whether the engine keeps the prefix caches of two values of `cache_salt`
    /// apart (vLLM, "Automatic prefix caching"; SGLang, `cache_salt` of its
    /// OpenAI-compatible requests).
    #[must_use]
    pub const fn has_cache_salt(self) -> bool {
        matches!(self, Engine::Vllm | Engine::Sglang)
    }
}

/// A kind of media in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// PNG, JPEG, GIF or WebP.
    Image,
    /// WAV, MP3, FLAC, Ogg, WebM, M4A.
    Audio,
    /// MP4, WebM.
    Video,
    /// A PDF.
    Document,
}

impl MediaKind {
    /// Every kind.
    pub const ALL: [MediaKind; 4] =
        [MediaKind::Image, MediaKind::Audio, MediaKind::Video, MediaKind::Document];
}

/// Which media a pool takes, and how large they may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaConfig {
    /// The kinds that are taken.
    pub kinds: Vec<MediaKind>,
    /// Hosts that the engine may be told to fetch from: names in lower case without a
    /// port, `*.example.com` for all below a name. None: what is not in the request
    /// itself is refused.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Most bytes of one medium, decoded.
    pub bytes_max: u64,
    /// Most pixels of one image: width times height, all of its frames together.
    pub pixels_max: u64,
    /// Most pages of one document.
    pub pages_max: u64,
}

impl Default for MediaConfig {
    fn default() -> Self {
        MediaConfig {
            kinds: MediaKind::ALL.to_vec(),
            hosts: Vec::new(),
            bytes_max: crate::limits::MEDIA_BYTES_DEFAULT,
            pixels_max: crate::limits::MEDIA_PIXELS_DEFAULT,
            pages_max: crate::limits::MEDIA_PAGES_DEFAULT,
        }
    }
}

/// What may be used: what one of the patterns allows and none of `deny` names.
/// `*` in a pattern stands for any run of characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleConfig {
    /// Patterns over model names; none allows nothing.
    pub models: Vec<String>,
    /// Patterns over the paths of the API.
    #[serde(default = "everything")]
    pub paths: Vec<String>,
    /// What is not allowed whatever else says: it wins.
    #[serde(default, skip_serializing_if = "DenyConfig::is_empty")]
    pub deny: DenyConfig,
}

/// What is denied. A request is refused when its model or its path is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenyConfig {
    /// Patterns over model names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Patterns over the paths of the API.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
}

impl DenyConfig {
    /// Whether nothing is denied.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.models.is_empty() && self.paths.is_empty()
    }
}

/// Who is billed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantConfig {
    /// What the tenant may use: the outer bound for its keys, users and tokens.
    pub may: RoleConfig,
    /// Patterns over the names in client certificates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mtls: Vec<String>,
    /// Roles by user: who is named here may not do more than one of them allows,
    /// whatever the credential.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub user_roles: BTreeMap<String, Vec<String>>,
    /// The masking policy of its requests, where neither the key nor the model names
    /// one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masking: Option<String>,
    /// The organisation it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// The limits of all its requests together, by their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<String>,
    /// Whether it has a budget.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub budget: bool,
    /// What models are called by its callers; such a name hides the model that has it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub aliases: BTreeMap<String, String>,
    /// What holds for each of its users.
    #[serde(default, skip_serializing_if = "UsersConfig::is_empty")]
    pub users: UsersConfig,
}

fn everything() -> Vec<String> {
    vec!["*".to_owned()]
}

/// How callers are told apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthConfig {
    /// How long what is known of keys counts without a word of the control plane, in
    /// milliseconds.
    pub stale_for_ms: u64,
    /// Failed authentications of one address in a minute, beyond which it is told 429
    /// and no key of it is looked up.
    pub failures_per_minute: u32,
    /// Whether callers may show certificates.
    pub client_certificates: bool,
    /// Signed requests.
    pub hmac: HmacConfig,
    /// Who may issue tokens.
    pub issuers: Vec<IssuerConfig>,
}

impl Default for AuthConfig {
    fn default() -> Self {
        AuthConfig {
            stale_for_ms: STALE_FOR_MS_DEFAULT,
            failures_per_minute: FAILURES_PER_MINUTE_DEFAULT,
            client_certificates: false,
            hmac: HmacConfig::default(),
            issuers: Vec::new(),
        }
    }
}

/// Signed requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HmacConfig {
    /// Whether there is a credential that somebody could sign by.
    pub used: bool,
    /// How far a timestamp may be from the gateway's clock, in seconds.
    pub max_skew_s: u64,
    /// Whether every nonce is remembered by the control plane, for all gateways;
    /// otherwise by each gateway for itself.
    pub shared_nonces: bool,
}

impl Default for HmacConfig {
    fn default() -> Self {
        HmacConfig { used: false, max_skew_s: MAX_SKEW_S_DEFAULT, shared_nonces: false }
    }
}

/// An issuer of tokens, and what it may say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// Its name, the claim `iss`.
    pub issuer: String,
    /// The claim with the tenant; `None`: the only one of `tenants`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_claim: Option<String>,
    /// The claim with the user.
    pub user_claim: String,
    /// The claim with the roles; `None`: every token has all of `roles`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles_claim: Option<String>,
    /// Tenants that it may name.
    pub tenants: Vec<String>,
    /// Roles that it may give; none and no `roles_claim`: its callers may do all that
    /// the tenant may.
    #[serde(default)]
    pub roles: Vec<String>,
}
