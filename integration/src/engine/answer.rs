//! What the simulator says to a request, before it is put into an interface's words.

use std::ops::Range;

use serde_json::json;

use super::ask::{Ask, UsageEvents};
use super::command::{UsageTold, Words};

/// Why a choice ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The model was done.
    Stop,
    /// `max_tokens` was reached.
    Length,
}

/// The text of every choice, as the tokens it is sent in.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Text {
    /// `w0 w1 w2 …`
    Words(Words),
    /// What the engine received, cut into as many pieces as there are tokens.
    Echo(Vec<String>),
}

/// An answer, decided in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What ids are made of; the client's `x-request-id` where there is one.
    pub id: String,
    /// Unix seconds.
    pub created: u64,
    /// The model's name, quoted and escaped for JSON.
    pub model: String,
    /// Tokens read.
    pub prompt_tokens: u64,
    /// Tokens of each choice.
    pub tokens: u64,
    /// How many choices. Not under 1.
    pub choices: u64,
    /// Why each of them ends.
    pub finish: Finish,
    /// Where a stream tells usage.
    pub usage: UsageEvents,
    /// What is odd about the usage that is told.
    pub told: UsageTold,
    /// Tokens that come in one event. Not under 1.
    pub tokens_per_event: u64,
    /// Vectors or ranks of an answer that generates nothing.
    pub items: u64,
    text: Text,
}

/// What an answer is made from, apart from what was asked.
pub struct Circumstances<'a> {
    /// Of the request.
    pub id: String,
    /// Unix seconds.
    pub created: u64,
    /// The engine's model.
    pub model: &'a str,
    /// Tokens of an answer that nothing limits.
    pub tokens: u64,
    /// Usage in every event, asked or not.
    pub continuous_usage: bool,
    /// The text to answer with instead of words.
    pub echo: Option<String>,
    /// What is odd about the usage that is told.
    pub told: UsageTold,
    /// Tokens that come in one event.
    pub tokens_per_event: u64,
    /// Which words.
    pub words: Words,
    /// Whether limits of the request are obeyed.
    pub obeys_limits: bool,
}

impl Answer {
    /// Decides the answer: `tokens`, or fewer where the request sets a limit. An
    /// echo has at least one token to be sent in.
    pub fn decide(ask: &Ask, now: Circumstances<'_>) -> Answer {
        let least = u64::from(now.echo.is_some());
        let limit = ask.max_tokens.filter(|_| now.obeys_limits);
        let tokens = limit.map_or(now.tokens, |limit| limit.min(now.tokens)).max(least);
        let cut = limit.is_some_and(|limit| limit < now.tokens);
        let usage = usage_events(ask.usage, &now);
        Answer {
            id: now.id,
            created: now.created,
            model: quoted(now.model),
            prompt_tokens: ask.prompt_tokens,
            tokens,
            choices: ask.choices,
            finish: if cut { Finish::Length } else { Finish::Stop },
            usage,
            told: now.told,
            tokens_per_event: now.tokens_per_event.max(1),
            items: ask.items,
            text: now.echo.map_or(Text::Words(now.words), |it| Text::Echo(pieces(&it, tokens))),
        }
    }

    /// The text of one token.
    fn piece(&self, token: u64) -> String {
        match &self.text {
            Text::Words(words) => words.piece(token),
            Text::Echo(pieces) => pieces.get(token as usize).cloned().unwrap_or_default(),
        }
    }

    /// The text of these tokens.
    pub fn text(&self, tokens: Range<u64>) -> String {
        tokens.map(|token| self.piece(token)).collect()
    }

    /// The whole text of a choice.
    pub fn whole_text(&self) -> String {
        self.text(0..self.tokens)
    }

    /// The tokens of every event of a choice, in order.
    pub fn steps(&self) -> impl Iterator<Item = Range<u64>> + use<> {
        let (tokens, step) = (self.tokens, self.tokens_per_event);
        (0..tokens.div_ceil(step)).map(move |at| at * step..tokens.min((at + 1) * step))
    }

    /// Whether the text is what the engine received.
    pub fn is_echo(&self) -> bool {
        matches!(self.text, Text::Echo(_))
    }

