use super::*;
use crate::edit::{Edit, apply};
use crate::media::Fault;
use proptest::prelude::*;

const MP3: &[u8] = b"\xff\xfb\x90\x44\0\r\n--almost\r\n\0";

/// A part with the headers that clients write.
fn field(name: &str, value: &str) -> Vec<u8> {
    format!("Content-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}").into_bytes()
}

fn file(headers: &str, bytes: &[u8]) -> Vec<u8> {
    let disposition = "Content-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n";
    [disposition.as_bytes(), headers.as_bytes(), b"\r\n", bytes].concat()
}

fn sound() -> Vec<u8> {
    file("Content-Type: audio/mpeg\r\n", MP3)
}

fn body(parts: &[Vec<u8>]) -> Vec<u8> {
    let parts = parts.iter().map(|part| [b"--b0\r\n", &part[..], b"\r\n"].concat());
    [parts.collect::<Vec<_>>().concat(), b"--b0--\r\n".to_vec()].concat()
}

fn refused(parts: &[Vec<u8>]) -> FormError {
    parse(&body(parts), "b0").unwrap_err()
}

/// The error of a form that has this part beside what every form needs.
fn refused_beside(part: &str) -> Option<FormError> {
    let parts = [field("model", "m"), sound(), part.as_bytes().to_vec()];
    parse(&body(&parts), "b0").err()
}

#[test]
fn reads_parts_in_any_order() {
    let parts = [
        sound(),
        field("prompt", "two\r\nlines ü"),
        field("model", "whisper"),
        field("include[]", "a"),
        field("include[]", "b"),
        field("stream", "true"),
        field("response_format", "json"),
        field("temperature", ""),
    ];
    for turn in 0..parts.len() {
        let mut turned = parts.clone();
        turned.rotate_left(turn);
        let body = body(&turned);
        let form = parse(&body, "b0").unwrap();
        assert_eq!(form.model.value, "whisper");
        assert_eq!(&body[form.model.span.clone()], b"whisper");
        assert!(form.stream);
        assert_eq!(form.response_format.as_ref().unwrap().value, "json");
        assert_eq!(&body[form.file.span.clone()], MP3);
        assert_eq!(form.file.filename, Some("a.mp3"));
        assert_eq!(form.file.content_type, Some("audio/mpeg"));
        assert_eq!(form.names().count(), 8);
        assert_eq!(form.texts().count(), 7);
        let prompt = form.texts().find(|part| part.name == "prompt").unwrap();
        assert_eq!(&body[prompt.span.clone()], "two\r\nlines ü".as_bytes());
        assert!(form.names().all(|name| FIELDS.contains(&name)));
    }
}

#[test]
fn the_model_is_renamed_by_its_span() {
    let body = body(&[sound(), field("model", "asked"), field("prompt", "asked")]);
    let form = parse(&body, "b0").unwrap();
    let edit = Edit { span: form.model.span, text: b"the engine's".to_vec() };
    let renamed = apply(&body, &[edit]).unwrap();
    let again = parse(&renamed, "b0").unwrap();
    assert_eq!(again.model.value, "the engine's");
    assert_eq!(&renamed[again.file.span], MP3);
    assert_eq!(again.parts.len(), 3);
}

#[test]
fn the_boundary_stands_where_it_must() {
    let good = body(&[field("model", "m"), sound()]);
    let text = |from: &str, to: &str| {
        let text: String = good.iter().map(|byte| char::from(*byte)).collect();
        text.replacen(from, to, 1).chars().map(|char| char as u8).collect::<Vec<_>>()
    };
    let cut = |bytes: usize| good[..good.len() - bytes].to_vec();
    assert!(parse(&good, "b0").is_ok());
    assert!(parse(&cut(2), "b0").is_ok(), "no end of line at the end");
    for (body, why) in [
        (Vec::new(), "nothing"),
        (b"--b0--\r\n".to_vec(), "no parts"),
        (cut(3), "half an end"),
        (cut(8), "no end"),
        ([b"\r\n", &good[..]].concat(), "an empty line before"),
        ([b"text\r\n", &good[..]].concat(), "text before"),
        ([&good[..], b"\r\n"].concat(), "an empty line behind"),
        ([&good[..], b"text"].concat(), "text behind"),
        ([&good[..], &good[..]].concat(), "another form behind"),
        (text("--almost", "--b0 almost"), "a boundary with text behind"),
        (text("--almost", "--b0x"), "a boundary that goes on"),
        (text("--almost", "--b0-"), "a boundary with half an end"),
        (text("--almost", "--b0 "), "a boundary with a space"),
        (text("\r\n--almost", "\n--b0\r\n"), "half an end of line before"),
        (text("\r\n--almost", "\r--b0\r\n"), "the other half"),
        (text("--almost", "--b0\n"), "half an end of line behind"),
        (text("--b0\r\n", "--b0 \r\n"), "a space behind the first"),
        (text("\r\n\r\nm\r\n", "\r\n\r\n"), "no value"),
    ] {
        assert!(parse(&body, "b0").is_err(), "{why}");
    }
    assert_eq!(parse(&good, "b1"), Err(FormError::Boundary));
    // In the middle of a line it is text.
    assert!(parse(&text("--almost", "a--b0\r\n"), "b0").is_ok());
}

