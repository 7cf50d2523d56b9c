//! Pictures that a text names in Markdown.
//!
//! TGI looks for `![](ADDRESS)` in the prompt of models that see, and fetches what
//! stands there (its router, "validation"). So for TGI a text is a place of an address.

use crate::json::{Events, Token};
use memchr::memmem;

/// The mark of a picture without words, but for its first sign: that one may stand at the
/// end of another part.
const MARK: &[u8] = b"[](";

/// Whether some text of `body` has the mark of a picture that would be fetched. A mark
/// that is cut in its middle over two parts of a message is not found.
#[must_use]
pub fn names_pictures(body: &[u8]) -> bool {
    let Ok(events) = Events::of(body) else { return false };
    events.flatten().any(|event| match event.token {
        Token::String(text) => memmem::find(text.unescaped().as_bytes(), MARK).is_some(),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_pictures() {
        let table = [
            (r#"{"content":"![](http://engine.example/a.png)"}"#, true),
            (r#"{"content":[{"text":"a !"},{"text":"[](data:x)"}]}"#, true),
            (r#"{"content":"\u0021\u005b\u005d\u0028http://x)"}"#, true),
            (r#"{"content":"![a](http://x) and [words](http://x)"}"#, false),
            (r#"{"[](":1}"#, false),
            ("{", false),
        ];
        for (body, expected) in table {
            assert_eq!(names_pictures(body.as_bytes()), expected, "{body}");
        }
    }
}
