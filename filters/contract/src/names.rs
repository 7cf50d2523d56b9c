//! Names under which the two planes find each other's things in Envoy.

/// The request header by which the filter names the cluster: the route's
/// `cluster_header`. Removed before the request leaves for an engine.
pub const POOL_HEADER: &str = "x-tollgate-pool";

/// The request header that says that a stream was asked for: its route has an idle
/// time-out in place of one for the whole answer. Removed like [`POOL_HEADER`].
pub const STREAM_HEADER: &str = "x-tollgate-stream";

/// The request header that says how long a whole answer may take, in milliseconds;
/// Envoy's router obeys it and removes it (Envoy, "Router", HTTP headers consumed).
pub const TIMEOUT_HEADER: &str = "x-envoy-upstream-rq-timeout-ms";

/// The request header that names the clusters of all attempts in their order, in Base64 of
/// the `google.protobuf.Value` that Envoy's priority groups are overridden by. Envoy moves
/// it into the metadata [`CHAIN_METADATA`] and removes it. Set in place of [`POOL_HEADER`].
pub const CHAIN_HEADER: &str = "x-tollgate-chain";

/// Namespace of the metadata with the clusters of all attempts.
pub const CHAIN_METADATA: &str = "tollgate.chain";

/// Key of them in that namespace, which Envoy prescribes (1.40, `priority_group`).
pub const CHAIN_KEY: &str = "priority_groups";

/// The request header that names the server that should have the request, `ADDRESS:PORT`,
/// or several in the order of the attempts, with commas. Envoy moves it into the metadata
/// [`PICK_METADATA`] and removes it.
pub const PICK_HEADER: &str = "x-tollgate-pick";

/// Namespace of the metadata with the server that should have the request.
pub const PICK_METADATA: &str = "envoy.lb";

/// Key of it in that namespace.
pub const PICK_KEY: &str = "pick";

/// The request header that names the cluster that gets a copy of the request. Removed like
/// [`POOL_HEADER`].
pub const SHADOW_HEADER: &str = "x-tollgate-shadow";

/// The request header with the body that the copy's pool is to get, where it is not the
/// forwarded one: the JSON of a [`crate::attempt::PoolBody`] in ASCII, at most
/// [`SHADOW_BODY_BYTES_MAX`] bytes. Envoy moves it into the metadata [`SHADOW_METADATA`],
/// which a copy of the request has (it has no filter state), and removes it.
pub const SHADOW_BODY_HEADER: &str = "x-tollgate-shadow-body";

/// Most bytes of a header that Envoy moves into metadata (`header_to_metadata`).
pub const SHADOW_BODY_BYTES_MAX: usize = 8 * 1024;

/// Namespace of the metadata with the body of the copy's pool: the only one that Envoy gives
/// to a copy (seen on 1.40).
pub const SHADOW_METADATA: &str = PICK_METADATA;

/// Key of it in that namespace.
pub const SHADOW_KEY: &str = "shadow_body";

/// The request header that says how many attempts may follow the first; Envoy's router
/// obeys it and removes it.
pub const RETRIES_HEADER: &str = "x-envoy-max-retries";

/// The request header that says how long one attempt may take to its first bytes, in
/// milliseconds; Envoy's router obeys it and removes it.
pub const ATTEMPT_TIMEOUT_HEADER: &str = "x-envoy-upstream-rq-per-try-timeout-ms";

/// The answer's header that says that the request was too large to be sent again.
pub const RETRY_HEADER: &str = "x-tollgate-retry";

/// Its value.
pub const RETRY_OFF: &str = "off";

/// Property under which the filter keeps [`crate::attempt::Bodies`]; Envoy's filter state
/// has it as `wasm.bodies`.
pub const BODIES_PROPERTY: &str = "bodies";

/// Name of the upstream filter of the role `engine`.
pub const ENGINE: &str = "engine";

/// Name of Envoy's internal listener that answers for a pool of which no server is well.
pub const NOBODY: &str = "nobody";

/// The status it answers with: Envoy tries the next pool on it, and does not count it
/// against a server.
pub const NOBODY_STATUS: u16 = 421;

/// How many values of the request were masked.
pub const MASKED_HEADER: &str = "x-tollgate-masked";

/// The request's id, always made by Envoy.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

/// The client's own request id.
pub const CLIENT_REQUEST_ID_HEADER: &str = "x-client-request-id";

/// Every header with this prefix is Tollgate's own; a client's is removed.
pub const OWN_HEADER_PREFIX: &str = "x-tollgate-";

