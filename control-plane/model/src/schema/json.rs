//! The table as a JSON Schema, for editors that complete and check YAML.

use super::words::allowed;
use super::{Change, Field, Form, Kind, Presence, Section, TABLES, Table, table};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A text that holds `${...}` may stand for anything.
const REFERENCE: &str = r"|\$\{";

/// The schema of the configuration (JSON Schema 2020-12), with a line break at its
/// end. What it refuses, [`crate::load`] refuses as well; not the other way round:
/// it knows no bounds of durations and sizes, and not whether names resolve.
#[must_use]
pub fn json_schema() -> String {
    let definitions = TABLES.iter().map(|table| (table.name.to_owned(), map(table)));
    let definitions: Map<String, Value> = definitions.collect();
    let root = table(Section::Root).map(reference);
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of Tollgate",
        "$ref": root.as_ref().and_then(|root| root.get("$ref")),
        "$defs": definitions,
    });
    format!("{:#}\n", sorted(schema))
}

/// With the names of every map in order, however the library keeps them.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let map: BTreeMap<_, _> = map.into_iter().map(|(k, v)| (k, sorted(v))).collect();
            Value::Object(map.into_iter().collect())
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        scalar => scalar,
    }
}

fn reference(table: &Table) -> Value {
    json!({ "$ref": format!("#/$defs/{}", table.name) })
}

/// A map with these fields and no others.
fn map(table: &Table) -> Value {
    let required = table.fields.iter().filter(|field| field.presence == Presence::Required);
    let required: Vec<_> = required.map(|field| field.name).collect();
    let may_be_empty = required.is_empty() && table.one_of.is_empty();
    let properties = table.fields.iter().map(|field| (field.name.to_owned(), property(field)));
    let mut map = json!({
        "type": if may_be_empty { json!(["object", "null"]) } else { json!("object") },
        "additionalProperties": false,
        "required": required,
        "properties": properties.collect::<Map<String, Value>>(),
    });
    if !table.one_of.is_empty() {
        let one_of: Vec<_> =
            table.one_of.iter().map(|name| json!({ "required": [name] })).collect();
        insert(&mut map, "oneOf", json!(one_of));
    }
    let dependent = dependent(table);
    if !dependent.is_empty() {
        insert(&mut map, "dependentRequired", Value::Object(dependent));
    }
    map
}

fn dependent(table: &Table) -> Map<String, Value> {
    let dependent = table.fields.iter().filter(|field| !field.beside.is_empty());
    let names = |field: &Field| field.beside.iter().map(|(name, _)| json!(name)).collect();
    dependent.map(|field| (field.name.to_owned(), names(field))).collect()
}

fn property(field: &Field) -> Value {
    let mut property = schema(&field.kind);
    insert(&mut property, "description", json!(description(field)));
    if let Presence::Default(default) = field.presence
        && !matches!(field.kind, Kind::Map(_) | Kind::Named(..) | Kind::List(..))
    {
        insert(&mut property, "default", scalar(default));
    }
    if let Some(examples) = examples(field) {
        insert(&mut property, "examples", examples);
    }
    property
}

/// The example, where it is one scalar.
fn examples(field: &Field) -> Option<Value> {
    let scalar_kind = !matches!(field.kind, Kind::Map(_) | Kind::Named(..) | Kind::List(..));
    scalar_kind.then(|| json!([scalar(field.example)]))
}

fn insert(schema: &mut Value, name: &str, value: Value) {
    if let Value::Object(map) = schema {
        map.insert(name.to_owned(), value);
    }
}

/// The meaning, then what is allowed, default and change as the documentation has them.
fn description(field: &Field) -> String {
    let allowed = match allowed(&field.kind) {
        words if matches!(field.kind, Kind::Map(_) | Kind::Choice(_)) || words.is_empty() => {
            String::new()
        }
        words => format!(" Allowed: {words}."),
    };
    let default = match field.presence {
        Presence::Required => " Required.".to_owned(),
        Presence::Default(value) if value != "{}" => format!(" Default: {value}."),
        Presence::Otherwise(words) if words != "-" => format!(" Default: {words}."),
        _ => String::new(),
    };
    let change = match field.change {
        Change::Said("–" | "see below") => String::new(),
        change => format!(" Change: {}.", change.words()),
    };
    format!("{}.{allowed}{default}{change}", field.meaning)
}

/// A number or truth value where YAML takes it for one.
fn scalar(text: &str) -> Value {
    let value = serde_json::from_str(text).ok();
    value.unwrap_or_else(|| json!(text))
}

fn schema(kind: &Kind) -> Value {
    match kind {
        Kind::Duration(..) => text("^[0-9]+(ms|s|m|h|d)$"),
        Kind::Size(..) => text("^[0-9]+(B|KiB|MiB|GiB)$"),
        Kind::Percent(..) => text("^[0-9]+%$"),
        Kind::Share => text(r"^[0-9]+(\.[0-9]+)?%$"),
        Kind::Truth => json!({
            "type": ["boolean", "string"],
            "pattern": format!("^(true|false)${REFERENCE}"),
        }),
        Kind::Count(most) => whole(1, *most),
        Kind::Whole(least, most) => whole(*least, *most),
        Kind::Money => json!({
            "type": ["number", "string"],
            "minimum": 0,
            "pattern": format!(r"^[0-9]+(\.[0-9]+)?${REFERENCE}"),
        }),
        Kind::Score => json!({
            "type": ["number", "string"],
            "minimum": 0,
            "maximum": 1,
            "pattern": format!(r"^(0(\.[0-9]{{1,2}})?|1(\.00?)?)${REFERENCE}"),
        }),
        Kind::Text(form) => form_schema(form),
        Kind::Choice(words) => json!({ "anyOf": [{ "enum": words }, {
            "type": "string",
            "pattern": REFERENCE.trim_start_matches('|'),
        }]}),
        Kind::Map(section) => table(*section).map_or(Value::Bool(true), reference),
        Kind::List(item, least, most) => list(item, *least, *most),
        Kind::Named(name, value) => json!({
            "type": ["object", "null"],
            "propertyNames": { "pattern": name.pattern },
            "additionalProperties": schema(value),
        }),
        Kind::Either(kinds) => json!({ "anyOf": kinds.iter().map(schema).collect::<Vec<_>>() }),
    }
}

fn whole(least: u64, most: u64) -> Value {
    json!({
        "type": ["integer", "string"],
        "minimum": least,
        "maximum": most,
        "pattern": format!("^[0-9]+${REFERENCE}"),
    })
}

fn text(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": format!("{pattern}{REFERENCE}") })
}

fn form_schema(form: &Form) -> Value {
    let mut schema = text(form.pattern);
    if form.scalar {
        insert(&mut schema, "type", json!(["string", "number", "boolean"]));
    }
    schema
}

fn list(item: &Kind, least: usize, most: Option<usize>) -> Value {
    let mut list = json!({ "type": "array", "minItems": least, "items": schema(item) });
    if let Some(most) = most {
        insert(&mut list, "maxItems", json!(most));
    }
    list
}
