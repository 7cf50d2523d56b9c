//! Rows as PostgreSQL's COPY has them in its text format (PostgreSQL, "COPY", File
//! Formats): what is sent is, byte for byte, what comes back.

use sha2::{Digest as _, Sha256};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, TypeInfo as _, ValueRef as _};

/// What U+0000 becomes, which PostgreSQL's texts cannot hold: U+FFFD.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// How many rows, and a digest of all of them in any order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub rows: u64,
    /// The sum of the first halves of the rows' SHA-256.
    sum: u128,
}

impl Tally {
    pub fn take(&mut self, line: &[u8]) {
        let digest = Sha256::digest(line);
        let half = digest.iter().take(16).fold(0, |sum: u128, byte| (sum << 8) | u128::from(*byte));
        self.rows += 1;
        self.sum = self.sum.wrapping_add(half);
    }
}

/// Appends a row, with its newline; `flags` says which of its numbers stand for yes and
/// no. `None`: it holds what the ledger never writes.
pub(super) fn push_row(line: &mut Vec<u8>, row: &SqliteRow, flags: &[bool]) -> Option<()> {
    for (index, flag) in flags.iter().enumerate() {
        if index > 0 {
            line.push(b'\t');
        }
        push_value(line, row, index, *flag)?;
    }
    line.push(b'\n');
    Some(())
}

fn push_value(line: &mut Vec<u8>, row: &SqliteRow, index: usize, flag: bool) -> Option<()> {
    let value = row.try_get_raw(index).ok()?;
    if value.is_null() {
        line.extend_from_slice(b"\\N");
        return Some(());
    }
    match value.type_info().name() {
        "INTEGER" => {
            let number: i64 = row.try_get_unchecked(index).ok()?;
            let text = if flag { flag_text(number)?.to_owned() } else { number.to_string() };
            line.extend_from_slice(text.as_bytes());
        }
        "TEXT" => push_text(line, row.try_get_unchecked(index).ok()?),
        "BLOB" => {
            let bytes: &[u8] = row.try_get_unchecked(index).ok()?;
            line.extend_from_slice(b"\\\\x");
            line.extend_from_slice(hex::encode(bytes).as_bytes());
        }
        _ => return None,
    }
    Some(())
}

fn flag_text(number: i64) -> Option<&'static str> {
    match number {
        0 => Some("f"),
        1 => Some("t"),
        _ => None,
    }
}

/// Escapes what COPY escapes, and nothing else.
fn push_text(line: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'\\' => line.extend_from_slice(b"\\\\"),
            0x08 => line.extend_from_slice(b"\\b"),
            0x0c => line.extend_from_slice(b"\\f"),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            b'\t' => line.extend_from_slice(b"\\t"),
            0x0b => line.extend_from_slice(b"\\v"),
            0 => line.extend_from_slice(REPLACEMENT),
            _ => line.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped() {
        let mut line = Vec::new();
        push_text(&mut line, "a\\N\tb\nc\r\u{8}\u{b}\u{c}\u{1}\u{7f}ü\0");
        assert_eq!(line, "a\\\\N\\tb\\nc\\r\\b\\v\\f\u{1}\u{7f}ü\u{fffd}".as_bytes());
    }

    #[test]
    fn a_tally_knows_rows_and_bytes_and_no_order() {
        let of = |lines: &[&str]| {
            let mut tally = Tally::default();
            lines.iter().for_each(|line| tally.take(line.as_bytes()));
            tally
        };
        assert_eq!(of(&["a\n", "b\n"]), of(&["b\n", "a\n"]));
        assert_ne!(of(&["a\n", "b\n"]), of(&["a\n", "c\n"]));
        assert_ne!(of(&["a\n"]), of(&["a\n", "a\n"]));
    }

    #[test]
    fn a_flag_is_no_or_yes() {
        assert_eq!([0, 1, 2].map(flag_text), [Some("f"), Some("t"), None]);
    }
}
