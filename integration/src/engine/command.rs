//! What a request tells the simulator to do, by its `x-sim-*` headers.

use std::time::Duration;

use super::replay::Cuts;
use crate::http1::Head;

/// One way in which an engine fails. See the table in the module's documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Closes the connection without an answer.
    Refuse,
    /// Resets the connection (RST) without an answer.
    ResetBefore,
    /// Resets after so many events; an answer in JSON after half of its body.
    ResetAfter(u64),
    /// Never answers, and holds the connection.
    Hang,
    /// Stops after so many events; an answer in JSON after half of its body.
    HangAfter(u64),
    /// Answers with this status and an error in vLLM's shape.
    Status(u16),
    /// The same, with a `retry-after` of so many seconds.
    Later(u16, u64),
    /// A body that is cut JSON under status 200 and a right content-length.
    MalformedJson,
    /// Events that are no events, then the end without `[DONE]`.
    MalformedSse,
    /// An error event under status 200, then `[DONE]`; in JSON: status 500.
    ErrorEvent,
    /// A whole stream but for its `[DONE]`.
    NoDone,
    /// Waits so long before the header section.
    SlowHeaders(Duration),
}

/// What the text of an answer is in place of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// JSON of what arrived.
    Body,
    /// What the model was given to read.
    Text,
}

/// What is odd about the usage that an answer tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UsageTold {
    /// Nothing: as vLLM does.
    #[default]
    Truly,
    /// No usage at all, whatever is asked.
    Never,
    /// At the end alone, even where a running count is asked for.
    AtEnd,
    /// At the end also where nobody asks.
    Unasked,
    /// Every count is an explicit 0.
    Zero,
    /// A stream's last usage comes before its last tokens.
    Early,
}

/// Which words a text is made of. Each token has one `w` in it, so that a reader can count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Words {
    /// `w0 w1 w2 …`
    #[default]
    Numbered,
    /// Of 1 to 21 bytes, some of them no ASCII.
    Uneven,
}

/// The words of [`Words::Uneven`], in turn; some of them together have about as many bytes
/// as others are, so that a text that is cut is of the same kind.
const UNEVEN: [&str; 7] =
    [" word", " wholeheartedly", " wé", " 한글w", "w", " answerable-to-nobody", "w."];

impl Words {
    /// The text of a token.
    pub fn piece(self, token: u64) -> String {
        match self {
            Words::Numbered if token == 0 => "w0".to_owned(),
            Words::Numbered => format!(" w{token}"),
            Words::Uneven => UNEVEN[(token % UNEVEN.len() as u64) as usize].to_owned(),
        }
    }
}

/// Everything that a request's headers command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commands {
    /// `x-sim-fault`, or the engine's own `--fault`.
    pub fault: Option<Fault>,
    /// `x-sim-tokens`: instead of `--tokens`.
    pub tokens: Option<u64>,
    /// `x-sim-interval`: instead of `--token-interval`.
    pub interval: Option<Duration>,
    /// `x-sim-ttft`: instead of `--ttft`.
    pub ttft: Option<Duration>,
    /// `x-sim-echo: body` or `text`.
    pub echo: Option<Echo>,
    /// `x-sim-replay`: `ENGINE/NAME`.
    pub replay: Option<String>,
    /// `x-sim-cuts`.
    pub cuts: Cuts,
    /// `x-sim-usage`, or the engine's own `--usage`.
    pub usage: Option<UsageTold>,
    /// `x-sim-tokens-per-event`, or the engine's own `--tokens-per-event`.
    pub tokens_per_event: Option<u64>,
    /// `x-sim-words`, or the engine's own `--words`.
    pub words: Option<Words>,
    /// `x-sim-ignore: max_tokens`.
    pub ignores_limits: bool,
    /// `x-sim-split: SEED`.
    pub split: Option<u64>,
}

impl Commands {
    /// The commands of a request; the error is what the header should have said.
    pub fn of(head: &Head, standing: Option<Fault>) -> Result<Commands, String> {
        let header = |name| head.header(name).map(str::trim);
        Ok(Commands {
            fault: header("x-sim-fault").map(str::parse).transpose()?.or(standing),
            tokens: header("x-sim-tokens").map(count).transpose()?,
            interval: header("x-sim-interval").map(duration).transpose()?,
            ttft: header("x-sim-ttft").map(duration).transpose()?,
            echo: header("x-sim-echo").map(str::parse).transpose()?,
            replay: header("x-sim-replay").map(str::to_owned),
            cuts: header("x-sim-cuts").map(str::parse).transpose()?.unwrap_or_default(),
            usage: header("x-sim-usage").map(str::parse).transpose()?,
            tokens_per_event: header("x-sim-tokens-per-event").map(count).transpose()?,
            words: header("x-sim-words").map(str::parse).transpose()?,
            ignores_limits: header("x-sim-ignore") == Some("max_tokens"),
            split: header("x-sim-split").map(count).transpose()?,
        })
    }
}

impl std::str::FromStr for Echo {
    type Err = String;

