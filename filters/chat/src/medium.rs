//! Where a request carries a picture, sound, a film or a document, or tells the
//! engine where to fetch one.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use contract::policy::MediaKind;

use crate::json::Str;

/// What the place in the request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A medium of this kind.
    Medium(MediaKind),
    /// A file: its bytes tell which kind it is.
    File,
    /// A server that the engine would call: no medium at all.
    Service,
}

/// How the text of a medium is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form<'a> {
    /// A URL, which may be a `data:` one.
    Url,
    /// Base64, with the type that the request names beside it.
    Base64(Option<Declared<'a>>),
    /// A `data:` URL, or base64 alone.
    File,
}

/// A type that stands beside the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Declared<'a> {
    /// A media type (`image/png`).
    Type(Str<'a>),
    /// The name of a sound format (`wav`).
    Sound(Str<'a>),
}

/// A medium in a request, or a place to fetch one from. Nothing of it is copied
/// until somebody asks [`Medium::what`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Medium<'a> {
    /// What the place is for.
    pub place: Place,
    /// The string in the body, its quotes included, in bytes.
    pub span: Range<usize>,
    text: Str<'a>,
    form: Form<'a>,
}

/// What a medium's text says. Borrowed from the body where nothing is escaped. Its
/// `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub enum What<'a> {
    /// The bytes themselves.
    Data {
        /// The type that the request claims: of a `data:` URL without its
        /// parameters, `audio/` before the name of a sound format. Not checked.
        declared: Option<Cow<'a, str>>,
        /// What should be base64. Not checked.
        base64: Cow<'a, str>,
    },
    /// A `data:` URL in another encoding than base64, or without data.
    Unreadable,
    /// Anything else at a place of a URL, as it came: also `file:`, relative
    /// ones, `//host` and odd case.
    Url(Cow<'a, str>),
}

impl fmt::Debug for What<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data { base64, .. } => write!(f, "Data({} bytes)", base64.len()),
            Self::Unreadable => f.write_str("Unreadable"),
            Self::Url(url) => write!(f, "Url({} bytes)", url.len()),
        }
    }
}

impl<'a> Medium<'a> {
    /// A text at a place where engines expect a URL.
    #[must_use]
    pub fn url(place: Place, text: Str<'a>, span: Range<usize>) -> Self {
        Self { place, span, text, form: Form::Url }
    }

    /// A text at a place where engines expect base64; `declared` is the media
    /// type beside it.
    #[must_use]
    pub fn base64(
        place: Place,
        declared: Option<Str<'a>>,
        text: Str<'a>,
        span: Range<usize>,
    ) -> Self {
        Self { place, span, text, form: Form::Base64(declared.map(Declared::Type)) }
    }

    /// The same of sound, whose format is only named (`wav`).
    #[must_use]
    pub fn sound(format: Option<Str<'a>>, text: Str<'a>, span: Range<usize>) -> Self {
        let form = Form::Base64(format.map(Declared::Sound));
        Self { place: Place::Medium(MediaKind::Audio), span, text, form }
    }

    /// The bytes of a file: a `data:` URL, or base64 alone.
    #[must_use]
    pub fn file(text: Str<'a>, span: Range<usize>) -> Self {
        Self { place: Place::File, span, text, form: Form::File }
    }

    /// What the text says. One copy of it is made where it is escaped.
    #[must_use]
    pub fn what(&self) -> What<'a> {
        let text = self.text.unescaped();
        match self.form {
            Form::Url | Form::File if is_data_url(&text) => data_url(text),
            Form::File => What::Data { declared: None, base64: text },
            Form::Url => What::Url(text),
            Form::Base64(declared) => {
                What::Data { declared: declared.map(Declared::media_type), base64: text }
            }
        }
    }
}

impl<'a> Declared<'a> {
    fn media_type(self) -> Cow<'a, str> {
        match self {
            Self::Type(name) => name.unescaped(),
            Self::Sound(name) => Cow::Owned(format!("audio/{}", name.unescaped())),
        }
    }
}

/// Whether a text is a URL with its data in it (RFC 2397). Schemes know no case
/// (RFC 3986 §3.1).
fn is_data_url(text: &str) -> bool {
    text.as_bytes().get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"data:"))
}

/// `data:[type][;parameters];base64,data`.
fn data_url(text: Cow<'_, str>) -> What<'_> {
    let Some(comma) = text.find(',') else { return What::Unreadable };
    let Some(head) = text.get("data:".len()..comma) else { return What::Unreadable };
    let Some((types, encoding)) = head.rsplit_once(';') else { return What::Unreadable };
    if !encoding.eq_ignore_ascii_case("base64") {
        return What::Unreadable;
    }
    let end = "data:".len() + types.find(';').unwrap_or(types.len());
    let declared = part(&text, "data:".len()..end);
    What::Data { declared: declared.filter(|name| !name.is_empty()), base64: tail(text, comma + 1) }
}

/// A part of a text, borrowed from where the text is.
fn part<'a>(text: &Cow<'a, str>, span: Range<usize>) -> Option<Cow<'a, str>> {
    match text {
        Cow::Borrowed(text) => text.get(span).map(Cow::Borrowed),
        Cow::Owned(text) => text.get(span).map(|part| Cow::Owned(part.to_owned())),
    }
}

