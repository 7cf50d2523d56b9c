//! The paths of the client's side.

use contract::refusal::ErrorShape;
use std::borrow::Cow;

/// A path that the gateway serves. The name of a model is percent-decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Api<'a> {
    /// `/v1/chat/completions`
    Chat,
    /// `/v1/completions`
    Completions,
    /// `/v1/embeddings`
    Embeddings,
    /// `/v1/responses`
    Responses,
    /// `/v1/messages`
    Messages,
    /// `/v1/rerank`
    Rerank,
    /// `/v1/audio/transcriptions`
    Transcriptions,
    /// `/v1/models`
    Models,
    /// `/v1/models/{id}`; an id may have slashes of its own.
    Model(Cow<'a, str>),
}

/// In whose words errors are told on a path without its query, also on one that
/// does not exist.
#[must_use]
pub fn error_shape(path: &str) -> ErrorShape {
    let below = path.strip_prefix("/v1/messages");
    if below.is_some_and(|below| below.is_empty() || below.starts_with('/')) {
        return ErrorShape::Anthropic;
    }
    ErrorShape::OpenAi
}

impl<'a> Api<'a> {
    /// The API at a path without its query; `None`: there is none. Paths are
    /// compared as they are: no other spelling leads to an API.
    #[must_use]
    pub fn of(path: &'a str) -> Option<Self> {
        Some(match path {
            "/v1/chat/completions" => Self::Chat,
            "/v1/completions" => Self::Completions,
            "/v1/embeddings" => Self::Embeddings,
            "/v1/responses" => Self::Responses,
            "/v1/messages" => Self::Messages,
            "/v1/rerank" => Self::Rerank,
            "/v1/audio/transcriptions" => Self::Transcriptions,
            "/v1/models" => Self::Models,
            other => Self::Model(decoded(other.strip_prefix("/v1/models/")?)?),
        })
    }

    /// The path as records name it.
    #[must_use]
    pub fn path(&self) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Completions => "/v1/completions",
            Self::Embeddings => "/v1/embeddings",
            Self::Responses => "/v1/responses",
            Self::Messages => "/v1/messages",
            Self::Rerank => "/v1/rerank",
            Self::Transcriptions => "/v1/audio/transcriptions",
            Self::Models => "/v1/models",
            Self::Model(_) => "/v1/models/{id}",
        }
    }

    /// The methods that it takes, for the check and for `allow`.
    #[must_use]
    pub fn methods(&self) -> &'static [&'static str] {
        if self.is_list() { &["GET"] } else { &["POST"] }
    }

    /// Whether it is answered out of the configuration, by no engine.
    #[must_use]
    pub fn is_list(&self) -> bool {
        matches!(self, Self::Models | Self::Model(_))
    }

    /// Whether its request body is JSON; a transcription's is a form.
    #[must_use]
    pub fn takes_json(&self) -> bool {
        !self.is_list() && !matches!(self, Self::Transcriptions)
    }

    /// Whether a stream of it takes `stream_options.include_usage`.
    #[must_use]
    pub fn has_stream_options(&self) -> bool {
        matches!(self, Self::Chat | Self::Completions)
    }
}

/// Percent-decoding (RFC 3986 §2.1); `None` when something is missing, is not
/// hexadecimal or not UTF-8.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if text.is_empty() {
        return None;
    }
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(if byte == b'%' {
            digit(bytes.next()?)? * 16 + digit(bytes.next()?)?
        } else {
            byte
        });
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

fn digit(byte: u8) -> Option<u8> {
    u8::try_from(char::from(byte).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_its_own_name() {
        for path in [
            "/v1/chat/completions",
            "/v1/completions",
            "/v1/embeddings",
            "/v1/responses",
            "/v1/messages",
            "/v1/rerank",
            "/v1/audio/transcriptions",
            "/v1/models",
        ] {
            assert_eq!(Api::of(path).unwrap().path(), path);
        }
    }

    #[test]
    fn a_model_is_named_by_the_rest_of_the_path() {
        for (path, name) in [
            ("/v1/models/llama", Some("llama")),
            ("/v1/models/org/llama", Some("org/llama")),
            ("/v1/models/org%2Fllama%2f%EA%B0%80", Some("org/llama/가")),
            ("/v1/models/", None),
            ("/v1/models/%", None),
            ("/v1/models/%4", None),
            ("/v1/models/%+1", None),
            ("/v1/models/%FF", None),
        ] {
            assert_eq!(Api::of(path), name.map(|name| Api::Model(name.into())), "{path}");
        }
    }

    #[test]
    fn no_other_spelling_leads_to_an_api() {
        for path in [
            "",
            "/",
            "/v1",
            "/v1/",
            "/v1/Chat/completions",
            "/v1/chat/completions/",
            "//v1/chat/completions",
            "/v1/%63hat/completions",
            "/v1/chat/completions?x=1",
            "/v1/messages/count_tokens",
            "/v1/modelsx",
        ] {
            assert_eq!(Api::of(path), None, "{path}");
        }
    }

    #[test]
    fn methods_bodies_and_shapes() {
        assert_eq!(Api::Models.methods(), ["GET"]);
        assert_eq!(Api::Model("x".into()).methods(), ["GET"]);
        assert_eq!(Api::Transcriptions.methods(), ["POST"]);
        assert!(!Api::Transcriptions.takes_json() && !Api::Models.takes_json());
        assert!(Api::Rerank.takes_json() && !Api::Rerank.has_stream_options());
        assert!(Api::Completions.has_stream_options());
    }

    #[test]
    fn unknown_paths_have_a_shape_too() {
        for (path, shape) in [
            ("/v1/messages", ErrorShape::Anthropic),
            ("/v1/messages/count_tokens", ErrorShape::Anthropic),
            ("/v1/messagesx", ErrorShape::OpenAi),
            ("/v1/chat/completions", ErrorShape::OpenAi),
            ("/nothing", ErrorShape::OpenAi),
        ] {
            assert_eq!(error_shape(path), shape, "{path}");
        }
    }
}
