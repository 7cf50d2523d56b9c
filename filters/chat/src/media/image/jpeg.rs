//! JPEG (ITU-T T.81, annex B).

use super::Canvas;
use crate::media::bytes::{Cursor, be16};

const SOI_BYTES: usize = 2;

/// The frame header. It may stand behind any number of application segments.
///
/// Junk between segments, a second frame header and markers that no single
/// image has before its first scan are refused: decoders skip them in different
/// ways. So is a height that only comes behind the scan.
pub(super) fn canvas(file: &[u8]) -> Option<Canvas> {
    let mut cursor = Cursor::new(file, SOI_BYTES);
    let mut found = None;
    loop {
        let marker = marker(&mut cursor)?;
        let size = be16(cursor.take(2)?, 0)?;
        let content = cursor.take(size.checked_sub(2)?)?;
        match marker {
            // Start of frame: every number but those of DHT, JPG and DAC.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let canvas = Canvas::still(be16(content, 3)?, be16(content, 1)?);
                if found.replace(canvas).is_some() {
                    return None;
                }
            }
            // Start of scan.
            0xda => return found,
            // Tables, restart interval, application data, comment.
            0xc4 | 0xcc | 0xdb | 0xdd | 0xe0..=0xef | 0xfe => {}
            _ => return None,
        }
    }
}

/// The next marker; fill bytes may stand before it (§B.1.1.2).
fn marker(cursor: &mut Cursor<'_>) -> Option<u8> {
    if cursor.byte()? != 0xff {
        return None;
    }
    loop {
        match cursor.byte()? {
            0xff => {}
            marker => return Some(marker),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden::{jpeg, segment, sof};
    use super::*;

    fn with(extra: &[u8]) -> Vec<u8> {
        let plain = jpeg(10, 20);
        [&plain[..2], extra, &plain[2..]].concat()
    }

    #[test]
    fn finds_the_header_behind_anything() {
        let exif = segment(0xe1, &[0xff; 65_533]);
        for extra in [
            vec![],
            exif.repeat(3),
            segment(0xfe, b"\xff\xc0\0\x0b\x08\xff\xff\xff\xff"),
            vec![0xff; 40],
            segment(0xdb, &[0; 65]),
            segment(0xc4, &[0; 17]),
        ] {
            assert_eq!(canvas(&with(&extra)), Some(Canvas::still(10, 20)));
        }
    }

    #[test]
    fn knows_every_frame_header() {
        for marker in [0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc9, 0xcf] {
            let scan = segment(0xda, &[1, 1, 0, 0, 63, 0]);
            let file = [b"\xff\xd8".to_vec(), sof(marker, 7, 8), scan].concat();
            assert_eq!(canvas(&file), Some(Canvas::still(7, 8)), "{marker:02x}");
        }
    }

    #[test]
    fn refuses_what_decoders_read_differently() {
        for (extra, why) in [
            (sof(0xc0, 1, 1), "two frame headers"),
            (b"junk".to_vec(), "junk between segments"),
            (b"\xff\0".to_vec(), "a stuffed byte outside of a scan"),
            (b"\xff\xd0".to_vec(), "a restart outside of a scan"),
            (b"\xff\xd8".to_vec(), "a second start"),
            (b"\xff\xd9".to_vec(), "an end before the image"),
            (segment(0xc8, b""), "an extension"),
            (segment(0xde, b""), "a hierarchical image"),
            (b"\xff\xe0\0\x01".to_vec(), "a size below its own"),
            (segment(0xda, &[0; 6]), "a scan before the frame header"),
        ] {
            assert_eq!(canvas(&with(&extra)), None, "{why}");
        }
    }
}
