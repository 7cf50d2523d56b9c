//! What a file is, by its own first bytes, and by the names of media types.

use contract::policy::MediaKind;

use super::bytes::array;
use super::container;

/// The types that are taken; everything else is refused, SVG, TIFF, BMP, HTML
/// and playlists among it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Png,
    Jpeg,
    Gif,
    WebP,
    Wav,
    Mp3,
    Flac,
    Ogg,
    /// MP4 with sound, films or both (M4A among them).
    Mp4,
    /// `WebM` with sound, films or both.
    WebM,
    Pdf,
}

impl Format {
    /// What the bytes are. A signature has to stand at the very start: readers
    /// that skip what stands before it would differ.
    pub(super) fn of(file: &[u8]) -> Option<Self> {
        const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
        Some(match file {
            _ if file.starts_with(PNG) => Self::Png,
            [0xff, 0xd8, 0xff, ..] => Self::Jpeg,
            _ if file.starts_with(b"GIF87a") || file.starts_with(b"GIF89a") => Self::Gif,
            [b'R', b'I', b'F', b'F', ..] => match array::<4>(file, 8)?.as_slice() {
                b"WEBP" => Self::WebP,
                b"WAVE" => Self::Wav,
                _ => return None,
            },
            _ if file.starts_with(b"fLaC") => Self::Flac,
            _ if file.starts_with(b"OggS") => Self::Ogg,
            _ if file.starts_with(b"%PDF-") => Self::Pdf,
            _ if container::is_mp3(file) => Self::Mp3,
            _ if container::is_mp4(file) => Self::Mp4,
            _ if container::is_webm(file) => Self::WebM,
            _ => return None,
        })
    }

    /// What a media type says, without its parameters and whatever its case;
    /// the registered name and those that clients send. `None`: not taken.
    pub(super) fn named(media_type: &str) -> Option<Self> {
        let name = media_type.split(';').next().unwrap_or_default().trim_matches([' ', '\t']);
        Some(match name.to_ascii_lowercase().as_str() {
            "image/png" | "image/apng" => Self::Png,
            "image/jpeg" | "image/jpg" | "image/pjpeg" => Self::Jpeg,
            "image/gif" => Self::Gif,
            "image/webp" => Self::WebP,
            "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => Self::Wav,
            "audio/mpeg" | "audio/mp3" | "audio/mpga" | "audio/x-mp3" | "audio/x-mpeg" => Self::Mp3,
            "audio/flac" | "audio/x-flac" => Self::Flac,
            "audio/ogg" | "audio/oga" | "audio/opus" | "audio/vorbis" | "application/ogg" => {
                Self::Ogg
            }
            "audio/mp4" | "audio/m4a" | "audio/x-m4a" | "audio/mp4a-latm" | "video/mp4" => {
                Self::Mp4
            }
            "audio/webm" | "video/webm" => Self::WebM,
            "application/pdf" | "application/x-pdf" => Self::Pdf,
            _ => return None,
        })
    }

    /// Whether the type is taken where media of this kind are expected.
    pub(super) fn is_of(self, kind: MediaKind) -> bool {
        match kind {
            MediaKind::Image => matches!(self, Self::Png | Self::Jpeg | Self::Gif | Self::WebP),
            MediaKind::Audio => {
                let sound = matches!(self, Self::Wav | Self::Mp3 | Self::Flac | Self::Ogg);
                sound || self.is_of(MediaKind::Video)
            }
            MediaKind::Video => matches!(self, Self::Mp4 | Self::WebM),
            MediaKind::Document => self == Self::Pdf,
        }
    }

    /// What a file is where the request does not say what it is for. One that
    /// may hold films counts as a film.
    pub(super) fn kind(self) -> MediaKind {
        match self {
            Self::Png | Self::Jpeg | Self::Gif | Self::WebP => MediaKind::Image,
            Self::Wav | Self::Mp3 | Self::Flac | Self::Ogg => MediaKind::Audio,
            Self::Mp4 | Self::WebM => MediaKind::Video,
            Self::Pdf => MediaKind::Document,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_files_by_their_first_bytes() {
        for (file, expected) in [
            (&b"\x89PNG\r\n\x1a\n...."[..], Some(Format::Png)),
            (b"\xff\xd8\xff\xe0", Some(Format::Jpeg)),
            (b"GIF87a", Some(Format::Gif)),
            (b"GIF89a", Some(Format::Gif)),
            (b"RIFF\0\0\0\0WEBP", Some(Format::WebP)),
            (b"RIFF\0\0\0\0WAVE", Some(Format::Wav)),
            (b"fLaC\0", Some(Format::Flac)),
            (b"OggS\0", Some(Format::Ogg)),
            (b"%PDF-1.7", Some(Format::Pdf)),
            (b"\xff\xfb\x90\x44", Some(Format::Mp3)),
            (b"\0\0\0\x14ftypM4A \0\0\0\0M4A ", Some(Format::Mp4)),
            (b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm", Some(Format::WebM)),
            (b"", None),
            (b" %PDF-1.7", None),
            (b"GIF90a", None),
            (b"RIFF", None),
            (b"RIFF\0\0\0\0AVI ", None),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", None),
            (b"<html>", None),
            (b"BM\0\0\0\0", None),
            (b"II*\0\x08\0\0\0", None),
            (b"MM\0*", None),
            (b"\0\0\x01\0", None),
            (b"#EXTM3U\n", None),
            (b"%!PS-Adobe", None),
            (b"PK\x03\x04", None),
        ] {
            assert_eq!(Format::of(file), expected, "{file:02x?}");
        }
    }

    #[test]
    fn knows_names_in_any_case_without_parameters() {
        for (name, expected) in [
            ("image/PNG", Some(Format::Png)),
            (" image/jpg ", Some(Format::Jpeg)),
            ("audio/ogg; codecs=opus", Some(Format::Ogg)),
            ("audio/x-m4a", Some(Format::Mp4)),
            ("image/svg+xml", None),
            ("text/html", None),
            ("application/octet-stream", None),
            ("video/jpeg", None),
            ("", None),
        ] {
            assert_eq!(Format::named(name), expected, "{name}");
        }
    }

    #[test]
    fn every_type_is_of_its_own_kind() {
        for name in ["image/gif", "audio/wav", "video/mp4", "audio/webm", "application/pdf"] {
            let format = Format::named(name).unwrap();
            assert!(format.is_of(format.kind()), "{name}");
        }
        assert!(Format::Mp4.is_of(MediaKind::Audio));
        assert!(!Format::Mp3.is_of(MediaKind::Video));
        assert!(!Format::Png.is_of(MediaKind::Document));
    }
}
