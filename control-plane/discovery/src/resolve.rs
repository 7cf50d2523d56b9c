//! From what a source lists to addresses: names are asked for again whenever
//! their answer is used up.

use crate::dns::{Answer, NameServer};
use crate::error::Error;
use crate::names::{Names, Resolved};
use crate::source::Listed;
use crate::{Found, State};
use std::future::pending;
use std::net::IpAddr;
use std::time::SystemTime;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Most questions at once: a list of a thousand names must not flood a name server.
const QUESTIONS_MAX: usize = 32;

type Answered = (String, Result<Answer<IpAddr>, Error>);

/// Resolves what comes out of `listed` into `found`, for ever.
pub(crate) async fn run(
    mut listed: watch::Receiver<Listed>,
    server: NameServer,
    found: watch::Sender<Found>,
) {
    let mut names = Names::default();
    let mut questions = JoinSet::<Answered>::new();
    let mut open = true;
    let mut list = listed.borrow_and_update().clone();
    loop {
        names.want(list.endpoints.as_deref().unwrap_or_default(), Instant::now());
        publish(&found, &list, &names);
        ask_for_due(&mut names, &mut questions, &server);
        let due = names.next_due().filter(|_| questions.len() < QUESTIONS_MAX);
        tokio::select! {
            changed = listed.changed(), if open => {
                open = changed.is_ok();
                list = listed.borrow_and_update().clone();
            }
            Some(Ok((name, answer))) = questions.join_next() => {
                names.answered(&name, answer, Instant::now());
                take_answers(&mut names, &mut questions);
            }
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            // Nothing will change any more; what was found stays.
            else => pending().await,
        }
    }
}

fn ask_for_due(names: &mut Names, questions: &mut JoinSet<Answered>, server: &NameServer) {
    let room = QUESTIONS_MAX.saturating_sub(questions.len());
    for name in names.take_due(room, Instant::now()) {
        let server = server.clone();
        questions.spawn(async move {
            let answer = server.addresses(&name).await;
            (name, answer)
        });
    }
}

/// Answers that came together are published together.
fn take_answers(names: &mut Names, questions: &mut JoinSet<Answered>) {
    while let Some(Ok((name, answer))) = questions.try_join_next() {
        names.answered(&name, answer, Instant::now());
    }
}

fn publish(sender: &watch::Sender<Found>, list: &Listed, names: &Names) {
    let resolved = list.endpoints.as_deref().map(|of| names.resolve(of, &list.zones));
    // Names that are not answered yet: what is known stays for the moment.
    let Some(resolved) = resolved.map_or(Some(None), |resolved| resolved.map(Some)) else { return };
    let now_ms = unix_ms(SystemTime::now());
    sender.send_if_modified(|found| update(found, list.error.as_deref(), resolved, now_ms));
}

/// Puts into `found` what is known now; says whether it is something new. Names
/// that all fail take nothing away.
fn update(
    found: &mut Found,
    source_error: Option<&str>,
    resolved: Option<Resolved>,
    now_ms: u64,
) -> bool {
    let before = found.clone();
    let names_error = resolved.as_ref().and_then(|resolved| resolved.error.clone());
    let error = source_error.map(str::to_owned).or(names_error);
    if let Some(Resolved { targets, error: missing }) = resolved
        && (missing.is_none() || !targets.is_empty())
    {
        found.targets = Some(targets);
    }
    match error {
        Some(error) => {
            found.state = State::Failing { error, since_ms: failing_since(&before, now_ms) };
        }
        None if found.targets.is_some() => {
            found.state = State::Fresh;
            found.at_ms = now_ms;
        }
        None => {}
    }
    found.state != before.state || found.targets != before.targets
}

fn failing_since(found: &Found, now_ms: u64) -> u64 {
    match found.state {
        State::Failing { since_ms, .. } => since_ms,
        State::Waiting | State::Fresh => now_ms,
    }
}

fn unix_ms(time: SystemTime) -> u64 {
    let since_1970 = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
