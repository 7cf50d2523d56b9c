//! How many pixels an image becomes when it is opened, by its own headers: its
//! canvas times its frames, as some engines open all of them.
//!
//! The readers are stricter than decoders are: what decoders tolerate in
//! different ways (a second header, junk between blocks) is unreadable here.

mod gif;
mod jpeg;
mod png;
mod webp;

use super::format::Format;

/// Pixels of all frames together; `None` when the headers cannot be read or
/// the format is none of images.
pub(super) fn pixels(format: Format, file: &[u8]) -> Option<u64> {
    let canvas = match format {
        Format::Png => png::canvas(file)?,
        Format::Jpeg => jpeg::canvas(file)?,
        Format::Gif => gif::canvas(file)?,
        Format::WebP => webp::canvas(file)?,
        _ => return None,
    };
    let has_pixels = canvas.width > 0 && canvas.height > 0 && canvas.frames > 0;
    has_pixels.then(|| canvas.pixels())
}

/// The size of an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Canvas {
    width: u64,
    height: u64,
    frames: u64,
}

impl Canvas {
    fn still(width: u64, height: u64) -> Self {
        Self { width, height, frames: 1 }
    }

    fn pixels(self) -> u64 {
        self.width.saturating_mul(self.height).saturating_mul(self.frames)
    }

    /// Makes room for something of that size.
    fn grow(&mut self, width: u64, height: u64) {
        self.width = self.width.max(width);
        self.height = self.height.max(height);
    }
}

#[cfg(test)]
pub(super) mod golden {
    //! Images of a few bytes, made by hand from the formats' specifications.

    pub fn chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len()).unwrap().to_be_bytes();
        // The checksums are not read, neither here nor by every decoder.
        [&size[..], name, content, b"\0\0\0\0"].concat()
    }

    pub fn png(width: u32, height: u32) -> Vec<u8> {
        let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
        let signature = b"\x89PNG\r\n\x1a\n".to_vec();
        [signature, chunk(b"IHDR", &header), chunk(b"IDAT", b"x"), chunk(b"IEND", b"")].concat()
    }

    pub fn gif(width: u16, height: u16, frames: usize) -> Vec<u8> {
        let [width, height] = [width.to_le_bytes(), height.to_le_bytes()];
        let screen = [&b"GIF89a"[..], &width, &height, &[0x80, 0, 0, 0, 0, 0, 255, 255, 255]];
        let frame =
            [&b"\x21\xf9\x04\0\0\0\0\0\x2c\0\0\0\0"[..], &width, &height, b"\0\x02\x02\x44\x01\0"];
        [screen.concat(), frame.concat().repeat(frames), b";".to_vec()].concat()
    }

    pub fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        let size = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xff, marker][..], &size, content].concat()
    }

    pub fn sof(marker: u8, width: u16, height: u16) -> Vec<u8> {
        let [width, height] = [width.to_be_bytes(), height.to_be_bytes()];
        segment(marker, &[&[8][..], &height, &width, &[1, 1, 0x11, 0]].concat())
    }

    pub fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let start = [b"\xff\xd8".to_vec(), segment(0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")];
        let scan = segment(0xda, &[1, 1, 0, 0, 63, 0]);
        [start.concat(), sof(0xc0, width, height), scan, b"\x12\xff\xd9".to_vec()].concat()
    }

    pub fn riff(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
        let mut content = b"WEBP".to_vec();
        for (name, chunk) in chunks {
            content.extend_from_slice(*name);
            content.extend_from_slice(&u32::try_from(chunk.len()).unwrap().to_le_bytes());
            content.extend_from_slice(chunk);
            content.extend(std::iter::repeat_n(0, chunk.len() % 2));
        }
        let size = u32::try_from(content.len()).unwrap().to_le_bytes();
        [&b"RIFF"[..], &size, &content].concat()
    }

    pub fn vp8(width: u16, height: u16) -> Vec<u8> {
        [&b"\x10\0\0\x9d\x01\x2a"[..], &width.to_le_bytes(), &height.to_le_bytes()].concat()
    }

    pub fn webp(width: u16, height: u16) -> Vec<u8> {
        riff(&[(b"VP8 ", vp8(width, height))])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_pixels_of_every_format() {
        for (format, file, expected) in [
            (Format::Png, golden::png(640, 480), Some(640 * 480)),
            (Format::Png, golden::png(u32::MAX >> 1, u32::MAX >> 1), Some(0x3fff_ffff_0000_0001)),
            (Format::Png, golden::png(0, 480), None),
            (Format::Jpeg, golden::jpeg(640, 480), Some(640 * 480)),
            (Format::Jpeg, golden::jpeg(640, 0), None),
            (Format::Gif, golden::gif(64, 48, 3), Some(64 * 48 * 3)),
            (Format::Gif, golden::gif(64, 48, 0), None),
            (Format::WebP, golden::webp(640, 480), Some(640 * 480)),
            (Format::WebP, golden::webp(0, 480), None),
            (Format::Pdf, golden::png(1, 1), None),
        ] {
            assert_eq!(pixels(format, &file), expected, "{format:?}");
        }
    }

    #[test]
    fn a_cut_header_is_unreadable() {
        for (format, file, header) in [
            (Format::Png, golden::png(640, 480), 33),
            (Format::Jpeg, golden::jpeg(640, 480), 33),
            (Format::Gif, golden::gif(64, 48, 1), 20),
            (Format::WebP, golden::webp(640, 480), 30),
        ] {
            for end in 0..header {
                assert_eq!(pixels(format, &file[..end]), None, "{format:?} {end}");
            }
        }
    }
}
