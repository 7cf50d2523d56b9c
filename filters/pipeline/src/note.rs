//! What the ledger is told, as the shell hands it to Envoy.

use contract::spool::{JOURNAL_MARK, Line};
use contract::usage::{Tally, Who};
use serde::Serialize;

/// The value of [`contract::names::WHO_PROPERTY`].
#[must_use]
pub fn who(who: &Who) -> Vec<u8> {
    json(who)
}

/// The value of [`contract::names::TALLY_PROPERTY`].
#[must_use]
pub fn tally(tally: &Tally) -> Vec<u8> {
    json(tally)
}

/// A line of the journal.
#[must_use]
pub fn journal(line: &Line) -> String {
    let mut text = JOURNAL_MARK.as_bytes().to_vec();
    let written = serde_json::to_writer(&mut text, line);
    written.ok().and_then(|()| String::from_utf8(text).ok()).unwrap_or_default()
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::spool::LineType;

    #[test]
    fn a_line_of_the_journal_can_be_read_again() {
        let line = Line {
            line_type: LineType::End,
            id: "r-1".into(),
            at_ms: 1,
            who: String::from_utf8(who(&Who { tenant: "acme".into(), ..Who::default() })).ok(),
            usage: String::from_utf8(tally(&Tally::default())).ok(),
            status: Some(200),
            flags: None,
            details: None,
            endpoint: None,
            duration_ms: Some(2),
            sent: None,
            attempts: None,
        };
        let text = journal(&line);
        let json = text.strip_prefix(JOURNAL_MARK).unwrap();
        assert!(!json.contains("null"), "{json}");
        assert_eq!(serde_json::from_str::<Line>(json).unwrap(), line);
    }
}
