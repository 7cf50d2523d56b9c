//! How one of a pool's servers is picked.

use crate::well_known::duration;
use contract::names::{PICK_KEY, PICK_METADATA};
use envoy_types::pb::envoy::config::cluster::v3::{
    LoadBalancingPolicy, load_balancing_policy::Policy,
};
use envoy_types::pb::envoy::config::core::v3::TypedExtensionConfig;
use envoy_types::pb::envoy::extensions::load_balancing_policies::common::v3::SlowStartConfig;
use envoy_types::pb::envoy::extensions::load_balancing_policies::least_request::v3::LeastRequest;
use envoy_types::pb::envoy::extensions::load_balancing_policies::override_host::v3::{
    OverrideHost, override_host::OverrideHostSource,
};
use envoy_types::pb::envoy::extensions::load_balancing_policies::round_robin::v3::RoundRobin;
use envoy_types::pb::envoy::r#type::metadata::v3::{
    MetadataKey,
    metadata_key::{PathSegment, path_segment::Segment},
};
use envoy_types::pb::google::protobuf::Any;
use envoy_types::util::pack_any;
use plan::{Balance, PoolPlan};

/// The policy of a pool. Where the filter may say which server, it is asked first: Envoy
/// sends even to one that it holds for unwell (seen on 1.40), but never twice for one
/// request; what it does not know is for the pool's own policy to decide.
pub(crate) fn policy(pool: &PoolPlan) -> LoadBalancingPolicy {
    let own = own(pool);
    if !pool.affinity {
        return own;
    }
    only(
        "override_host",
        pack_any(OverrideHost {
            override_host_sources: vec![picked()],
            fallback_policy: Some(own),
            ..OverrideHost::default()
        }),
    )
}

/// Load and latency are least-request among the weights that the control plane sends.
fn own(pool: &PoolPlan) -> LoadBalancingPolicy {
    let slow_start_config = slow_start(pool);
    match pool.balance {
        Balance::RoundRobin => {
            let policy = RoundRobin { slow_start_config, ..RoundRobin::default() };
            only("round_robin", pack_any(policy))
        }
        Balance::LeastRequest | Balance::Load | Balance::Latency => {
            let policy = LeastRequest { slow_start_config, ..LeastRequest::default() };
            only("least_request", pack_any(policy))
        }
    }
}

fn slow_start(pool: &PoolPlan) -> Option<SlowStartConfig> {
    let window = pool.slow_start?;
    Some(SlowStartConfig { slow_start_window: duration(window), ..SlowStartConfig::default() })
}

fn picked() -> OverrideHostSource {
    let key = MetadataKey {
        key: PICK_METADATA.to_owned(),
        path: vec![PathSegment { segment: Some(Segment::Key(PICK_KEY.to_owned())) }],
    };
    OverrideHostSource { metadata: Some(key), ..OverrideHostSource::default() }
}

fn only(name: &str, config: Any) -> LoadBalancingPolicy {
    let extension = TypedExtensionConfig {
        name: format!("envoy.load_balancing_policies.{name}"),
        typed_config: Some(config),
    };
    LoadBalancingPolicy { policies: vec![Policy { typed_extension_config: Some(extension) }] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clusters::tests::pool;
    use std::time::Duration;

    fn extension(policy: &LoadBalancingPolicy) -> &TypedExtensionConfig {
        policy.policies[0].typed_extension_config.as_ref().unwrap()
    }

    #[test]
    fn the_filter_comes_before_the_pools_own_policy() {
        let plain = PoolPlan { balance: Balance::Load, ..pool(false, Vec::new()) };
        let chosen = PoolPlan { affinity: true, ..plain.clone() };
        assert_eq!(extension(&policy(&plain)).name, "envoy.load_balancing_policies.least_request");
        let policy_of_chosen = policy(&chosen);
        let any = extension(&policy_of_chosen).typed_config.clone().unwrap();
        let told: OverrideHost = prost::Message::decode(&*any.value).unwrap();
        assert_eq!(told.fallback_policy, Some(policy(&plain)));
        assert_eq!(told.override_host_sources, [picked()]);
    }

    #[test]
    fn a_slow_start_is_in_the_policy() {
        let window = Duration::from_secs(30);
        for balance in [Balance::RoundRobin, Balance::LeastRequest] {
            let without = PoolPlan { balance, ..pool(false, Vec::new()) };
            let with = PoolPlan { slow_start: Some(window), ..without.clone() };
            assert_ne!(policy(&with), policy(&without));
        }
    }
}
