//! A masking policy, ready to be applied.

use std::ops::Range;

use contract::masking::{Action, ExternalConfig, MaskingPolicyConfig, OnFailure, PiiType};

use crate::placeholder::Template;
use crate::rules::Rules;
use crate::scan::Finding;

/// A policy, compiled: shared by all requests that it applies to. Not to be logged: it
/// has the words that must not leave.
pub struct Policy {
    rules: Rules,
    template: Template,
    config: MaskingPolicyConfig,
}

impl Policy {
    /// Compiles a policy.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, in sentences: the placeholder, the patterns and
    /// their sizes.
    pub fn compile(config: &MaskingPolicyConfig) -> Result<Self, Vec<String>> {
        match (Rules::compile(config), Template::compile(&config.placeholder)) {
            (Ok(rules), Ok(template)) => Self::checked(rules, template, config.clone()),
            (rules, template) => {
                let faults = [rules.err(), template.err()];
                Err(faults.into_iter().flatten().flatten().collect())
            }
        }
    }

    /// Placeholders that are found again would be masked again: by the next gateway, or
    /// when a caller sends them back.
    fn checked(
        rules: Rules,
        template: Template,
        config: MaskingPolicyConfig,
    ) -> Result<Self, Vec<String>> {
        if let Some(of) = template.taken_for_values(|text| rules.scan(text)) {
            return Err(vec![format!(
                "placeholders of {of} would be masked themselves: something in this policy \
                 finds them"
            )]);
        }
        Ok(Self { rules, template, config })
    }

    /// Every value in a text that the policy looks for, in order and apart from each other.
    #[must_use]
    pub fn scan(&self, text: &str) -> Vec<Finding> {
        let mut found = self.rules.scan(text);
        if !found.is_empty() {
            let own = self.template.places(text);
            found.retain(|finding| may_be_masked(text, &own, &finding.span));
        }
        found
    }

    /// What is done with a type.
    #[must_use]
    pub fn action(&self, of: PiiType) -> Action {
        self.config.action(of)
    }

    /// What happens to a request that cannot be looked at.
    #[must_use]
    pub fn on_failure(&self) -> OnFailure {
        self.config.on_failure
    }

    /// Whether what a model wrote itself is masked too.
    #[must_use]
    pub fn scans_answers(&self) -> bool {
        self.config.answers
    }

    /// The service that finds what patterns cannot.
    #[must_use]
    pub fn external(&self) -> Option<&ExternalConfig> {
        self.config.external.as_ref()
    }

    pub(crate) fn template(&self) -> &Template {
        &self.template
    }

    pub(crate) fn config(&self) -> &MaskingPolicyConfig {
        &self.config
    }
}

/// Whether a finding may be masked that lies near placeholders, given in order: beside
/// them, or around them and something more, as a private key around anything. A
/// placeholder itself and parts of it stay.
fn may_be_masked(text: &str, own: &[Range<usize>], found: &Range<usize>) -> bool {
    let first = own.partition_point(|own| own.end <= found.start);
    let met = own.get(first..).unwrap_or_default();
    let met = met.get(..met.partition_point(|own| own.start < found.end)).unwrap_or_default();
    let says = |span: Range<usize>| {
        text.get(span).is_some_and(|text| text.chars().any(char::is_alphanumeric))
    };
    let mut behind = found.start;
    let mut says_more = false;
    for own in met {
        if own.start < found.start || found.end < own.end {
            return false;
        }
        says_more |= says(behind..own.start);
        behind = own.end;
    }
    met.is_empty() || says_more || says(behind..found.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(config: MaskingPolicyConfig) -> Vec<String> {
        Policy::compile(&config).err().unwrap_or_default()
    }

    #[test]
    fn takes_the_default() {
        let policy = Policy::compile(&MaskingPolicyConfig::default()).ok().unwrap();
        assert_eq!(policy.action(PiiType::Email), Action::Restore);
        assert_eq!(policy.on_failure(), OnFailure::Refuse);
        assert!(!policy.scans_answers());
        assert!(policy.external().is_none());
        assert_eq!(policy.scan("to kim@example.com").len(), 1);
    }

    #[test]
    fn a_type_that_is_off_is_not_looked_for() {
        let types = [(PiiType::Email, Action::Off)].into();
        let config = MaskingPolicyConfig { types, ..MaskingPolicyConfig::default() };
        assert_eq!(Policy::compile(&config).ok().unwrap().scan("to kim@example.com"), []);
    }

    #[test]
    fn placeholders_of_its_own_are_not_masked() {
        for placeholder in ["[{TYPE}_{TAG}]", "#{TYPE}#{TAG}#", "({TYPE}.{TAG})"] {
            let placeholder = placeholder.to_owned();
            let config = MaskingPolicyConfig { placeholder, ..MaskingPolicyConfig::default() };
            let policy = Policy::compile(&config).ok().unwrap();
            let own = policy.template.placeholder(PiiType::Secret, "k3x9q2");
            for text in [own.clone(), format!("password: {own}"), format!("비밀번호={own}입니다")]
            {
                assert_eq!(policy.scan(&text), [], "{text}");
            }
        }
    }

    #[test]
    fn only_a_finding_beside_or_around_a_placeholder_is_masked() {
        let text = "aaaaaaaa\\\\[EMAIL_k3x9q2]]]aaaaaaaa";
        let own = 10..24;
        for (found, expected) in [
            (0..10, true),
            (24..30, true),
            (0..24, true),
            (10..30, true),
            (8..26, false),
            (10..24, false),
            (12..14, false),
            (5..15, false),
        ] {
            assert_eq!(
                may_be_masked(text, std::slice::from_ref(&own), &found),
                expected,
                "{found:?}"
            );
        }
    }

    #[test]
    fn refuses_placeholders_that_are_none() {
        let placeholder = "{TYPE}{TAG}".to_owned();
        let config = MaskingPolicyConfig { placeholder, ..MaskingPolicyConfig::default() };
        assert_eq!(faults(config).len(), 3);
    }
}
