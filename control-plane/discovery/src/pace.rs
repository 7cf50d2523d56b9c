//! When a name is asked for again.

use crate::backoff::Backoff;
use std::time::Duration;

/// Shortest time an answer is used: some name servers give a TTL of 0.
const LEAST: Duration = Duration::from_secs(1);
/// Longest time an answer is used: a TTL of a day would hide a move for a day.
const TTL_MAX: Duration = Duration::from_secs(5 * 60);

/// How long to wait after an answer with `ttl`; without one the question brought
/// nothing, and its negative TTL is ignored: it is often an hour, and a pool would
/// be without engines until then.
pub(crate) fn until_next(ttl: Option<Duration>, backoff: &mut Backoff) -> Duration {
    match ttl {
        Some(ttl) => {
            backoff.worked();
            after_answer(ttl)
        }
        None => backoff.failed(),
    }
}

/// An answer is used for its TTL, within bounds.
fn after_answer(ttl: Duration) -> Duration {
    ttl.clamp(LEAST, TTL_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_used_for_its_ttl_within_bounds() {
        for (ttl_s, expected_s) in [(0, 1), (1, 1), (30, 30), (300, 300), (86_400, 300)] {
            let pause = after_answer(Duration::from_secs(ttl_s));
            assert_eq!(pause, Duration::from_secs(expected_s), "{ttl_s}");
        }
    }

    #[test]
    fn a_question_that_brought_nothing_is_repeated_soon_and_then_less_often() {
        let mut backoff = Backoff::default();
        let hour = Some(Duration::from_secs(3_600));
        let pauses = [None, None, None, hour, None].map(|ttl| until_next(ttl, &mut backoff));
        assert_eq!(pauses.map(|pause| pause.as_secs()), [1, 2, 4, 300, 1]);
    }
}
