use super::image::golden;
use super::*;
use crate::json::Str;
use base64::engine::general_purpose::{STANDARD as WRITER, URL_SAFE_NO_PAD};
use proptest::prelude::*;

const PDF: &[u8] = b"%PDF-1.7 1 0 obj<</Pages 2 0 R>> 2 0 obj<</Kids[3 0 R 3 0 R]>> 3 0 obj<<>>";
const MP4: &[u8] = b"\0\0\0\x18ftypisom\0\0\0\0isommp41";
const MP3: &[u8] = b"\xff\xfb\x90\x44\0\0\0\0";

fn rules() -> MediaConfig {
    MediaConfig {
        kinds: MediaKind::ALL.to_vec(),
        hosts: vec!["good.test".to_owned()],
        bytes_max: 300,
        pixels_max: 1000,
        pages_max: 2,
    }
}

fn data(kind: MediaKind, declared: Option<&str>, file: &[u8]) -> Result<(), Fault> {
    encoded(Place::Medium(kind), declared, &WRITER.encode(file), &rules())
}

fn encoded(
    place: Place,
    declared: Option<&str>,
    base64: &str,
    rules: &MediaConfig,
) -> Result<(), Fault> {
    let declared = declared.map(|name| Str::plain(name).unwrap());
    let medium = Medium::base64(place, declared, Str::plain(base64).unwrap(), 0..0);
    check(&[medium], rules).map_err(|error| error.fault)
}

fn url(place: Place, url: &str, rules: &MediaConfig) -> Result<(), Fault> {
    let medium = Medium::url(place, Str::plain(url).unwrap(), 0..0);
    check(&[medium], rules).map_err(|error| error.fault)
}

#[test]
fn judges_data_by_its_bytes() {
    use MediaKind::{Audio, Document, Image, Video};
    let png = golden::png(10, 100);
    for (kind, declared, file, expected) in [
        (Image, Some("image/png"), &png[..], Ok(())),
        (Image, None, &png, Ok(())),
        (Image, Some("IMAGE/JPG"), &golden::jpeg(10, 100), Ok(())),
        (Image, Some("image/gif"), &golden::gif(10, 10, 10), Ok(())),
        (Image, Some("image/webp"), &golden::webp(10, 100), Ok(())),
        (Image, Some("image/jpeg"), &png, Err(Fault::Declared)),
        (Image, Some("image/svg+xml"), &png, Err(Fault::Declared)),
        (Image, Some(""), &png, Err(Fault::Declared)),
        (Image, Some("image/svg+xml"), b"<svg/>", Err(Fault::Type)),
        (Image, None, b"BM", Err(Fault::Type)),
        (Image, None, b"", Err(Fault::Type)),
        (Image, Some("application/pdf"), PDF, Err(Fault::Type)),
        (Image, None, &golden::png(10, 101), Err(Fault::Pixels(1000))),
        (Image, None, &golden::gif(10, 11, 10), Err(Fault::Pixels(1000))),
        (Image, None, &golden::png(u32::MAX, 1), Err(Fault::Unreadable)),
        (Image, None, &png[..30], Err(Fault::Unreadable)),
        (Image, None, &[&png[..], &[0; 300]].concat(), Err(Fault::Bytes(300))),
        (Audio, Some("audio/mpeg"), MP3, Ok(())),
        (Audio, Some("audio/mp4"), MP4, Ok(())),
        (Audio, Some("audio/wav"), MP3, Err(Fault::Declared)),
        (Audio, None, &png, Err(Fault::Type)),
        (Video, Some("video/mp4"), MP4, Ok(())),
        (Video, Some("video/mp4"), MP3, Err(Fault::Type)),
        (Document, Some("application/pdf"), PDF, Ok(())),
        (Document, None, b"%PDF-1.7", Err(Fault::Uncountable)),
        (Document, None, &[PDF, b" 2 0 obj[3 0 R 3 0 R 3 0 R]"].concat(), Err(Fault::Pages(2))),
    ] {
        assert_eq!(data(kind, declared, file), expected, "{kind:?} {declared:?}");
    }
}

#[test]
fn a_kind_that_is_not_taken_is_refused_first() {
    let no_images = MediaConfig { kinds: vec![MediaKind::Audio, MediaKind::Document], ..rules() };
    let none = MediaConfig { kinds: Vec::new(), ..rules() };
    let png = WRITER.encode(golden::png(1, 1));
    let image = Place::Medium(MediaKind::Image);
    assert_eq!(encoded(image, None, "?", &no_images), Err(Fault::Kind));
    assert_eq!(url(image, "http://good.test/", &no_images), Err(Fault::Kind));
    assert_eq!(encoded(Place::File, None, &png, &no_images), Err(Fault::Kind));
    assert_eq!(encoded(Place::File, None, &WRITER.encode(PDF), &no_images), Ok(()));
    assert_eq!(encoded(Place::File, None, &WRITER.encode(MP3), &no_images), Ok(()));
    assert_eq!(encoded(Place::File, None, "?", &none), Err(Fault::Kind));
    assert_eq!(url(Place::File, "http://good.test/", &none), Err(Fault::Kind));
    // A server to call is no medium.
    assert_eq!(url(Place::Service, "http://good.test/", &none), Ok(()));
}

