//! The JSON Schema against the readers: what it refuses, they refuse.

use super::documents::{document, rows};
use super::documents_tests::{values, wrong};
use super::{Kind, json_schema};
use crate::load_tests::{WHOLE, sources};
use crate::problem::Problems;
use crate::tree::{Node, Shape, parse};
use jsonschema::{Validator, validator_for};
use serde_json::{Value, json};

/// The example that the repository starts with.
const EXAMPLE: &str = include_str!("../../../../tollgate.yaml");

fn validator() -> Validator {
    let schema: Value = serde_json::from_str(&json_schema()).unwrap();
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    validator_for(&schema).unwrap()
}

/// The document as an editor sees it: plain scalars are what YAML's core schema
/// takes them for (YAML 1.2.2, section 10.3.2).
fn seen(text: &str) -> Value {
    let tree = parse(text, &mut Problems::default());
    value(&tree.unwrap_or_else(|problem| panic!("{problem}: {text}")))
}

fn value(node: &Node) -> Value {
    match &node.shape {
        _ if node.is_null() => Value::Null,
        Shape::Scalar { text, plain: true } => plain(text),
        Shape::Scalar { text, .. } => json!(text),
        Shape::List(items) => items.iter().map(|item| value(item)).collect(),
        Shape::Map(entries) => {
            Value::Object(entries.iter().map(|e| (e.key.clone(), value(&e.value))).collect())
        }
    }
}

fn plain(text: &str) -> Value {
    let number = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let number = number.then(|| serde_json::from_str(text).ok()).flatten();
    number.unwrap_or_else(|| match text {
        "true" => json!(true),
        "false" => json!(false),
        _ => json!(text),
    })
}

#[test]
fn the_schema_in_the_documentation_is_this_one() {
    super::golden("docs/tollgate.schema.json", &json_schema());
}

#[test]
fn what_is_accepted_is_valid() {
    let validator = validator();
    let rest = ["version: 1\npools:\ntenants: { acme: }\n", "version: '1'\nmodels: {}\n"];
    for text in [EXAMPLE, WHOLE].into_iter().chain(rest) {
        let loaded = crate::load(text, "/etc/tollgate".as_ref(), &sources());
        assert_eq!(loaded.err(), None, "{text}");
        validator.validate(&seen(text)).unwrap_or_else(|error| panic!("{error}: {text}"));
    }
    for (table, field) in rows() {
        let right = values(&field.kind).0;
        for yaml in right.iter().map(String::as_str).chain([field.example, "'${ANY}'"]) {
            if yaml == "'${ANY}'" && !is_scalar(&field.kind) {
                continue;
            }
            let text = document(table.section, field, Some(yaml));
            validator.validate(&seen(&text)).unwrap_or_else(|error| panic!("{error}: {text}"));
        }
    }
}

/// Whether every value is a scalar, and may hold `${...}`.
fn is_scalar(kind: &Kind) -> bool {
    !matches!(kind, Kind::Map(_) | Kind::List(..) | Kind::Named(..))
}

#[test]
fn what_is_wrong_is_not_valid() {
    let validator = validator();
    for (table, field) in rows() {
        for yaml in values(&field.kind).1 {
            let text = document(table.section, field, Some(&yaml));
            // No pattern holds bounds of durations and sizes, nor what names resolve.
            let form_alone = match field.kind {
                Kind::Duration(..) | Kind::Size(..) => yaml != "5",
                Kind::Percent(..) | Kind::Share => yaml.ends_with('%'),
                Kind::Text(form) => form.words.starts_with("one of") && yaml == wrong(form),
                _ => false,
            };
            assert_eq!(validator.is_valid(&seen(&text)), form_alone, "{text}");
        }
    }
}

#[test]
fn mistakes_that_an_editor_shows() {
    let validator = validator();
    for text in [
        "gateway: {}",
        "version: 1\ngatway: {}",
        "version: 1\npools: { a: { engine: vllm, model: m } }",
        "version: 1\npools: { a: { engine: vllm, model: m, endpoints: [http://b:1], discover: { env: A } } }",
        "version: 1\npools: { a: { engine: vllm, model: m, discover: { env: A, file: b } } }",
        "version: 1\npools: { a: { engine: vllm, model: m, endpoints: [http://b:1], max_tokens: 0 } }",
        "version: 1\npools: { a: { engine: vllm, model: m, endpoints: [http://b:1], balance: { max_active: 1 } } }",
        "version: 1\ncontrol: { xds: { envoy: { cert: a, key: b } } }",
        "version: 1\ntenants: { t: { budget: { dollars: 1 } } }",
        "version: 1\ntenants: { t: { budget: { dollars: 1, per: week } } }",
        "version: 1\ntenants: { t/u: }",
        "version: 1\ntenants: { t: { users: { limits: [standard] } } }",
        "version: 1\nlimits: { a: { burst: 1 } }",
        "version: 1\nlimits: { a: { requests: 1 } }",
        "version: 1\norganisations: { a: { budget: 5 } }",
        "version: 1\ncontrol: { database: 'mysql://db.example/tollgate' }",
        "version: 1\ntenants: { t: { hmac: [{ id: a, secret: short }] } }",
        "version: 1\ntenants: { t: { } }\nauth: { jwt: [{ issuer: i, jwks: k.json, tenants: [t] }] }",
        "version: 1\nroles: { r: { models: [], deny: { paths: [v1] } } }",
        "version: 1\nmasking: { key: too-short }",
        "version: 1\nmasking: { policies: { p: { types: { EMIAL: mask } } } }",
        "version: 1\nmasking: { policies: { p: { placeholder: '[{TAG}_{TYPE}]' } } }",
        "version: 1\nmasking: { policies: { p: { external: { timeout: 1s } } } }",
        "version: 1\nmasking: { policies: { p: { external: { url: 'http://a', min_score: 2 } } } }",
    ] {
        assert!(!validator.is_valid(&seen(text)), "{text}");
        assert!(crate::load(text, "/".as_ref(), &sources()).is_err(), "{text}");
    }
}

#[test]
fn the_examples_of_the_documentation_are_good() {
    let validator = validator();
    for block in super::markdown::examples() {
        let whole = block.contains("version: 1");
        let text = if whole { block.to_owned() } else { format!("version: 1\n{block}") };
        let loaded = crate::load(&text, "/".as_ref(), &super::documents_tests::Anything);
        assert_eq!(loaded.err(), None, "{text}");
        validator.validate(&seen(&text)).unwrap_or_else(|error| panic!("{error}: {text}"));
    }
}

/// Where the example and the documentation tell an editor to look.
#[test]
fn editors_are_told_of_the_schema() {
    let lines = EXAMPLE.lines().chain(include_str!("../../doc/configuration.md").lines());
    let named =
        lines.filter_map(|line| line.trim().strip_prefix("# yaml-language-server: $schema="));
    let named: Vec<_> = named.collect();
    assert!(!named.is_empty() && named.iter().all(|path| *path == "docs/tollgate.schema.json"));
}
