//! An answer that is an error by its status: kept back, and told again in one piece.

use crate::answer::AnswerScanner;
use crate::engine_error::{ERROR_BYTES_MAX, Retelling};
use crate::splice::Splice;
use contract::refusal::{Code, engine_error};

/// Keeps the body back until it is whole, or larger than is read. Where the engine's words
/// are not told anyway, nothing is kept.
pub(super) struct Refused {
    status: u16,
    retelling: Retelling,
    /// Counts what it used, if it says so.
    scanner: Option<AnswerScanner>,
    kept: Vec<u8>,
    /// How long the engine has said that it is.
    length: Option<usize>,
    is_told: bool,
}

impl Refused {
    pub(super) fn new(
        status: u16,
        length: Option<usize>,
        retelling: Retelling,
        scanner: Option<AnswerScanner>,
    ) -> Self {
        Self { status, retelling, scanner, kept: Vec::new(), length, is_told: false }
    }

    pub(super) fn scanner(&self) -> Option<&AnswerScanner> {
        self.scanner.as_ref()
    }

    pub(super) fn is_told(&self) -> bool {
        self.is_told
    }

    /// What leaves in the place of the next bytes: nothing, or all at once.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Vec<u8> {
        if let Some(scanner) = &mut self.scanner {
            scanner.push(0..chunk.len(), &mut Splice::new(chunk));
        }
        if self.is_told || chunk.is_empty() {
            return Vec::new();
        }
        if self.kept.len() <= ERROR_BYTES_MAX {
            self.kept.extend_from_slice(chunk);
        }
        if self.is_enough() { self.tell() } else { Vec::new() }
    }

    /// The engine has said all: what leaves last.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        if self.is_told { Vec::new() } else { self.tell() }
    }

    /// Whether more would change nothing. An answer may end with trailers, and nothing can
    /// be written then any more: so the end is not waited for where it can be known.
    fn is_enough(&self) -> bool {
        engine_error(self.status) != Code::InvalidRequest
            || self.kept.len() > ERROR_BYTES_MAX
            || self.length.is_some_and(|length| self.kept.len() >= length)
            || self.scanner.as_ref().is_some_and(AnswerScanner::closed)
    }

    fn tell(&mut self) -> Vec<u8> {
        self.is_told = true;
        let kept = std::mem::take(&mut self.kept);
        self.retelling.body(self.status, &kept).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use crate::engine_error::{ERROR_BYTES_MAX, Retelling};
    use crate::reply::Reader;
    use crate::strip::Strip;
    use contract::refusal::ErrorShape;

    fn refused(status: u16, media: &str, length: Option<usize>) -> Reader {
        let retelling = Retelling::new(ErrorShape::OpenAi, "chat", "own");
        Reader::for_answer(status, Some(media), None, "chat")
            .with_errors(status, length, retelling)
            .with_usage(Strip::Nothing)
    }

    /// What leaves in the place of each chunk, and at the end.
    fn leaves(mut reader: Reader, chunks: &[&str]) -> Vec<String> {
        assert!(reader.rewrites() && !reader.is_event_stream());
        let mut leaves: Vec<_> = chunks
            .iter()
            .map(|chunk| {
                String::from_utf8(reader.push(chunk.as_bytes()).replacement.unwrap()).unwrap()
            })
            .collect();
        leaves.push(String::from_utf8(reader.finish()).unwrap());
        assert!(reader.saw_done());
        leaves
    }

    fn message(body: &str) -> String {
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        body["error"]["message"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_body_is_told_once_it_is_whole() {
        let json = leaves(
            refused(400, "application/json", None),
            &["{\"error\":", "\"own words\"}", "\n"],
        );
        assert_eq!((json[0].as_str(), json[2].as_str(), json[3].as_str()), ("", "", ""));
        assert_eq!(message(&json[1]), "chat words");
        let told = leaves(refused(400, "text/plain", Some(9)), &["two ", "words", ""]);
        assert_eq!((told[0].as_str(), message(&told[1])), ("", "two words".to_owned()));
        let told = leaves(refused(422, "text/plain", None), &["two ", "words"]);
        assert_eq!((told[1].as_str(), message(&told[2])), ("", "two words".to_owned()));
        let none = leaves(refused(400, "text/plain", None), &[]);
        assert_eq!(message(&none[0]), "The inference server does not take this request.");
    }

    #[test]
    fn what_is_not_quoted_is_not_waited_for() {
        for media in ["application/json", "text/event-stream", "image/png"] {
            let told = leaves(refused(503, media, None), &["x", "y"]);
            assert_eq!(
                message(&told[0]),
                "No inference server can take this request at the moment."
            );
            assert_eq!((told[1].as_str(), told[2].as_str()), ("", ""));
        }
    }

    #[test]
    fn no_more_is_kept_than_is_read() {
        let chunk = "x".repeat(ERROR_BYTES_MAX / 2 + 1);
        let told = leaves(refused(400, "text/plain", None), &[&chunk, &chunk, &chunk]);
        assert_eq!(message(&told[1]), "The inference server does not take this request.");
        assert_eq!((told[0].as_str(), told[2].as_str()), ("", ""));
    }

    #[test]
    fn what_an_engine_has_counted_counts() {
        let mut reader = refused(500, "application/json", None);
        reader.push(br#"{"error":"x","usage":{"prompt_tokens":3}}"#);
        assert_eq!(reader.usage().unwrap().input, 3);
    }
}