#[test]
fn judges_addresses_by_their_host() {
    for place in [Place::Medium(MediaKind::Image), Place::File, Place::Service] {
        assert_eq!(url(place, "https://good.test/a.png", &rules()), Ok(()));
        for address in ["https://evil.test/", "file:///etc/passwd", "//good.test/", "a.png", ""] {
            assert_eq!(url(place, address, &rules()), Err(Fault::Host), "{address}");
        }
    }
    let none = MediaConfig { hosts: Vec::new(), ..rules() };
    assert_eq!(url(Place::File, "https://good.test/", &none), Err(Fault::Host));
    assert_eq!(url(Place::Service, "data:;base64,AAAA", &rules()), Err(Fault::Host));
}

#[test]
fn reads_data_urls() {
    let image = Place::Medium(MediaKind::Image);
    let png = WRITER.encode(golden::png(3, 3));
    for (head, expected) in [
        ("data:image/png;base64,", Ok(())),
        ("DATA:image/png;a=b;BASE64,", Ok(())),
        ("data:;base64,", Ok(())),
        ("data:image/gif;base64,", Err(Fault::Declared)),
        ("data:image/png,", Err(Fault::Base64)),
        ("data:image/png;base64,%", Err(Fault::Base64)),
        ("data:image/png;base64, ", Err(Fault::Base64)),
        (" data:image/png;base64,", Err(Fault::Host)),
    ] {
        assert_eq!(url(image, &format!("{head}{png}"), &rules()), expected, "{head}");
    }
}

#[test]
fn base64_is_read_in_one_way() {
    let image = Place::Medium(MediaKind::Image);
    let check = |text: &str| encoded(image, None, text, &rules());
    // 59 bytes, so that there is padding.
    let png = golden::png(3, 3);
    let padded = WRITER.encode(&png[..59.min(png.len())]);
    let bare = padded.trim_end_matches('=');
    assert_ne!(bare, padded);
    assert_eq!(check(bare), check(&padded));
    for text in [
        format!("{padded}="),
        format!("={padded}"),
        format!("{bare}=A"),
        format!("{}\u{a0}", padded),
        padded.replacen('A', "A ", 1),
        padded.replacen('A', "A-", 1),
        padded.replacen('A', "A_", 1),
        format!("{bare}AAA"),
    ] {
        assert_eq!(check(&text), Err(Fault::Base64), "{text}");
    }
    // The URL-safe alphabet: engines drop its letters.
    let text = URL_SAFE_NO_PAD.encode(b"\xff\xd8\xff\xfb\xff\xbf");
    assert_eq!(check(&text), Err(Fault::Base64), "{text}");
}

#[test]
fn too_much_is_not_decoded() {
    let image = Place::Medium(MediaKind::Image);
    assert_eq!(encoded(image, None, &"?".repeat(404), &rules()), Err(Fault::Bytes(300)));
    assert_eq!(encoded(image, None, &"?".repeat(402), &rules()), Err(Fault::Base64));
    let full = [&golden::png(1, 1)[..], &[0; 300]].concat();
    assert_eq!(data(MediaKind::Image, None, &full[..300]), Ok(()));
    assert_eq!(data(MediaKind::Image, None, &full[..301]), Err(Fault::Bytes(300)));
}

#[test]
fn an_error_says_which_medium_and_nothing_of_it() {
    let good = || Medium::url(Place::File, Str::plain("http://good.test/").unwrap(), 0..0);
    let place = Place::Medium(MediaKind::Video);
    let evil = Medium::url(place, Str::plain("http://secret.test/").unwrap(), 0..0);
    let error = check(&[good(), evil, good()], &rules()).unwrap_err();
    assert_eq!((error.kind, error.index), (Some(MediaKind::Video), 1));
    assert_eq!(
        error.to_string(),
        "video 2 of the request: the address is not of a host that is allowed"
    );
    assert_eq!(check(&[], &rules()), Ok(()));
}

proptest! {
    #[test]
    fn nothing_panics(
        head in prop::sample::select(vec![
            &b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01"[..], b"\xff\xd8\xff", b"GIF89a",
            b"RIFF\x40\0\0\0WEBPVP8X", b"%PDF-1.7 1 0 obj<</Pages 1 0 R/Kids[", b"ID3\x04\0\0",
            b"\x1a\x45\xdf\xa3", b"\0\0\0\x18ftyp", b"",
        ]),
        tail in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let file = [head, &tail].concat();
        for kind in MediaKind::ALL {
            let refused = data(kind, None, &file).is_err();
            prop_assert!(refused || Format::of(&file).is_some_and(|format| format.is_of(kind)));
        }
    }
}

#[test]
fn counts_what_they_are() {
    let base64 = |kind, file: &[u8]| (Place::Medium(kind), WRITER.encode(file));
    let held = [
        base64(MediaKind::Image, &golden::png(10, 10)),
        base64(MediaKind::Document, PDF),
        base64(MediaKind::Video, MP4),
        (Place::File, WRITER.encode(PDF)),
        (Place::File, WRITER.encode(MP3)),
    ];
    let text = |text| Str::plain(text).unwrap();
    let mut media: Vec<_> =
        held.iter().map(|(place, data)| Medium::base64(*place, None, text(data), 0..0)).collect();
    for place in [
        Place::Medium(MediaKind::Image),
        Place::Medium(MediaKind::Document),
        Place::File,
        Place::Service,
    ] {
        media.push(Medium::url(place, text("https://good.test/x"), 0..0));
    }
    let expected = Contents { images: 2, pages: 4, sounds: 1, films: 1, unknown: 2 };
    assert_eq!(inspect(&media, &rules()), Ok(expected));
    assert_eq!(expected.media(), 10);
}
