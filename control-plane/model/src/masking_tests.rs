//! `masking`: what is accepted and with which meaning, and what is said of what is not.

use crate::load_tests::{WHOLE, accepted, check, sources};
use crate::{MaskingPolicy, PolicyCheck, load_checked};
use contract::masking::{Action, MaskingPolicyConfig, OnFailure, PiiType};
use std::path::Path;
use std::time::Duration;

fn policy(fields: &str) -> MaskingPolicy {
    let text = format!("version: 1\nmasking: {{ policies: {{ p: {{ {fields} }} }} }}");
    accepted(&text).masking.policies["p"].clone()
}

#[test]
fn a_policy_with_nothing_said() {
    let masking = accepted(WHOLE).masking;
    assert_eq!(masking.policies["default"].rules, MaskingPolicyConfig::default());
    assert_eq!(masking.policies["default"].external, None);
    assert_eq!(masking.policies["default"], policy(""));
    let nothing = accepted("version: 1\nmasking:").masking;
    assert!(nothing.key.is_none() && nothing.policies.is_empty());
}

#[test]
fn a_whole_policy() {
    let masking = accepted(WHOLE).masking;
    let key = masking.key.as_ref().map(crate::Secret::reveal);
    assert_eq!(key, Some("made-up-key-of-placeholders"));
    let types = [
        (PiiType::Email, Action::Restore),
        (PiiType::KrRrn, Action::Mask),
        (PiiType::Secret, Action::Block),
        (PiiType::IpAddress, Action::Alert),
        (PiiType::Dob, Action::Off),
    ];
    let custom = [("emp", r"\bEMP-\d{6}\b"), ("ticket.v2", "T-[0-9]{4}")];
    let expected = MaskingPolicyConfig {
        on_failure: OnFailure::Pass,
        placeholder: "[[{TYPE}:{TAG}]]".to_owned(),
        default: Action::Mask,
        types: types.into(),
        deny_words: vec!["한빛프로젝트".to_owned(), "Project Bluefin".to_owned()],
        custom: custom.map(|(name, pattern)| (name.to_owned(), pattern.to_owned())).into(),
        answers: true,
        external: None,
    };
    assert_eq!(masking.policies["strict"].rules, expected);
}

#[test]
fn a_whole_detector() {
    let detector = accepted(WHOLE).masking.policies["strict"].external.clone().unwrap();
    assert_eq!(detector.endpoint.to_string(), "https://analyzer.example:5002");
    assert_eq!((&*detector.path_and_query, &*detector.language), ("/analyze?v=3", "ko"));
    assert_eq!((detector.timeout, detector.score_min), (Duration::from_millis(500), 65));
    let entities = [("PERSON", PiiType::Person), ("ID", PiiType::Custom)];
    assert_eq!(detector.entities, entities.map(|(name, of)| (name.to_owned(), of)).into());
}

#[test]
fn a_detector_with_nothing_said() {
    let detector = policy("external: { url: 'http://[::1]' }").external.unwrap();
    assert_eq!(detector.endpoint.authority(), "[::1]");
    assert_eq!((&*detector.path_and_query, &*detector.language), ("/", "en"));
    assert_eq!((detector.timeout, detector.score_min), (Duration::from_millis(200), 50));
    assert_eq!(detector.entities["LOCATION"], PiiType::Address);
    assert_eq!(detector.entities.get("IP_ADDRESS"), None);
}

#[test]
fn who_names_a_policy() {
    let config = accepted(WHOLE);
    let name = |name: &Option<crate::ids::PolicyName>| name.as_ref().map(ToString::to_string);
    let acme = &config.tenants["acme"];
    let named = [&acme.masking, &acme.keys[0].masking, &acme.keys[1].masking];
    assert_eq!(named.map(name), [Some("default".into()), Some("strict".into()), None]);
    let signers = [&acme.hmac[0].masking, &acme.hmac[1].masking];
    assert_eq!(signers.map(name), [Some("strict".into()), None]);
    let models = [&config.models["gpt-4.1"].masking, &config.models["llama"].masking];
    assert_eq!(models.map(name), [Some("strict".into()), None]);
    assert_eq!(name(&config.tenants["free"].masking), None);
}

