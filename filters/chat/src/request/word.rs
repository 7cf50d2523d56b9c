//! The names in a body that mean something to us.

use std::borrow::Cow;

use crate::json::Str;

/// A name of a member, as far as it decides anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Word {
    /// Any other name.
    #[default]
    Other,
    // What decides about the request.
    Model,
    Messages,
    Prompt,
    Input,
    Documents,
    Query,
    Stream,
    StreamOptions,
    IncludeUsage,
    ContinuousUsage,
    IncludeObfuscation,
    /// `user` of the body itself.
    User,
    N,
    BestOf,
    MaxTokens,
    MaxCompletionTokens,
    MaxOutputTokens,
    // Fields whose value decides whether they reach into what the engine keeps.
    Background,
    Container,
    Conversation,
    PreviousResponseId,
    ServiceTier,
    Store,
    // What engines only pass on: there is no medium inside.
    Metadata,
    Parameters,
    Schemas,
    Tools,
    Functions,
    // Media, and what stands beside them.
    Type,
    ImageUrl,
    VideoUrl,
    AudioUrl,
    FileUrl,
    ServerUrl,
    McpServers,
    Url,
    Path,
    Image,
    Video,
    Audio,
    InputAudio,
    File,
    FileData,
    Source,
    Data,
    MediaType,
    Format,
    /// The `$ref` of a JSON schema.
    Reference,
    /// What steers the engine wherever it stands.
    Steering(&'static str),
    /// What steers the engine where it stands in a message.
    SteeringInMessages(&'static str),
}

/// Longest name that means something, escaped: six bytes for each of some 22.
const RAW_BYTES_MAX: usize = 6 * 32;

impl Word {
    /// What the name of a member of the body itself means.
    pub(super) fn of_body(name: Str<'_>) -> Self {
        match Self::of(name) {
            Self::Other if name.unescaped_is("user") => Self::User,
            word => word,
        }
    }

    /// What a name means, to the letter.
    pub(super) fn of(name: Str<'_>) -> Self {
        if name.raw().len() > RAW_BYTES_MAX {
            return Self::Other;
        }
        if name.is_escaped() { Self::said(&name.unescaped()) } else { Self::said(name.raw()) }
    }

    fn said(name: &str) -> Self {
        Self::deciding(name)
            .or_else(|| Self::medium(name))
            .or_else(|| Self::steering(name))
            .unwrap_or_default()
    }

    fn deciding(name: &str) -> Option<Self> {
        Some(match name {
            "model" => Self::Model,
            "messages" => Self::Messages,
            "prompt" => Self::Prompt,
            "input" => Self::Input,
            "documents" => Self::Documents,
            "query" => Self::Query,
            "stream" => Self::Stream,
            "stream_options" => Self::StreamOptions,
            "include_usage" => Self::IncludeUsage,
            "continuous_usage_stats" => Self::ContinuousUsage,
            "include_obfuscation" => Self::IncludeObfuscation,
            "n" => Self::N,
            "best_of" => Self::BestOf,
            "max_tokens" => Self::MaxTokens,
            "max_completion_tokens" => Self::MaxCompletionTokens,
            "max_output_tokens" => Self::MaxOutputTokens,
            "background" => Self::Background,
            "container" => Self::Container,
            "conversation" => Self::Conversation,
            "previous_response_id" => Self::PreviousResponseId,
            "service_tier" => Self::ServiceTier,
            "store" => Self::Store,
            "metadata" => Self::Metadata,
            "parameters" | "input_schema" => Self::Parameters,
            "response_format" | "text" | "output_config" | "output_format" => Self::Schemas,
            "tools" => Self::Tools,
            "functions" => Self::Functions,
            _ => return None,
        })
    }

    fn medium(name: &str) -> Option<Self> {
        Some(match name {
            "type" => Self::Type,
            "image_url" => Self::ImageUrl,
            "video_url" => Self::VideoUrl,
            "audio_url" => Self::AudioUrl,
            "file_url" => Self::FileUrl,
            "server_url" => Self::ServerUrl,
            "mcp_servers" => Self::McpServers,
            "url" => Self::Url,
            "path" => Self::Path,
            "image" | "images" => Self::Image,
            "video" | "videos" => Self::Video,
            "audio" | "audios" => Self::Audio,
            "input_audio" => Self::InputAudio,
            "file" => Self::File,
            "file_data" => Self::FileData,
            "source" => Self::Source,
            "data" | "base64" => Self::Data,
            "media_type" => Self::MediaType,
            "format" => Self::Format,
            "$ref" => Self::Reference,
            _ => return None,
        })
    }

    fn steering(name: &str) -> Option<Self> {
        let found = |list: &[&'static str]| list.iter().find(|own| **own == name).copied();
        found(&STEERING)
            .map(Self::Steering)
            .or_else(|| found(&STEERING_IN_MESSAGES).map(Self::SteeringInMessages))
    }
}

/// A name as the most lenient of engines reads it: those in Go take `Image_URL` for
/// `image_url`.
pub(super) struct Folded<'a> {
    /// What it means to such an engine.
    pub(super) word: Word,
    /// The name that it counts as; the name itself where it means nothing.
    pub(super) said: Cow<'a, str>,
    /// Whether every engine reads it so: it is spelled as the APIs do.
    pub(super) is_spelled: bool,
}

impl<'a> Folded<'a> {
    pub(super) fn of(name: Str<'a>) -> Self {
        if name.raw().len() > RAW_BYTES_MAX {
            return Self { word: Word::Other, said: Cow::Borrowed(name.raw()), is_spelled: true };
        }
        let said = name.unescaped();
        let is_odd = |byte: u8| byte.is_ascii_uppercase() || !byte.is_ascii();
        if !said.bytes().any(is_odd) {
            return Self { word: Word::said(&said), said, is_spelled: true };
        }
        let folded = if said.is_ascii() {
            said.to_ascii_lowercase()
        } else {
            said.chars().map(fold).collect()
        };
        let is_spelled = *folded == *said;
        Self { word: Word::said(&folded), said: Cow::Owned(folded), is_spelled }
    }
}

/// A letter as readers compare it that know no case: the long s and the sign of the
/// Kelvin are letters of ASCII to them (Unicode, simple case folding).
fn fold(letter: char) -> char {
    match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    }
}

