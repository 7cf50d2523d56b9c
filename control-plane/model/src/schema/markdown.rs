//! The table as the tables of docs/configuration.md: a template has the rest, and
//! a line such as `{{gateway}}` where a table goes.

use super::words::allowed;
use super::{Field, Kind, Presence, TABLES, Table, table};
use std::fmt::Write;

const TEMPLATE: &str = include_str!("../../doc/configuration.md");

/// The whole document.
pub(super) fn document() -> String {
    let mut document = String::new();
    for line in TEMPLATE.lines() {
        match marked(line) {
            Some(name) => document += &fields(named(name)),
            None => writeln!(document, "{line}").unwrap(),
        }
    }
    document
}

fn marked(line: &str) -> Option<&str> {
    line.strip_prefix("{{")?.strip_suffix("}}")
}

fn named(name: &str) -> &'static Table {
    TABLES.iter().find(|table| table.name == name).unwrap_or_else(|| panic!("no table {name}"))
}

/// Whether the template has a place for the table; else its rows stand where the
/// field does that holds it.
fn stands_alone(table: &Table) -> bool {
    TEMPLATE.lines().any(|line| marked(line) == Some(table.name))
}

fn fields(table: &Table) -> String {
    let mut text = "| field | meaning | default | allowed | change |\n".to_owned();
    text += "| --- | --- | --- | --- | --- |\n";
    rows(&mut text, "", table);
    text
}

fn rows(text: &mut String, prefix: &str, table: &Table) {
    for field in table.fields {
        let path = format!("{prefix}{}", field.name);
        let (default, change) = (default(field), field.change.words());
        let allowed = allowed(&field.kind);
        writeln!(text, "| `{path}` | {} | {default} | {allowed} | {change} |", field.meaning)
            .unwrap();
        nested(text, &path, &field.kind);
    }
}

fn nested(text: &mut String, path: &str, kind: &Kind) {
    match kind {
        Kind::Map(section) => {
            let inner = table(*section).unwrap();
            if !stands_alone(inner) {
                rows(text, &format!("{path}."), inner);
            }
        }
        Kind::List(item, ..) => nested(text, &format!("{path}[]"), item),
        Kind::Either(kinds) => kinds.iter().for_each(|kind| nested(text, path, kind)),
        _ => {}
    }
}

fn default(field: &Field) -> String {
    match field.presence {
        Presence::Required => "required".to_owned(),
        Presence::Default("{}") if matches!(field.kind, Kind::Named(..)) => "none".to_owned(),
        Presence::Default("{}") => "all defaults".to_owned(),
        Presence::Default("[]") => "none".to_owned(),
        Presence::Default(value) => format!("`{value}`"),
        Presence::Otherwise("-") => String::new(),
        Presence::Otherwise(words) => words.to_owned(),
    }
}

#[test]
fn the_documentation_is_what_the_table_says() {
    super::golden("docs/configuration.md", &document());
}

#[test]
fn every_table_is_in_the_documentation() {
    let document = document();
    for table in TABLES {
        let last = table.fields.last().unwrap();
        let shown = |line: &str| line.contains(last.meaning) && line.starts_with('|');
        assert!(document.lines().any(shown), "{}", table.name);
    }
}

/// The blocks of YAML in the documentation.
pub(super) fn examples() -> Vec<&'static str> {
    blocks(TEMPLATE)
}

fn blocks(text: &'static str) -> Vec<&'static str> {
    let blocks = text.split("```yaml\n").skip(1);
    blocks.filter_map(|block| block.split("```").next()).collect()
}

/// They are excerpts: what they refer to may be elsewhere.
#[test]
fn the_examples_of_routing_are_of_this_grammar() {
    let blocks = blocks(include_str!("../../../../docs/routing.md"));
    assert!(blocks.len() >= 7, "{}", blocks.len());
    for block in blocks {
        let text = format!("version: 1\n{block}");
        let loaded =
            crate::load(&text, std::path::Path::new("/"), &super::documents_tests::Anything);
        let problems = loaded.err().unwrap_or_default();
        let elsewhere = |message: &str| {
            ["is no pool;", "is no role;", "is no tenant;"].iter().any(|no| message.contains(no))
        };
        let wrong: Vec<_> =
            problems.iter().filter(|problem| !elsewhere(&problem.message)).collect();
        assert!(wrong.is_empty(), "{block}\n{wrong:?}");
    }
}
