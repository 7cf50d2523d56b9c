//! The headings of columns: CSV, tab-separated, Markdown and `a | b` tables.

use memchr::{memchr, memchr_iter, memrchr};

/// What can stand between cells.
const DELIMITERS: [u8; 4] = [b'\t', b'|', b';', b','];

/// Bytes of the longest line that is taken for one of a table.
const LINE_BYTES_MAX: usize = 4096;

/// Digits that make a value of a cell; headings have some, as in `sha256`.
const HEADING_DIGITS: usize = 5;

/// Bytes of the longest cell that is taken for a heading.
const HEADING_BYTES_MAX: usize = 60;

/// The tables of a text, read along with it: places are asked for in ascending order,
/// and every line is looked at once.
pub struct Headings<'t> {
    text: &'t str,
    /// Where the first line that was not yet looked at begins.
    read_to: usize,
    /// The place last asked for, and where its line begins.
    at: usize,
    line_start: usize,
    /// The first line of the table at `read_to`, with its delimiter.
    head: Option<(&'t str, u8)>,
}

impl<'t> Headings<'t> {
    /// Of a text.
    pub fn of(text: &'t str) -> Self {
        Self { text, read_to: 0, at: 0, line_start: 0, head: None }
    }

    /// The heading of the column that a place stands in; `None` where there is no
    /// table, and for its first line.
    pub fn heading(&mut self, at: usize) -> Option<&'t str> {
        let line_start = self.line_start(at);
        self.read_until(line_start);
        let (head, delimiter) = self.head?;
        if at.saturating_sub(line_start) > LINE_BYTES_MAX {
            return None;
        }
        let line = line_at(self.text, line_start);
        if line.len() > LINE_BYTES_MAX {
            return None;
        }
        if cells(line, delimiter) != cells(head, delimiter) {
            return None;
        }
        let column = splits(self.text.get(line_start..at)?, delimiter).count();
        Some(nth_cell(head, delimiter, column)?.trim())
    }

    /// Where the line of a place begins: looks no further back than to the place before.
    fn line_start(&mut self, at: usize) -> usize {
        let passed = self.text.as_bytes().get(self.at..at).unwrap_or_default();
        if let Some(newline) = memrchr(b'\n', passed) {
            self.line_start = self.at + newline + 1;
        }
        self.at = self.at.max(at);
        self.line_start.min(at)
    }

    fn read_until(&mut self, line_start: usize) {
        while self.read_to < line_start {
            let line = line_at(self.text, self.read_to);
            let goes_on =
                |(head, delimiter): &(&str, u8)| cells(line, *delimiter) == cells(head, *delimiter);
            let is_row =
                |(_, delimiter): &(&str, u8)| memchr(*delimiter, line.as_bytes()).is_some();
            let head = || delimiter_of(line).map(|delimiter| (line, delimiter));
            self.head = match self.head {
                Some(head) if goes_on(&head) => Some(head),
                last => head().or_else(|| last.filter(is_row)),
            };
            self.read_to += line.len() + 1;
        }
    }
}

/// The line that begins at a place; of the longest ones so much that they are too long.
fn line_at(text: &str, start: usize) -> &str {
    let rest = text.get(start..).unwrap_or_default();
    let end = memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

fn delimiter_of(line: &str) -> Option<u8> {
    if line.len() > LINE_BYTES_MAX {
        return None;
    }
    let count = |delimiter: u8| memchr_iter(delimiter, line.as_bytes()).count();
    let delimiter = DELIMITERS.into_iter().find(|delimiter| count(*delimiter) > 0)?;
    let is_head = line.split(char::from(delimiter)).all(is_heading);
    let is_sentence = delimiter == b',' && line.trim_end().ends_with(['.', '!', '?', ':', ',']);
    (is_head && !is_sentence).then_some(delimiter)
}

/// Whether a cell can be a heading: short, and no value.
fn is_heading(cell: &str) -> bool {
    cell.len() <= HEADING_BYTES_MAX
        && cell.bytes().filter(u8::is_ascii_digit).count() < HEADING_DIGITS
        && !cell.contains(". ")
        && !cell.contains('@')
        && !cell.contains(": ")
        && (cell.trim().is_empty() || cell.chars().any(|c| !c.is_ascii_digit() && c != ' '))
}

/// Delimiters outside of quotes; one at the end of a line ends no cell.
fn cells(line: &str, delimiter: u8) -> usize {
    let line = if delimiter == b',' { line.trim_end_matches([',', ';', ' ', '\r']) } else { line };
    splits(line, delimiter).count()
}

fn nth_cell(line: &str, delimiter: u8, column: usize) -> Option<&str> {
    let start = match column.checked_sub(1) {
        None => 0,
        Some(before) => splits(line, delimiter).nth(before)? + 1,
    };
    let end = splits(line, delimiter).nth(column).unwrap_or(line.len());
    line.get(start..end)
}

fn splits(line: &str, delimiter: u8) -> impl Iterator<Item = usize> {
    let mut quoted = false;
    line.bytes().enumerate().filter_map(move |(at, byte)| {
        quoted ^= byte == b'"';
        (byte == delimiter && !quoted).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::Headings;

    fn heading(text: &str) -> Option<&str> {
        Headings::of(text).heading(text.find('@').unwrap())
    }

    #[test]
    fn a_cell_has_the_heading_of_its_column() {
        for (text, of) in [
            ("a,b,c\n1,@,3", Some("b")),
            ("a,b,c\n1,2,3\n\"x,y\",@,3\n", Some("b")),
            ("| a | b |\n|---|---|\n| 1 | @ |", Some("b")),
            ("a\tb\n1\t@\n", Some("b")),
            ("see:\n\na,b\n@,3", Some("a")),
            ("a,b\n\n@,3", None),
            ("a,@", None),
            ("a,b,c\n1,@", None),
            ("no table\n@", None),
            ("a,2024 12345\n1,@", None),
            ("To my bank, please.\nThe one, @", None),
        ] {
            assert_eq!(heading(text), of, "{text}");
        }
    }

    #[test]
    fn the_tables_of_a_text_are_read_one_after_another() {
        let text = "a,b\n1,X\n\nc;d\n1;Y\n";
        let mut headings = Headings::of(text);
        assert_eq!(headings.heading(text.find('X').unwrap()), Some("b"));
        assert_eq!(headings.heading(text.find('Y').unwrap()), Some("d"));
    }
}
