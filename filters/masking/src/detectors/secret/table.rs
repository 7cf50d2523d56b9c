//! Columns of secrets: CSV, tab-separated, Markdown and SQL tables whose heading names one.

use std::ops::Range;

use memchr::{memchr, memrchr, memrchr2};

use super::certain;
use super::name::{self, Called};
use super::plausible::{self, Link};
use crate::resolve::Candidates;
use crate::scene::Scene;

/// What can stand between cells.
const DELIMITERS: [char; 4] = ['\t', '|', ';', ','];
/// The longest line of headings.
const HEAD_BYTES_MAX: usize = 2048;
/// A cell with as many digits is no heading, and its line no head.
const HEADING_DIGITS: usize = 4;
/// Columns that are read of one table.
const COLUMNS_MAX: usize = 8;
/// How far before a heading the list of columns of SQL may begin.
const SQL_BYTES_MAX: usize = 512;
const VALUES: &str = "values";

/// The tables of a text: no line is taken for a head twice.
#[derive(Default)]
pub struct Tables {
    read_to: usize,
}

impl Tables {
    /// Reads the table whose head holds a name that ends at a place; where the head ends.
    pub fn read(&mut self, scene: &Scene<'_>, at: usize, found: &mut Candidates) -> Option<usize> {
        if at < self.read_to || !may_be_heading(scene, at) {
            return None;
        }
        let head_end = line_within(scene, at).map_or(at, |line| line.end);
        self.read_to = head_end;
        self.read_to = sql(scene, at, found).or_else(|| lines(scene, at, found))?;
        Some(head_end)
    }
}

/// The columns of a table that hold secrets.
struct Head {
    cells: usize,
    /// Two columns: the left one may be of names itself, and this no head.
    is_pairs: bool,
    columns: Vec<(usize, Called)>,
}

/// Whether a name that ends at a place can be a heading: a delimiter or the end of the line
/// follows.
fn may_be_heading(scene: &Scene<'_>, end: usize) -> bool {
    let rest = scene.text().get(end..).unwrap_or_default();
    let rest = rest.trim_start_matches(['"', '\'', '`', ' ', ')']);
    rest.starts_with(['\t', '|', ';', ',', '\n', '\r'])
        || rest.starts_with("VALUES")
        || rest.starts_with("values")
}

fn lines(scene: &Scene<'_>, at: usize, found: &mut Candidates) -> Option<usize> {
    let line = line_within(scene, at)?;
    let text = scene.slice(line.clone());
    let delimiter = DELIMITERS.into_iter().find(|delimiter| text.contains(*delimiter))?;
    let mut head = head(scene, &line, &text_cells(text, delimiter))?;
    head.is_pairs = head.cells == 2;
    if is_row(scene, line.start, delimiter, head.cells) {
        return None;
    }
    let mut next = line.end + 1;
    let mut end = None;
    while next < scene.text().len() {
        let (row, cells) = row(scene, next, delimiter, head.cells);
        if cells.len() != head.cells {
            break;
        }
        if take(scene, row.start, &cells, &head, found) {
            end = Some(row.end);
        }
        next = row.end + 1;
    }
    end
}

/// Lines that one row may have: cells hold line breaks.
const ROW_LINES_MAX: usize = 4;

/// The row that begins at a place, and its cells.
fn row(
    scene: &Scene<'_>,
    start: usize,
    delimiter: char,
    cells_wanted: usize,
) -> (Range<usize>, Vec<Range<usize>>) {
    let mut end = start;
    let mut cells = Vec::new();
    for _ in 0..ROW_LINES_MAX {
        end = scene.line(end).end;
        cells = text_cells(scene.slice(start..end), delimiter);
        if cells.len() <= 1 || cells.len() >= cells_wanted || end == scene.text().len() {
            break;
        }
        end += 1;
    }
    (start..end.min(scene.text().len()), cells)
}

/// Whether the line before is a row too: then this is none of headings.
fn is_row(scene: &Scene<'_>, line_start: usize, delimiter: char, cells: usize) -> bool {
    let before = line_start.checked_sub(1).and_then(|end| line_within(scene, end));
    before.is_some_and(|line| text_cells(scene.slice(line), delimiter).len() == cells)
}

/// `(a, password) VALUES ('…', '…'), (…)`.
fn sql(scene: &Scene<'_>, at: usize, found: &mut Candidates) -> Option<usize> {
    let open = memrchr2(b'(', b')', scene.bytes().get(at.saturating_sub(SQL_BYTES_MAX)..at)?)?;
    let open = at.saturating_sub(SQL_BYTES_MAX) + open + 1;
    let close = close_of(scene, open)?;
    let behind = scene.text().get(close + 1..)?.trim_start();
    if !behind.get(..VALUES.len())?.eq_ignore_ascii_case(VALUES) {
        return None;
    }
    let cells = text_cells(scene.slice(open..close), ',');
    let head = head(scene, &(open..close), &cells)?;
    let mut at = scene.text().len() - behind.len() + VALUES.len();
    let mut end = None;
    loop {
        let rest = scene.text().get(at..).unwrap_or_default();
        let tuple = rest.trim_start_matches([' ', '\n', '\r', '\t', ',']);
        if !tuple.starts_with('(') {
            return end;
        }
        let start = scene.text().len() - tuple.len() + 1;
        let Some(close) = close_of(scene, start) else { return end };
        let cells = text_cells(scene.slice(start..close), ',');
        at = close + 1;
        if take(scene, start, &cells, &head, found) {
            end = Some(at);
        }
    }
}

