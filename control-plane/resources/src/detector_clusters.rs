//! The clusters of the external detectors that masking policies ask.

use crate::key_clusters::beside_engines;
use envoy_types::pb::envoy::config::cluster::v3::Cluster;
use plan::DetectorPlan;

/// One for each, in their order. What waits for an answer is bounded by the policies' own
/// time, and by Envoy's defaults for requests at once.
pub(crate) fn all(detectors: &[DetectorPlan]) -> Vec<Cluster> {
    detectors.iter().map(cluster).collect()
}

fn cluster(detector: &DetectorPlan) -> Cluster {
    beside_engines(detector.cluster.clone(), &detector.host, detector.port, detector.tls)
}