#[test]
fn headers_are_plain() {
    use FormError::{Disposition, Encoding, Header, UnexpectedFile};
    let d = "Content-Disposition: form-data; name=\"a\"";
    for (part, expected) in [
        (format!("{d}\r\n\r\n"), None),
        (format!("{d}\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n"), None),
        (format!("{d}\r\nContent-Type: application/json\r\n\r\n"), None),
        (format!("{d}\r\nCONTENT-transfer-encoding:\tBinary \r\nContent-Length: 0\r\n\r\n"), None),
        ("content-disposition:form-data;name=a\r\n\r\n".to_owned(), None),
        ("\r\n".to_owned(), Some(Header)),
        ("\r\n\r\n".to_owned(), Some(Header)),
        ("Content-Type: text/plain\r\n\r\n".to_owned(), Some(Disposition)),
        (d.to_string(), Some(Header)),
        (format!("{d}\n\n"), Some(Header)),
        (format!("{d}\r\n{d}\r\n\r\n"), Some(Header)),
        (format!("{d};\r\n filename=\"b\"\r\n\r\n"), Some(Disposition)),
        (format!("{d}\r\n folded: yes\r\n\r\n"), Some(Header)),
        (format!("{d}\r\nX-Other: yes\r\n\r\n"), Some(Header)),
        (format!("{d}\r\nContent-Type : text/plain\r\n\r\n"), Some(Header)),
        (format!("{d}\r\nContent-Encoding: gzip\r\n\r\n"), Some(Header)),
        (format!("{d}\r\nno colon\r\n\r\n"), Some(Header)),
        (format!("{d}\0\r\n\r\n"), Some(Header)),
        (format!("{d}; filename=\"b\"\r\n\r\n"), Some(UnexpectedFile)),
        (format!("{d}; filename*=utf-8''b\r\n\r\n"), Some(Disposition)),
        (format!("{d}; name*=utf-8''b\r\n\r\n"), Some(Disposition)),
        (format!("{d}; name=\"b\"\r\n\r\n"), Some(Disposition)),
        (format!("{d}; other=\"b\"\r\n\r\n"), Some(Disposition)),
        (format!("{d};\r\n\r\n"), Some(Disposition)),
        (format!("{d} x\r\n\r\n"), Some(Disposition)),
        (format!("{d}x\r\n\r\n"), Some(Disposition)),
        ("Content-Disposition: form-data\r\n\r\n".to_owned(), Some(Disposition)),
        ("Content-Disposition: attachment; name=\"a\"\r\n\r\n".to_owned(), Some(Disposition)),
        ("Content-Disposition: form-data; name=\"\"\r\n\r\n".to_owned(), Some(Disposition)),
        ("Content-Disposition: form-data; name=\"a\\\"b\"\r\n\r\n".to_owned(), Some(Disposition)),
        ("Content-Disposition: form-data; name=\"a%22\"\r\n\r\n".to_owned(), Some(Disposition)),
        ("Content-Disposition: form-data; name=\"a b\"\r\n\r\n".to_owned(), Some(Disposition)),
        ("Content-Disposition: form-data; name='a'\r\n\r\n".to_owned(), Some(Disposition)),
        ("Content-Disposition: form-data; name=\"a\r\n\r\n".to_owned(), Some(Disposition)),
        ("Content-Disposition: form-data; name=\"ä\"\r\n\r\n".to_owned(), Some(Disposition)),
        (format!("{d}\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n"), Some(Encoding)),
        (
            format!("{d}\r\nContent-Type: text/plain; charset=utf-8; charset=utf-16\r\n\r\n"),
            Some(Encoding),
        ),
        (format!("{d}\r\nContent-Type: text/html\r\n\r\n"), Some(Encoding)),
        (format!("{d}\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"), Some(Encoding)),
        (format!("{d}\r\nContent-Type: text\r\n\r\n"), Some(Encoding)),
        (format!("{d}\r\nContent-Transfer-Encoding: base64\r\n\r\n"), Some(Encoding)),
        (format!("{d}\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"), Some(Encoding)),
        (
            "Content-Disposition: form-data; name=\"_charset_\"\r\n\r\nutf-7".to_owned(),
            Some(Encoding),
        ),
    ] {
        assert_eq!(refused_beside(&part), expected, "{part}");
    }
}

