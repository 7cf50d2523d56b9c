//! A request's way from pool to pool: Envoy's `priority_group` takes the clusters of all
//! attempts from the request's metadata, one for each attempt.
//!
//! The generated types do not know this extension (Envoy 1.40): it is declared here.

use contract::limits::ATTEMPTS_MAX;
use contract::names::{CHAIN_METADATA, HOLDING_CLUSTER};
use envoy_types::pb::envoy::config::core::v3::TypedExtensionConfig;
use envoy_types::pb::envoy::config::route::v3::{
    ClusterSpecifierPlugin, Route, route::Action, route_action::ClusterSpecifier,
};
use envoy_types::pb::google::protobuf::{Any, UInt32Value};
use prost::{Message, Name};

/// `envoy.extensions.router.cluster_specifiers.priority_group.v3.PriorityGroupClusterSpecifier`
/// with the fields that are used.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct PriorityGroups {
    #[prost(message, repeated, tag = "1")]
    groups: Vec<Group>,
    #[prost(string, tag = "2")]
    override_metadata_namespace: String,
}

impl Name for PriorityGroups {
    const NAME: &'static str = "PriorityGroupClusterSpecifier";
    const PACKAGE: &'static str = "envoy.extensions.router.cluster_specifiers.priority_group.v3";

    fn type_url() -> String {
        format!("type.googleapis.com/{}", Self::full_name())
    }
}

impl PriorityGroups {
    /// Every cluster that it can lead to.
    pub(crate) fn clusters(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().flat_map(|group| &group.clusters).map(|one| one.cluster_name.as_str())
    }
}

/// `PriorityGroup` of the same package.
#[derive(Clone, PartialEq, Message)]
struct Group {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    clusters: Vec<Weighed>,
}

/// `ClusterWeight` of the same package.
#[derive(Clone, PartialEq, Message)]
struct Weighed {
    #[prost(string, tag = "1")]
    cluster_name: String,
    #[prost(message, optional, tag = "2")]
    weight: Option<UInt32Value>,
}

/// Every cluster is a group of its own name, so that a request's metadata can name any of
/// them for each attempt.
///
/// A name that is no group is not passed over: Envoy 1.40 then takes, for the n-th attempt,
/// the n-th group (seen), which would be somebody else's pool. So the first
/// [`ATTEMPTS_MAX`] lead to the cluster that has no servers, and the request is refused.
pub(crate) fn specifier<'a>(clusters: impl Iterator<Item = &'a str>) -> ClusterSpecifier {
    let nowhere =
        (1..=ATTEMPTS_MAX).map(|n| group(format!("{HOLDING_CLUSTER}-{n}"), HOLDING_CLUSTER));
    let own = clusters.map(|cluster| group(cluster.to_owned(), cluster));
    let groups = PriorityGroups {
        groups: nowhere.chain(own).collect(),
        override_metadata_namespace: CHAIN_METADATA.to_owned(),
    };
    let extension = TypedExtensionConfig {
        name: "chain".to_owned(),
        typed_config: Some(Any {
            type_url: PriorityGroups::type_url(),
            value: groups.encode_to_vec(),
        }),
    };
    ClusterSpecifier::InlineClusterSpecifierPlugin(ClusterSpecifierPlugin {
        extension: Some(extension),
        ..ClusterSpecifierPlugin::default()
    })
}

fn group(name: String, cluster: &str) -> Group {
    let weight = Some(UInt32Value { value: 1 });
    Group { name, clusters: vec![Weighed { cluster_name: cluster.to_owned(), weight }] }
}

/// The plug-in by which this route chooses its cluster, if it is one of those that go from
/// pool to pool.
pub(crate) fn plugin(route: &Route) -> Option<&Any> {
    let Some(Action::Route(action)) = &route.action else { return None };
    match action.cluster_specifier.as_ref()? {
        ClusterSpecifier::InlineClusterSpecifierPlugin(plugin) => {
            plugin.extension.as_ref()?.typed_config.as_ref()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use envoy_types::pb::envoy::config::route::v3::RouteAction;

    fn route(specifier: ClusterSpecifier) -> Route {
        let action = RouteAction { cluster_specifier: Some(specifier), ..RouteAction::default() };
        Route { action: Some(Action::Route(action)), ..Route::default() }
    }

    #[test]
    fn the_first_groups_lead_nowhere() {
        let route = route(specifier(["pool/a", "pool/b"].into_iter()));
        let groups = PriorityGroups::decode(&*plugin(&route).unwrap().value).unwrap().groups;
        let cluster = |group: &Group| group.clusters[0].cluster_name.clone();
        assert_eq!(groups.len(), ATTEMPTS_MAX + 2);
        assert!(groups[..ATTEMPTS_MAX].iter().all(|group| cluster(group) == HOLDING_CLUSTER));
        let own = groups[ATTEMPTS_MAX..].iter().map(|group| (group.name.clone(), cluster(group)));
        let named = |name: &str| (name.to_owned(), name.to_owned());
        assert_eq!(own.collect::<Vec<_>>(), [named("pool/a"), named("pool/b")]);
    }

    #[test]
    fn only_a_way_from_pool_to_pool_has_the_plug_in() {
        assert!(plugin(&route(specifier([].into_iter()))).is_some());
        assert_eq!(plugin(&route(ClusterSpecifier::Cluster("pool/a".to_owned()))), None);
        assert_eq!(plugin(&Route::default()), None);
    }
}
