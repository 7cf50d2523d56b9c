//! What is wrong with a configuration, and where.

use std::fmt;

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
}
