//! How busy the inference servers are: their metrics, read once for all
//! gateways, and the weights that follow.