    fn from_str(text: &str) -> Result<Echo, String> {
        match text {
            "body" => Ok(Echo::Body),
            "text" => Ok(Echo::Text),
            _ => Err(format!("no echo is called {text:?}")),
        }
    }
}

impl std::str::FromStr for UsageTold {
    type Err = String;

    fn from_str(text: &str) -> Result<UsageTold, String> {
        Ok(match text {
            "asked" => UsageTold::Truly,
            "none" => UsageTold::Never,
            "final" => UsageTold::AtEnd,
            "unasked" => UsageTold::Unasked,
            "zero" => UsageTold::Zero,
            "wrong-order" => UsageTold::Early,
            _ => return Err(format!("no usage is called {text:?}")),
        })
    }
}

impl std::str::FromStr for Words {
    type Err = String;

    fn from_str(text: &str) -> Result<Words, String> {
        match text {
            "numbered" => Ok(Words::Numbered),
            "uneven" => Ok(Words::Uneven),
            _ => Err(format!("no words are called {text:?}")),
        }
    }
}

impl std::str::FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Fault, String> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        Ok(match name {
            "refuse" => Fault::Refuse,
            "reset-before" => Fault::ResetBefore,
            "reset-after" => Fault::ResetAfter(count(value)?),
            "hang" => Fault::Hang,
            "hang-after" => Fault::HangAfter(count(value)?),
            "status" => match value.split_once(':') {
                Some((value, seconds)) => Fault::Later(status(value)?, count(seconds)?),
                None => Fault::Status(status(value)?),
            },
            "malformed-json" => Fault::MalformedJson,
            "malformed-sse" => Fault::MalformedSse,
            "error-event" => Fault::ErrorEvent,
            "no-done" => Fault::NoDone,
            "slow-headers" => Fault::SlowHeaders(Duration::from_millis(count(value)?)),
            _ => return Err(format!("no fault is called {text:?}")),
        })
    }
}

fn count(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text:?} is no count"))
}

fn status(text: &str) -> Result<u16, String> {
    let status: u16 = text.parse().map_err(|_| format!("{text:?} is no status"))?;
    (200..600).contains(&status).then_some(status).ok_or(format!("{status} is no final status"))
}

/// `20ms`, `1.5s`, `300us`, `2m`; `0` needs no unit.
pub fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| format!("{text:?} is no duration"))?;
    let seconds = match unit {
        "us" => number / 1e6,
        "ms" => number / 1e3,
        "s" => number,
        "m" => number * 60.0,
        "" if number == 0.0 => 0.0,
        _ => return Err(format!("{text:?} has no unit of us, ms, s, m")),
    };
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(headers: &str) -> Result<Commands, String> {
        let text = format!("POST / HTTP/1.1\r\n{headers}\r\n");
        Commands::of(&Head::of_request(text.as_bytes()).unwrap().unwrap(), None)
    }

    #[test]
    fn every_fault_has_its_words() {
        let table = [
            ("refuse", Fault::Refuse),
            ("reset-before", Fault::ResetBefore),
            ("reset-after=3", Fault::ResetAfter(3)),
            ("hang", Fault::Hang),
            ("hang-after=0", Fault::HangAfter(0)),
            ("status=503", Fault::Status(503)),
            ("status=429:7", Fault::Later(429, 7)),
            ("malformed-json", Fault::MalformedJson),
            ("malformed-sse", Fault::MalformedSse),
            ("error-event", Fault::ErrorEvent),
            ("no-done", Fault::NoDone),
            ("slow-headers=250", Fault::SlowHeaders(Duration::from_millis(250))),
        ];
        for (words, fault) in table {
            assert_eq!(words.parse::<Fault>(), Ok(fault));
        }
        for wrong in ["", "rest-after=3", "status=99", "status=x", "status=503:", "reset-after"] {
            assert!(wrong.parse::<Fault>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn headers_command_and_silence_commands_nothing() {
        assert_eq!(commands(""), Ok(Commands::default()));
        let all = commands(
            "X-Sim-Tokens: 3\r\nx-sim-interval: 5ms\r\nx-sim-ttft: 0\r\nx-sim-echo: body\r\n\
             x-sim-replay: vllm/chat\r\nx-sim-cuts: random:7\r\nx-sim-fault: hang\r\n\
             x-sim-usage: final\r\nx-sim-tokens-per-event: 4\r\nx-sim-words: uneven\r\n\
             x-sim-ignore: max_tokens\r\nx-sim-split: 5\r\n",
        );
        let expected = Commands {
            fault: Some(Fault::Hang),
            tokens: Some(3),
            interval: Some(Duration::from_millis(5)),
            ttft: Some(Duration::ZERO),
            echo: Some(Echo::Body),
            replay: Some("vllm/chat".into()),
            cuts: Cuts::Random(7),
            usage: Some(UsageTold::AtEnd),
            tokens_per_event: Some(4),
            words: Some(Words::Uneven),
            ignores_limits: true,
            split: Some(5),
        };
        assert_eq!(all, Ok(expected));
        assert!(commands("x-sim-tokens: many\r\n").is_err());
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("300us"), Ok(Duration::from_micros(300)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        assert!(duration("5").is_err() && duration("ms").is_err() && duration("").is_err());
    }
}
