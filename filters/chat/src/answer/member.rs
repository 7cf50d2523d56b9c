//! The members of an answer that matter, by where they stand.

/// An object or an array that is looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The answer itself, or the data of one event.
    Document,
    /// `response` and `message` of the document.
    Envelope,
    /// `meta` of a reranker's answer.
    Meta,
    /// `incomplete_details` of a response.
    Incomplete,
    /// `choices` of chat and completions, and one of them.
    Choices,
    Choice,
    /// `delta` or `message` of a choice.
    Delta,
    ToolCalls,
    ToolCall,
    /// What is called, with its arguments.
    Function,
    /// `delta` of a message's event.
    EventDelta,
    /// Parts of a message's content, items of a response's output; and one of them.
    Blocks,
    Block,
}

impl Scope {
    pub(super) fn is_array(self) -> bool {
        matches!(self, Self::Choices | Self::ToolCalls | Self::Blocks)
    }

    /// What the objects in an array are.
    pub(super) fn item(self) -> Self {
        match self {
            Self::Choices => Self::Choice,
            Self::ToolCalls => Self::ToolCall,
            _ => Self::Block,
        }
    }
}

/// What the value of a member means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Model,
    Usage,
    Error,
    /// `message` of the document itself: an object of messages, a text of errors.
    Message,
    /// `type` and `object` of the document itself.
    Kind,
    /// Is looked into.
    Inside(Scope),
    /// Generated text.
    Text,
    /// Generated text, or parts of it.
    TextOr(Scope),
    /// Generated text that some engines write under two names at once.
    Reasoning,
    /// Generated text, or an object that was generated.
    Arguments,
    /// Why an answer, or a choice, has ended.
    Finish,
    /// The number of a choice.
    Index,
    /// The number of an event.
    Sequence,
    /// Seconds of sound.
    Duration,
    /// The id of a response.
    Id,
    Other,
}

impl Member {
    /// What a name means. In an event `text`, `content` and `output` say again what
    /// was delivered before it.
    pub(super) fn of(name: &[u8], scope: Scope, is_event: bool) -> Self {
        match scope {
            Scope::Document => Self::of_document(name, is_event),
            Scope::Envelope => Self::of_envelope(name),
            Scope::Meta => Self::of_meta(name),
            Scope::Incomplete => Self::of_incomplete(name),
            Scope::Choice => Self::of_choice(name),
            Scope::Delta => Self::of_delta(name),
            Scope::ToolCall => Self::of_tool_call(name),
            Scope::Function => Self::of_function(name),
            Scope::EventDelta => Self::of_event_delta(name),
            Scope::Block => Self::of_block(name),
            Scope::Choices | Scope::ToolCalls | Scope::Blocks => Self::Other,
        }
    }

    fn of_document(name: &[u8], is_event: bool) -> Self {
        match name {
            b"model" => Self::Model,
            b"usage" => Self::Usage,
            b"error" => Self::Error,
            b"type" | b"object" => Self::Kind,
            b"choices" => Self::Inside(Scope::Choices),
            b"response" => Self::Inside(Scope::Envelope),
            b"message" => Self::Message,
            b"delta" => Self::TextOr(Scope::EventDelta),
            b"content_block" => Self::Inside(Scope::Block),
            b"sequence_number" => Self::Sequence,
            b"incomplete_details" => Self::Inside(Scope::Incomplete),
            b"stop_reason" => Self::Finish,
            b"text" if !is_event => Self::Text,
            b"content" | b"output" if !is_event => Self::TextOr(Scope::Blocks),
            b"duration" if !is_event => Self::Duration,
            b"meta" if !is_event => Self::Inside(Scope::Meta),
            _ => Self::Other,
        }
    }

    fn of_envelope(name: &[u8]) -> Self {
        match name {
            b"model" => Self::Model,
            b"usage" => Self::Usage,
            b"error" => Self::Error,
            b"id" => Self::Id,
            b"incomplete_details" => Self::Inside(Scope::Incomplete),
            _ => Self::Other,
        }
    }

    /// Cohere's rerankers count in `meta.billed_units` and `meta.tokens`.
    fn of_meta(name: &[u8]) -> Self {
        match name {
            b"billed_units" | b"tokens" => Self::Usage,
            _ => Self::Other,
        }
    }

    fn of_incomplete(name: &[u8]) -> Self {
        if name == b"reason" { Self::Finish } else { Self::Other }
    }

    fn of_choice(name: &[u8]) -> Self {
        match name {
            b"index" => Self::Index,
            b"text" => Self::Text,
            b"delta" | b"message" => Self::Inside(Scope::Delta),
            b"finish_reason" => Self::Finish,
            _ => Self::Other,
        }
    }

    fn of_delta(name: &[u8]) -> Self {
        match name {
            b"content" => Self::TextOr(Scope::Blocks),
            b"reasoning_content" | b"reasoning" => Self::Reasoning,
            b"refusal" => Self::Text,
            b"tool_calls" => Self::Inside(Scope::ToolCalls),
            b"function_call" => Self::Inside(Scope::Function),
            _ => Self::Other,
        }
    }

    fn of_tool_call(name: &[u8]) -> Self {
        match name {
            b"function" | b"custom" => Self::Inside(Scope::Function),
            _ => Self::Other,
        }
    }

    fn of_function(name: &[u8]) -> Self {
        match name {
            b"name" => Self::Text,
            b"arguments" | b"input" => Self::Arguments,
            _ => Self::Other,
        }
    }

    fn of_event_delta(name: &[u8]) -> Self {
        match name {
            b"text" | b"thinking" | b"partial_json" => Self::Text,
            b"stop_reason" => Self::Finish,
            _ => Self::Other,
        }
    }

    fn of_block(name: &[u8]) -> Self {
        match name {
            b"text" | b"thinking" | b"refusal" | b"name" => Self::Text,
            b"arguments" | b"input" => Self::Arguments,
            b"content" | b"summary" => Self::TextOr(Scope::Blocks),
            _ => Self::Other,
        }
    }

    /// Whether a string there is short and is looked at.
    pub(super) fn is_word(self) -> bool {
        matches!(self, Self::Kind | Self::Finish | Self::Id | Self::Duration)
    }

    /// Whether a number there is looked at.
    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Index | Self::Sequence | Self::Duration)
    }

    /// What is looked into, where the value begins with `byte`.
    pub(super) fn inside(self, byte: u8) -> Option<Scope> {
        let scope = match self {
            Self::Inside(scope) | Self::TextOr(scope) => scope,
            Self::Message => Scope::Envelope,
            _ => return None,
        };
        (byte == if scope.is_array() { b'[' } else { b'{' }).then_some(scope)
    }
}
