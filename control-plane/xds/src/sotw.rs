//! State of the world in and out of the form that sessions work with.

use envoy_types::pb::envoy::service::discovery::v3::{DiscoveryRequest, DiscoveryResponse};

use crate::ask::{Answer, Ask, Names};
use crate::resource::{ResourceType, Version};

/// What a request asks; `None` for a type that is not served.
pub fn ask(request: DiscoveryRequest) -> Option<Ask> {
    Some(Ask {
        kind: ResourceType::from_type_url(&request.type_url)?,
        nonce: request.response_nonce,
        error: request.error_detail.map(|status| status.message),
        names: Names::All {
            names: request.resource_names,
            has_some: !request.version_info.is_empty(),
        },
    })
}

/// An answer as it goes over the wire. `version_info` is the hash of what it
/// holds: after a refusal Envoy names the last one that it accepted.
pub fn response(answer: &Answer) -> DiscoveryResponse {
    let mut all: Vec<_> = answer.push.standing.iter().chain(&answer.push.changed).collect();
    all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let parts = all.iter().flat_map(|r| [r.name.as_bytes(), r.version.as_bytes()]);
    DiscoveryResponse {
        version_info: Version::of(parts).to_string(),
        resources: all.iter().map(|resource| resource.body.clone()).collect(),
        type_url: answer.kind.type_url().to_owned(),
        nonce: answer.nonce.clone(),
        ..Default::default()
    }
}
