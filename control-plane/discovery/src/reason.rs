//! Why something failed, in one line for the operator.

use std::error::Error;

/// Longest text that is taken over from somebody else's answer, in characters:
/// enough for the sentence of an API server, too little for a page of HTML.
const FOREIGN_CHARS_MAX: usize = 300;

/// Most causes that are told of one error.
const CAUSES_MAX: usize = 8;

/// Most problems of one answer that are spelled out.
const PROBLEMS_MAX: usize = 3;

/// An error, its cause, the cause of that and so on.
pub(crate) fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut causes = vec![error];
    let mut next = error.source();
    while let Some(cause) = next.filter(|_| causes.len() < CAUSES_MAX) {
        causes.push(cause);
        next = cause.source();
    }
    causes
}

/// An error and its causes; what a cause repeats is left out.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = causes(error).into_iter().map(ToString::to_string);
    causes.fold(String::new(), |told, cause| match told.contains(&cause) {
        true => told,
        false if told.is_empty() => cause,
        false => format!("{told}: {cause}"),
    })
}

/// Somebody else's text without line breaks and other control characters, cut
/// to 300 characters.
pub(crate) fn one_line(foreign: &str) -> String {
    let plain = foreign.split(|c: char| c.is_control() || c.is_whitespace());
    let words: Vec<&str> = plain.filter(|word| !word.is_empty()).take(FOREIGN_CHARS_MAX).collect();
    words.join(" ").chars().take(FOREIGN_CHARS_MAX).collect()
}

/// What is wrong with an answer, the first three problems of it; `None`: nothing.
pub(crate) fn joined(problems: &[String]) -> Option<String> {
    let told: Vec<&str> = problems.iter().take(PROBLEMS_MAX).map(String::as_str).collect();
    let more = problems.len().saturating_sub(PROBLEMS_MAX);
    match (told.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(told.join("; ")),
        (false, more) => Some(format!("{}; and {more} more", told.join("; "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn a_chain_tells_each_cause_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot connect: {0}")]
        struct Connect(#[source] io::Error);

        let refused = Connect(io::Error::other("refused"));
        assert_eq!(chain(&refused), "cannot connect: refused");
    }

    #[test]
    fn foreign_text_is_one_short_line() {
        assert_eq!(one_line("  <html>\r\n\t<h1>No\u{1b}[31m</h1>\n"), "<html> <h1>No [31m</h1>");
        assert_eq!(one_line(&"ä".repeat(1000)).chars().count(), 300);
        assert_eq!(one_line(""), "");
    }

    #[test]
    fn many_problems_are_counted() {
        let problems: Vec<String> = (1..=5).map(|n| format!("problem {n}")).collect();
        assert_eq!(joined(&[]), None);
        assert_eq!(joined(&problems[..1]).unwrap(), "problem 1");
        assert_eq!(joined(&problems).unwrap(), "problem 1; problem 2; problem 3; and 2 more");
    }
}
