//! What is wrong with a configuration, and where.

use std::fmt;

/// Most problems that are told apart; the rest are counted. Nobody reads more,
/// and a text of a few lines, with aliases, can hold a million.
pub(crate) const PROBLEMS_MAX: usize = 1_000;

/// One thing that is wrong. The message quotes no value that could be a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Line, counted from 1.
    pub line: u32,
    /// Column in characters, counted from 1.
    pub column: u32,
    /// Which field, as `pools.llama.endpoints[1]`; empty for the whole document.
    pub path: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// Problems as they are found, of which the first [`PROBLEMS_MAX`] are kept.
#[derive(Default)]
pub(crate) struct Problems {
    kept: Vec<Problem>,
    left_out: usize,
}

impl Problems {
    /// Keeps what `problem` makes, or counts it without making it: a message may
    /// be dear.
    pub fn push(&mut self, problem: impl FnOnce() -> Problem) {
        if self.kept.len() < PROBLEMS_MAX {
            self.kept.push(problem());
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// In the order of the text; the last one says how many were left out.
    pub fn into_sorted(self) -> Vec<Problem> {
        let mut problems = self.kept;
        problems.sort();
        problems.dedup();
        let place = problems.last().map_or((1, 1), |last| (last.line, last.column));
        if self.left_out > 0 {
            let message = format!("and {} more problems; solve these first", self.left_out);
            problems.push(Problem { line: place.0, column: place.1, path: String::new(), message });
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_the_contract_says() {
        let mut problem =
            Problem { line: 3, column: 7, path: "gateway".into(), message: "is odd".into() };
        assert_eq!(problem.to_string(), "3:7: gateway: is odd");
        problem.path.clear();
        assert_eq!(problem.to_string(), "3:7: is odd");
    }

    #[test]
    fn counts_what_it_does_not_keep() {
        let at = |line| Problem { line, column: 2, path: "a".into(), message: "is odd".into() };
        let mut problems = Problems::default();
        for line in (1..=1_003).rev() {
            problems.push(|| at(line));
        }
        problems.push(|| panic!("made although it is not kept"));
        let problems = problems.into_sorted();
        assert_eq!((problems.len(), problems[0].line), (PROBLEMS_MAX + 1, 4));
        assert_eq!(
            problems[PROBLEMS_MAX].to_string(),
            "1003:2: and 4 more problems; solve these first"
        );
    }
}