#[test]
fn names_of_files_are_text() {
    for (filename, expected) in [
        ("a b (1);x=y, ü.mp3", true),
        ("%22.mp3", true),
        ("../../etc/passwd", true),
        ("", false),
        ("a\\b", false),
        ("a\\\"b", false),
        ("a\tb", false),
    ] {
        let disposition =
            format!("Content-Disposition: form-data; filename=\"{filename}\"; name=\"file\"");
        let part = format!("{disposition}\r\n\r\nsound").into_bytes();
        let body = body(&[field("model", "m"), part]);
        let form = parse(&body, "b0");
        assert_eq!(form.is_ok(), expected, "{filename}");
        assert!(form.is_err() || form.unwrap().file.filename == Some(filename));
    }
    let latin = [&b"Content-Disposition: form-data; name=\"file\"; filename=\"\xfc\"\r\n\r\n"[..]];
    assert_eq!(refused(&[field("model", "m"), latin.concat()]), FormError::Header);
}

#[test]
fn fields_decide_once() {
    for name in ["model", "stream", "response_format", "language", "prompt", "temperature"] {
        let twice = [field("model", "m"), sound(), field(name, "true"), field(name, "true")];
        assert_eq!(refused(&twice), FormError::DuplicateField(Some(name)));
        assert_eq!(refused(&twice).param(), Some(name));
    }
    assert_eq!(
        refused(&[field("model", "m"), sound(), sound()]),
        FormError::DuplicateField(Some("file"))
    );
    let own = [field("model", "m"), sound(), field("own", ""), field("own", "")];
    assert_eq!(refused(&own), FormError::DuplicateField(None));
    let lists = [field("model", "m"), sound(), field("own[]", ""), field("own[]", "")];
    assert!(parse(&body(&lists), "b0").is_ok());
}

#[test]
fn refuses_fields_that_say_nothing() {
    let long = "m".repeat(MODEL_BYTES_MAX + 1);
    for (parts, expected) in [
        (vec![sound()], FormError::MissingModel),
        (vec![sound(), field("Model", "m")], FormError::MissingModel),
        (vec![sound(), field("model", "")], FormError::BadModel),
        (vec![sound(), field("model", &long)], FormError::BadModel),
        (vec![sound(), field("model", "a\r\nb")], FormError::BadModel),
        (vec![sound(), field("model", "m\0")], FormError::NotText),
        (vec![field("model", "m")], FormError::MissingFile),
        (vec![field("model", "m"), field("file", "x")], FormError::MissingFile),
        (vec![field("model", "m"), sound(), field("stream", "")], FormError::BadStream),
        (vec![field("model", "m"), sound(), field("stream", "yes")], FormError::BadStream),
        (
            vec![field("model", "m"), sound(), [&field("prompt", "")[..], b"\xff"].concat()],
            FormError::NotText,
        ),
    ] {
        assert_eq!(refused(&parts), expected);
        assert!(!refused(&parts).to_string().is_empty());
    }
}

#[test]
fn parts_and_their_headers_are_bounded() {
    let with = |count: usize| {
        let more = std::iter::repeat_n(field("include[]", ""), count - 2);
        body(&[field("model", "m"), sound()].into_iter().chain(more).collect::<Vec<_>>())
    };
    assert_eq!(parse(&with(PARTS_MAX), "b0").unwrap().parts.len(), PARTS_MAX);
    assert_eq!(parse(&with(PARTS_MAX + 1), "b0"), Err(FormError::TooManyParts));
    let header = |bytes: usize| {
        let start = "Content-Disposition: form-data; name=\"a\"\r\nContent-Length: ";
        format!("{start}{}\r\n\r\n", "0".repeat(bytes - start.len()))
    };
    assert_eq!(refused_beside(&header(PART_HEADER_BYTES_MAX)), None);
    assert_eq!(refused_beside(&header(PART_HEADER_BYTES_MAX + 1)), Some(FormError::Header));
}

