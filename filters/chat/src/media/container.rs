//! Containers of sound and films that are not told by a fixed signature.

use super::bytes::{Cursor, array, be32};

/// Brands of MP4 files (ISO/IEC 14496-12 §4.3 and the registration authority's
/// list). The same box opens HEIC, AVIF and `QuickTime`, which are not taken.
const MP4_BRANDS: [&[u8; 4]; 19] = [
    b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9", b"mp41",
    b"mp42", b"mp71", b"avc1", b"M4A ", b"M4B ", b"M4V ", b"dash", b"MSNV", b"3gp5",
];

/// Whether a file opens with the file type box of an MP4.
pub(super) fn is_mp4(file: &[u8]) -> bool {
    let brand = array::<4>(file, 8);
    let size = be32(file, 0).is_some_and(|size| (16..=1024).contains(&size));
    size && array::<4>(file, 4).as_ref() == Some(b"ftyp")
        && brand.is_some_and(|brand| MP4_BRANDS.contains(&&brand))
}

/// Whether a file opens with an EBML header (RFC 8794 §11.2) whose document
/// type is `webm`: Matroska at large is not taken.
pub(super) fn is_webm(file: &[u8]) -> bool {
    file.starts_with(&EBML) && doc_type(file).is_some_and(|name| name == b"webm")
}

const EBML: [u8; 4] = [0x1a, 0x45, 0xdf, 0xa3];
const EBML_DOC_TYPE: u64 = 0x4282;
/// Elements of the header before its document type; there are seven to have.
const EBML_ELEMENTS_MAX: usize = 16;

fn doc_type(file: &[u8]) -> Option<&[u8]> {
    let mut outer = Cursor::new(file, EBML.len());
    let size = ebml_number(&mut outer, false)?;
    let mut header = Cursor::new(outer.take(size)?, 0);
    for _ in 0..EBML_ELEMENTS_MAX {
        let id = ebml_number(&mut header, true)?;
        let size = ebml_number(&mut header, false)?;
        let value = header.take(size)?;
        if id == EBML_DOC_TYPE {
            // Padding by zeros is allowed (RFC 8794 §7.4).
            let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
            return value.get(..end);
        }
    }
    None
}

/// A number of variable length (RFC 8794 §4); of an id the marker is kept.
fn ebml_number(cursor: &mut Cursor<'_>, keep_marker: bool) -> Option<u64> {
    let first = cursor.byte()?;
    let more = first.leading_zeros().min(8);
    if more == 8 {
        return None;
    }
    let marker = 0x80_u8 >> more;
    let first = if keep_marker { first } else { first & !marker };
    let rest = cursor.take(u64::from(more))?;
    Some(rest.iter().fold(u64::from(first), |number, byte| number << 8 | u64::from(*byte)))
}

/// Whether a file is MPEG sound of layer I to III: a frame, or ID3v2 tags with
/// a frame behind them. What stands behind a tag counts, because `FFmpeg` tells
/// a file's type from there: a playlist behind a tag would be followed.
pub(super) fn is_mp3(file: &[u8]) -> bool {
    let mut rest = file;
    for _ in 0..ID3_TAGS_MAX {
        match id3_bytes(rest).and_then(|size| rest.get(size..)) {
            Some(behind) => rest = behind,
            None => break,
        }
    }
    let padding = rest.iter().take_while(|byte| **byte == 0).count();
    let is_tagged = rest.len() < file.len();
    let frame = if is_tagged { rest.get(padding..) } else { Some(rest) };
    frame.is_some_and(is_mpeg_frame)
}

/// Tags in a row: one by the book, two where editors disagree.
const ID3_TAGS_MAX: usize = 4;

/// Size of the tag at the start (ID3v2.4 structure §3.1), its header included.
fn id3_bytes(file: &[u8]) -> Option<usize> {
    let [b'I', b'D', b'3', _, _, flags, sizes @ ..] = array::<10>(file, 0)? else { return None };
    if sizes.iter().any(|byte| *byte > 0x7f) {
        return None;
    }
    let size = sizes.iter().fold(0, |size, byte| size << 7 | usize::from(*byte));
    let footer = if flags & 0x10 == 0 { 0 } else { 10 };
    Some(10 + size + footer)
}

