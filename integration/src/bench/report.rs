//! The table of several sides under one load.

use crate::figures::Spread;
use crate::load::Sample;
use crate::markdown::markdown;

/// One figure of every run.
pub struct Column {
    /// Its heading, with the unit.
    pub title: &'static str,
    /// After the point.
    pub digits: usize,
    /// The figure of a run; not a number where there is none.
    pub value: fn(&Sample) -> f64,
    /// How it is held against another side's.
    pub compare: Compare,
}

/// What is made of two figures of one round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// It says something about the measurement, not about the sides.
    Nothing,
    /// The one by the other.
    Ratio,
    /// And the one less the other.
    RatioAndDifference,
}

/// The table of a scenario, and which of its sides (by their places) are held against
/// which.
pub fn table(columns: &[Column], sides: &[(&str, &[Sample])], pairs: &[(usize, usize)]) -> String {
    let titles = columns.iter().map(|column| column.title.to_owned());
    let mut rows = vec![std::iter::once("median (min–max)".to_owned()).chain(titles).collect()];
    for (name, samples) in sides {
        rows.push(row(name, columns, |column| spread(column, samples)));
    }
    for (side, base) in pairs {
        if let (Some(side), Some(base)) = (sides.get(*side), sides.get(*base)) {
            rows.extend(comparison(columns, *base, *side));
        }
    }
    markdown(&rows)
}

/// All sides but the first, against it.
pub fn against_the_first(sides: usize) -> Vec<(usize, usize)> {
    (1..sides).map(|side| (side, 0)).collect()
}

/// Round by round, and of that the median.
fn comparison(
    columns: &[Column],
    (base_name, base): (&str, &[Sample]),
    (name, samples): (&str, &[Sample]),
) -> [Vec<String>; 2] {
    let pairs = |column: &Column, of: fn(f64, f64) -> f64| {
        let value = column.value;
        Spread::of(samples.iter().zip(base).map(|(sample, base)| of(value(sample), value(base))))
    };
    let ratio = |column: &Column| match column.compare {
        Compare::Nothing => String::new(),
        _ => pairs(column, |a, b| a / b).map_or_else(String::new, |it| format!("{it:.2}")),
    };
    let difference = |column: &Column| match column.compare {
        Compare::RatioAndDifference => pairs(column, |a, b| a - b)
            .map_or_else(String::new, |it| format!("{it:+.0$}", column.digits)),
        _ => String::new(),
    };
    [
        row(&format!("{name} ÷ {base_name}"), columns, ratio),
        row(&format!("{name} − {base_name}"), columns, difference),
    ]
}

fn row(name: &str, columns: &[Column], cell: impl Fn(&Column) -> String) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(columns.iter().map(cell)).collect()
}

fn spread(column: &Column, samples: &[Sample]) -> String {
    let spread = Spread::of(samples.iter().map(column.value));
    spread.map_or_else(String::new, |it| format!("{it:.0$}", column.digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(answers: &[u64]) -> Vec<Sample> {
        answers.iter().map(|&answers| Sample { answers, ..Sample::default() }).collect()
    }

    const ANSWERS: Column = Column {
        title: "answers",
        digits: 0,
        value: |sample| sample.answers as f64,
        compare: Compare::RatioAndDifference,
    };

    #[test]
    fn sides_are_compared_round_by_round() {
        let (base, other) = (samples(&[10, 20, 40]), samples(&[20, 20, 20]));
        let table = table(&[ANSWERS], &[("plain", &base), ("gate", &other)], &against_the_first(2));
        let expected = "\
            | median (min–max) | answers          |\n\
            | ---------------- | ---------------- |\n\
            | plain            | 20 (10–40)       |\n\
            | gate             | 20 (20–20)       |\n\
            | gate ÷ plain     | 1.00 (0.50–2.00) |\n\
            | gate − plain     | +0 (-20 to +10)  |\n";
        assert_eq!(table, expected);
    }

    #[test]
    fn what_is_not_compared_leaves_the_cell_empty() {
        let column = Column { compare: Compare::Nothing, ..ANSWERS };
        let both = samples(&[10]);
        let table = table(&[column], &[("plain", &both), ("gate", &both)], &against_the_first(2));
        let last = table.lines().last().unwrap_or_default();
        assert_eq!(last, "| gate − plain     |            |");
    }
    #[test]
    fn any_side_is_held_against_any_other() {
        let all = [samples(&[10]), samples(&[20]), samples(&[50])];
        let sides = [("a", &all[0][..]), ("b", &all[1][..]), ("c", &all[2][..])];
        let table = table(&[ANSWERS], &sides, &[(1, 0), (2, 1)]);
        assert!(
            table.contains("| b ÷ a ") && table.contains("| c − b            | +30 (+30 to +30) |"),
            "{table}"
        );
        assert!(!table.contains("c − a"), "{table}");
        assert_eq!(against_the_first(3), [(1, 0), (2, 0)]);
    }
}
