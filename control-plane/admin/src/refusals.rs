//! How often callers and operators were refused: counted in memory, and told to the
//! audit trail now and then. So nobody can fill the disk by being refused.
//!
//! A gateway reports totals since its process began, and each row of the trail keeps
//! them: after a restart of the control plane the counting goes on from the last row.
//! What is counted and not yet noted at that time is noted with the gateway's next
//! report. Refused admin tokens that are not yet noted at a crash are not noted.

use crate::api::CLOCK;
use contract::keyring::RefusalReport;
use contract::limits::REFUSAL_REPORT_MS;
use contract::refusal::Code;
use ledger::{Action, Actor, AuditEvent, AuditFilter, Ledger};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Between two rows about the same gateway, or about the admin API, in milliseconds.
const ROW_EVERY_MS: u64 = 60_000;

/// Most gateways that are remembered. One more takes the place of one that has been
/// quiet for [`ROW_EVERY_MS`]; so this is also the most rows in that time.
const PROCESSES_MAX: usize = 64;

/// Longest name of a process: the digits of the largest time in milliseconds.
const PROCESS_CHARS_MAX: usize = 20;

/// Counts by code of the contract's table.
type Counts = BTreeMap<&'static str, u64>;

/// Why somebody was not let in to the admin API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Door {
    /// There was no token.
    NoToken,
    /// The token was wrong.
    WrongToken,
    /// The name of the server was foreign.
    Host,
    /// A page of another origin asked.
    Origin,
}

impl Door {
    /// Every reason.
    pub const ALL: [Door; 4] = [Door::NoToken, Door::WrongToken, Door::Host, Door::Origin];

    /// The reason as a label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Door::NoToken => "no_token",
            Door::WrongToken => "wrong_token",
            Door::Host => "host",
            Door::Origin => "origin",
        }
    }
}

/// Why a report was not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// It does not say which process it is of.
    #[error("the report names no process")]
    NoProcess,
    /// Too many others were heard of within a minute.
    #[error("{PROCESSES_MAX} other gateways have reported within a minute")]
    TooMany,
    /// The ledger could not be asked.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
}

/// The counts of refusals. Clones share everything.
#[derive(Clone)]
pub struct Refusals {
    ledger: Ledger,
    tally: Arc<Mutex<Tally>>,
}

/// What was counted since the control plane began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Refused callers by code, as gateways reported them.
    pub callers: Counts,
    /// Refused requests to the admin API.
    pub admin: BTreeMap<Door, u64>,
}

impl Refusals {
    /// Counts that nobody has added to yet, to be noted in the trail of `ledger`.
    #[must_use]
    pub fn new(ledger: Ledger) -> Self {
        Refusals { ledger, tally: Arc::default() }
    }

    /// Tells the audit trail for ever; to be run in one task. Dropping it at any
    /// moment is harmless.
    pub async fn keep_noting(self) {
        loop {
            tokio::time::sleep(Duration::from_millis(REFUSAL_REPORT_MS)).await;
            if let Err(error) = self.note(CLOCK.now_ms()).await {
                tracing::error!(%error, "refusals wait to be noted in the audit trail");
            }
        }
    }

    /// Notes what is due at `now_ms`.
    pub async fn note(&self, now_ms: u64) -> Result<(), ledger::Error> {
        let due = self.tally().due(now_ms);
        for due in due {
            self.ledger.note(due.event.clone()).await?;
            self.tally().noted(&due, now_ms);
        }
        Ok(())
    }

    /// Takes what a gateway reports.
    pub async fn report(&self, report: &RefusalReport, now_ms: u64) -> Result<(), NotTaken> {
        let process = report.process.as_str();
        if !is_process(process) {
            return Err(NotTaken::NoProcess);
        }
        if !self.tally().processes.contains_key(process) {
            let noted = self.noted_totals(process).await?;
            self.tally().admit(process, noted, now_ms)?;
        }
        self.tally().take(process, &known(&report.refused), now_ms);
        Ok(())
    }

    /// The totals in the last row about a process.
    async fn noted_totals(&self, process: &str) -> Result<Counts, ledger::Error> {
        let filter = AuditFilter {
            action: Some(Action::AuthRefused.as_str().to_owned()),
            subject: Some(process.to_owned()),
            limit: 1,
            ..AuditFilter::default()
        };
        let rows = self.ledger.audit(&filter).await?;
        let totals = rows.first().and_then(|row| row.detail.get("total"));
        let totals = totals.and_then(|totals| serde_json::from_value(totals.clone()).ok());
        Ok(known(&totals.unwrap_or_default()))
    }

    /// Counts a request that was not let in to the admin API.
    pub(crate) fn not_let_in(&self, why: Door) {
        *self.tally().counted.admin.entry(why).or_default() += 1;
    }

