//! Whether the rules of a masking policy can be applied: the word of the filter's own
//! compiler, with the field that each fault is of.

use contract::masking::MaskingPolicyConfig;
use masking::{Policy, Rules, Template};
use model::PolicyCheck;

/// The filter's compiler.
pub struct Compiled;

impl PolicyCheck for Compiled {
    fn faults(&self, rules: &MaskingPolicyConfig) -> Vec<String> {
        let Err(whole) = Policy::compile(rules) else { return Vec::new() };
        let parts = [placeholder(rules), custom(rules), deny_words(rules)].concat();
        // Something that only shows in all of it together.
        if parts.is_empty() { whole } else { parts }
    }
}

fn placeholder(rules: &MaskingPolicyConfig) -> Vec<String> {
    let faults = Template::compile(&rules.placeholder).err().unwrap_or_default();
    faults.iter().map(|fault| format!("placeholder: {fault}")).collect()
}

/// Each pattern alone.
fn custom(rules: &MaskingPolicyConfig) -> Vec<String> {
    let alone = |(name, pattern): (&String, &String)| {
        let custom = [(name.clone(), pattern.clone())].into();
        let one = MaskingPolicyConfig { custom, ..MaskingPolicyConfig::default() };
        of_field(&format!("custom.{name}"), &format!("custom pattern {name:?} "), &one)
    };
    rules.custom.iter().flat_map(alone).collect()
}

/// Each word alone.
fn deny_words(rules: &MaskingPolicyConfig) -> Vec<String> {
    let alone = |(at, word): (usize, &String)| {
        let deny_words = vec![word.clone()];
        let one = MaskingPolicyConfig { deny_words, ..MaskingPolicyConfig::default() };
        of_field(&format!("deny_words[{at}]"), &format!("deny word {word:?} "), &one)
    };
    rules.deny_words.iter().enumerate().flat_map(alone).collect()
}

/// The faults of `rules`, which have nothing but this field. Each says which it is of in
/// the words `said` as well, and once is enough.
fn of_field(field: &str, said: &str, rules: &MaskingPolicyConfig) -> Vec<String> {
    let faults = Rules::compile(rules).err().unwrap_or_default();
    let plain = |fault: &String| fault.strip_prefix(said).unwrap_or(fault).to_owned();
    faults.iter().map(|fault| format!("{field}: {}", plain(fault))).collect()
}

#[cfg(test)]
mod tests {
    use crate::config_file::{self, Invalid};
    use std::path::Path;

    fn problems(policy: &str) -> Vec<String> {
        let text = format!("version: 1\nmasking:\n  policies:\n    p:\n{policy}");
        match config_file::load_text(Path::new("t.yaml"), &text) {
            Ok(_) => Vec::new(),
            Err(Invalid(problems)) => problems,
        }
    }

    #[test]
    fn what_the_filter_cannot_apply_is_said_where_it_stands() {
        let table = [
            (
                "      custom:\n        a: 'x'\n        b: '('\n",
                "t.yaml:7:12: masking.policies.p.custom.b: is not a regular expression: unclosed group",
            ),
            (
                "      custom: { a: 'x*' }\n",
                "t.yaml:5:20: masking.policies.p.custom.a: matches the empty text",
            ),
            (
                "      custom: { a: '(?i)(\\w{200}){200}' }\n",
                "t.yaml:5:20: masking.policies.p.custom.a: ",
            ),
            ("      deny_words: [a, '--']\n", "t.yaml:5:23: masking.policies.p.deny_words[1]: "),
            (
                "      placeholder: '[{TYPE}{TAG}]'\n",
                "t.yaml:5:20: masking.policies.p.placeholder: between {TYPE} and {TAG}",
            ),
            // Nothing of it alone is wrong.
            (
                "      custom: { a: 'EMAIL' }\n",
                "t.yaml:4:5: masking.policies.p: placeholders of EMAIL would be masked themselves",
            ),
        ];
        for (policy, expected) in table {
            let problems = problems(policy);
            let [problem] = problems.as_slice() else { panic!("{policy}: {problems:?}") };
            assert!(problem.starts_with(expected), "{problem}");
        }
    }

    #[test]
    fn what_the_filter_applies_is_right() {
        for policy in [
            "      answers: true\n",
            "      custom: { emp: '\\bEMP-\\d{6}\\b' }\n      deny_words: [한빛프로젝트, Project Bluefin]\n",
            "      placeholder: '[[{TYPE}:{TAG}]]'\n",
        ] {
            assert_eq!(problems(policy), Vec::<String>::new(), "{policy}");
        }
    }
}