#[test]
fn names_that_nothing_has() {
    check(&[
        (
            "masking: { policies: { default: , strict: } }\ntenants: { t: { masking: defualt } }",
            "3:26: tenants.t.masking: `defualt` is no masking policy; did you mean default? \
             allowed: default, strict",
        ),
        (
            "tenants: { t: { masking: none } }",
            "2:26: tenants.t.masking: `none` is no masking policy; allowed: none",
        ),
        (
            "tenants: { t: { hmac: [{ id: a, secret: '${TOKEN}', masking: p }] } }",
            "2:62: tenants.t.hmac[0].masking: `p` is no masking policy; allowed: none",
        ),
        (
            "masking: { policies: { p: { types: { EMIAL: mask } } } }",
            "2:38: masking.policies.p.types.EMIAL: unknown field `EMIAL`; did you mean EMAIL? \
             allowed: default, EMAIL, PHONE, CREDIT_CARD, IBAN, US_SSN, US_ITIN, KR_RRN, KR_FRN, \
             KR_BRN, KR_DRIVER_LICENSE, KR_PASSPORT, KR_BANK_ACCOUNT, IP_ADDRESS, MAC_ADDRESS, \
             URL_CREDENTIALS, SECRET, DOB, MRN, CRYPTO_ADDRESS, ...",
        ),
        (
            "masking: { policies: { p: { external: { url: 'http://a', entities: { A: person } } } } }",
            "2:73: masking.policies.p.external.entities.A: `person` is no type; did you mean \
             PERSON? allowed: EMAIL, PHONE, CREDIT_CARD, IBAN, US_SSN, US_ITIN, KR_RRN, KR_FRN, \
             KR_BRN, KR_DRIVER_LICENSE, KR_PASSPORT, KR_BANK_ACCOUNT, IP_ADDRESS, MAC_ADDRESS, \
             URL_CREDENTIALS, SECRET, DOB, MRN, CRYPTO_ADDRESS, DENY_WORD, ...",
        ),
        (
            "masking: { policies: { 'a b': {} } }",
            "2:24: masking.policies.\"a b\": `a b` is not a name; allowed: letters, digits and . _ \
             : @ / -, a letter or digit first",
        ),
    ]);
}

#[test]
fn what_is_wrong_with_a_policy() {
    let of = |fields: &str| format!("masking: {{ policies: {{ p: {{ {fields} }} }} }}");
    let placeholder = "is not a placeholder; write {TYPE}, then {TAG}, once each, with what is \
                       around them, such as [{TYPE}_{TAG}]: at most 64 visible ASCII characters \
                       without spaces";
    let long = "x".repeat(60);
    let table = [
        (
            "on_failure: open".to_owned(),
            "on_failure",
            "`open` is not known; allowed: refuse, pass".to_owned(),
        ),
        (
            "types: { EMAIL: hide }".into(),
            "types.EMAIL",
            "`hide` is not known; allowed: restore, mask, block, alert, off".into(),
        ),
        ("placeholder: '[{TYPE}]'".into(), "placeholder", format!("`[{{TYPE}}]` {placeholder}")),
        (
            format!("placeholder: '{long}{{TYPE}}{{TAG}}'"),
            "placeholder",
            format!("`{long}{{TYPE}}{{TAG}}` {placeholder}"),
        ),
        (
            "placeholder: '[{TAG}-{TYPE}]'".into(),
            "placeholder",
            format!("`[{{TAG}}-{{TYPE}}]` {placeholder}"),
        ),
        (
            "placeholder: '{TAG}{TYPE}{TAG}'".into(),
            "placeholder",
            format!("`{{TAG}}{{TYPE}}{{TAG}}` {placeholder}"),
        ),
        (
            "deny_words: [a, ' b']".into(),
            "deny_words[1]",
            "` b` is not a word to look for; allowed: 1 to 200 characters without spaces around them"
                .into(),
        ),
        (
            "custom: { a: '' }".into(),
            "custom.a",
            "`` is not a regular expression of 1 to 1000 characters".into(),
        ),
        ("answers: yes".into(), "answers", "`yes` is neither `true` nor `false`".into()),
    ];
    for (fields, path, expected) in table {
        let text = format!("version: 1\n{}", of(&fields));
        let problems = crate::load(&text, Path::new("/"), &sources()).err().unwrap_or_default();
        let [problem] = problems.as_slice() else { panic!("{text}: {problems:?}") };
        assert_eq!(problem.path, format!("masking.policies.p.{path}"));
        assert_eq!((problem.line, &problem.message), (2, &expected));
    }
}