/// Members that steer the engine or reach into what it keeps, below the body's own.
///
/// Embeddings are tensors that engines unpickle or trust in their shape; files,
/// containers, connectors and stores belong to whoever runs the engine, so one
/// tenant could read another's.
pub(crate) const STEERING: [&str; 19] = [
    "audio_embeds",
    "comparison_response_id",
    "connector_id",
    "container_id",
    "continuation_id",
    "file_id",
    "file_ids",
    "image_embeds",
    "item_reference",
    "lora_path",
    "lora_request",
    "media_io_kwargs",
    "mm_processor_kwargs",
    "multimodal_data",
    "prewarm",
    "prompt_embeds",
    "skill_id",
    "vector_store_ids",
    "video_embeds",
];

/// The same of members that are common words elsewhere. `uuid` beside a picture is
/// the key of vLLM's cache of media: it would fetch what another tenant has sent
/// (vLLM, "Multimodal inputs: caching").
pub(crate) const STEERING_IN_MESSAGES: [&str; 1] = ["uuid"];

/// Names that an error may repeat, besides the fields of the APIs.
const KNOWN: [&str; 43] = [
    "$ref",
    "arguments",
    "audio",
    "audio_url",
    "audios",
    "base64",
    "content",
    "continuous_usage_stats",
    "data",
    "description",
    "detail",
    "file",
    "file_data",
    "file_url",
    "filename",
    "format",
    "function",
    "id",
    "image",
    "image_url",
    "images",
    "include_obfuscation",
    "include_usage",
    "input_audio",
    "input_schema",
    "mcp_servers",
    "media_type",
    "name",
    "parameters",
    "path",
    "properties",
    "refusal",
    "role",
    "server_url",
    "source",
    "text",
    "tool_calls",
    "type",
    "url",
    "uuid",
    "video",
    "video_url",
    "videos",
];

/// The name as the APIs spell it, if it is one of theirs in any spelling.
pub(super) fn known(name: Str<'_>) -> Option<&'static str> {
    let name = Folded::of(name).said;
    let own = KNOWN.iter().chain(&STEERING).find(|own| **own == name);
    own.copied().or_else(|| crate::fields::documented(&name))
}
