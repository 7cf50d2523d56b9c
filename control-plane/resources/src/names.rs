//! Header names of Envoy's own, beside those of [`contract::names`].

/// Headers with this prefix are Envoy's own; a client's are removed.
pub(crate) const ENVOY_HEADER_PREFIX: &str = "x-envoy-";

/// Added by Envoy to what comes from outside; engines have no use for it.
pub(crate) const EXTERNAL_ADDRESS_HEADER: &str = "x-envoy-external-address";

/// Added by Envoy to what comes from its own machine or network; the same.
pub(crate) const INTERNAL_HEADER: &str = "x-envoy-internal";
