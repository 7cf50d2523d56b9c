//! Folding lines of the spool into a batch. Pure: bytes in, decisions out.

use crate::apply::{self, Posting};
use crate::store::{Batch, OpenRequest, Position, PriceBook};
use contract::spool::{Line, LineType};
use std::collections::{HashMap, HashSet};

/// Most lines of one transaction: some tens of milliseconds of work.
pub const LINES_PER_BATCH: usize = 5_000;

/// Most bytes read at once: 4 MiB. A line that is longer is malformed.
pub const BYTES_PER_READ: usize = 4 * 1024 * 1024;

/// The whole lines at the beginning of `bytes`, at most [`LINES_PER_BATCH`]; a
/// last line without its newline is not one of them.
#[must_use]
pub fn whole_lines(bytes: &[u8]) -> &[u8] {
    let length = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .take(LINES_PER_BATCH)
        .filter(|line| line.ends_with(b"\n"))
        .map(<[u8]>::len)
        .sum();
    bytes.get(..length).unwrap_or_default()
}

/// Whether `bytes` are a line that lacks nothing but its newline: what is cut
/// short of its closing brace is not JSON.
#[must_use]
pub fn is_a_line(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Line>(bytes).is_ok()
}

/// What whole lines, read at `from`, come to.
#[must_use]
pub fn fold(lines: &[u8], from: Position, prices: &PriceBook) -> Batch {
    let to = Position { offset: from.offset.saturating_add(lines.len() as u64), ..from };
    let mut fold = Fold::new(Batch::moving(from, to), prices);
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        if !text.is_empty() {
            fold.line(text);
        }
        fold.offset = fold.offset.saturating_add(line.len() as u64);
    }
    fold.finish()
}

/// What the open requests of a dead gateway come to: each is posted by its last
/// line, and the position moves to the next generation.
#[must_use]
pub fn fold_lost(open: Vec<OpenRequest>, from: Position, prices: &PriceBook) -> Batch {
    let mut batch = Batch::moving(from, next_generation(from));
    batch.buried = Some(from.generation);
    for request in open {
        match serde_json::from_str(&request.line).map(|line| apply::lost(line, prices)) {
            Ok(Posting::Record(priced)) => {
                batch.counts.lost += 1;
                batch.counts.unpriced += u64::from(priced.unpriced);
                batch.records.push(priced.record);
            }
            Ok(Posting::Anonymous) => batch.counts.lost_anonymous += 1,
            Ok(Posting::Malformed) | Err(_) => batch.counts.malformed += 1,
        }
        batch.ended.push(request.id);
    }
    batch
}

/// The beginning of the file after the one of `position`.
#[must_use]
pub fn next_generation(position: Position) -> Position {
    Position { generation: position.generation.saturating_add(1), offset: 0 }
}

/// A batch in the making.
struct Fold<'a> {
    batch: Batch,
    prices: &'a PriceBook,
    open: HashMap<String, OpenRequest>,
    /// Ended in this batch.
    ended: HashSet<String>,
    /// Begun in this batch: the store knows nothing of them.
    begun: HashSet<String>,
    /// Where the line begins that is being read.
    offset: u64,
}

impl<'a> Fold<'a> {
    fn new(batch: Batch, prices: &'a PriceBook) -> Self {
        let offset = batch.from.offset;
        let (open, ended, begun) = (HashMap::new(), HashSet::new(), HashSet::new());
        Fold { batch, prices, open, ended, begun, offset }
    }

    fn line(&mut self, bytes: &[u8]) {
        self.batch.counts.lines += 1;
        let Ok(line) = serde_json::from_slice::<Line>(bytes) else {
            self.batch.counts.malformed += 1;
            return;
        };
        match line.line_type {
            LineType::End => self.end(line),
            _ if self.ended.contains(&line.id) => {}
            LineType::Start => self.start(line, bytes),
            LineType::Periodic => self.keep(line, bytes, false),
        }
    }

    fn start(&mut self, line: Line, bytes: &[u8]) {
        self.begun.insert(line.id.clone());
        if !self.open.contains_key(&line.id) {
            self.keep(line, bytes, true);
        }
    }

    fn keep(&mut self, line: Line, bytes: &[u8], start_only: bool) {
        let open = OpenRequest {
            id: line.id.clone(),
            generation: self.batch.from.generation,
            offset: self.offset,
            leases: apply::leases(&line),
            line: String::from_utf8_lossy(bytes).into_owned(),
            start_only,
        };
        self.open.insert(line.id, open);
    }

    fn end(&mut self, line: Line) {
        let id = line.id.clone();
        if self.ended.contains(&id) {
            self.batch.counts.duplicates += 1;
            return;
        }
        match apply::ended(line, self.prices) {
            Posting::Malformed => {
                // Still open: what its earlier lines say is the best there is.
                self.batch.counts.malformed += 1;
                return;
            }
            Posting::Anonymous => self.batch.counts.anonymous += 1,
            Posting::Record(priced) => {
                self.batch.counts.unpriced += u64::from(priced.unpriced);
                self.batch.records.push(priced.record);
            }
        }
        self.open.remove(&id);
        self.ended.insert(id);
    }

    fn finish(mut self) -> Batch {
        self.batch.open = self.open.into_values().collect();
        self.batch.ended = self.ended.difference(&self.begun).cloned().collect();
        self.batch
    }
}

#[cfg(test)]
pub(crate) mod tests;
