//! Documents that a row of the table makes: one field with a value, in the place
//! where it stands, with all that has to stand around it.

use super::{Field, Kind, Section, TABLES, Table, table};

/// What the maps with chosen names are called, so that examples can refer to them.
const NAMES: &[(&str, &str)] = &[
    ("pools", "llama"),
    ("roles", "user"),
    ("limits", "standard"),
    ("organisations", "northwind"),
    ("tenants", "acme"),
    ("policies", "default"),
];

/// What some fields further inside need.
const NEEDED: &[(Section, &str, &str)] = &[
    (Section::Root, "gateway", "{ zone: a, tls: { cert: c.pem, key: k.pem, client_ca: ca.pem } }"),
    (Section::Root, "models", "{ llama: llama }"),
    (Section::Root, "masking", "{ policies: { default: {} } }"),
    (Section::Limits, "tokens_per_minute", "1000"),
    (Section::Limits, "concurrent", "8"),
    (Section::Issuer, "roles", "[user]"),
    (Section::When, "path", "/v1/*"),
    (Section::When, "tenant", "acme"),
];

/// Every row with its table.
pub(super) fn rows() -> impl Iterator<Item = (&'static Table, &'static Field)> {
    TABLES.iter().flat_map(|table| table.fields.iter().map(move |field| (*table, field)))
}

/// A document in which `field` has the value `yaml`, or is left out. The YAML is in
/// flow style.
pub(super) fn document(section: Section, field: &Field, yaml: Option<&str>) -> String {
    let value = map(table(section).unwrap(), field, yaml);
    around(section, value)
}

/// The map with the field and the least that must stand beside it.
fn map(table: &Table, field: &Field, yaml: Option<&str>) -> String {
    let mut entries = Vec::new();
    entries.extend(yaml.map(|yaml| (field.name, yaml)));
    entries.extend(field.beside.iter().copied());
    let required = |other: &&Field| other.presence == super::Presence::Required;
    entries.extend(table.fields.iter().filter(required).map(|other| (other.name, other.example)));
    if !table.one_of.contains(&field.name) {
        let first = table.fields.iter().find(|other| table.one_of.contains(&other.name));
        entries.extend(first.map(|other| (other.name, other.example)));
    }
    if table.section == Section::Root {
        let named = table.fields.iter().filter(|other| NAMES.iter().any(|(n, _)| *n == other.name));
        entries.extend(named.map(|other| (other.name, other.example)));
    }
    let needed = NEEDED.iter().filter(|(section, ..)| *section == table.section);
    entries.extend(needed.map(|(_, name, yaml)| (*name, *yaml)));
    if (table.section, field.name) == (Section::Root, "pools") {
        entries.retain(|(name, _)| *name != "models");
    }
    if yaml.is_none() {
        entries.retain(|(name, _)| *name != field.name);
    }
    joined(entries)
}

/// Of two entries with one name the first counts.
fn joined(entries: Vec<(&str, &str)>) -> String {
    let mut seen = std::collections::BTreeSet::new();
    let entries = entries.iter().filter(|(name, _)| seen.insert(*name));
    let entries: Vec<_> = entries.map(|(name, yaml)| format!("{name}: {yaml}")).collect();
    format!("{{ {} }}", entries.join(", "))
}

/// The document around a map of `section`.
fn around(section: Section, value: String) -> String {
    if section == Section::Root {
        return value;
    }
    let (parent, field) = rows().find(|(_, field)| holds(&field.kind, section)).unwrap();
    let value = wrapped(field, &field.kind, &value);
    document(parent.section, field, Some(&value))
}

fn holds(kind: &Kind, section: Section) -> bool {
    match kind {
        Kind::Map(inner) => *inner == section,
        Kind::List(item, ..) => holds(item, section),
        Kind::Named(_, value) => holds(value, section),
        Kind::Either(kinds) => kinds.iter().any(|kind| holds(kind, section)),
        _ => false,
    }
}

fn wrapped(field: &Field, kind: &Kind, value: &str) -> String {
    match kind {
        Kind::List(item, ..) => format!("[{}]", wrapped(field, item, value)),
        Kind::Named(_, of) => {
            if field.name == "models" {
                return format!("{{ n: {}, llama: llama }}", wrapped(field, of, value));
            }
            let name = NAMES.iter().find(|(of, _)| *of == field.name).map_or("n", |(_, name)| name);
            format!("{{ {name}: {} }}", wrapped(field, of, value))
        }
        _ => value.to_owned(),
    }
}