    /// Input and output tokens as they are told at the end; `None`: they are not.
    pub fn counts(&self) -> Option<(u64, u64)> {
        match self.told {
            UsageTold::Never => None,
            UsageTold::Zero => Some((0, 0)),
            _ => Some((self.prompt_tokens, self.completion_tokens())),
        }
    }

    /// Tokens of all choices together.
    pub fn completion_tokens(&self) -> u64 {
        self.tokens * self.choices
    }
}

/// Where a stream tells usage: as it was asked, unless the simulator is commanded otherwise.
fn usage_events(asked: UsageEvents, now: &Circumstances<'_>) -> UsageEvents {
    match now.told {
        UsageTold::Never => UsageEvents::Never,
        UsageTold::Unasked => asked.max(UsageEvents::AtEnd),
        UsageTold::AtEnd => asked.min(UsageEvents::AtEnd),
        _ if now.continuous_usage => UsageEvents::Every,
        _ => asked,
    }
}

/// What the engine received, as JSON: `path`, `headers` in pairs, `body` as text.
pub fn echo(path: &str, headers: &[(String, String)], body: &[u8]) -> String {
    json!({ "path": path, "headers": headers, "body": String::from_utf8_lossy(body) }).to_string()
}

/// A JSON string of the text.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Cuts a text into exactly `count` pieces of about equal length.
fn pieces(text: &str, count: u64) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let count = count.max(1) as usize;
    let bound = |piece: usize| letters.len() * piece / count;
    (0..count).map(|piece| letters[bound(piece)..bound(piece + 1)].iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::ask::Interface;
    use super::*;

    fn answer(body: &str, tokens: u64, echo: Option<&str>) -> Answer {
        let ask = Ask::parse(Interface::Chat, body.as_bytes()).unwrap();
        let now = Circumstances {
            id: "1".into(),
            created: 0,
            model: "tiny",
            tokens,
            continuous_usage: false,
            echo: echo.map(str::to_owned),
            told: UsageTold::Truly,
            tokens_per_event: 1,
            words: Words::Numbered,
            obeys_limits: true,
        };
        Answer::decide(&ask, now)
    }

    #[test]
    fn tokens_are_the_fewer_of_limit_and_default() {
        let table = [
            (r#"{"messages":[]}"#, 4, Finish::Stop),
            (r#"{"messages":[],"max_tokens":2}"#, 2, Finish::Length),
            (r#"{"messages":[],"max_tokens":4}"#, 4, Finish::Stop),
            (r#"{"messages":[],"max_tokens":9}"#, 4, Finish::Stop),
        ];
        for (body, tokens, finish) in table {
            let answer = answer(body, 4, None);
            assert_eq!((answer.tokens, answer.finish), (tokens, finish), "{body}");
        }
    }

    #[test]
    fn text_is_one_word_a_token() {
        let answer = answer(r#"{"messages":[],"n":2}"#, 3, None);
        assert_eq!(answer.whole_text(), "w0 w1 w2");
        assert_eq!(answer.completion_tokens(), 6);
    }

    #[test]
    fn an_echo_is_whole_however_it_is_cut() {
        for tokens in [0, 1, 3, 50] {
            let answer = answer(r#"{"messages":[]}"#, tokens, Some("héllo, wörld"));
            assert_eq!(answer.whole_text(), "héllo, wörld", "{tokens}");
        }
    }

    #[test]
    fn an_event_has_as_many_tokens_as_it_is_to_have() {
        for (tokens, step, expected) in [(5, 2, "0..2 2..4 4..5"), (4, 4, "0..4"), (0, 3, "")] {
            let mut answer = answer(r#"{"messages":[]}"#, tokens, None);
            answer.tokens_per_event = step;
            let steps: Vec<String> = answer.steps().map(|step| format!("{step:?}")).collect();
            assert_eq!(steps.join(" "), expected);
        }
    }

    #[test]
    fn an_echo_tells_what_arrived() {
        let headers = [("host".to_owned(), "a".to_owned())];
        let told: serde_json::Value =
            serde_json::from_str(&echo("/v1/x?y", &headers, b"{\"a\":1}")).unwrap();
        assert_eq!(told["path"], "/v1/x?y");
        assert_eq!(told["headers"][0][0], "host");
        assert_eq!(told["body"], "{\"a\":1}");
    }
}
