//! What masking costs: requests and streams with and without a policy, the speed of the
//! filter beside that of the same code outside of it, and memory.

mod answers;
mod memory;
pub mod presidio;
mod streams;
mod texts;
mod throughput;

use std::net::SocketAddr;
use std::time::Duration;

use integration::{Failure, RawAnswer, Result};
use serde_json::Value;

use crate::cores::Cores;
use crate::request::{Ask, body, commands, post};
use crate::requests::Requests;
use crate::scenarios::{Row, Schedule};
use crate::sides::{Side, TENANT, events_in, with};
use texts::Kind;

/// The tenant that has a policy.
const MASKED_TENANT: &str = "masked";
/// How many values were found in a request.
const MASKED_HEADER: &str = contract::names::MASKED_HEADER;

/// Measures and prints the chosen tables; how many failures there were.
pub async fn measure(
    schedule: &Schedule,
    cores: &Cores,
    memory_time: Duration,
    is_chosen: impl Fn(&str) -> bool,
) -> Result<u64> {
    let mut failures = answers::measure(schedule, cores, &is_chosen).await?;
    failures += streams::measure(schedule, cores, &is_chosen).await?;
    if is_chosen(throughput::TITLE) {
        failures += throughput::measure(schedule, cores).await?;
    }
    if is_chosen(memory::TITLE) {
        failures += memory::measure(cores, memory_time).await?;
    }
    Ok(failures)
}

/// By which way a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Envoy alone.
    Plain,
    /// The gateway, by a tenant without a policy.
    Unmasked,
    /// The gateway, by a tenant with one.
    Masked,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Way::Plain => "plain Envoy",
            Way::Unmasked => "Tollgate without a policy",
            Way::Masked => "Tollgate with a policy",
        }
    }
}

/// What is asked, and what the engine makes of it.
struct Question {
    kind: Kind,
    text: String,
    ask: Ask,
    /// Whether the answer is the text that the engine was given; else it is words.
    is_echoed: bool,
}

impl Question {
    /// A text of at most so many bytes, answered in words.
    fn new(kind: Kind, bytes: usize) -> Question {
        Question { kind, text: kind.text(bytes), ask: Ask::Json, is_echoed: false }
    }

    fn request(&self, model: &str, authorization: &str) -> Vec<u8> {
        let echo = if self.is_echoed { "x-sim-echo: text\r\n" } else { "" };
        let commands = format!("{}{echo}", commands(self.ask));
        post(&body(self.ask, model, &self.text), &commands, authorization)
    }

    /// Whether the answer is the one due: values were found where there are some and
    /// somebody looks for them, and they have come back.
    fn check(&self, way: Way, answer: &RawAnswer) -> Result<()> {
        let found = answer.header(MASKED_HEADER).and_then(|it| it.parse().ok()).unwrap_or(0_u64);
        let is_due = way == Way::Masked && self.kind == Kind::Dense;
        if (found > 0) != is_due {
            return Err(Failure::new(format!("{way:?}: {found} values in {:?}", self.kind)));
        }
        match !self.is_echoed || said(answer) == self.text {
            true => Ok(()),
            false => Err(Failure::new(format!("{way:?}: the text has not come back as it was"))),
        }
    }
}

/// The text of an answer, in one piece or in events.
fn said(answer: &RawAnswer) -> String {
    let body = String::from_utf8_lossy(&answer.body);
    let pieces = body.split("\n\n").filter_map(|piece| {
        let json: Value = serde_json::from_str(piece.trim_start_matches("data: ")).ok()?;
        let texts = ["/choices/0/message/content", "/choices/0/delta/content"];
        let text = texts.iter().find_map(|path| json.pointer(path)?.as_str());
        text.map(str::to_owned)
    });
    pieces.collect()
}

/// Plain Envoy, and one gateway with two tenants.
struct World {
    sides: [Side; 2],
    masked: String,
}

