//! The incremental protocol in and out of the form that sessions work with.

use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, Resource as WireResource,
};

use crate::ask::{Answer, Ask, Names};
use crate::resource::ResourceType;

/// What a request asks; `None` for a type that is not served.
pub fn ask(request: DeltaDiscoveryRequest) -> Option<Ask> {
    Some(Ask {
        kind: ResourceType::from_type_url(&request.type_url)?,
        nonce: request.response_nonce,
        error: request.error_detail.map(|status| status.message),
        names: Names::Change {
            subscribe: request.resource_names_subscribe,
            unsubscribe: request.resource_names_unsubscribe,
            declared: request.initial_resource_versions,
        },
    })
}

/// An answer as it goes over the wire.
pub fn response(answer: &Answer) -> DeltaDiscoveryResponse {
    let resources = answer.push.changed.iter().map(|resource| WireResource {
        name: resource.name.to_string(),
        version: resource.version.to_string(),
        resource: Some(resource.body.clone()),
        ..Default::default()
    });
    DeltaDiscoveryResponse {
        system_version_info: answer.snapshot.to_string(),
        resources: resources.collect(),
        type_url: answer.kind.type_url().to_owned(),
        removed_resources: answer.push.removed.iter().map(ToString::to_string).collect(),
        nonce: answer.nonce.clone(),
        ..Default::default()
    }
}
