//! The journal: what a dead Envoy wrote of the ends of answers before their
//! last bytes went on.
//!
//! Envoy hands the spool's lines to a thread of its own, and a SIGKILL may come
//! between an answer's last byte and its line. The workers write the same end
//! into Envoy's application log, themselves and before that byte; that log is
//! the file of this module. It is read once, when the spool of its Envoy was
//! read to the end: what the spool says comes first.

use crate::apply::{self, Posting};
use crate::store::{Batch, Position, PriceBook};
use contract::spool::{JOURNAL_MARK, Line, LineType};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Name of the journal of the Envoy that runs, in the spool folder.
pub const NAME: &str = "usage.journal";

/// How much of a journal's end is read: 32 MiB. Lines wait in Envoy for some
/// milliseconds; this much is written in no less than a second.
pub const BYTES_READ: u64 = 32 * 1024 * 1024;

/// Where the mark is looked for: what Envoy puts before a message (time, thread,
/// level, place, names) is some 150 bytes.
const HEAD_BYTES_MAX: usize = 512;

/// The usage in a line of Envoy's application log; `None`: it is another's. NUL
/// bytes before the line are what was given back to the disk.
#[must_use]
pub fn usage_of(line: &[u8]) -> Option<&[u8]> {
    let mark = JOURNAL_MARK.as_bytes();
    let line = line.get(line.iter().position(|byte| *byte != 0)?..)?;
    let head = line.get(..HEAD_BYTES_MAX).unwrap_or(line);
    let at = head.windows(mark.len()).position(|window| window == mark)?;
    line.get(at.saturating_add(mark.len())..)
}

/// What a journal holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Entries<'a> {
    /// JSON of the lines, in their order.
    pub lines: Vec<&'a [u8]>,
    /// Last lines that were begun and not finished: 0 or 1.
    pub torn: u64,
}

/// Takes a journal's bytes apart.
pub(crate) fn entries(bytes: &[u8]) -> Entries<'_> {
    let length = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at.saturating_add(1));
    let (whole, rest) = bytes.split_at(length);
    let mut lines: Vec<_> = whole.split(|byte| *byte == b'\n').filter_map(usage_of).collect();
    let rest = rest.trim_ascii();
    let last = usage_of(rest).filter(|usage| serde_json::from_slice::<Line>(usage).is_ok());
    lines.extend(last);
    let torn = last.is_none() && rest.iter().any(|byte| *byte != 0);
    Entries { lines, torn: u64::from(torn) }
}

/// What some lines come to, read while the spool's position is `at`, where it
/// stays: doing this again changes nothing. Lines that cannot be read are counted;
/// records without known prices are not.
pub(crate) fn fold(lines: &[&[u8]], at: Position, prices: &PriceBook) -> Batch {
    let mut batch = Batch { recovery: true, ..Batch::moving(at, at) };
    let mut seen = HashSet::new();
    for line in lines {
        match end(line).map(|line| apply::ended(line, prices)) {
            Some(Posting::Record(priced)) => {
                if seen.insert(priced.record.id.clone()) {
                    batch.ended.push(priced.record.id.clone());
                    batch.records.push(priced.record);
                }
            }
            Some(Posting::Anonymous) => {}
            Some(Posting::Malformed) | None => batch.counts.malformed += 1,
        }
    }
    batch
}

fn end(line: &[u8]) -> Option<Line> {
    let line = serde_json::from_slice::<Line>(line).ok()?;
    (line.line_type == LineType::End).then_some(line)
}

/// The last [`BYTES_READ`] of a journal; nothing where there is none.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = match File::open(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file?,
    };
    let from = file.metadata()?.len().saturating_sub(BYTES_READ);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(BYTES_READ).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
pub(crate) mod tests;
