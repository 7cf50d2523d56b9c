//! Limits and budgets decide about a request, last of all.

use super::Till;
use super::course::Course;
use super::demand::Demand;
use billing::concurrency::{self, Entered};
use billing::lease::{self, Payer, Reservation, Short};
use billing::limits::{self, Admitted, Ask, Over, Refused, Standing, Standings};
use billing::scope::Kind;
use billing::table::Table;
use contract::lease::{Account, LeaseAnswer, Returned, Wanted};
use contract::refusal::{Code, Refusal};

/// Seconds until a place among those under way is worth another try.
const PLACE_RETRY_S: u64 = 1;

/// Seconds until usage is worth another try to be written.
const SPOOL_RETRY_S: u64 = 10;

/// What became of a request.
pub enum Admission {
    /// It may go, and has to be settled.
    Admitted {
        /// What it has taken.
        course: Box<Course>,
        /// The `max_tokens` that the budget can pay for, where that is less than was asked.
        cap: Option<u64>,
    },
    /// The control plane has to be asked for these leases first; nothing is taken.
    Lease(Vec<Wanted>),
}

/// A refusal with what the client is told of its limits.
#[derive(Debug)]
pub struct Denied {
    /// Why.
    pub refusal: Refusal,
    /// Headers of the answer.
    pub headers: Vec<(&'static str, String)>,
}

impl Denied {
    /// Whether there is not enough money.
    #[must_use]
    pub fn is_no_budget(&self) -> bool {
        self.refusal.code == Code::BudgetExceeded
    }
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Denied {
        Denied { refusal, headers: Vec::new() }
    }
}

/// Decides about `demand`: all limits and all budgets, or nothing is taken. `may_ask` is
/// whether the control plane may still be asked for leases.
///
/// # Errors
/// `rate_limit_exceeded`, `tokens_limit_exceeded`, `request_exceeds_limit`,
/// `concurrency_limit_exceeded`, `budget_exceeded`; `control_unavailable` while usage cannot
/// be written.
pub fn admit<T: Table>(
    demand: &Demand<'_>,
    till: &Till<'_, T>,
    may_ask: bool,
) -> Result<Admission, Denied> {
    if till.spool_full {
        return Err(spool_full());
    }
    let limited = Limited::take(demand, till)?;
    match pay(demand, till, may_ask) {
        Ok(Payment::Paid(reservation, cap)) => {
            let limited = (limited.admitted, limited.entered);
            let course = Course::begin(limited, reservation, demand, cap.is_some(), till.now_ms);
            Ok(Admission::Admitted { course: Box::new(course), cap })
        }
        Ok(Payment::Lease(wanted)) => {
            limited.give_back(till);
            Ok(Admission::Lease(wanted))
        }
        Err(mut denied) => {
            denied.headers.extend(standing_headers(limited.standing()));
            limited.give_back(till);
            Err(denied)
        }
    }
}

/// What was taken of the limits.
struct Limited {
    admitted: Option<Admitted>,
    entered: Option<Entered>,
}

impl Limited {
    fn take<T: Table>(demand: &Demand<'_>, till: &Till<'_, T>) -> Result<Limited, Denied> {
        if demand.scopes.is_empty() {
            return Ok(Limited { admitted: None, entered: None });
        }
        let scopes: Vec<_> =
            demand.scopes.iter().map(|(scope, limits)| (*scope, limits.as_ref())).collect();
        let ask = Ask {
            scopes: &scopes,
            input_tokens: demand.input_tokens,
            output_tokens: demand.expected_output(),
            output_is_callers: demand.asked.max_tokens.is_some(),
            gateways: till.gateways,
            now_ns: till.now_ns(),
        };
        let admitted = limits::admit(till.table, &ask).map_err(|refused| over(&refused))?;
        let places = scopes.iter().filter_map(|(scope, of)| Some((*scope, of.concurrent?)));
        let places: Vec<_> = places.collect();
        if places.is_empty() {
            return Ok(Limited { admitted: Some(admitted), entered: None });
        }
        match concurrency::enter(till.table, &places, till.vm, &till.alive, till.gateways) {
            Ok(entered) => Ok(Limited { admitted: Some(admitted), entered: Some(entered) }),
            Err(scope) => {
                limits::give_back(till.table, &admitted, till.now_ns());
                Err(no_place(scope.kind(), &admitted.standing))
            }
        }
    }

    fn standing(&self) -> Option<&Standings> {
        self.admitted.as_ref().map(|admitted| &admitted.standing)
    }

