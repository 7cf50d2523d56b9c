//! Names beside those of [`contract::names`]: headers of Envoy's own, and what the
//! resources of this crate call each other.

/// Headers with this prefix are Envoy's own; a client's are removed.
pub(crate) const ENVOY_HEADER_PREFIX: &str = "x-envoy-";

/// Name of the route that a request is on until the filter has named its pool.
pub(crate) const HOLDING_ROUTE: &str = "holding";

/// Added by Envoy to what comes from outside; engines have no use for it.
pub(crate) const EXTERNAL_ADDRESS_HEADER: &str = "x-envoy-external-address";

/// Added by Envoy to what comes from its own machine or network; the same.
pub(crate) const INTERNAL_HEADER: &str = "x-envoy-internal";
