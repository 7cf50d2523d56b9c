//! Tables for people: aligned columns without frames, as kubectl prints them.

use comfy_table::{CellAlignment, Table, presets};

/// Shown where there is no value.
const NOTHING: &str = "-";

/// An empty table; the columns named in `numbers` are aligned to the right.
pub fn new(columns: &[&str], numbers: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(columns);
    for (at, name) in columns.iter().enumerate() {
        if let Some(column) = table.column_mut(at).filter(|_| numbers.contains(name)) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// A value that may not be there.
pub fn or_nothing<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| value.to_string())
}

/// A yes or a no.
pub fn yes_or_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

/// A text of somebody else on one line, without what a terminal would obey.
pub fn plain(text: &str) -> String {
    text.chars().map(|one| if one.is_control() { ' ' } else { one }).collect()
}

/// Nano-dollars as dollars, exactly.
pub fn dollars_of(nanodollars: u64) -> String {
    // No budget is larger than what fits.
    admin::dollars(i64::try_from(nanodollars).unwrap_or(i64::MAX))
}

/// The table as text, without white space at the ends of lines.
pub fn text(table: &Table) -> String {
    table
        .to_string()
        .lines()
        .map(|line| line.trim_end().trim_start_matches(' '))
        .collect::<Vec<_>>()
        .join("\n")
}