    fn give_back<T: Table>(self, till: &Till<'_, T>) {
        if let Some(admitted) = &self.admitted {
            limits::give_back(till.table, admitted, till.now_ns());
        }
        if let Some(entered) = self.entered {
            concurrency::leave(till.table, entered);
        }
    }
}

/// What the budgets say.
enum Payment {
    Paid(Reservation, Option<u64>),
    Lease(Vec<Wanted>),
}

fn pay<T: Table>(
    demand: &Demand<'_>,
    till: &Till<'_, T>,
    may_ask: bool,
) -> Result<Payment, Denied> {
    let reserve = |amount| lease::reserve(till.table, &demand.payers, amount, till.vm, till.now_ms);
    let short = match reserve(demand.nanodollars()) {
        Ok(reservation) => return Ok(Payment::Paid(reservation, None)),
        Err(short) => short,
    };
    match (short.missing.is_empty(), may_ask) {
        (false, true) => return Ok(Payment::Lease(short.missing)),
        // There is money, and others were faster every time.
        (false, false) => return Err(no_answer()),
        (true, _) => {}
    }
    let affordable = demand.bound.affordable_max_tokens(short.available);
    let Some(tokens) = affordable.filter(|_| demand.can_be_capped) else {
        return Err(no_budget(&short));
    };
    let bound = demand.bound.with_max_tokens(tokens);
    match reserve(bound.nanodollars()) {
        Ok(reservation) => Ok(Payment::Paid(reservation, Some(tokens))),
        Err(short) => Err(no_budget(&short)),
    }
}

/// The control plane's answer for `wanted` goes into the table. What could not be kept has to
/// be given back.
pub fn install<T: Table>(
    till: &Till<'_, T>,
    wanted: &[Wanted],
    answer: &LeaseAnswer,
) -> Vec<Returned> {
    let both = wanted.iter().zip(&answer.leases);
    both.filter_map(|(wanted, leased)| {
        let payer = Payer::new(till.salt, &Account::parse(&wanted.account)?);
        lease::install(till.table, &payer, leased, till.now_ms)
    })
    .collect()
}

fn whose(kind: Kind) -> &'static str {
    match kind {
        Kind::Tenant => "the tenant",
        Kind::Key => "the key",
        Kind::User => "the user",
        Kind::Model => "the model",
    }
}

fn over(refused: &Refused) -> Denied {
    let whose = whose(refused.kind);
    let (code, message, retry_after_s) = match refused.over {
        Over::Requests { retry_after_s } => (
            Code::RateLimitExceeded,
            format!("The requests per minute of {whose} are used up."),
            Some(retry_after_s),
        ),
        Over::Tokens { retry_after_s } => (
            Code::TokensLimitExceeded,
            format!("The tokens per minute of {whose} are used up."),
            Some(retry_after_s),
        ),
        Over::TooLarge { limit } => (
            Code::RequestExceedsLimit,
            format!("The request alone has more tokens than {whose} may use in a minute: {limit}."),
            None,
        ),
    };
    let mut headers = standing_headers(Some(&refused.standing));
    headers.extend(retry_after_s.map(retry_after));
    Denied { refusal: Refusal::new(code, message), headers }
}

fn no_place(kind: Kind, standing: &Standings) -> Denied {
    let message = format!("Too many requests of {} are under way.", whose(kind));
    let mut headers = standing_headers(Some(standing));
    headers.push(retry_after(PLACE_RETRY_S));
    Denied { refusal: Refusal::new(Code::ConcurrencyLimitExceeded, message), headers }
}

fn no_budget(short: &Short) -> Denied {
    let refusal = Refusal::new(Code::BudgetExceeded, "The budget does not pay for this request.");
    Denied { refusal, headers: short.retry_after_s.map(retry_after).into_iter().collect() }
}

fn no_answer() -> Denied {
    let refusal = Refusal::new(
        Code::ControlUnavailable,
        "The budget of this request could not be asked for; try again.",
    );
    Denied { refusal, headers: vec![retry_after(PLACE_RETRY_S)] }
}

fn spool_full() -> Denied {
    let refusal = Refusal::new(
        Code::ControlUnavailable,
        "Usage cannot be recorded at this moment; try again later.",
    );
    Denied { refusal, headers: vec![retry_after(SPOOL_RETRY_S)] }
}

fn retry_after(seconds: u64) -> (&'static str, String) {
    ("retry-after", seconds.to_string())
}

/// What a client is told of its limits, by the names that OpenAI's API has for it.
#[must_use]
pub fn standing_headers(standings: Option<&Standings>) -> Vec<(&'static str, String)> {
    let Some(Standings { requests, tokens }) = standings else { return Vec::new() };
    let named = [
        (
            [
                "x-ratelimit-limit-requests",
                "x-ratelimit-remaining-requests",
                "x-ratelimit-reset-requests",
            ],
            requests,
        ),
        (
            [
                "x-ratelimit-limit-tokens",
                "x-ratelimit-remaining-tokens",
                "x-ratelimit-reset-tokens",
            ],
            tokens,
        ),
    ];
    let there = named.into_iter().filter_map(|(names, standing)| Some((names, standing.as_ref()?)));
    there
        .flat_map(|([limit, remaining, reset], standing)| {
            let Standing { limit: most, remaining: left, reset_ms } = standing;
            [(limit, most.to_string()), (remaining, left.to_string()), (reset, duration(*reset_ms))]
        })
        .collect()
}

/// A duration as OpenAI's API writes it: `120ms`, `7.2s`, `6m0s`.
fn duration(ms: u64) -> String {
    let (seconds, rest) = (ms / 1_000, ms % 1_000);
    match (seconds / 60, seconds % 60, rest) {
        (0, 0, rest) => format!("{rest}ms"),
        (0, seconds, 0) => format!("{seconds}s"),
        (0, seconds, rest) => format!("{seconds}.{rest:03}s"),
        (minutes, seconds, _) => format!("{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_clients_know_them() {
        for (ms, text) in
            [(0, "0ms"), (120, "120ms"), (7_000, "7s"), (7_200, "7.200s"), (360_500, "6m0s")]
        {
            assert_eq!(duration(ms), text);
        }
    }
}
