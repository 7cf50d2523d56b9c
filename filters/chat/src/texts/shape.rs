//! What is no text, by where it stands. Everything else that is a string is one.
//!
//! An exception holds for the name exactly as the APIs spell it, without escapes:
//! engines that read `Content` for `content` are given nothing that was not looked
//! at. Reasons are beside the lists.

use crate::path::Api;

/// What a value is, before it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// No text, and nothing below it.
    Skip,
    /// A string is a text; an object or an array is looked at as one JSON text.
    Text,
    /// A text, an object of an API with members of its own, or an array of those.
    Things,
    /// The same; the texts of one array are parts of one text.
    Content,
    /// What is ranked, or told to the model beside the prompt.
    Documents,
    /// The calls of tools that a model has made.
    Calls,
    /// The function of such a call.
    Function,
    /// A picture, sound, film or document, or where it is.
    Media,
    /// The source of a medium or of a document, as messages have it.
    Source,
    /// What kind of source it is.
    SourceKind,
    /// The data of a source, text or not.
    SourceData,
    /// The template of a prompt, with its variables.
    Template,
    /// The variables of such a template.
    Variables,
    /// The body of chat.
    Chat,
    /// The body of responses.
    Responses,
    /// The body of messages.
    Messages,
    /// The body of any other API.
    Body,
}

/// Ids, names and roles: what engines and clients find each other's things by. A
/// placeholder there would part a call from its result.
const NAMED: [&str; 20] = [
    "agent_name",
    "approval_request_id",
    "call_id",
    "file_id",
    "id",
    "index",
    "item_id",
    "model",
    "name",
    "namespace",
    "phase",
    "role",
    "server_label",
    "server_name",
    "status",
    "tool_call_id",
    "tool_name",
    "tool_use_id",
    "type",
    "uuid",
];

/// What a service has signed or encrypted for itself, definitions of tools, and words
/// that steer the service.
const SERVICE: [&str; 8] = [
    "cache_control",
    "detail",
    "encrypted_content",
    "format",
    "media_type",
    "signature",
    "thought_signature",
    "tools",
];

/// Members of the body of every API that are no text: service words, definitions and
/// schemas (with their enums), ids, and what the engine calls other services with.
/// `user`, `safety_identifier`, `prompt_cache_key` and `metadata` are not among them.
const BODY: [&str; 45] = [
    "audio",
    "background",
    "cache_control",
    "cache_salt",
    "container",
    "context_management",
    "conversation",
    "ebnf",
    "encoding_format",
    "function_call",
    "functions",
    "grammar",
    "guided_choice",
    "guided_grammar",
    "guided_json",
    "guided_regex",
    "include",
    "inference_geo",
    "json_schema",
    "logit_bias",
    "mcp_servers",
    "modalities",
    "model",
    "moderation",
    "output_config",
    "output_format",
    "previous_response_id",
    "prompt_cache_options",
    "prompt_cache_retention",
    "rank_fields",
    "reasoning_effort",
    "regex",
    "response_format",
    "service_tier",
    "speed",
    "store",
    "stream",
    "stream_options",
    "structural_tag",
    "structured_outputs",
    "thinking",
    "tool_choice",
    "tools",
    "truncation",
    "verbosity",
];

impl Place {
    /// What the body of an API is.
    pub(super) fn body(api: &Api<'_>) -> Self {
        match api {
            Api::Chat => Self::Chat,
            Api::Responses => Self::Responses,
            Api::Messages => Self::Messages,
            _ => Self::Body,
        }
    }

    /// What a member of an object at this place is; `name` as it stands in the body,
    /// escapes and all.
    pub(super) fn member(self, name: &str) -> Self {
        match self {
            Self::Skip => Self::Skip,
            Self::Chat | Self::Responses | Self::Messages | Self::Body => self.of_body(name),
            Self::Things | Self::Content => Self::of_thing(name),
            Self::Documents => Self::of_document(name),
            Self::Calls => match name {
                "function" | "custom" => Self::Function,
                _ => Self::unless_named(name),
            },
            Self::Function => Self::unless_named(name),
            Self::Media => Self::of_medium(name),
            Self::Source => Self::of_source(name),
            Self::Template => match name {
                "id" | "version" => Self::Skip,
                "variables" => Self::Variables,
                _ => Self::Text,
            },
            Self::Variables => Self::Things,
            Self::Text | Self::SourceKind | Self::SourceData => Self::Text,
        }
    }

