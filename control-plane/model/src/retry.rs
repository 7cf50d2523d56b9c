//! `gateway.retry`: after which failures a request goes to another server or pool.

use crate::document::Cursor;
use crate::schema::Section;
use crate::units;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// Statuses of an engine after which an attempt can be followed by another.
pub(crate) const SERVER_ERRORS: RangeInclusive<u16> = 500..=599;

/// The status of an engine that takes no more at the moment.
pub(crate) const TOO_MANY_REQUESTS: u16 = 429;

/// Share of the active requests that may be attempts after the first, when nothing is said.
const BUDGET_PERCENT_DEFAULT: u8 = 100;

/// When there is another attempt, and how many at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// After a connection that could not be made.
    pub connect: bool,
    /// After a connection that broke before the answer began.
    pub reset: bool,
    /// After an answer with one of these statuses: 429 and 500 to 599.
    pub statuses: BTreeSet<u16>,
    /// The most of a pool's active requests that may be attempts after the first, 1 to 100
    /// percent.
    pub budget_percent: u8,
}

impl Default for Retry {
    fn default() -> Self {
        Retry {
            connect: true,
            reset: true,
            statuses: SERVER_ERRORS.chain([TOO_MANY_REQUESTS]).collect(),
            ..Retry::NEVER
        }
    }
}

impl Retry {
    const NEVER: Retry = Retry {
        connect: false,
        reset: false,
        statuses: BTreeSet::new(),
        budget_percent: BUDGET_PERCENT_DEFAULT,
    };

    pub(crate) fn read(cursor: &Cursor<'_>) -> Retry {
        let fields = cursor.fields(Section::Retry);
        let on = fields.get("on");
        let budget_percent = fields.value("budget", BUDGET_PERCENT_DEFAULT, units::percent);
        fields.close();
        let retry = on.map(|on| Retry::on(&on.parse_items(failure))).unwrap_or_default();
        Retry { budget_percent, ..retry }
    }

    fn on(failures: &[Failure]) -> Retry {
        let mut retry = Retry::NEVER;
        for failure in failures {
            match failure {
                Failure::Connect => retry.connect = true,
                Failure::Reset => retry.reset = true,
                Failure::Statuses(statuses) => retry.statuses.extend(statuses.clone()),
            }
        }
        retry
    }
}

/// What ends an attempt.
enum Failure {
    Connect,
    Reset,
    Statuses(RangeInclusive<u16>),
}

fn failure(text: &str) -> Result<Failure, &'static str> {
    let wrong = "is not known; allowed: connect, reset, 429, 5xx, 500 to 599";
    match text {
        "connect" => Ok(Failure::Connect),
        "reset" => Ok(Failure::Reset),
        "5xx" => Ok(Failure::Statuses(SERVER_ERRORS)),
        digits => {
            let status = units::port(digits).map_err(|_| wrong)?;
            let known = status == TOO_MANY_REQUESTS || SERVER_ERRORS.contains(&status);
            if known { Ok(Failure::Statuses(status..=status)) } else { Err(wrong) }
        }
    }
}