/// A frame's header (ISO/IEC 11172-3 §2.4.2.3): sync, and no reserved value of
/// version, layer, bit rate and sampling rate.
fn is_mpeg_frame(file: &[u8]) -> bool {
    let Some([sync, version, rates, _]) = array::<4>(file, 0) else { return false };
    let reserved = version & 0x18 == 0x08 || version & 0x06 == 0;
    sync == 0xff && version & 0xe0 == 0xe0 && !reserved && rates >> 4 != 15 && rates & 0x0c != 0x0c
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_mp4_by_its_brand() {
        for (file, expected) in [
            (&b"\0\0\0\x18ftypisom\0\0\0\0"[..], true),
            (b"\0\0\0\x18ftypM4A \0\0\0\0", true),
            (b"\0\0\0\x18ftypheic\0\0\0\0", false),
            (b"\0\0\0\x18ftypavif\0\0\0\0", false),
            (b"\0\0\0\x18ftypqt  \0\0\0\0", false),
            (b"\0\0\0\x01ftypisom\0\0\0\0", false),
            (b"\xff\0\0\x18ftypisom\0\0\0\0", false),
            (b"\0\0\0\x18moovisom", false),
            (b"\0\0\0\x18ftypiso", false),
        ] {
            assert_eq!(is_mp4(file), expected, "{file:02x?}");
        }
    }

    #[test]
    fn knows_webm_by_its_document_type() {
        for (file, expected) in [
            (&b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm"[..], true),
            (b"\x1a\x45\xdf\xa3\x8c\x42\x86\x81\x01\x42\x82\x85webm\0 ", true),
            (b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x07\x42\x82\x84webm", true),
            (b"\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska", false),
            (b"\x1a\x45\xdf\xa3\x86\x42\x82\x84webm", false),
            (b"\x1a\x45\xdf\xa3\x80\x42\x82\x84webm", false),
            (b"\x1a\x45\xdf\xa3\0\x42\x82\x84webm", false),
            (b"\x1a\x45\xdf\xa3", false),
        ] {
            assert_eq!(is_webm(file), expected, "{file:02x?}");
        }
    }

    #[test]
    fn knows_mpeg_sound_with_and_without_tags() {
        for (file, expected) in [
            (&b"\xff\xfb\x90\x44"[..], true),
            (b"\xff\xf3\x40\xc4", true),
            (b"ID3\x04\0\0\0\0\0\x02ab\xff\xfb\x90\x44", true),
            (b"ID3\x04\0\0\0\0\0\x02ab\0\0\0\xff\xfb\x90\x44", true),
            (b"ID3\x04\0\0\0\0\0\0ID3\x03\0\0\0\0\0\0\xff\xfb\x90\x44", true),
            (b"ID3\x04\0\x10\0\0\0\x003DI\x04\0\x10\0\0\0\0\xff\xfb\x90\x44", true),
            (b"ID3\x04\0\0\0\0\0\x02ab#EXTM3U\nfile:///", false),
            (b"ID3\x04\0\0\0\0\0\x02ab<svg/>", false),
            (b"ID3\x04\0\0\0\0\0\x80\xff\xfb\x90\x44", false),
            (b"ID3\x04\0\0\x7f\x7f\x7f\x7f", false),
            (b"ID3", false),
            (b"\0\xff\xfb\x90\x44", false),
            // ADTS (AAC), a reserved version, layer, bit rate and sampling rate.
            (b"\xff\xf1\x50\x80", false),
            (b"\xff\xeb\x90\x44", false),
            (b"\xff\xf9\x90\x44", false),
            (b"\xff\xfb\xf0\x44", false),
            (b"\xff\xfb\x9c\x44", false),
            (b"\xff\xfb\x90", false),
        ] {
            assert_eq!(is_mp3(file), expected, "{file:02x?}");
        }
    }
}
