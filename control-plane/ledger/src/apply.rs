//! From a line of the spool to a posting: what a request is billed, and how it
//! ended. Pure; every rule of billing that is not a price stands here.

use crate::record::{AT_MS_MAX, UsageRecord};
use crate::storable;
use crate::store::PriceBook;
use contract::names::NOBODY;
use contract::price::Prices;
use contract::refusal::{Code, EnvoyError, engine_error, envoy_error};
use contract::spool::Line;
use contract::usage::{End, Source, Tally, Who};

/// Status of a request whose client left before there was one, as nginx's logs
/// have it: no client ever reads it.
pub const STATUS_CLIENT_LEFT: u16 = 499;

/// Flags of Envoy's access log that say that the client left: connection
/// terminated, stream reset (Envoy, "Access logging", `%RESPONSE_FLAGS%`).
const CLIENT_LEFT_FLAGS: &[&str] = &["DC", "DR"];

/// Response code details that say the same.
const CLIENT_LEFT_DETAILS: &[&str] =
    &["downstream_remote_disconnect", "downstream_local_disconnect", "http2.remote_re"];

/// Response code details of an answer that came from a server (Envoy, "Response Code
/// Details").
const VIA_UPSTREAM: &str = "via_upstream";

/// What Envoy's addresses of internal listeners begin with.
const INTERNAL: &str = "envoy://";

/// What a line comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posting {
    /// A record.
    Record(Box<Priced>),
    /// A request without a caller: nobody is billed.
    Anonymous,
    /// The line's contents cannot be read.
    Malformed,
}

/// A record and whether its prices were known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
    /// The record.
    pub record: UsageRecord,
    /// Whether it names prices that the book does not have; it then costs 0.
    pub unpriced: bool,
}

/// The posting of a request that has ended with `line`.
#[must_use]
pub fn ended(line: Line, prices: &PriceBook) -> Posting {
    posting(line, prices, |line, who, tally| {
        let status = line.status.unwrap_or(0);
        let envoys = envoys_error(line);
        let end = end_of(line, who, tally, envoys);
        let code = who.code.clone().or_else(|| match end {
            End::EngineFailed if tally.silent => Some(Code::EngineTimeout.as_str().to_owned()),
            End::EngineFailed | End::Refused => envoys.map(|error| error.code.as_str().to_owned()),
            _ => None,
        });
        let code = code.or_else(|| engines_code(line, status));
        let status = match (status, end) {
            (0, End::ClientLeft) => STATUS_CLIENT_LEFT,
            (0, _) => envoys.map_or(0, |error| error.code.status()),
            (status, _) => status,
        };
        Ending { end, status, code }
    })
}

/// The posting of a request whose gateway died; `line` is the last it wrote.
#[must_use]
pub fn lost(line: Line, prices: &PriceBook) -> Posting {
    posting(line, prices, |line, who, _| Ending {
        end: End::GatewayLost,
        status: line.status.unwrap_or(0),
        code: who.code.clone(),
    })
}

/// How a request ended, towards the client and for the books.
struct Ending {
    end: End,
    status: u16,
    code: Option<String>,
}

fn posting(
    line: Line,
    prices: &PriceBook,
    ending: impl FnOnce(&Line, &Who, &Tally) -> Ending,
) -> Posting {
    let Some(who) = &line.who else { return Posting::Anonymous };
    let Ok(who) = serde_json::from_str::<Who>(who) else { return Posting::Malformed };
    let Ok(mut tally) = line.usage.as_deref().map_or(Ok(Tally::default()), serde_json::from_str)
    else {
        return Posting::Malformed;
    };
    if line.at_ms > AT_MS_MAX {
        return Posting::Malformed;
    }
    let ending = ending(&line, &who, &tally);
    tally = charged(&line, tally, ending.status);
    tally.source = source_of(&tally, ending.end);
    Posting::Record(Box::new(priced(line, who, &tally, ending, prices)))
}

/// What of `tally` is charged. What an engine has counted is, whatever came of the answer.
/// Without its count, nothing is where no engine has seen the request, and nothing where
/// the client was answered with an error; the rest is as Tollgate has estimated it.
fn charged(line: &Line, tally: Tally, status: u16) -> Tally {
    let counted = matches!(tally.source, Source::Engine | Source::Running);
    let unseen = line.sent == Some(0);
    let refused = status >= 400 && status != STATUS_CLIENT_LEFT;
    if counted || !(unseen || refused) {
        return tally;
    }
    let Tally { first_token_ms, whole, failed, silent, cut, .. } = tally;
    Tally { first_token_ms, whole, failed, silent, cut, ..Tally::default() }
}

/// The engine's count of an answer that was cut is its running count.
fn source_of(tally: &Tally, end: End) -> Source {
    let cut = !matches!(end, End::Complete | End::Refused);
    match tally.source {
        Source::Engine if cut && !tally.whole => Source::Running,
        source => source,
    }
}

