//! Where the texts of an answer stand. Everything else is left alone.

use super::Field;

/// What a value is, before it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing to look at.
    Skip,
    /// The document, or the response in it.
    Document,
    /// The choices of an answer.
    Choices,
    /// A message, a part of it, an item of the output.
    Thing,
    /// A thing that comes in pieces, or a piece of text, of the kind that the
    /// document says.
    Delta,
    /// A text; an array of things with texts of this field.
    Text(Field),
    /// The calls of tools.
    Calls,
    /// The function of a call.
    Function,
    /// Every string below it is a text, and every name.
    Region(Field),
    /// An error: what it says, or an object that says it.
    Error,
    /// A message, or what an error of vLLM says.
    Message,
    /// What was ranked, each with its document.
    Results,
    /// A number or word that tells which text it is, or that it ends.
    Told(Told),
    /// What one more event like this must not say again.
    Once,
}

/// What a document tells of its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Kind,
    Index,
    OutputIndex,
    PartIndex,
    FinishReason,
}

impl Place {
    /// What a member of an object at this place is.
    pub(super) fn member(self, name: &str) -> Self {
        match self {
            Self::Document => Self::of_document(name),
            Self::Choices => Self::of_choice(name),
            Self::Thing | Self::Delta | Self::Message | Self::Text(_) => Self::of_thing(name),
            Self::Calls => match name {
                "index" => Self::Told(Told::Index),
                "id" => Self::Once,
                "function" | "custom" => Self::Function,
                _ => Self::Skip,
            },
            Self::Function => match name {
                "arguments" => Self::Text(Field::Arguments),
                "input" => Self::Text(Field::Text),
                "name" => Self::Once,
                _ => Self::Skip,
            },
            Self::Region(field) => Self::Region(field),
            Self::Error => match name {
                "message" => Self::Text(Field::Error),
                "detail" => Self::Region(Field::Error),
                _ => Self::Skip,
            },
            Self::Results => match name {
                "document" => Self::Region(Field::Value),
                _ => Self::Skip,
            },
            Self::Skip | Self::Told(_) | Self::Once => Self::Skip,
        }
    }

    fn of_document(name: &str) -> Self {
        match name {
            "choices" => Self::Choices,
            "delta" => Self::Delta,
            "type" => Self::Told(Told::Kind),
            "index" => Self::Told(Told::Index),
            "output_index" => Self::Told(Told::OutputIndex),
            "content_index" | "summary_index" => Self::Told(Told::PartIndex),
            "usage" | "timings" => Self::Once,
            "content" | "text" | "output" | "transcript" | "code" => Self::Text(Field::Text),
            "arguments" => Self::Text(Field::Arguments),
            "refusal" => Self::Text(Field::Refusal),
            "content_block" | "item" | "part" => Self::Thing,
            "message" => Self::Message,
            "response" => Self::Document,
            "error" => Self::Error,
            "detail" => Self::Region(Field::Error),
            "results" => Self::Results,
            // What was asked for, said again.
            "input" | "instructions" | "metadata" | "prompt" | "prompt_cache_key"
            | "safety_identifier" | "user" => Self::Region(Field::Value),
            _ => Self::Skip,
        }
    }

    fn of_choice(name: &str) -> Self {
        match name {
            "delta" => Self::Delta,
            "message" => Self::Thing,
            "text" => Self::Text(Field::Text),
            "index" => Self::Told(Told::Index),
            "finish_reason" => Self::Told(Told::FinishReason),
            "logprobs" | "stop_reason" | "token_ids" => Self::Once,
            _ => Self::Skip,
        }
    }

    fn of_thing(name: &str) -> Self {
        match name {
            "content" | "output" | "text" | "transcript" | "cited_text" => Self::Text(Field::Text),
            "reasoning" | "thinking" => Self::Text(Field::Reasoning),
            "reasoning_content" => Self::Text(Field::ReasoningContent),
            "summary" | "reasoning_details" => Self::Text(Field::Summary),
            "refusal" => Self::Text(Field::Refusal),
            "arguments" | "partial_json" => Self::Text(Field::Arguments),
            "input" => Self::Region(Field::Value),
            "tool_calls" => Self::Calls,
            "function_call" => Self::Function,
            "audio" | "citations" | "citation" => Self::Thing,
            _ => Self::Skip,
        }
    }

    /// Which field a text below this one is of, where `inherited` is this one's. What
    /// stands in the parts of a thought is thought.
    pub(super) fn field(self, inherited: Option<Field>) -> Option<Field> {
        match self {
            Self::Text(Field::Text) => Some(inherited.unwrap_or(Field::Text)),
            Self::Text(field) | Self::Region(field) => Some(field),
            _ => None,
        }
    }
}

/// Which text an event of responses (or of a transcription) has a piece of, by its
/// type. `None`: none that is text.
pub(super) fn piece_of(kind: &str) -> Option<Field> {
    let name = kind.strip_suffix(".delta")?;
    let name = name.rsplit('.').next().unwrap_or(name);
    Some(match name {
        "reasoning_summary_text" | "reasoning_summary" => Field::Summary,
        "reasoning_text" | "reasoning" => Field::Reasoning,
        "refusal" => Field::Refusal,
        name if name.ends_with("_arguments") => Field::Arguments,
        name if name.ends_with("transcript") => Field::Text,
        "output_text" | "text" | "custom_tool_call_input" | "code_interpreter_call_code" => {
            Field::Text
        }
        _ => return None,
    })
}

/// Which lanes an event ends, by its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    None,
    /// Those of the block or item that it names.
    Own,
    All,
}

impl Ends {
    pub(super) fn by(kind: &str) -> Self {
        match kind {
            "content_block_stop" => Self::Own,
            "content_block_start" | "message_delta" | "message_stop" | "error" => Self::All,
            "response.completed" | "response.failed" | "response.incomplete" => Self::All,
            "transcript.text.done" => Self::All,
            kind if kind.starts_with("response.") && kind.ends_with(".done") => Self::Own,
            _ => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_and_ends_are_told_by_the_type() {
        for (kind, field) in [
            ("response.output_text.delta", Some(Field::Text)),
            ("response.reasoning_text.delta", Some(Field::Reasoning)),
            ("response.reasoning_summary_text.delta", Some(Field::Summary)),
            ("response.refusal.delta", Some(Field::Refusal)),
            ("response.function_call_arguments.delta", Some(Field::Arguments)),
            ("response.mcp_call_arguments.delta", Some(Field::Arguments)),
            ("response.audio.transcript.delta", Some(Field::Text)),
            ("response.audio.delta", None),
            ("transcript.text.delta", Some(Field::Text)),
            ("response.output_text.done", None),
        ] {
            assert_eq!(piece_of(kind), field, "{kind}");
        }
        for (kind, ends) in [
            ("content_block_stop", Ends::Own),
            ("response.output_text.done", Ends::Own),
            ("response.completed", Ends::All),
            ("message_delta", Ends::All),
            ("content_block_delta", Ends::None),
            ("ping", Ends::None),
            ("", Ends::None),
        ] {
            assert_eq!(Ends::by(kind), ends, "{kind}");
        }
    }
}