    /// What was counted since the control plane began.
    #[must_use]
    pub fn counted(&self) -> Counted {
        self.tally().counted.clone()
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_process(text: &str) -> bool {
    (1..=PROCESS_CHARS_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// The counts whose codes are in the contract's table.
fn known(counts: &BTreeMap<String, u64>) -> Counts {
    let count = |code: &Code| Some((code.as_str(), *counts.get(code.as_str())?));
    Code::ALL.iter().filter_map(count).collect()
}

/// Counts in memory, without clock or database.
#[derive(Default)]
struct Tally {
    counted: Counted,
    processes: BTreeMap<String, Process>,
    admin: AdminRows,
}

/// What is known of one gateway.
#[derive(Default)]
struct Process {
    /// Totals as it last told them.
    told: Counts,
    /// Totals as the audit trail has them.
    noted: Counts,
    heard_at_ms: u64,
    noted_at_ms: Option<u64>,
}

/// What the audit trail has of wrong tokens.
#[derive(Default)]
struct AdminRows {
    noted: u64,
    noted_at_ms: Option<u64>,
}

/// A row that is to be written, and what is noted with it.
struct Due {
    event: AuditEvent,
    what: Noted,
}

enum Noted {
    Process { name: String, told: Counts },
    Admin { wrong: u64 },
}

impl Tally {
    /// Remembers a process that the trail has `noted` of, if it is not yet: two of its
    /// reports may come at once.
    fn admit(&mut self, name: &str, noted: Counts, now_ms: u64) -> Result<(), NotTaken> {
        if self.processes.contains_key(name) {
            return Ok(());
        }
        if self.processes.len() >= PROCESSES_MAX {
            let quietest = self.processes.iter().min_by_key(|(_, process)| process.heard_at_ms);
            let quiet = quietest.filter(|(_, process)| rested(Some(process.heard_at_ms), now_ms));
            let name = quiet.map(|(name, _)| name.clone()).ok_or(NotTaken::TooMany)?;
            self.processes.remove(&name);
        }
        let process = Process { told: noted.clone(), noted, ..Process::default() };
        self.processes.insert(name.to_owned(), process);
        Ok(())
    }

    /// Takes totals. They never fall: where they do, another process has the same name.
    fn take(&mut self, name: &str, totals: &Counts, now_ms: u64) {
        let Some(process) = self.processes.get_mut(name) else { return };
        process.heard_at_ms = now_ms;
        for (code, total) in totals {
            let told = process.told.entry(code).or_default();
            *self.counted.callers.entry(code).or_default() += total.saturating_sub(*told);
            *told = (*told).max(*total);
        }
    }

    fn due(&self, now_ms: u64) -> Vec<Due> {
        let processes = self.processes.iter().filter_map(|(name, one)| one.due(name, now_ms));
        processes.chain(self.admin_due(now_ms)).collect()
    }

    fn admin_due(&self, now_ms: u64) -> Option<Due> {
        let wrong = self.counted.admin.get(&Door::WrongToken).copied().unwrap_or_default();
        let new = wrong.saturating_sub(self.admin.noted);
        if new == 0 || !rested(self.admin.noted_at_ms, now_ms) {
            return None;
        }
        let event = AuditEvent::new(now_ms, Actor::Admin, Action::AdminRefused, "");
        Some(Due { event: event.with("refused", new), what: Noted::Admin { wrong } })
    }

    fn noted(&mut self, due: &Due, now_ms: u64) {
        match &due.what {
            Noted::Admin { wrong } => {
                self.admin = AdminRows { noted: *wrong, noted_at_ms: Some(now_ms) };
            }
            Noted::Process { name, told } => {
                if let Some(process) = self.processes.get_mut(name) {
                    process.noted.clone_from(told);
                    process.noted_at_ms = Some(now_ms);
                }
            }
        }
    }
}

impl Process {
    fn due(&self, name: &str, now_ms: u64) -> Option<Due> {
        if self.told == self.noted || !rested(self.noted_at_ms, now_ms) {
            return None;
        }
        let before = |code| self.noted.get(code).copied().unwrap_or_default();
        let new = self.told.iter().map(|(code, told)| (*code, told.saturating_sub(before(code))));
        let event = AuditEvent::new(now_ms, Actor::Gateway, Action::AuthRefused, name)
            .with("refused", object(new.filter(|(_, count)| *count > 0)))
            .with("total", object(self.told.iter().map(|(code, count)| (*code, *count))));
        let what = Noted::Process { name: name.to_owned(), told: self.told.clone() };
        Some(Due { event, what })
    }
}

fn object(counts: impl Iterator<Item = (&'static str, u64)>) -> Map<String, Value> {
    counts.map(|(code, count)| (code.to_owned(), count.into())).collect()
}

fn rested(since_ms: Option<u64>, now_ms: u64) -> bool {
    since_ms.is_none_or(|since_ms| now_ms.saturating_sub(since_ms) >= ROW_EVERY_MS)
}

#[cfg(test)]
mod tests;
