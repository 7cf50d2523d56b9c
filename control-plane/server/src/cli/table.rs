//! Tables for people: aligned columns without frames, as kubectl prints them.

use comfy_table::{CellAlignment, Table, presets};

/// Shown where there is no value.
const NOTHING: &str = "-";
const NANODOLLARS_PER_DOLLAR: u64 = 1_000_000_000;

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
pub fn dollars(nanodollars: i64) -> String {
    let sign = if nanodollars < 0 { "-" } else { "" };
    let all = nanodollars.unsigned_abs();
    let (whole, rest) = (all / NANODOLLARS_PER_DOLLAR, all % NANODOLLARS_PER_DOLLAR);
    format!("{sign}{whole}.{rest:09}")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact() {
        let table = [
            (0, "0.000000000"),
            (34_800, "0.000034800"),
            (1_000_000_001, "1.000000001"),
            (-5, "-0.000000005"),
            (i64::MIN, "-9223372036.854775808"),
        ];
        for (nanodollars, text) in table {
            assert_eq!(dollars(nanodollars), text);
        }
    }
}
