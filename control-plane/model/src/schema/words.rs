//! What may stand in a field, in words.

use super::Kind;
use crate::units;

/// What may stand there.
pub(super) fn allowed(kind: &Kind) -> String {
    let shown = units::shown_duration;
    match kind {
        Kind::Duration(least, most) => format!("`{}` to `{}`", shown(*least), shown(*most)),
        Kind::Size(least, most) => {
            format!("`{}` to `{}`", units::shown_size(*least), units::shown_size(*most))
        }
        Kind::Count(1) => "`1`".to_owned(),
        Kind::Count(most) => format!("1 to {most}"),
        Kind::Whole(least, most) if least == most => format!("`{least}`"),
        Kind::Whole(least, most) => format!("{least} to {most}"),
        Kind::Percent(least, most) => format!("`{least}%` to `{most}%`"),
        Kind::Share => "`0.0001%` to `100%`".to_owned(),
        Kind::Score => "0 to 1, two digits after the point".to_owned(),
        Kind::Truth => "`true`, `false`".to_owned(),
        Kind::Money => "0 to 9223372036.854775807 dollars".to_owned(),
        Kind::Text(form) => form.words.to_owned(),
        Kind::Choice(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
        Kind::Map(_) => "map".to_owned(),
        Kind::List(item, least, most) => list(item, *least, *most),
        Kind::Named(name, _) => format!("map by {}", name.words),
        Kind::Either(kinds) => kinds.iter().map(allowed).collect::<Vec<_>>().join(", or "),
    }
}

fn list(item: &Kind, least: usize, most: Option<usize>) -> String {
    let count = match (least, most) {
        (1, Some(1)) => ", exactly one",
        (1, None) => ", at least one",
        (0, Some(most)) => return format!("list, at most {most}: {}", allowed(item)),
        _ => "",
    };
    format!("list{count}: {}", allowed(item))
}