/// Headers by which some servers take a request for another than it is: a client's are
/// removed, because what was decided is about the method, the path and the time-out
/// that Envoy and the filter saw.
pub const STEERING_HEADERS: [&str; 8] = [
    "grpc-timeout",
    "x-client-trace-id",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-ot-span-context",
    "x-rewrite-url",
];

/// The header that tells an answer of the control plane from one that Envoy
/// made up (a dead cluster answers a call-out with a synthetic 503).
pub const ANSWER_HEADER: &str = "x-tollgate-answer";

/// Value of [`ANSWER_HEADER`] on a key that exists.
pub const ANSWER_FOUND: &str = "found";

/// Value of [`ANSWER_HEADER`] on a key that does not.
pub const ANSWER_UNKNOWN: &str = "unknown";

/// Value of [`ANSWER_HEADER`] on a delta of the keyring.
pub const ANSWER_DELTA: &str = "delta";

/// Value of [`ANSWER_HEADER`] on a nonce that was never seen, and now is.
pub const ANSWER_FRESH: &str = "fresh";

/// Value of [`ANSWER_HEADER`] on a nonce that was seen before.
pub const ANSWER_SEEN: &str = "seen";

/// Value of [`ANSWER_HEADER`] on a report that was taken.
pub const ANSWER_NOTED: &str = "noted";

/// Value of [`ANSWER_HEADER`] on leases.
pub const ANSWER_LEASES: &str = "leases";

/// Path to which [`crate::lease::LeaseRequest`] is posted; the answer is a
/// [`crate::lease::LeaseAnswer`].
pub const LEASES_PATH: &str = "/sync/v1/leases";

/// The static cluster of the bootstrap that leads to the control plane: the
/// stream of xDS and the calls of the role `sync`.
pub const CONTROL_CLUSTER: &str = "control";

/// The id of the Wasm VMs of all roles: they share one table of shared data.
pub const VM_ID: &str = "tollgate";

/// Name of the listener, of its route configuration and of the filter.
pub const GATEWAY: &str = "gateway";

/// The cluster of the route that a request is on while its body is read. It has
/// no endpoints: what is left on it was never given a pool.
pub const HOLDING_CLUSTER: &str = "holding";

/// Property under which the filter keeps [`crate::usage::Who`]; Envoy's filter
/// state has it as `wasm.who`.
pub const WHO_PROPERTY: &str = "who";

/// Property under which the filter keeps [`crate::usage::Tally`]; Envoy's filter
/// state has it as `wasm.usage`.
pub const TALLY_PROPERTY: &str = "usage";

/// Name of the filter that verifies tokens, before the gateway's own.
pub const JWT: &str = "jwt";

/// What the headers begin with in which Envoy hands over the payload of a token that it
/// has verified. Nobody else can set them: they begin with [`OWN_HEADER_PREFIX`].
pub const JWT_PAYLOAD_PREFIX: &str = "x-tollgate-jwt-";

/// The header for payloads of an issuer: its name, each byte as two digits in hex. So a
/// header is of one issuer, whichever of two configurations the writer and the reader have.
#[must_use]
pub fn jwt_payload_header(issuer: &str) -> String {
    let digits = issuer.bytes().map(|byte| format!("{byte:02x}"));
    std::iter::once(JWT_PAYLOAD_PREFIX.to_owned()).chain(digits).collect()
}

/// Path of the long poll of the keyring (`?epoch=E&since=N&hmac=V`).
pub const KEYRING_PATH: &str = "/sync/v1/keyring";

/// Path prefix of the look-up of one key; the SHA-256 in hex follows.
pub const KEY_PATH_PREFIX: &str = "/sync/v1/keys/";

/// Path prefix of the question whether a nonce was seen (`POST`, `?until=S`); 32 digits
/// in hex follow, and `S` is the Unix second until which it has to be remembered.
pub const NONCE_PATH_PREFIX: &str = "/sync/v1/nonces/";

/// Path to which [`crate::keyring::RefusalReport`] is posted.
pub const REFUSALS_PATH: &str = "/sync/v1/refusals";

/// Name of the log in which Envoy tells the control plane of attempts that an engine has turned
/// away with a `retry-after`.
pub const TURNED_AWAY: &str = "turned_away";

/// What the names of pools' clusters begin with.
const POOL_CLUSTER_PREFIX: &str = "pool/";

/// The cluster of a pool.
#[must_use]
pub fn pool_cluster(pool: &str) -> String {
    format!("{POOL_CLUSTER_PREFIX}{pool}")
}

/// The pool of a cluster; `None`: it is none's.
#[must_use]
pub fn pool_of_cluster(cluster: &str) -> Option<&str> {
    cluster.strip_prefix(POOL_CLUSTER_PREFIX)
}
