//! Whether an Envoy that outlived its Tollgate is ours, and fit to go on.

use super::process::Seen;
use crate::run_file::Run;

/// What to do about the Envoy of the last run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// There is none: start one.
    Start,
    /// It runs with what we would start it with: let it go on.
    Adopt {
        /// Its process.
        pid: u32,
        /// When that began.
        start: u64,
    },
    /// It runs with something else: end it, then start one.
    Replace {
        /// Its process.
        pid: u32,
        /// When that began.
        start: u64,
    },
}

/// Decides by what the last run wrote down, by the process that has the pid now,
/// and by the digest of what an Envoy would be started with now.
pub fn decide(run: &Run, seen: Option<&Seen>, digest: &str) -> Decision {
    let Some((pid, start)) = recorded(run).filter(|&(_, start)| is_it(seen, start)) else {
        return Decision::Start;
    };
    let reachable = run.envoy_admin.is_some();
    if reachable && run.bootstrap_digest.as_deref() == Some(digest) {
        Decision::Adopt { pid, start }
    } else {
        Decision::Replace { pid, start }
    }
}

/// Whether the Envoy of the last run is alive.
pub fn is_alive(run: &Run, seen: Option<&Seen>) -> bool {
    recorded(run).is_some_and(|(_, start)| is_it(seen, start))
}

fn recorded(run: &Run) -> Option<(u32, u64)> {
    run.envoy_pid.zip(run.envoy_start)
}

/// A pid is given to another process one day; the pair of pid and start is not.
fn is_it(seen: Option<&Seen>, start: u64) -> bool {
    seen.is_some_and(|seen| !seen.dead && seen.start == start && seen.is_ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(pid: Option<u32>, digest: &str) -> Run {
        Run {
            envoy_pid: pid,
            envoy_start: pid.map(|_| 1_000),
            envoy_admin: Some("127.0.0.1:9901".parse().unwrap()),
            bootstrap_digest: Some(digest.to_owned()),
            ..Run::default()
        }
    }

    fn seen(start: u64, dead: bool, is_ours: bool) -> Option<Seen> {
        Some(Seen { start, dead, is_ours })
    }

    #[test]
    fn decisions() {
        let adopt = Decision::Adopt { pid: 7, start: 1_000 };
        let replace = Decision::Replace { pid: 7, start: 1_000 };
        let table = [
            ("nothing recorded", run(None, "a"), None, Decision::Start),
            ("gone", run(Some(7), "a"), None, Decision::Start),
            ("dead, not yet buried", run(Some(7), "a"), seen(1_000, true, true), Decision::Start),
            ("the pid is another's", run(Some(7), "a"), seen(2_000, false, true), Decision::Start),
            ("after a reboot", run(Some(7), "a"), seen(1_000, false, false), Decision::Start),
            ("the same", run(Some(7), "a"), seen(1_000, false, true), adopt),
            ("other bootstrap", run(Some(7), "b"), seen(1_000, false, true), replace),
        ];
        for (case, run, seen, expected) in table {
            assert_eq!(decide(&run, seen.as_ref(), "a"), expected, "{case}");
            assert_eq!(is_alive(&run, seen.as_ref()), expected != Decision::Start, "{case}");
        }
    }

    #[test]
    fn one_that_cannot_be_asked_is_replaced() {
        let run = Run { envoy_admin: None, ..run(Some(7), "a") };
        let decision = decide(&run, seen(1_000, false, true).as_ref(), "a");
        assert_eq!(decision, Decision::Replace { pid: 7, start: 1_000 });
    }
}