#[test]
fn words_and_patterns_are_counted_in_characters() {
    let (word, pattern) = ("한".repeat(200), "한".repeat(1000));
    let rules = policy(&format!("deny_words: [{word}], custom: {{ a: {pattern} }}")).rules;
    assert_eq!((&rules.deny_words[0], &rules.custom["a"]), (&word, &pattern));
    for fields in [format!("deny_words: [{word}x]"), format!("custom: {{ a: {pattern}x }}")] {
        let text = format!("version: 1\nmasking: {{ policies: {{ p: {{ {fields} }} }} }}");
        assert!(crate::load(&text, Path::new("/"), &sources()).is_err(), "{fields}");
    }
}

#[test]
fn what_is_wrong_with_a_detector() {
    let of =
        |fields: &str| format!("masking: {{ policies: {{ p: {{ external: {{ {fields} }} }} }} }}");
    let table = [
        (
            "timeout: 1s",
            "2:29: masking.policies.p.external: `url` is missing; where it is asked, such as http://127.0.0.1:5002/analyze",
        ),
        (
            "url: 'nowhere'",
            "2:46: masking.policies.p.external.url: the value is not where a detector is; write http://HOST:PORT/PATH",
        ),
        (
            "url: 'http://me:hunter2@a'",
            "2:46: masking.policies.p.external.url: the value holds a user; credentials do not belong into an address",
        ),
        (
            "url: http://a, timeout: 11s",
            "2:65: masking.policies.p.external.timeout: `11s` is out of range; allowed: 1ms to 10s",
        ),
        (
            "url: http://a, language: e_n",
            "2:66: masking.policies.p.external.language: `e_n` is not a language; write its tag, such as en or ko",
        ),
        (
            "url: http://a, min_score: 50%",
            "2:67: masking.policies.p.external.min_score: `50%` is not a score; write 0 to 1 with at most two digits after the point, such as 0.5",
        ),
        (
            "url: http://a, entities: {}",
            "2:66: masking.policies.p.external.entities: is empty; name what counts, or remove it to take what usually does",
        ),
    ];
    for (fields, expected) in table {
        check(&[(&of(fields), expected)]);
    }
}

#[test]
fn keys_are_long_and_are_not_quoted() {
    let expected = "2:17: masking.key: the value is not a key of placeholders; allowed: 16 to 1024 \
                    visible ASCII characters without spaces";
    for key in ["fifteen-letters", "'sixteen letters '", "'열여섯글자가넘는글자들이지만'"]
    {
        check(&[(&format!("masking: {{ key: {key} }}"), expected)]);
    }
    assert!(accepted("version: 1\nmasking: { key: sixteen-letters- }").masking.key.is_some());
    let long = format!("masking: {{ key: {} }}", "x".repeat(1025));
    check(&[(&long, expected)]);
}

/// Finds something wrong with everything.
struct Picky;

impl PolicyCheck for Picky {
    fn faults(&self, rules: &MaskingPolicyConfig) -> Vec<String> {
        let custom = rules.custom.keys().map(|name| format!("custom.{name}: is too large"));
        let words = (0..rules.deny_words.len()).map(|at| format!("deny_words[{at}]: is odd"));
        let whole = ["placeholder: is ugly".to_owned(), "all together is too much".to_owned()];
        custom.chain(words).chain(whole).collect()
    }
}

#[test]
fn what_cannot_be_applied_is_said_where_it_stands() {
    let text = "version: 1\nmasking:\n  policies:\n    p:\n      custom:\n        a: x\n        \
                a.b: y\n      deny_words: [' c', d]\n      placeholder: '[{TYPE}_{TAG}]'\n    q:\n";
    let problems = load_checked(text, Path::new("/"), &sources(), &Picky).err().unwrap_or_default();
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let whole = |at: &str, policy: &str| {
        format!("{at}: masking.policies.{policy}: all together is too much")
    };
    let expected = [
        whole("4:5", "p"),
        "6:12: masking.policies.p.custom.a: is too large".to_owned(),
        "7:14: masking.policies.p.custom.\"a.b\": is too large".to_owned(),
        "8:20: masking.policies.p.deny_words[0]: ` c` is not a word to look for; allowed: 1 to \
         200 characters without spaces around them"
            .to_owned(),
        "8:26: masking.policies.p.deny_words[1]: is odd".to_owned(),
        "9:20: masking.policies.p.placeholder: is ugly".to_owned(),
        whole("10:5", "q"),
        "10:5: masking.policies.q: placeholder: is ugly".to_owned(),
    ];
    assert_eq!(problems, expected);
}