/// The line that holds a place, if it is short enough for a head.
fn line_within(scene: &Scene<'_>, at: usize) -> Option<Range<usize>> {
    let least = at.saturating_sub(HEAD_BYTES_MAX);
    let most = scene.text().len().min(at + HEAD_BYTES_MAX);
    let start = match memrchr(b'\n', scene.bytes().get(least..at)?) {
        Some(newline) => least + newline + 1,
        None if least == 0 => 0,
        None => return None,
    };
    match memchr(b'\n', scene.bytes().get(at..most)?) {
        Some(newline) => Some(start..at + newline),
        None => (most == scene.text().len()).then_some(start..most),
    }
}

/// The bracket that closes a list, outside of quotes.
fn close_of(scene: &Scene<'_>, start: usize) -> Option<usize> {
    let rest = scene.bytes().get(start..)?;
    let window = rest.get(..HEAD_BYTES_MAX).unwrap_or(rest);
    let mut quoted = false;
    let close = window.iter().position(|byte| {
        quoted ^= *byte == b'\'';
        *byte == b')' && !quoted
    });
    Some(start + close?)
}

/// The cells of a line, as places in it.
fn text_cells(line: &str, delimiter: char) -> Vec<Range<usize>> {
    let mut cells = Vec::new();
    let (mut start, mut quote) = (0, None);
    for (at, c) in line.char_indices() {
        match (c, quote) {
            ('"' | '\'', None)
                if line.get(start..at).is_some_and(|cell| cell.trim().is_empty()) =>
            {
                quote = Some(c)
            }
            (c, Some(open)) if c == open => quote = None,
            (c, None) if c == delimiter => {
                cells.push(start..at);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    cells.push(start..line.len());
    cells
}

fn head(scene: &Scene<'_>, line: &Range<usize>, cells: &[Range<usize>]) -> Option<Head> {
    let called = |(index, cell): (usize, &Range<usize>)| {
        let end = line.start + cell.end;
        let text = scene.slice(line.start + cell.start..end);
        let end =
            end - (text.len() - text.trim_end_matches(['"', '\'', '`', ' ', '\r', '*']).len());
        Some((index, heading(scene, line.start + cell.start..end)?))
    };
    let is_value = |cell: &Range<usize>| {
        let text = scene.slice(line.start + cell.start..line.start + cell.end);
        text.bytes().filter(u8::is_ascii_digit).count() >= HEADING_DIGITS
    };
    if cells.iter().any(is_value) {
        return None;
    }
    let columns: Vec<_> = cells.iter().enumerate().filter_map(called).take(COLUMNS_MAX).collect();
    (cells.len() > 1 && !columns.is_empty()).then_some(Head {
        cells: cells.len(),
        is_pairs: false,
        columns,
    })
}

/// What a heading calls its column, which ends with a name.
fn heading(scene: &Scene<'_>, cell: Range<usize>) -> Option<Called> {
    let text = scene.slice(cell.clone()).to_ascii_lowercase();
    if text.len() != cell.len() {
        return None;
    }
    let read = |word: &&str| {
        let head = text.strip_suffix(*word)?;
        name::read(scene, &(cell.start + head.len()..cell.end))
    };
    let name = name::literals().iter().filter_map(read).max_by_key(|name| name.span.len())?;
    (name.span.start >= cell.start).then_some(name.called)
}

/// Puts down the secrets of a row; whether there is one.
fn take(
    scene: &Scene<'_>,
    start: usize,
    cells: &[Range<usize>],
    head: &Head,
    found: &mut Candidates,
) -> bool {
    let mut any = false;
    for (column, called) in &head.columns {
        let Some(cell) = cells.get(*column) else { continue };
        let text = scene.slice(start + cell.start..start + cell.end);
        let inner = text.trim().trim_matches(['"', '\'', '`']);
        let offset = start + cell.start + text.find(inner).unwrap_or_default();

        if (!head.is_pairs || plausible::is_mixed(inner)) && can_be(inner, *called) {
            found.0.push(certain(offset..offset + inner.len()));
            any = true;
        }
    }
    any
}

fn can_be(cell: &str, called: Called) -> bool {
    match called {
        Called::Password => plausible::is_password(cell, Link::Quoted) && !cell.contains(' '),
        Called::Secret => plausible::is_secret(cell, Link::Quoted),
        Called::Token => plausible::is_token(cell, Link::Quoted),
    }
}
