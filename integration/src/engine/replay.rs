//! A recorded answer played back byte by byte, cut as a test wants it cut.

use std::io;
use std::path::{Component, Path};
use std::time::Duration;

use crate::http1::{Framing, Head};

/// All pauses of a replay together stay under this, however many cuts there are.
const PAUSES_MAX: Duration = Duration::from_millis(300);
/// The pause between two writes where [`PAUSES_MAX`] allows it: enough for the
/// peer's event loop to read the first one alone.
const PAUSE: Duration = Duration::from_millis(1);

/// How the bytes of a capture are divided among TCP writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Cuts {
    /// As the recording client read them; in one piece where that is not known.
    #[default]
    Recorded,
    /// Sizes of 1 to 1024 bytes, small ones more often, by this seed.
    Random(u64),
    /// One write.
    Whole,
    /// One byte a write.
    Bytes,
}

impl std::str::FromStr for Cuts {
    type Err = String;

    fn from_str(text: &str) -> Result<Cuts, String> {
        match (text, text.strip_prefix("random:")) {
            ("recorded", _) => Ok(Cuts::Recorded),
            ("whole", _) => Ok(Cuts::Whole),
            ("bytes", _) => Ok(Cuts::Bytes),
            (_, Some(seed)) => {
                seed.parse().map(Cuts::Random).map_err(|_| format!("{seed:?} is no seed"))
            }
            _ => Err(format!("cuts are recorded, random:SEED, whole or bytes, not {text:?}")),
        }
    }
}

/// An answer that an engine once gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// Head and body as they were on the wire.
    pub bytes: Vec<u8>,
    /// Sizes of the recording client's reads; empty where they were not noted.
    pub reads: Vec<usize>,
}

impl Capture {
    /// Reads `DIR/ENGINE/NAME.response.http`, and `.reads.tsv` beside it.
    ///
    /// # Errors
    /// A name that leaves the folder, or no such capture.
    pub fn load(captures: &Path, name: &str) -> io::Result<Capture> {
        let plain = |part| matches!(part, Component::Normal(_));
        if !Path::new(name).components().all(plain) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a capture is ENGINE/NAME"));
        }
        let beside = |ending: &str| captures.join(format!("{name}.{ending}"));
        let reads = std::fs::read_to_string(beside("reads.tsv")).unwrap_or_default();
        Ok(Capture { bytes: std::fs::read(beside("response.http"))?, reads: read_sizes(&reads) })
    }

    /// Whether the engine left the connection open after this answer.
    pub fn keeps_alive(&self) -> bool {
        let Ok(Some(head)) = Head::of_answer(&self.bytes) else { return false };
        let body = &self.bytes[head.bytes..];
        let whole = match head.framing() {
            Framing::UntilClose => false,
            mut framing => {
                matches!(framing.body(body), Ok(Some((_, used))) if used == body.len())
            }
        };
        whole && head.keeps_alive()
    }

    /// The capture in the pieces that one write each sends; together all of it.
    pub fn pieces(&self, cuts: Cuts) -> Vec<&[u8]> {
        let mut random = Xorshift::new(cuts);
        let mut reads = self.reads.iter().copied();
        let mut next = move || match cuts {
            Cuts::Whole => usize::MAX,
            Cuts::Bytes => 1,
            Cuts::Recorded => reads.next().unwrap_or(usize::MAX),
            Cuts::Random(_) => random.small_size(),
        };
        let mut rest = self.bytes.as_slice();
        let mut pieces = Vec::new();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(next().clamp(1, rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces
    }
}

/// How long to wait between the writes of a replay in so many pieces.
pub fn pause_between(pieces: usize) -> Duration {
    PAUSE.min(PAUSES_MAX / u32::try_from(pieces.max(1)).unwrap_or(u32::MAX))
}

/// Second column of `reads.tsv`; a line that notes how the reading ended has no
/// number there.
fn read_sizes(tsv: &str) -> Vec<usize> {
    let size = |line: &str| line.split('\t').nth(1)?.trim().parse().ok();
    tsv.lines().filter_map(size).filter(|size| *size > 0).collect()
}

/// Marsaglia's xorshift64: reproducible cuts need no better randomness.
pub(super) struct Xorshift(u64);

impl Xorshift {
    pub(super) fn new(cuts: Cuts) -> Xorshift {
        let seed = if let Cuts::Random(seed) = cuts { seed } else { 0 };
        Xorshift(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x2545_F491_4F6C_DD1D)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(super) fn small_size(&mut self) -> usize {
        let magnitude = self.next() % 11;
        1 + (self.next() % (1 << magnitude)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(text: &str) -> Capture {
        Capture { bytes: text.as_bytes().to_vec(), reads: vec![5, 10] }
    }

    #[test]
    fn pieces_are_all_of_it_in_order() {
        let capture = capture(&"HTTP/1.1 200 OK\r\n\r\n0123456789".repeat(40));
        for cuts in [Cuts::Recorded, Cuts::Random(1), Cuts::Random(2), Cuts::Whole, Cuts::Bytes] {
            assert_eq!(capture.pieces(cuts).concat(), capture.bytes, "{cuts:?}");
        }
        assert_eq!(capture.pieces(Cuts::Whole).len(), 1);
        assert_eq!(capture.pieces(Cuts::Bytes).len(), capture.bytes.len());
        assert_eq!(capture.pieces(Cuts::Recorded).len(), 3);
        assert_ne!(capture.pieces(Cuts::Random(1)), capture.pieces(Cuts::Random(2)));
        assert_eq!(capture.pieces(Cuts::Random(1)), capture.pieces(Cuts::Random(1)));
    }

    #[test]
    fn pauses_never_add_up_to_more_than_their_bound() {
        assert_eq!(pause_between(4), PAUSE);
        assert!(pause_between(20_000) * 20_000 <= PAUSES_MAX);
    }

    #[test]
    fn reads_are_sizes_and_nothing_else() {
        let tsv = "ms_since_request\tbytes_in_read\n4.1\t230\n8.1\t264\n120.6\tTimeoutError()\n";
        assert_eq!(read_sizes(tsv), [230, 264]);
    }

    #[test]
    fn the_connection_stays_only_after_a_whole_answer_that_says_so() {
        let keeps = |text: &str| capture(text).keeps_alive();
        assert!(keeps("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab"));
        assert!(!keeps("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab"));
        assert!(!keeps("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nab"));
        assert!(keeps("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"));
        assert!(!keeps("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab"));
    }

    #[test]
    fn a_name_stays_inside_the_folder() {
        for name in ["../secret", "/etc/x", "a/../../x"] {
            let error = Capture::load(Path::new("captures"), name).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{name}");
        }
    }
}
