//! Any text through all detectors and a list of words: findings lie in it, in order and
//! apart from each other.

#![no_main]

use std::sync::LazyLock;

use contract::masking::{MaskingPolicyConfig, PiiType};
use libfuzzer_sys::fuzz_target;
use masking::Rules;

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let deny_words = ["project bluefin", "한빛", "a"].map(str::to_owned).to_vec();
    Rules::compile(&MaskingPolicyConfig { deny_words, ..MaskingPolicyConfig::default() })
        .unwrap_or_else(|faults| panic!("{faults:?}"))
});

fuzz_target!(|text: &str| {
    let found = RULES.scan(text);
    let mut end = 0;
    for finding in &found {
        assert!(finding.span.start >= end && !finding.span.is_empty());
        assert!(text.get(finding.span.clone()).is_some());
        end = finding.span.end;
    }
    assert_eq!(RULES.scan(text), found);
    let built_in = masking::scan(text);
    assert!(built_in.iter().all(|finding| finding.of != PiiType::DenyWord));
    assert!(built_in.iter().all(|inner| {
        let holds = |outer: &masking::Finding| {
            outer.span.start <= inner.span.start && inner.span.end <= outer.span.end
        };
        found.iter().any(holds)
    }));
});
