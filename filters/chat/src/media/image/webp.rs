//! WebP (Google, WebP Container Specification; RFC 9649).

use super::Canvas;
use crate::media::bytes::{Cursor, array, le16, le24, le32};

const RIFF_HEADER_BYTES: usize = 8;
/// Bytes of an animation's frame before its own chunks.
const FRAME_HEADER_BYTES: usize = 16;

/// The largest size that any chunk names, and every frame of an animation.
pub(super) fn canvas(file: &[u8]) -> Option<Canvas> {
    let size = usize::try_from(le32(file, 4)?).ok()?;
    let riff = file.get(RIFF_HEADER_BYTES..RIFF_HEADER_BYTES.checked_add(size)?)?;
    let mut canvas = Canvas::default();
    let mut cursor = Cursor::new(riff, b"WEBP".len());
    while !cursor.at_end() {
        match chunk(&mut cursor)? {
            (b"VP8X", content) => canvas.grow(le24(content, 4)? + 1, le24(content, 7)? + 1),
            (b"ANMF", content) => {
                animation_frame(content, &mut canvas)?;
                canvas.frames += 1;
            }
            (name, content) => bitstream(name, content, &mut canvas)?,
        }
    }
    // An image without an animation is its own only frame.
    canvas.frames = canvas.frames.max(1);
    Some(canvas)
}

fn animation_frame(content: &[u8], canvas: &mut Canvas) -> Option<()> {
    let (left, top) = (2 * le24(content, 0)?, 2 * le24(content, 3)?);
    canvas.grow(left + le24(content, 6)? + 1, top + le24(content, 9)? + 1);
    let mut cursor = Cursor::new(content.get(FRAME_HEADER_BYTES..)?, 0);
    while !cursor.at_end() {
        let (name, content) = chunk(&mut cursor)?;
        bitstream(name, content, canvas)?;
    }
    Some(())
}

fn bitstream(name: &[u8], content: &[u8], canvas: &mut Canvas) -> Option<()> {
    match name {
        b"VP8 " => {
            // RFC 6386 §9.1: a key frame's start code, then sizes of 14 bits.
            if array::<3>(content, 3)? != [0x9d, 0x01, 0x2a] {
                return None;
            }
            canvas.grow(le16(content, 6)? & 0x3fff, le16(content, 8)? & 0x3fff);
        }
        b"VP8L" => {
            if *content.first()? != 0x2f {
                return None;
            }
            let sizes = le32(content, 1)?;
            canvas.grow((sizes & 0x3fff) + 1, (sizes >> 14 & 0x3fff) + 1);
        }
        _ => {}
    }
    Some(())
}

/// A chunk and the byte that evens its size out; the last one may be missing.
fn chunk<'a>(cursor: &mut Cursor<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let name = cursor.take(4)?;
    let size = le32(cursor.take(4)?, 0)?;
    let content = cursor.take(size)?;
    if size % 2 == 1 {
        cursor.byte();
    }
    Some((name, content))
}

#[cfg(test)]
mod tests {
    use super::super::golden::{riff, vp8, webp};
    use super::*;

    fn vp8x(width: u32, height: u32) -> Vec<u8> {
        let [width, height] = [width - 1, height - 1].map(u32::to_le_bytes);
        [&[0x02, 0, 0, 0][..], &width[..3], &height[..3]].concat()
    }

    fn vp8l(width: u32, height: u32) -> Vec<u8> {
        let sizes = (width - 1) | (height - 1) << 14;
        [&[0x2f][..], &sizes.to_le_bytes()].concat()
    }

    fn frame(inside: Vec<u8>) -> Vec<u8> {
        let chunk = riff(&[(b"VP8 ", inside)]);
        [&[0; 16][..], &chunk[12..]].concat()
    }

    #[test]
    fn takes_the_largest_size() {
        for (file, width, height, frames) in [
            (webp(10, 20), 10, 20, 1),
            (riff(&[(b"VP8L", vp8l(16_384, 3))]), 16_384, 3, 1),
            (riff(&[(b"VP8X", vp8x(1 << 24, 5))]), 1 << 24, 5, 1),
            (riff(&[(b"VP8X", vp8x(1, 1)), (b"VP8 ", vp8(10, 20))]), 10, 20, 1),
            (riff(&[(b"EXIF", b"odd".to_vec()), (b"VP8 ", vp8(10, 20))]), 10, 20, 1),
            (
                riff(&[
                    (b"VP8X", vp8x(4, 4)),
                    (b"ANMF", frame(vp8(2, 2))),
                    (b"ANMF", frame(vp8(8, 1))),
                ]),
                8,
                4,
                2,
            ),
        ] {
            assert_eq!(canvas(&file), Some(Canvas { width, height, frames }));
        }
    }

    #[test]
    fn refuses_what_is_not_there() {
        let file = webp(10, 20);
        assert_eq!(canvas(&file[..file.len() - 1]), None, "shorter than it says");
        assert_eq!(canvas(&riff(&[(b"VP8 ", b"\x10\0\0\x9d\x01\x2b\x0a\0\x14\0".to_vec())])), None);
        assert_eq!(canvas(&riff(&[(b"VP8L", vec![0x2e, 0, 0, 0, 0])])), None);
        assert_eq!(canvas(&riff(&[(b"VP8X", vec![0; 9])])), None);
        assert_eq!(canvas(&riff(&[(b"ANMF", vec![0; 15])])), None);
    }
}
