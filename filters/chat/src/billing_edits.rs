//! What is put into a request so that its cost is known and bounded: usage is asked
//! for on every stream, and the answer gets a cap.

use contract::policy::Engine;

use crate::edit::Edit;
use crate::path::Api;
use crate::request::Request;
use crate::strip::Strip;

/// What the caller has asked for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The usage event at the end of its stream.
    pub include_usage: bool,
    /// Usage in every event.
    pub continuous: bool,
    /// Whether more was asked for on its behalf.
    is_changed: bool,
}

impl Asked {
    /// What has to be taken out of the answer again, of an engine of this kind.
    #[must_use]
    pub fn strip(self, engine: Engine) -> Strip {
        match self {
            Self { is_changed: false, .. } => Strip::Nothing,
            Self { include_usage: false, .. } => {
                Strip::Usage { nulls: !sends_null_unasked(engine) }
            }
            // Where nothing was put into the events there is nothing to take out: some
            // engines send their only count in the last one with choices.
            Self { continuous: false, .. } if engine_counts_on(engine) => Strip::Running,
            Self { .. } => Strip::Nothing,
        }
    }
}

/// Whether the engine reports usage in every event where it is asked to (vLLM,
/// `stream_options.continuous_usage_stats`; SGLang the same).
fn engine_counts_on(engine: Engine) -> bool {
    matches!(engine, Engine::Vllm | Engine::Sglang)
}

/// Whether events of the engine have `"usage":null` also where no usage was asked
/// for. OpenAI's have it only then (API reference, `stream_options`).
fn sends_null_unasked(engine: Engine) -> bool {
    matches!(engine, Engine::Sglang | Engine::Tgi)
}

/// Edits that have the engine report usage, on streams of chat and completions; the
/// others report without being asked. What the caller has written in
/// `stream_options` beside the two flags stays as it is, to the byte.
#[must_use]
pub fn usage_edits(request: &Request<'_>, api: &Api<'_>, engine: Engine) -> (Vec<Edit>, Asked) {
    let options = &request.stream_options;
    let mut asked = Asked {
        include_usage: options.include_usage,
        continuous: options.continuous_usage,
        is_changed: false,
    };
    if !(request.stream && api.has_stream_options()) {
        return (Vec::new(), asked);
    }
    let mut edits = Vec::new();
    let mut missing = String::new();
    let places = &request.option_places;
    let flags = [
        ("include_usage", asked.include_usage, &places.include_usage, true),
        (
            "continuous_usage_stats",
            asked.continuous,
            &places.continuous_usage,
            engine_counts_on(engine),
        ),
    ];
    for (name, is_on, place, is_wanted) in flags {
        match place {
            _ if is_on || !is_wanted => {}
            Some(place) => edits.push(Edit { span: place.clone(), text: b"true".to_vec() }),
            None => {
                let comma = if missing.is_empty() { "" } else { "," };
                missing.push_str(&format!("{comma}\"{name}\":true"));
            }
        }
    }
    if !missing.is_empty() {
        edits.push(put_in(request, &missing));
    }
    asked.is_changed = !edits.is_empty();
    edits.sort_by_key(|edit| edit.span.start);
    (edits, asked)
}

/// The edit that puts members into `stream_options`, or the whole of it into the body.
fn put_in(request: &Request<'_>, members: &str) -> Edit {
    let places = &request.option_places;
    let text = match (&request.stream_options.span, &places.options) {
        (Some(object), _) => {
            let comma = if places.has_members { "," } else { "" };
            return Edit::insert(object.start + 1, format!("{members}{comma}").into_bytes());
        }
        (None, Some(null)) => {
            return Edit { span: null.clone(), text: format!("{{{members}}}").into_bytes() };
        }
        (None, None) => format!("\"stream_options\":{{{members}}},"),
    };
    Edit::insert(request.insert_at, text.into_bytes())
}

/// Edits that cap the answer at `tokens`: in every spelling of the cap that is there,
/// `null` or not, or else put in by the name that the path has for it. None where
/// nothing is generated.
#[must_use]
pub fn max_tokens_edits(request: &Request<'_>, api: &Api<'_>, tokens: u64) -> Vec<Edit> {
    let places = &request.max_tokens_places;
    let (name, is_there) = match api {
        Api::Chat => {
            ("max_tokens", places.max_tokens.is_some() || places.max_completion_tokens.is_some())
        }
        Api::Completions | Api::Messages => ("max_tokens", places.max_tokens.is_some()),
        Api::Responses => ("max_output_tokens", places.max_output_tokens.is_some()),
        _ => return Vec::new(),
    };
    let all = [&places.max_tokens, &places.max_completion_tokens, &places.max_output_tokens];
    let replace =
        |span: &_| Edit { span: Clone::clone(span), text: tokens.to_string().into_bytes() };
    let mut edits: Vec<Edit> = all.into_iter().flatten().map(replace).collect();
    if !is_there {
        let text = format!("\"{name}\":{tokens},").into_bytes();
        edits.push(Edit::insert(request.insert_at, text));
    }
    edits.sort_by_key(|edit| edit.span.start);
    edits
}

#[cfg(test)]
mod tests;