/// The code of an error that an engine has answered with. One without a body is replaced whole
/// by the filter, and nothing is told of where it came from.
fn engines_code(line: &Line, status: u16) -> Option<String> {
    let engines = matches!(line.details.as_deref(), None | Some("" | "-" | VIA_UPSTREAM));
    (engines && status >= 400).then(|| engine_error(status).as_str().to_owned())
}

/// Where the answer came from; nobody, where no server of the last pool was well.
fn server(endpoint: Option<String>) -> Option<String> {
    let nobody =
        |address: &str| address.strip_prefix(INTERNAL).is_some_and(|rest| rest.starts_with(NOBODY));
    endpoint.filter(|address| !nobody(address))
}

/// How many engines were tried. A journal does not say: an answer that was counted came
/// from one.
fn attempts(line: &Line, tally: &Tally) -> u64 {
    line.attempts.unwrap_or_else(|| u64::from(tally.source != Source::None))
}

/// The leases that a line names; none where it cannot be read.
#[must_use]
pub fn leases(line: &Line) -> Vec<u64> {
    let who = line.who.as_deref().and_then(|who| serde_json::from_str::<Who>(who).ok());
    who.map(|who| who.leases).unwrap_or_default()
}

/// What a record costs by `prices`: an old invoice can be computed again from its records.
#[must_use]
pub fn cost_nanodollars(record: &UsageRecord, prices: &Prices) -> i64 {
    let tally = Tally {
        input: record.input_tokens,
        cached_input: record.cached_input_tokens,
        output: record.output_tokens,
        reasoning: record.reasoning_tokens,
        images: record.images,
        pages: record.pages,
        audio_ms: record.audio_ms,
        gpu_ms: record.gpu_ms,
        source: record.source,
        ..Tally::default()
    };
    billing::price::cost_nanodollars(prices, &tally)
}

fn priced(line: Line, who: Who, tally: &Tally, ending: Ending, prices: &PriceBook) -> Priced {
    let known = who.price_version.as_ref().map(|version| prices.get(version));
    let attempts = attempts(&line, tally);
    let mut record = UsageRecord {
        id: line.id,
        client_request_id: who.client_request_id,
        at_ms: line.at_ms,
        tenant: who.tenant,
        key: who.key,
        user: who.user,
        model: who.model,
        pool: who.pool,
        endpoint: server(line.endpoint),
        path: who.path,
        stream: who.stream,
        status: ending.status,
        code: ending.code,
        input_tokens: tally.input,
        cached_input_tokens: tally.cached_input,
        output_tokens: tally.output,
        reasoning_tokens: tally.reasoning,
        source: tally.source,
        end: ending.end,
        cost_nanodollars: 0,
        price_version: who.price_version,
        first_token_ms: tally.first_token_ms,
        duration_ms: line.duration_ms.unwrap_or(0),
        masked: who.masked.iter().map(|(of, count)| (of.as_str().to_owned(), *count)).collect(),
        organisation: who.organisation,
        attempts,
        images: tally.images,
        pages: tally.pages,
        audio_ms: tally.audio_ms,
        gpu_ms: tally.gpu_ms,
        leases: who.leases,
    };
    record.cost_nanodollars = known.flatten().map_or(0, |prices| cost_nanodollars(&record, prices));
    Priced { record: storable::record(record), unpriced: known == Some(None) }
}

/// What Envoy made itself. An answer that came from a server is that server's, also where
/// Envoy's flags say that there was no further attempt (seen: `URX`, `UO`).
fn envoys_error(line: &Line) -> Option<&'static EnvoyError> {
    if line.details.as_deref() == Some(VIA_UPSTREAM) {
        return None;
    }
    envoy_error(line.flags.as_deref().unwrap_or(""), line.details.as_deref().unwrap_or(""))
}

/// How it ended, by the first rule that applies: the budget ended the answer; the
/// gateway refused; the client has the whole answer; the client left; Envoy answered in the
/// engine's place or cut it; the engine's own error; nothing went wrong.
fn end_of(line: &Line, who: &Who, tally: &Tally, envoys: Option<&EnvoyError>) -> End {
    let status = line.status.unwrap_or(0);
    let engines_error = tally.failed || (tally.silent && !tally.whole) || status >= 500;
    let whole = tally.whole && !engines_error && (status < 400 || envoys.is_none());
    if tally.cut && !tally.failed {
        End::CutByBudget
    } else if who.code.is_some() {
        End::Refused
    } else if whole {
        End::Complete
    } else if client_left(line) {
        End::ClientLeft
    } else if let Some(error) = envoys {
        match error.code {
            Code::RequestTooLarge | Code::FilterUnavailable => End::Refused,
            _ => End::EngineFailed,
        }
    } else if engines_error {
        End::EngineFailed
    } else if status == 0 {
        End::ClientLeft
    } else {
        End::Complete
    }
}

fn client_left(line: &Line) -> bool {
    let flags = line.flags.as_deref().unwrap_or("");
    let details = line.details.as_deref().unwrap_or("");
    flags.split(',').any(|flag| CLIENT_LEFT_FLAGS.contains(&flag))
        || CLIENT_LEFT_DETAILS.iter().any(|prefix| details.starts_with(prefix))
}

#[cfg(test)]
mod tests;
