//! Conditions and numbers as queries have them.

use super::dialect::Db;
use sqlx::QueryBuilder;

/// Appends the conditions of those words that are asked for.
pub(super) fn push_words(query: &mut QueryBuilder<Db>, words: &[(&'static str, &Option<String>)]) {
    for (condition, word) in words {
        if let Some(word) = word {
            query.push(condition).push_bind(word.clone());
        }
    }
}

/// Appends the bounds of the time in `column`, the second not included.
pub(super) fn push_times(
    query: &mut QueryBuilder<Db>,
    column: &'static str,
    since_ms: Option<u64>,
    until_ms: Option<u64>,
) {
    for (comparison, at_ms) in [(" >= ", since_ms), (" < ", until_ms)] {
        if let Some(at_ms) = at_ms {
            query.push(" AND ").push(column).push(comparison).push_bind(stored(at_ms));
        }
    }
}

/// A number as the databases keep it; what is larger than fits is the largest.
pub(super) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number as it was stored; none below zero is ever written.
pub(super) fn loaded(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Numbers as a column keeps them: with commas between.
pub(super) fn numbers_text(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(",")
}

/// The numbers of such a text.
pub(super) fn numbers_of(text: &str) -> Vec<u64> {
    text.split(',').filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_beyond_the_database_are_the_largest_it_has() {
        assert_eq!(loaded(stored(u64::MAX)), i64::MAX.unsigned_abs());
        assert_eq!(loaded(stored(7)), 7);
        assert_eq!(loaded(-1), 0);
    }

    #[test]
    fn numbers_in_a_text() {
        for numbers in [vec![], vec![7], vec![1, u64::MAX]] {
            assert_eq!(numbers_of(&numbers_text(&numbers)), numbers);
        }
    }
}
