//! What the documentation describes and this version does not do. Each use is
//! refused: a limit or a certificate that nobody looks at must not look like one
//! that somebody does. Building something deletes its rows.

use crate::schema::Section;

/// What is missing without it.
#[derive(Clone, Copy)]
enum Lack {
    /// It would have kept something from happening.
    Enforced,
    /// It would have done something.
    Available,
}

use Lack::{Available, Enforced};
use Section::{Balance, Control, Model, Pool, Root, Tenant, Users};

/// Fields, wherever they are used.
const FIELDS: &[(Section, &str, Lack)] = &[
    (Root, "limits", Enforced),
    (Control, "database", Available),
    (Pool, "credentials", Available),
    (Pool, "max_tokens", Enforced),
    (Model, "fallback", Available),
    (Model, "rules", Available),
    (Tenant, "limits", Enforced),
    (Tenant, "budget", Enforced),
    (Users, "limits", Enforced),
    (Users, "from", Available),
];

/// Values of fields that are built; one with a colon at its end stands for all
/// that begin with it.
const VALUES: &[(Section, &str, &str, Lack)] = &[
    (Balance, "by", "latency", Available),
    (Balance, "affinity", "user", Available),
    (Balance, "affinity", "prefix", Available),
    (Model, "sticky", "user", Available),
    (Model, "sticky", "key", Available),
    (Model, "sticky", "header:", Available),
];

/// A `split` over more than one pool.
pub(crate) const SPLIT_OF_SEVERAL: &str =
    "a `split` over several pools is not available in this version of Tollgate; name one pool";

/// What is said of `field` when it is documented and unbuilt.
pub(crate) fn field(section: Section, field: &str) -> Option<String> {
    let row = FIELDS.iter().find(|(s, name, _)| *s == section && *name == field);
    row.map(|(_, name, lack)| sentence(name, *lack))
}

/// What is said of `field: value` when it is documented and unbuilt.
pub(crate) fn value(section: Section, field: &str, value: &str) -> Option<String> {
    let is = |row: &str| row == value || (row.ends_with(':') && value.starts_with(row));
    let row = VALUES.iter().find(|(s, name, text, _)| *s == section && *name == field && is(text));
    row.map(|(_, name, text, lack)| sentence(&format!("{name}: {text}"), *lack))
}

fn sentence(what: &str, lack: Lack) -> String {
    let lack = match lack {
        Enforced => "enforced by",
        Available => "available in",
    };
    format!("`{what}` is not {lack} this version of Tollgate; remove it")
}

/// The table of the documentation.
#[cfg(test)]
pub(crate) fn markdown() -> String {
    use std::fmt::Write;
    let mut text = "| where | refused |\n| --- | --- |\n".to_owned();
    for table in crate::schema::TABLES {
        let fields = FIELDS.iter().filter(|(section, ..)| *section == table.section);
        let values = VALUES.iter().filter(|(section, ..)| *section == table.section);
        let fields = fields.map(|(_, name, _)| format!("`{name}`"));
        let values = values.map(|(_, name, value, _)| match value.strip_suffix(':') {
            Some(value) => format!("`{name}: {value}:NAME`"),
            None => format!("`{name}: {value}`"),
        });
        let several = (table.section == Model).then(|| "a `split` over several pools".to_owned());
        let refused: Vec<_> = fields.chain(values).chain(several).collect();
        if !refused.is_empty() {
            let place = if table.section == Root { "top level" } else { table.name };
            writeln!(text, "| {place} | {} |", refused.join(", ")).unwrap();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_not_done() {
        let enforced = "`limits` is not enforced by this version of Tollgate; remove it";
        assert_eq!(field(Tenant, "limits").as_deref(), Some(enforced));
        assert_eq!(field(Tenant, "models"), None);
        let available = "`by: latency` is not available in this version of Tollgate; remove it";
        assert_eq!(value(Balance, "by", "latency").as_deref(), Some(available));
        assert!(value(Model, "sticky", "header:x-session").is_some());
        assert_eq!(value(Model, "sticky", "none"), None);
    }
}
