//! What is no text, by where it stands, and only as far as it is what such a place
//! holds. Everything else that is a string is one.
//!
//! An exception holds for the name exactly as the APIs spell it, without escapes:
//! engines that read `Content` for `content` are given nothing that was not looked
//! at. Reasons are beside the lists.

use super::plain::{is_data, is_signature, is_word};
use crate::json::Str;
use crate::path::Api;

/// What a value is, before it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// No text, and nothing below it.
    Skip,
    /// The same where it is an object or an array; a string is a word.
    Definition,
    /// A plain word, or an array of those. Any other string is a text, and an object is
    /// looked at as one JSON text.
    Word,
    /// The same, of base64 of any length.
    Signature,
    /// A number; anything else is looked at like a text.
    Number,
    /// An object of words that steer a service.
    Settings,
    /// The same, with a schema in it.
    Formats,
    /// A string is a text; an object or an array is looked at as one JSON text.
    Text,
    /// A text, an object of an API with members of its own, or an array of those.
    Things,
    /// The same; numbers in arrays are tokens.
    Prompt,
    /// The same as things; the texts of one array are parts of one text.
    Content,
    /// What is ranked, or told to the model beside the prompt.
    Documents,
    /// The calls of tools that a model has made.
    Calls,
    /// The function of such a call.
    Function,
    /// A picture, sound, film or document, or where it is.
    Media,
    /// The data of a medium or of what a service has encrypted: base64, or a text.
    Data,
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

/// Ids, names and roles, as plain words: what engines and clients find each other's
/// things by. A placeholder there would part a call from its result.
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

/// Words that steer the service.
const SERVICE: [&str; 3] = ["detail", "format", "media_type"];

/// What a service has signed or encrypted for itself.
const SIGNED: [&str; 3] = ["encrypted_content", "signature", "thought_signature"];

/// Members of the body of every API that are definitions and schemas (with their
/// enums), what the engine calls other services with, or read and written by the gate
/// itself.
const DEFINITIONS: [&str; 21] = [
    "cache_salt",
    "ebnf",
    "function_call",
    "functions",
    "grammar",
    "guided_choice",
    "guided_grammar",
    "guided_json",
    "guided_regex",
    "json_schema",
    "logit_bias",
    "mcp_servers",
    "model",
    "output_format",
    "regex",
    "response_format",
    "stream_options",
    "structural_tag",
    "structured_outputs",
    "tool_choice",
    "tools",
];

/// Words and ids there. `user`, `safety_identifier`, `prompt_cache_key` and `metadata`
/// are not among them.
const BODY_WORDS: [&str; 16] = [
    "background",
    "encoding_format",
    "include",
    "inference_geo",
    "modalities",
    "moderation",
    "previous_response_id",
    "prompt_cache_retention",
    "rank_fields",
    "reasoning_effort",
    "service_tier",
    "speed",
    "store",
    "stream",
    "truncation",
    "verbosity",
];

/// Objects of words there.
const BODY_SETTINGS: [&str; 6] = [
    "audio",
    "cache_control",
    "container",
    "context_management",
    "conversation",
    "prompt_cache_options",
];

/// Numbers there.
const BODY_NUMBERS: [&str; 24] = [
    "best_of",
    "dimensions",
    "frequency_penalty",
    "length_penalty",
    "logprobs",
    "max_chunks_per_doc",
    "max_completion_tokens",
    "max_output_tokens",
    "max_tokens",
    "max_tokens_per_doc",
    "max_tool_calls",
    "min_p",
    "min_tokens",
    "n",
    "presence_penalty",
    "priority",
    "prompt_logprobs",
    "repetition_penalty",
    "seed",
    "temperature",
    "top_k",
    "top_logprobs",
    "top_n",
    "top_p",
];