#[test]
fn looks_at_sound() {
    let rules = |bytes_max| MediaConfig { bytes_max, ..MediaConfig::default() };
    let check = |parts: &[Vec<u8>], rules: &MediaConfig| {
        let body = body(parts);
        let checked = parse(&body, "b0").unwrap().check_media(&body, rules);
        checked.map_err(|error| (error.index, error.fault))
    };
    let model = field("model", "m");
    let speaker = |text: &str| vec![field("model", "m"), sound(), field(SPEAKERS, text)];
    let none = MediaConfig { kinds: vec![MediaKind::Image], ..rules(1000) };
    for (parts, rules, expected) in [
        (vec![model.clone(), sound()], rules(1000), Ok(())),
        (vec![model.clone(), sound()], none, Err((1, Fault::Kind))),
        (vec![sound(), model.clone()], rules(9), Err((0, Fault::Bytes(9)))),
        (vec![model.clone(), file("", MP3)], rules(1000), Ok(())),
        (
            vec![model.clone(), file("Content-Type: application/octet-stream\r\n", MP3)],
            rules(1000),
            Ok(()),
        ),
        (
            vec![model.clone(), file("Content-Type: audio/wav\r\n", MP3)],
            rules(1000),
            Err((1, Fault::Declared)),
        ),
        (
            vec![model.clone(), file("", b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm")],
            rules(1000),
            Ok(()),
        ),
        (
            vec![model.clone(), file("Content-Type: video/mp4\r\n", b"\0\0\0\x18ftypmp42")],
            rules(1000),
            Ok(()),
        ),
        (vec![model.clone(), file("", b"#EXTM3U\nfile:///")], rules(1000), Err((1, Fault::Type))),
        (vec![model.clone(), file("", b"\x89PNG\r\n\x1a\n")], rules(1000), Err((1, Fault::Type))),
        (vec![model.clone(), file("", b"")], rules(1000), Err((1, Fault::Type))),
        (speaker("data:audio/mpeg;base64,//uQRA=="), rules(1000), Ok(())),
        (speaker("data:audio/wav;base64,//uQRA=="), rules(1000), Err((2, Fault::Declared))),
        (speaker("http://169.254.169.254/"), rules(1000), Err((2, Fault::Host))),
        (speaker("a\"b"), rules(1000), Err((2, Fault::Base64))),
    ] {
        assert_eq!(check(&parts, &rules), expected);
    }
}

fn any_field() -> impl Strategy<Value = (String, String)> {
    let names = prop::sample::select(vec![
        "include[]",
        "timestamp_granularities[]",
        "known_speaker_names[]",
    ]);
    (names.prop_map(str::to_owned), "[^\0]{0,40}")
}

proptest! {
    #[test]
    fn forms_read_back(
        fields in prop::collection::vec(any_field(), 0..20),
        model in "[a-z/.-]{1,30}",
        bytes in any::<Vec<u8>>(),
        place in any::<prop::sample::Index>(),
        boundary in "[A-Za-z0-9]{16,70}",
    ) {
        let mut parts: Vec<Vec<u8>> =
            fields.iter().map(|(name, value)| field(name, value)).collect();
        parts.insert(place.index(parts.len() + 1), field("model", &model));
        parts.insert(place.index(parts.len() + 1), file("", &bytes));
        let text = parts.iter().map(|part| [b"--", boundary.as_bytes(), b"\r\n", part, b"\r\n"].concat());
        let body = [text.collect::<Vec<_>>().concat(), format!("--{boundary}--").into_bytes()].concat();
        let form = parse(&body, &boundary).unwrap();
        prop_assert_eq!(&form.model.value, &model);
        prop_assert_eq!(&body[form.file.span.clone()], &bytes);
        let read: Vec<_> = form
            .texts()
            .filter(|part| part.name != "model")
            .map(|part| (part.name.to_owned(), String::from_utf8_lossy(&body[part.span.clone()]).into_owned()))
            .collect();
        prop_assert_eq!(read, fields);
    }

    #[test]
    fn a_cut_form_is_no_form(cut in any::<prop::sample::Index>()) {
        let whole = body(&[sound(), field("model", "m"), field("prompt", "p")]);
        let end = cut.index(whole.len() - 2);
        prop_assert!(parse(&whole[..end], "b0").is_err());
    }

    #[test]
    fn garbage_within_does_not_panic(
        garbage in prop::collection::vec(prop::sample::select(b"\r\n-b0:;=\"\\\0 x\xff".to_vec()), 0..40),
        at in any::<prop::sample::Index>(),
    ) {
        let mut whole = body(&[sound(), field("model", "m"), field("prompt", "p")]);
        let at = at.index(whole.len());
        whole.splice(at..at, garbage);
        if let Ok(form) = parse(&whole, "b0") {
            prop_assert!(form.parts.iter().all(|part| whole.get(part.span.clone()).is_some()));
            let checked = form.check_media(&whole, &MediaConfig::default());
            prop_assert!(checked.is_ok() || checked.is_err_and(|error| error.index < form.parts.len()));
        }
    }
}