/// The end of a text; one of our own is shortened in place.
fn tail(text: Cow<'_, str>, start: usize) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(start..).unwrap_or_default()),
        Cow::Owned(mut text) => {
            text.drain(..start.min(text.len()));
            Cow::Owned(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: Place = Place::Medium(MediaKind::Image);

    /// The string that a whole JSON text is.
    fn text(json: &str) -> Str<'_> {
        Str::at(json, 0).unwrap()
    }

    fn url(json: &str) -> What<'_> {
        Medium::url(IMAGE, text(json), 0..json.len()).what()
    }

    fn data<'a>(declared: Option<&'a str>, base64: &'a str) -> What<'a> {
        What::Data { declared: declared.map(Cow::Borrowed), base64: Cow::Borrowed(base64) }
    }

    #[test]
    fn a_data_url_is_its_data() {
        for (json, expected) in [
            (r#""data:image/png;base64,iVBO""#, data(Some("image/png"), "iVBO")),
            (r#""DATA:image/png;BASE64,iVBO""#, data(Some("image/png"), "iVBO")),
            (r#""data:image/png;a=b;base64,iVBO""#, data(Some("image/png"), "iVBO")),
            (r#""data:;base64,iVBO""#, data(None, "iVBO")),
            (r#""data:;base64,""#, data(None, "")),
            (r#""data:image/png;base64,a,b""#, data(Some("image/png"), "a,b")),
            (r#""data:image\/png;base64,iV\/BO""#, data(Some("image/png"), "iV/BO")),
            (r#""d\u0061ta:image/png;base64,iVBO""#, data(Some("image/png"), "iVBO")),
            (r#""data:text/plain,hello""#, What::Unreadable),
            (r#""data:base64,iVBO""#, What::Unreadable),
            (r#""data:image/png;base64""#, What::Unreadable),
            (r#""data:image/png;base64 ,iVBO""#, What::Unreadable),
            (r#""data:""#, What::Unreadable),
        ] {
            assert_eq!(url(json), expected, "{json}");
        }
    }

    #[test]
    fn anything_else_is_a_url_as_it_came() {
        for said in [
            "https://example.com/a.png",
            "HTTPS://example.com/",
            "http:\\\\example.com",
            "//example.com/a.png",
            "file:///etc/passwd",
            "/etc/passwd",
            " data:image/png;base64,iVBO",
            "iVBORw0KGgo=",
            "data",
            "dáta:,",
            "",
        ] {
            let json = serde_json::to_string(said).unwrap();
            assert_eq!(url(&json), What::Url(Cow::Borrowed(said)), "{said}");
        }
    }

    #[test]
    fn borrows_where_nothing_is_escaped() {
        let What::Data { declared: Some(Cow::Borrowed(_)), base64: Cow::Borrowed(_) } =
            url(r#""data:image/png;base64,iVBO""#)
        else {
            panic!("copied");
        };
        assert!(matches!(url(r#""a""#), What::Url(Cow::Borrowed("a"))));
    }

    #[test]
    fn base64_has_the_type_beside_it() {
        let bytes = text(r#""iV\/BO""#);
        let of = |name| Medium::base64(IMAGE, name, bytes, 0..8).what();
        assert_eq!(of(None), data(None, "iV/BO"));
        assert_eq!(of(Some(text(r#""image\/png""#))), data(Some("image/png"), "iV/BO"));
        let sound = |name| Medium::sound(name, bytes, 0..8);
        assert_eq!(sound(Some(text(r#""wav""#))).what(), data(Some("audio/wav"), "iV/BO"));
        assert_eq!(sound(None).what(), data(None, "iV/BO"));
        assert_eq!(sound(None).place, Place::Medium(MediaKind::Audio));
    }

    #[test]
    fn a_file_is_base64_with_or_without_a_url() {
        for (json, expected) in [
            (r#""JVBERi0=""#, data(None, "JVBERi0=")),
            (r#""data:application/pdf;base64,JVBE""#, data(Some("application/pdf"), "JVBE")),
            (r#""data:application/pdf,JVBE""#, What::Unreadable),
            (r#""https://example.com/""#, data(None, "https://example.com/")),
        ] {
            assert_eq!(Medium::file(text(json), 0..json.len()).what(), expected, "{json}");
        }
    }
}