/// The words of settings.
const SETTINGS: [&str; 9] =
    ["display", "effort", "generate_summary", "id", "summary", "ttl", "type", "verbosity", "voice"];

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
            Self::Skip | Self::Definition => Self::Skip,
            Self::Chat | Self::Responses | Self::Messages | Self::Body => self.of_body(name),
            Self::Things | Self::Prompt | Self::Content => Self::of_thing(name),
            Self::Documents => Self::of_document(name),
            Self::Calls => match name {
                "function" | "custom" => Self::Function,
                _ => Self::unless_named(name),
            },
            Self::Function => Self::unless_named(name),
            Self::Media | Self::Data => Self::of_medium(name),
            Self::Source => Self::of_source(name),
            Self::Settings | Self::Formats => self.of_settings(name),
            Self::Template => match name {
                "id" | "version" => Self::Word,
                "variables" => Self::Variables,
                _ => Self::Text,
            },
            Self::Variables => Self::Things,
            Self::Text | Self::Word | Self::Signature | Self::Number => Self::Text,
            Self::SourceKind | Self::SourceData => Self::Text,
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
            Self::Signature | Self::Number => true,
            Self::Word => is_object,
            Self::Variables | Self::Function => !is_object,
            _ => false,
        }
    }

    /// Whether a string here is no text. What the shape does not know is one.
    pub(super) fn is_known(self, text: Str<'_>) -> bool {
        match self {
            Self::Skip => true,
            Self::Definition | Self::Word | Self::SourceKind => is_word(text),
            Self::Settings | Self::Formats => is_word(text),
            Self::Signature => is_signature(text),
            Self::Media => says_medium(text.raw()),
            Self::Data => is_data(text),
            _ => false,
        }
    }

    /// Whether a number here, in an array or not, is no text whatever it is.
    pub(super) fn is_number(self, in_array: bool) -> bool {
        match self {
            Self::Skip | Self::Definition | Self::Word | Self::Number => true,
            Self::Prompt => in_array,
            _ => false,
        }
    }

    fn of_body(self, name: &str) -> Self {
        match (self, name) {
            (Self::Responses, "text") | (_, "output_config") => Self::Formats,
            (Self::Responses, "reasoning") | (_, "thinking") => Self::Settings,
            (Self::Responses, "prompt") => Self::Template,
            (_, "input" | "prompt") => Self::Prompt,
            (_, "messages" | "query" | "prediction") => Self::Things,
            (_, "stop" | "stop_sequences") => Self::Things,
            (_, "system" | "instructions") => Self::Content,
            (_, "documents") => Self::Documents,
            (_, name) if has(&DEFINITIONS, name) => Self::Skip,
            (_, name) if has(&BODY_WORDS, name) => Self::Word,
            (_, name) if has(&BODY_SETTINGS, name) => Self::Settings,
            (_, name) if has(&BODY_NUMBERS, name) => Self::Number,
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
            "data" => Self::Data,
            // Lists of tools that a service has given.
            "tools" => Self::Definition,
            _ if is_medium(name) => Self::Media,
            _ => Self::unless_service(name),
        }
    }

    /// Documents are told to the model with their names, so those are texts.
    fn of_document(name: &str) -> Self {
        match name {
            "id" => Self::Word,
            "content" => Self::Content,
            _ if is_medium(name) => Self::Media,
            _ => Self::Text,
        }
    }

    fn of_settings(self, name: &str) -> Self {
        match name {
            "format" if self == Self::Formats => Self::Definition,
            "format" => Self::Word,
            "edits" | "keep" | "trigger" | "clear_at_least" | "skills" => Self::Settings,
            _ if has(&SETTINGS, name) => Self::Word,
            _ => Self::Text,
        }
    }

    fn of_medium(name: &str) -> Self {
        match name {
            "url" | "data" | "base64" | "file_data" | "path" => Self::Media,
            _ if is_medium(name) => Self::Media,
            _ => Self::unless_service(name),
        }
    }

    fn of_source(name: &str) -> Self {
        match name {
            "type" => Self::SourceKind,
            "data" => Self::SourceData,
            "url" => Self::Media,
            "media_type" | "file_id" => Self::Word,
            "content" => Self::Content,
            _ => Self::Text,
        }
    }

    fn unless_service(name: &str) -> Self {
        match name {
            "cache_control" => Self::Settings,
            _ if has(&SERVICE, name) => Self::Word,
            _ if has(&SIGNED, name) => Self::Signature,
            _ => Self::unless_named(name),
        }
    }

    fn unless_named(name: &str) -> Self {
        if has(&NAMED, name) { Self::Word } else { Self::Text }
    }
}

fn has(names: &[&str], name: &str) -> bool {
    names.binary_search(&name).is_ok()
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
fn says_medium(raw: &str) -> bool {
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
        for list in [&NAMED[..], &SERVICE, &SIGNED, &DEFINITIONS, &BODY_WORDS] {
            assert!(list.is_sorted(), "{list:?}");
        }
        for list in [&BODY_SETTINGS[..], &BODY_NUMBERS, &SETTINGS] {
            assert!(list.is_sorted(), "{list:?}");
        }
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
