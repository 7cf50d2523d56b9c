//! What the filter is told of masking, and which servers it asks. The key of the
//! placeholders' tags is not among it: it travels with the keyring.

use crate::DetectorPlan;
use crate::filter::{milliseconds, named};
use contract::masking::{ExternalConfig, MaskingConfig, MaskingPolicyConfig};
use model::{Detector, Masking, MaskingPolicy};
use std::collections::BTreeSet;

pub(crate) fn masking(masking: &Masking) -> MaskingConfig {
    MaskingConfig { policies: named(&masking.policies, |_, it| policy(it)) }
}

/// Every server once. One that is spoken to in clear and over TLS at one port has two of
/// the same cluster, which is found before anything is published.
pub(crate) fn detectors(masking: &Masking) -> Vec<DetectorPlan> {
    let used = masking.policies.values().filter_map(|policy| policy.external.as_ref());
    let planned = used.map(|detector| DetectorPlan {
        cluster: cluster(detector),
        tls: detector.endpoint.tls,
        host: detector.endpoint.host.clone(),
        port: detector.endpoint.port,
    });
    planned.collect::<BTreeSet<_>>().into_iter().collect()
}

fn policy(policy: &MaskingPolicy) -> MaskingPolicyConfig {
    MaskingPolicyConfig { external: policy.external.as_ref().map(external), ..policy.rules.clone() }
}

fn external(detector: &Detector) -> ExternalConfig {
    ExternalConfig {
        cluster: cluster(detector),
        authority: detector.endpoint.authority(),
        path: detector.path_and_query.clone(),
        timeout_ms: milliseconds(detector.timeout),
        language: detector.language.clone(),
        score_min: detector.score_min,
        entities: detector.entities.clone(),
    }
}

/// One for each server, whatever is asked for there.
fn cluster(detector: &Detector) -> String {
    format!("masking/{}", detector.endpoint.host_and_port())
}

#[cfg(test)]
mod tests {
    use crate::build::tests::{EXAMPLE, plan};
    use crate::{DetectorPlan, Host};
    use contract::masking::{Action, ExternalConfig, MaskingPolicyConfig, PiiType};

    #[test]
    fn what_the_filter_is_told() {
        let filter = plan(EXAMPLE).filter;
        assert_eq!(filter.tenants["acme"].masking.as_deref(), Some("default"));
        assert_eq!(filter.tenants["zoo"].masking, None);
        assert_eq!(filter.models["chat-2"].masking.as_deref(), Some("strict"));
        assert_eq!(filter.models["chat"].masking, None);
        let strict = MaskingPolicyConfig {
            default: Action::Mask,
            deny_words: vec!["bluefin".to_owned()],
            external: Some(ExternalConfig {
                cluster: "masking/[::1]:5002".to_owned(),
                authority: "[::1]:5002".to_owned(),
                path: "/?v=1".to_owned(),
                timeout_ms: 1_000,
                language: "en".to_owned(),
                score_min: 50,
                entities: [("PERSON".to_owned(), PiiType::Person)].into(),
            }),
            ..MaskingPolicyConfig::default()
        };
        assert_eq!(filter.masking.policies["strict"], strict);
        let default = filter.masking.policies["default"].external.as_ref().unwrap();
        assert_eq!(default.cluster, "masking/analyzer.example:80");
        assert_eq!((&*default.authority, default.timeout_ms), ("analyzer.example", 200));
        assert!(plan("version: 1").filter.masking.is_empty());
    }

    #[test]
    fn each_server_once() {
        let named = DetectorPlan {
            cluster: "masking/analyzer.example:80".to_owned(),
            tls: false,
            host: Host::Name("analyzer.example".to_owned()),
            port: 80,
        };
        let by_address = DetectorPlan {
            cluster: "masking/[::1]:5002".to_owned(),
            tls: true,
            host: Host::Ip("::1".parse().unwrap()),
            port: 5002,
        };
        assert_eq!(plan(EXAMPLE).detectors, [by_address, named.clone()]);
        let same = EXAMPLE.replace("https://[::1]:5002?v=1", "http://analyzer.example:80/v2");
        assert_eq!(plan(&same).detectors, [named]);
    }
}
