//! PNG (W3C Portable Network Graphics, third edition, §5 and §11).

use super::Canvas;
use crate::media::bytes::{Cursor, be32};

const SIGNATURE_BYTES: usize = 8;
const HEADER_BYTES: u64 = 13;
/// Bytes of a chunk's length and type before it, and of its checksum behind.
const CHECKSUM_BYTES: u64 = 4;

/// The header, and the frames of an animation: as many as it says or has,
/// whichever is more.
pub(super) fn canvas(file: &[u8]) -> Option<Canvas> {
    let mut cursor = Cursor::new(file, SIGNATURE_BYTES);
    let (name, header) = chunk(&mut cursor)?;
    if name != b"IHDR" || header.len() as u64 != HEADER_BYTES {
        return None;
    }
    let mut canvas = Canvas::still(side(header, 0)?, side(header, 4)?);
    let (mut said, mut had) = (1, 0);
    while !cursor.at_end() {
        match chunk(&mut cursor)? {
            // Decoders take the last one.
            (b"IHDR", _) => return None,
            (b"acTL", content) => said = be32(content, 0)?.max(said),
            (b"fcTL", _) => had += 1,
            (b"IEND", _) => break,
            _ => {}
        }
    }
    canvas.frames = said.max(had);
    Some(canvas)
}

fn chunk<'a>(cursor: &mut Cursor<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let size = be32(cursor.take(4)?, 0)?;
    let name = cursor.take(4)?;
    let content = cursor.take(size)?;
    cursor.take(CHECKSUM_BYTES)?;
    Some((name, content))
}

/// A side is below 2^31.
fn side(header: &[u8], at: usize) -> Option<u64> {
    be32(header, at).filter(|side| *side < 1 << 31)
}

#[cfg(test)]
mod tests {
    use super::super::golden::{chunk, png};
    use super::*;

    fn with(extra: &[u8]) -> Vec<u8> {
        let still = png(10, 20);
        [&still[..33], extra, &still[33..]].concat()
    }

    #[test]
    fn counts_the_frames_of_an_animation() {
        let control = |frames: u32| chunk(b"acTL", &[frames.to_be_bytes(), [0; 4]].concat());
        let frame = chunk(b"fcTL", &[0; 26]);
        for (extra, frames) in [
            (vec![], 1),
            (control(7), 7),
            (control(0), 1),
            (frame.repeat(3), 3),
            ([control(2), frame.repeat(9)].concat(), 9),
            ([control(9), frame.repeat(2)].concat(), 9),
            (chunk(b"tEXt", b"acTL"), 1),
        ] {
            assert_eq!(canvas(&with(&extra)), Some(Canvas { width: 10, height: 20, frames }));
        }
    }

    #[test]
    fn refuses_what_decoders_read_differently() {
        let second = png(9999, 9999);
        assert_eq!(canvas(&with(&second[8..33])), None, "a second header");
        assert_eq!(canvas(&with(b"\0\0")), None, "a chunk that is not there");
        assert_eq!(canvas(&with(b"\xff\xff\xff\xffIDAT")), None, "a chunk beyond the end");
        assert_eq!(canvas(&png(1 << 31, 1)), None, "a side that no PNG has");
        let apple = [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"CgBI", b"\0\0\0\0")].concat();
        assert_eq!(canvas(&apple), None, "a header that is not the first chunk");
    }

    #[test]
    fn what_stands_behind_the_end_does_not_count() {
        assert_eq!(canvas(&[&png(1, 2)[..], b"junk"].concat()), Some(Canvas::still(1, 2)));
    }
}