    /// What an item of an array at this place is.
    pub(super) fn item(self) -> Self {
        match self {
            Self::Source | Self::Template | Self::Content => Self::Things,
            other => other,
        }
    }

    /// Whether an object or array here is looked at as one text.
    pub(super) fn is_region(self, is_object: bool) -> bool {
        match self {
            Self::Text | Self::SourceKind | Self::SourceData => true,
            Self::Variables | Self::Function => !is_object,
            _ => false,
        }
    }

    fn of_body(self, name: &str) -> Self {
        match (self, name) {
            (Self::Responses, "text" | "reasoning") => Self::Skip,
            (Self::Responses, "prompt") => Self::Template,
            (_, "messages" | "input" | "prompt" | "query" | "prediction") => Self::Things,
            (_, "stop" | "stop_sequences") => Self::Things,
            (_, "system" | "instructions") => Self::Content,
            (_, "documents") => Self::Documents,
            (_, name) if BODY.binary_search(&name).is_ok() => Self::Skip,
            _ => Self::Text,
        }
    }

    fn of_thing(name: &str) -> Self {
        match name {
            "content" | "output" | "summary" => Self::Content,
            "reasoning_details" => Self::Things,
            "tool_calls" => Self::Calls,
            "function_call" => Self::Function,
            "source" => Self::Source,
            "data" => Self::Media,
            _ if is_medium(name) => Self::Media,
            _ if SERVICE.binary_search(&name).is_ok() => Self::Skip,
            _ => Self::unless_named(name),
        }
    }

    /// Documents are told to the model with their names, so those are texts.
    fn of_document(name: &str) -> Self {
        match name {
            "id" => Self::Skip,
            "content" => Self::Content,
            _ if is_medium(name) => Self::Media,
            _ => Self::Text,
        }
    }

    fn of_medium(name: &str) -> Self {
        match name {
            "url" | "data" | "base64" | "file_data" | "path" => Self::Media,
            _ if is_medium(name) => Self::Media,
            _ if SERVICE.binary_search(&name).is_ok() => Self::Skip,
            _ => Self::unless_named(name),
        }
    }

    fn of_source(name: &str) -> Self {
        match name {
            "type" => Self::SourceKind,
            "data" => Self::SourceData,
            "url" => Self::Media,
            "media_type" | "file_id" => Self::Skip,
            "content" => Self::Content,
            _ => Self::Text,
        }
    }

    fn unless_named(name: &str) -> Self {
        if NAMED.binary_search(&name).is_ok() { Self::Skip } else { Self::Text }
    }
}

fn is_medium(name: &str) -> bool {
    matches!(
        name,
        "image_url"
            | "video_url"
            | "audio_url"
            | "file_url"
            | "input_audio"
            | "image"
            | "images"
            | "video"
            | "videos"
            | "audio"
            | "audios"
            | "file"
            | "file_data"
    )
}

/// How much of a string tells base64 from text, in bytes; a shorter one is a text.
const BASE64_BYTES: usize = 64;

/// Whether a string at the place of a medium is one, by its beginning: a URL, or
/// base64 (RFC 4648 §4; its slashes may be escaped). Anything else is a text.
pub(super) fn says_medium(raw: &str) -> bool {
    let has_scheme = |scheme: &str| {
        raw.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    if ["data:", "http://", "https://", "http:\\/\\/", "https:\\/\\/"].into_iter().any(has_scheme) {
        return true;
    }
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'\\');
    raw.as_bytes().get(..BASE64_BYTES).is_some_and(|start| start.iter().all(is_base64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_in_order() {
        assert!(NAMED.is_sorted() && SERVICE.is_sorted() && BODY.is_sorted());
    }

    #[test]
    fn a_medium_is_told_by_its_beginning() {
        let base64 = "iVBORw0KGgo".repeat(9);
        for raw in ["data:,", "DATA:image/png;base64,x", "https://a.test/", "http:\\/\\/a", &base64]
        {
            assert!(says_medium(raw), "{raw}");
        }
        for raw in ["", "01012345678", "a".repeat(63).as_str(), &format!("a {base64}"), "홍길동"]
        {
            assert!(!says_medium(raw), "{raw}");
        }
    }
}
