//! Which part of a prompt a text is of: chat templates put them in one order, whatever order
//! the members of a body have.

use super::{Passage, Texts};
use std::ops::Range;

/// A part of a prompt; they stand in it in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Section {
    /// What the model is told beside the conversation.
    System,
    /// Definitions of tools.
    Tools,
    /// The conversation, or the only text there is.
    Conversation,
    /// No part of the prompt, or one that no template has.
    Other,
}

impl Section {
    /// Of a member of the body itself.
    pub(super) fn of(name: &str) -> Section {
        match name {
            "system" | "instructions" => Section::System,
            "tools" | "functions" => Section::Tools,
            "messages" | "input" | "prompt" => Section::Conversation,
            _ => Section::Other,
        }
    }
}

/// Where the members of a body change from one section to another, in bytes.
#[derive(Default)]
pub(super) struct Sections(Vec<(usize, Section)>);

impl Sections {
    /// A member of the body itself begins.
    pub(super) fn begin(&mut self, name: &str, start: usize) {
        let section = Section::of(name);
        if self.at(start) != section {
            self.0.push((start, section));
        }
    }

    fn at(&self, start: usize) -> Section {
        let before = self.0.partition_point(|(begin, _)| *begin <= start);
        let last = before.checked_sub(1).and_then(|last| self.0.get(last));
        last.map_or(Section::Other, |(_, section)| *section)
    }

    /// Where a section stands, the name of its first member among it.
    fn ranges(&self, wanted: Section, body_bytes: usize) -> impl Iterator<Item = Range<usize>> {
        let ends = self.0.iter().skip(1).map(|(begin, _)| *begin).chain([body_bytes]);
        let all = self.0.iter().zip(ends);
        all.filter(move |((_, section), _)| *section == wanted).map(|((begin, _), end)| *begin..end)
    }
}

impl Texts<'_> {
    /// Where they stand, in the order in which templates of chats put them: what the model is
    /// told beside the conversation, the tools as a whole, the conversation. What is no prompt
    /// comes last. `body_bytes` is how long the body is.
    #[must_use]
    pub fn in_prompt_order(&self, body_bytes: usize) -> Vec<Range<usize>> {
        let tools = self.sections.ranges(Section::Tools, body_bytes);
        let tools = tools.map(|span| (Section::Tools, span));
        let texts = self.passages.iter().map(Passage::span);
        let texts = texts.map(|span| (self.sections.at(span.start), span));
        let texts = texts.filter(|(section, _)| *section != Section::Tools);
        let mut spans: Vec<_> = tools.chain(texts).collect();
        spans.sort_by_key(|(section, _)| *section);
        spans.into_iter().map(|(_, span)| span).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::path::Api;
    use crate::request::parse_with_texts;

    fn said<'b>(api: &Api<'_>, body: &'b str) -> Vec<&'b str> {
        let (_, texts) = parse_with_texts(body.as_bytes(), api).unwrap();
        texts.in_prompt_order(body.len()).into_iter().map(|span| body.get(span).unwrap()).collect()
    }

    #[test]
    fn texts_stand_as_templates_put_them() {
        let messages = r#"{"model":"x","metadata":{"m":"mm mm"},"messages":[{"role":"user","content":"one two"},{"role":"assistant","content":"three four"}],"tools":[{"name":"t"}],"system":"seven eight"}"#;
        assert_eq!(
            said(&Api::Messages, messages),
            [
                "seven eight",
                r#"tools":[{"name":"t"}],""#,
                "one two",
                "three four",
                r#"{"m":"mm mm"}"#
            ]
        );
        let responses = r#"{"input":"one two","instructions":"three four","model":"x"}"#;
        assert_eq!(said(&Api::Responses, responses), ["three four", "one two"]);
        let chat = r#"{"model":"x","messages":[{"role":"system","content":"one two"},{"role":"user","content":"three four"}],"tools":[]}"#;
        assert_eq!(said(&Api::Chat, chat), ["tools\":[]}", "one two", "three four"]);
    }
}
