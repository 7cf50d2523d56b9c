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
            Glob::Pieces(pieces) => pieces_match(pieces.iter().map(|piece| &**piece), name),
        }
    }
}

/// The same for a pattern that comes with the request's caller: nothing is
/// compiled and nothing allocated.
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    pieces_match(pattern.split('*'), name)
}

/// The leftmost place is the best one for every piece in the middle: it leaves
/// the most for those that follow.
fn pieces_match<'p>(mut pieces: impl DoubleEndedIterator<Item = &'p str>, name: &str) -> bool {
    let Some(first) = pieces.next() else { return false };
    let Some(last) = pieces.next_back() else { return first == name };
    let Some(rest) = name.strip_prefix(first) else { return false };
    let Some(mut rest) = rest.strip_suffix(last) else { return false };
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    true
}

/// Whether one of the globs matches.
#[must_use]
pub fn any(globs: &[Glob], name: &str) -> bool {
    globs.iter().any(|glob| glob.matches(name))
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
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}, not compiled");
        }
    }

    /// What a glob means, one character at a time.
    fn naive(pattern: &[char], name: &[char]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, rest) => rest.is_none(),
            (Some(('*', behind)), None) => naive(behind, name),
            (Some(('*', behind)), Some((_, rest))) => naive(behind, name) || naive(pattern, rest),
            (Some(_), None) => false,
            (Some((wanted, behind)), Some((is, rest))) => wanted == is && naive(behind, rest),
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(4_096))]

        #[test]
        fn a_glob_means_what_it_says_character_by_character(
            pattern in "[ab글*]{0,7}",
            name in "[ab글]{0,9}",
        ) {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = naive(&chars(&pattern), &chars(&name));
            proptest::prop_assert_eq!(Glob::new(&pattern).matches(&name), expected);
            proptest::prop_assert_eq!(matches(&pattern, &name), expected);
        }
    }
}
