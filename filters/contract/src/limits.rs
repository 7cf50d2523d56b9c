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

/// Time-out of one look-up, in milliseconds.
pub const KEY_LOOKUP_TIMEOUT_MS: u64 = 2_000;

/// How long the control plane holds a long poll that has nothing to say, in
/// milliseconds.
pub const KEYRING_POLL_MS: u64 = 20_000;

/// Most keys in one answer of the long poll; the rest follows in the next one.
pub const KEYRING_CHANGES_MAX: usize = 2_000;