impl World {
    async fn start(engine: SocketAddr, cores: &Cores) -> Result<World> {
        let gate = Side::gate("Tollgate", with("line", &sections()), engine, cores).await?;
        let running = gate.gateway().ok_or_else(|| Failure::new("the gateway is none"))?;
        let masked = format!("Bearer {}", running.key(MASKED_TENANT).await?.key);
        let plain = Side::plain(&gate.envoy_program()?, engine, cores).await?;
        Ok(World { sides: [plain, gate], masked })
    }

    fn place(way: Way) -> usize {
        usize::from(way != Way::Plain)
    }

    fn side(&mut self, way: Way) -> &mut Side {
        &mut self.sides[World::place(way)]
    }

    fn request(&self, way: Way, question: &Question) -> Vec<u8> {
        let side = &self.sides[World::place(way)];
        match way {
            Way::Masked => question.request(side.model(), &self.masked),
            _ => question.request(side.model(), &side.bearer()),
        }
    }

    /// A row of a table, once a single answer has shown that it is the one due.
    async fn row(&mut self, way: Way, name: &str, question: &Question) -> Result<Row> {
        let request = self.request(way, question);
        let side = self.side(way);
        let answer = side.ask(&request).await?;
        question.check(way, &answer)?;
        let target = side.target(Requests::same(request), events_in(&answer)).await?;
        let is_heated = way != Way::Plain;
        Ok(Row { name: name.to_owned(), target, side: World::place(way), is_heated })
    }
}

/// Two tenants, one of them with a policy that looks for everything.
fn sections() -> String {
    format!(
        "masking:\n  policies:\n    default: {{}}\n\
         tenants:\n  {TENANT}: {{}}\n  {MASKED_TENANT}: {{ masking: default }}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str, headers: &[(&str, &str)]) -> RawAnswer {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let (headers, body) = (headers.collect(), body.as_bytes().to_vec());
        RawAnswer { status: 200, headers, body, raw: vec![], complete: true }
    }

    #[test]
    fn what_was_said_is_in_one_piece_or_in_many() {
        let whole = r#"{"choices":[{"message":{"content":"a b"}}]}"#;
        assert_eq!(said(&answer(whole, &[])), "a b");
        let event = |text: &str| {
            format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
        };
        let events = format!("{}{}data: [DONE]\n\n", event("a "), event("b"));
        assert_eq!(said(&answer(&events, &[])), "a b");
    }

    #[test]
    fn a_value_has_to_be_found_and_to_come_back() {
        let mut question = Question::new(Kind::Dense, 200);
        let found = [(MASKED_HEADER, "2")];
        let echo = serde_json::json!({"choices": [{"message": {"content": question.text}}]});
        let answers = [answer("", &found), answer("", &[]), answer(&echo.to_string(), &found)];
        let due = |question: &Question, way| {
            answers.iter().map(|it| question.check(way, it).is_ok()).collect::<Vec<_>>()
        };
        assert_eq!(due(&question, Way::Masked), [true, false, true]);
        assert_eq!(due(&question, Way::Unmasked), [false, true, false]);
        question.is_echoed = true;
        assert_eq!(due(&question, Way::Masked), [false, false, true]);
        question.kind = Kind::Prose;
        assert_eq!(due(&question, Way::Masked), [false, false, false]);
    }

    #[test]
    fn a_question_tells_the_simulator_what_to_say() {
        let mut question = Question::new(Kind::Prose, 2048);
        question.ask = Ask::Stream { tokens: 5, interval_us: 0 };
        let plain = String::from_utf8(question.request("m", "Bearer k")).unwrap();
        assert!(plain.contains("x-sim-tokens: 5\r\n") && !plain.contains("x-sim-echo"), "{plain}");
        question.is_echoed = true;
        let echoed = String::from_utf8(question.request("m", "Bearer k")).unwrap();
        assert!(echoed.contains("x-sim-echo: text\r\ncontent-length: "), "{echoed}");
    }
}
