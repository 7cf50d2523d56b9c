//! Names beside those of [`contract::names`]: headers of Envoy's own, and what the
//! resources of this crate call each other.

/// Headers by which some servers take a request for another than it is: a client's are
/// removed, because what was decided is about the method, the path and the time-out
/// that Envoy and the filter saw.
pub(crate) const STEERING_HEADERS: [&str; 8] = [
    "grpc-timeout",
    "x-client-trace-id",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-ot-span-context",
    "x-rewrite-url",
];

/// Headers with this prefix are Envoy's own; a client's are removed.
pub(crate) const ENVOY_HEADER_PREFIX: &str = "x-envoy-";

/// Name of the route that a request is on until the filter has named its pool.
pub(crate) const HOLDING_ROUTE: &str = "holding";

/// Added by Envoy to what comes from outside; engines have no use for it.
pub(crate) const EXTERNAL_ADDRESS_HEADER: &str = "x-envoy-external-address";

/// Added by Envoy to what comes from its own machine or network; the same.
pub(crate) const INTERNAL_HEADER: &str = "x-envoy-internal";
