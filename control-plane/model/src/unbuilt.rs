//! What the documentation describes and this version does not do. Each use is
//! refused: what nobody looks at must not look like what somebody does. Building
//! something deletes its rows.

use crate::schema::Section;
use Section::{Balance, Model, Pool};

/// Fields, wherever they are used.
const FIELDS: &[(Section, &str)] = &[(Pool, "credentials"), (Model, "fallback"), (Model, "rules")];

/// Values of fields that are built; one with a colon at its end stands for all
/// that begin with it.
const VALUES: &[(Section, &str, &str)] = &[
    (Balance, "by", "latency"),
    (Balance, "affinity", "user"),
    (Balance, "affinity", "prefix"),
    (Model, "sticky", "user"),
    (Model, "sticky", "key"),
    (Model, "sticky", "header:"),
];

/// A `split` over more than one pool.
pub(crate) const SPLIT_OF_SEVERAL: &str =
    "a `split` over several pools is not available in this version of Tollgate; name one pool";

/// What is said of `field` when it is documented and unbuilt.
pub(crate) fn field(section: Section, field: &str) -> Option<String> {
    let row = FIELDS.iter().find(|(s, name)| *s == section && *name == field);
    row.map(|(_, name)| sentence(name))
}

/// What is said of `field: value` when it is documented and unbuilt.
pub(crate) fn value(section: Section, field: &str, value: &str) -> Option<String> {
    let is = |row: &str| row == value || (row.ends_with(':') && value.starts_with(row));
    let row = VALUES.iter().find(|(s, name, text)| *s == section && *name == field && is(text));
    row.map(|(_, name, text)| sentence(&format!("{name}: {text}")))
}

fn sentence(what: &str) -> String {
    format!("`{what}` is not available in this version of Tollgate; remove it")
}

/// The table of the documentation.
#[cfg(test)]
pub(crate) fn markdown() -> String {
    use std::fmt::Write;
    let mut text = "| where | refused |\n| --- | --- |\n".to_owned();
    for table in crate::schema::TABLES {
        let fields = FIELDS.iter().filter(|(section, ..)| *section == table.section);
        let values = VALUES.iter().filter(|(section, ..)| *section == table.section);
        let fields = fields.map(|(_, name)| format!("`{name}`"));
        let values = values.map(|(_, name, value)| match value.strip_suffix(':') {
            Some(value) => format!("`{name}: {value}:NAME`"),
            None => format!("`{name}: {value}`"),
        });
        let several = (table.section == Model).then(|| "a `split` over several pools".to_owned());
        let refused: Vec<_> = fields.chain(values).chain(several).collect();
        if !refused.is_empty() {
            writeln!(text, "| {} | {} |", table.name, refused.join(", ")).unwrap();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_not_done() {
        let fallback = "`fallback` is not available in this version of Tollgate; remove it";
        assert_eq!(field(Model, "fallback").as_deref(), Some(fallback));
        assert_eq!(field(Model, "split"), None);
        let available = "`by: latency` is not available in this version of Tollgate; remove it";
        assert_eq!(value(Balance, "by", "latency").as_deref(), Some(available));
        assert!(value(Model, "sticky", "header:x-session").is_some());
        assert_eq!(value(Model, "sticky", "none"), None);
    }
}
