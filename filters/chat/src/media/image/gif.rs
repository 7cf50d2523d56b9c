//! GIF (CompuServe, Graphics Interchange Format 89a, §§18–27).

use super::Canvas;
use crate::media::bytes::{Cursor, le16};

const SIGNATURE_BYTES: usize = 6;

/// The logical screen, made larger where a frame reaches beyond it as decoders
/// do, and every frame.
pub(super) fn canvas(file: &[u8]) -> Option<Canvas> {
    let mut cursor = Cursor::new(file, SIGNATURE_BYTES);
    let screen = cursor.take(7)?;
    let mut canvas = Canvas { width: le16(screen, 0)?, height: le16(screen, 2)?, frames: 0 };
    color_table(&mut cursor, *screen.get(4)?)?;
    // Encoders that forget the trailer are common.
    while !cursor.at_end() {
        match cursor.byte()? {
            b'!' => {
                cursor.byte()?;
                sub_blocks(&mut cursor)?;
            }
            b',' => frame(&mut cursor, &mut canvas)?,
            b';' => break,
            _ => return None,
        }
    }
    Some(canvas)
}

fn frame(cursor: &mut Cursor<'_>, canvas: &mut Canvas) -> Option<()> {
    let place = cursor.take(9)?;
    let (left, top) = (le16(place, 0)?, le16(place, 2)?);
    canvas.grow(left + le16(place, 4)?, top + le16(place, 6)?);
    canvas.frames += 1;
    color_table(cursor, *place.get(8)?)?;
    cursor.byte()?;
    sub_blocks(cursor)
}

/// Passes a table of colours by, when the flags say that there is one.
fn color_table(cursor: &mut Cursor<'_>, flags: u8) -> Option<()> {
    if flags & 0x80 != 0 {
        cursor.take(3 << ((flags & 7) + 1))?;
    }
    Some(())
}

fn sub_blocks(cursor: &mut Cursor<'_>) -> Option<()> {
    loop {
        match cursor.byte()? {
            0 => return Some(()),
            size => cursor.take(u64::from(size))?,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden::gif;
    use super::*;

    #[test]
    fn counts_every_frame() {
        for frames in [1, 2, 200] {
            let expected = Canvas { width: 3, height: 5, frames: frames as u64 };
            assert_eq!(canvas(&gif(3, 5, frames)), Some(expected));
        }
    }

    #[test]
    fn a_frame_beyond_the_screen_makes_it_larger() {
        let mut file = gif(3, 5, 1);
        // Behind the screen (19 bytes), the control block (8) and the separator.
        file[28..36].copy_from_slice(b"\x10\0\x20\0\xff\xff\xff\xff");
        assert_eq!(canvas(&file), Some(Canvas { width: 0x1000f, height: 0x1001f, frames: 1 }));
    }

    #[test]
    fn a_missing_trailer_is_tolerated_and_junk_is_not() {
        let file = gif(3, 5, 1);
        assert_eq!(canvas(&file[..file.len() - 1]), canvas(&file));
        assert_eq!(canvas(&file[..file.len() - 2]), None);
        let junk = [&file[..file.len() - 1], b"\0;"].concat();
        assert_eq!(canvas(&junk), None);
        let behind = [&file[..], b"junk"].concat();
        assert_eq!(canvas(&behind), canvas(&file));
    }
}
