//! Globs over names: `*` stands for any run of characters, all others for
//! themselves.

/// A glob, ready to be matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Glob {
    /// `*`
    Any,
    /// No star in it.
    Exact(Box<str>),
    /// The pieces between the stars; the first is a prefix, the last a suffix.
    Pieces(Box<[Box<str>]>),
}

impl Glob {
    /// The glob that `pattern` says.
    #[must_use]
    pub fn new(pattern: &str) -> Glob {
        if pattern.chars().all(|c| c == '*') && !pattern.is_empty() {
            return Glob::Any;
        }
        if !pattern.contains('*') {
            return Glob::Exact(pattern.into());
        }
        Glob::Pieces(pattern.split('*').map(Box::from).collect())
    }

    /// Whether `name` matches. Time is linear in the name for each piece.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Glob::Any => true,
            Glob::Exact(exact) => **exact == *name,
            Glob::Pieces(pieces) => matches_pieces(pieces, name),
        }
    }
}

fn matches_pieces(pieces: &[Box<str>], name: &str) -> bool {
    let [first, middle @ .., last] = pieces else { return false };
    let Some(rest) = name.strip_prefix(&**first) else { return false };
    let Some(mut rest) = rest.strip_suffix(&**last) else { return false };
    for piece in middle {
        let Some((_, after)) = rest.split_once(&**piece) else { return false };
        rest = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching() {
        let table = [
            ("*", "anything", true),
            ("**", "", true),
            ("llama", "llama", true),
            ("llama", "llama-2", false),
            ("llama*", "llama-2", true),
            ("llama*", "a-llama", false),
            ("*-mini", "gpt-mini", true),
            ("*-mini", "gpt-mini-2", false),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("aa*aa", "aaa", false),
            ("a*", "a", true),
            ("", "", true),
            ("", "a", false),
            ("한*글", "한-글", true),
        ];
        for (pattern, name, expected) in table {
            assert_eq!(Glob::new(pattern).matches(name), expected, "{pattern} {name}");
        }
    }
}
