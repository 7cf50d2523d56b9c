//! Limits that both planes have to agree on, each with its reason.

/// Largest request body when the configuration names none: 20 MiB.
pub const MAX_BODY_BYTES_DEFAULT: u64 = 20 * 1024 * 1024;

/// Largest `gateway.max_body` that can be configured: 64 MiB. A body is held in
/// Envoy and once more in the VM, whose memory never shrinks.
pub const MAX_BODY_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What Envoy may hold beyond `max_body`, so that it is the filter that refuses.
pub const BODY_SLACK_BYTES: u64 = 64 * 1024;

/// Longest request id of a client that is taken over as `x-client-request-id`.
pub const CLIENT_REQUEST_ID_BYTES_MAX: usize = 128;

/// Longest name of a pool, model, tenant, key, user or role.
pub const NAME_BYTES_MAX: usize = 256;

/// Most choices of one request (`n`).
pub const CHOICES_MAX: u64 = 16;

/// Slots of the table of unknown keys: bounded, because a client chooses them.
pub const UNKNOWN_KEY_SLOTS: u32 = 4096;

/// How long an unknown key is remembered as unknown, in milliseconds. A key that
/// is created meanwhile is delivered by `sync` and wins at once.
pub const UNKNOWN_KEY_TTL_MS: u64 = 30_000;

/// Most look-ups of unknown keys under way in one worker: beyond it the answer
/// is `control_unavailable`, so that guessing keys cannot flood the control plane.
pub const KEY_LOOKUPS_MAX: u32 = 64;

/// Most look-ups of unknown keys that one worker begins in a second, also of clients that
/// leave before the answer: beyond it the answer is `control_unavailable` as well.
pub const KEY_LOOKUPS_PER_SECOND_MAX: u32 = 500;

/// Time-out of one look-up, in milliseconds.
pub const KEY_LOOKUP_TIMEOUT_MS: u64 = 2_000;

/// How long the control plane holds a long poll that has nothing to say, in
/// milliseconds: an answer is also the word that it is still there, and
/// `auth.stale_for`, at least a second, counts from the last one.
pub const KEYRING_POLL_MS: u64 = 500;

/// Most keys in one answer of the long poll; the rest follows in the next one.
pub const KEYRING_CHANGES_MAX: usize = 2_000;

/// How long what is known of keys counts without a word of the control plane, when
/// the configuration does not say: a day, in milliseconds.
pub const STALE_FOR_MS_DEFAULT: u64 = 24 * 60 * 60 * 1_000;

/// How far the timestamp of a signed request may be off, when the configuration does
/// not say, in seconds.
pub const MAX_SKEW_S_DEFAULT: u64 = 300;

/// Largest `auth.hmac.max_skew` that can be configured, in seconds. A nonce is remembered
/// for as long after its timestamp, whatever is configured: the configuration may change
/// meanwhile.
pub const MAX_SKEW_S_MAX: u64 = 600;

/// Failed authentications of one address in a minute, when the configuration does not
/// say. People and scripts that mistype stay far below.
pub const FAILURES_PER_MINUTE_DEFAULT: u32 = 300;

/// How far the times of a token may be off, in seconds: the clock of an issuer is not
/// ours, and RFC 7519 §4.1.4 and §4.1.5 speak of some leeway.
pub const TOKEN_LEEWAY_S: u64 = 60;

/// Slots of the table of addresses that failed: bounded, because clients choose them.
pub const FAILURE_SLOTS: u32 = 16_384;

/// Slots of the table of nonces. With [`NONCES_PER_SLOT`] a gateway remembers a million
/// in 16 MiB; slots fill unevenly, so that some 1,000 signed requests a second with the
/// default skew are safe.
pub const NONCE_SLOTS: u32 = 16_384;

/// Nonces in one slot.
pub const NONCES_PER_SLOT: usize = 64;

/// Deepest nesting of a JSON body. Chats with tools have about ten levels.
pub const JSON_DEPTH_MAX: usize = 64;

/// Most values and names in a JSON body. An embedding request of 2,048 texts has
/// some 2,060; 64 MiB of `[[[` would have 64 million.
pub const JSON_TOKENS_MAX: usize = 1_000_000;

/// Largest medium when the configuration does not say, decoded: 20 MiB.
pub const MEDIA_BYTES_DEFAULT: u64 = 20 * 1024 * 1024;

/// Most pixels of an image when the configuration does not say: 50 million, more than
/// cameras of today make.
pub const MEDIA_PIXELS_DEFAULT: u64 = 50_000_000;

/// Most pages of a document when the configuration does not say.
pub const MEDIA_PAGES_DEFAULT: u64 = 100;

/// How often a gateway tells the control plane how many authentications it has refused,
/// in milliseconds.
pub const REFUSAL_REPORT_MS: u64 = 5_000;

/// Most tokens that a chat template adds to a request, when the configuration does not
/// say: the default system prompts and tool preambles of Llama 3, Qwen 2.5 and gpt-oss have
/// up to some 200.
pub const TEMPLATE_TOKENS_DEFAULT: u64 = 256;

/// Most tokens that one image, sound, film or page is to an engine, when the configuration
/// does not say: Qwen2-VL's default for its largest image is 16,384.
pub const MEDIUM_TOKENS_DEFAULT: u64 = 16_384;

/// Most tokens of an answer that are reserved, and asked for, where neither the caller nor
/// the pool names any and the pool's context is not known.
pub const UNBOUNDED_ANSWER_TOKENS: u64 = 32_768;

/// Tokens of an answer that a limit takes when the request leaves, where the caller names no
/// most: few chats have more, and what they have is settled.
pub const EXPECTED_ANSWER_TOKENS: u64 = 1_024;

/// Slots of the table of limiter cells: bounded, because clients choose users.
pub const LIMIT_SLOTS: u32 = 16_384;

/// Cells in one slot: with [`LIMIT_SLOTS`] a million buckets, each of 33 to 161 bytes.
pub const LIMITS_PER_SLOT: usize = 64;

/// Slots of the table of leases.
pub const LEASE_SLOTS: u32 = 4_096;

/// Leases in one slot.
pub const LEASES_PER_SLOT: usize = 64;

/// How long a lease can be spent from, in milliseconds, without a word of the control
/// plane: longer than it takes to be upgraded.
pub const LEASE_TTL_MS: u64 = 600_000;

/// How long a lease lies unused until the gateway gives the rest of it back, in
/// milliseconds.
pub const LEASE_IDLE_MS: u64 = 5_000;

/// How long the count of a worker VM's requests holds after its last sign of life, in
/// milliseconds.
pub const VM_STALE_MS: u64 = 3_000;

/// Time-out of a request for a lease, in milliseconds.
pub const LEASE_TIMEOUT_MS: u64 = 2_000;

/// How long a gateway counts as one of those that share the limits after it was last
/// heard of, in milliseconds.
pub const GATEWAY_SEEN_MS: u64 = 5_000;

/// Largest request body in bytes that is sent again after a failure, where the
/// configuration does not say: Envoy holds a copy of it until the answer begins.
pub const REPLAY_BYTES_DEFAULT: u64 = 4 * 1024 * 1024;

/// Most attempts of one request, all pools together.
pub const ATTEMPTS_MAX: usize = 8;
