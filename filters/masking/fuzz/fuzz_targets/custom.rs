//! Any first line as a pattern, the rest as a text.

#![no_main]

use contract::masking::{Action, MaskingPolicyConfig, PiiType};
use libfuzzer_sys::fuzz_target;
use masking::Rules;

fuzz_target!(|input: &str| {
    let Some((pattern, text)) = input.split_once('\n') else { return };
    let policy = MaskingPolicyConfig {
        default: Action::Off,
        types: [(PiiType::Custom, Action::Restore)].into(),
        custom: [("pattern".to_owned(), pattern.to_owned())].into(),
        ..MaskingPolicyConfig::default()
    };
    let rules = match Rules::compile(&policy) {
        Ok(rules) => rules,
        Err(faults) => return assert!(faults.iter().all(|fault| fault.contains("pattern"))),
    };
    let mut end = 0;
    for finding in rules.scan(text) {
        assert!(finding.span.start >= end && !finding.span.is_empty());
        assert!(text.get(finding.span.clone()).is_some());
        end = finding.span.end;
    }
});
