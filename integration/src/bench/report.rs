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
    /// How it is held against plain Envoy's.
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

/// The table of a scenario; the first side is what the others are compared with.
pub fn table(columns: &[Column], sides: &[(&str, &[Sample])]) -> String {
    let titles = columns.iter().map(|column| column.title.to_owned());
    let mut rows = vec![std::iter::once("median (min–max)".to_owned()).chain(titles).collect()];
    for (name, samples) in sides {
        rows.push(row(name, columns, |column| spread(column, samples)));
    }
    if let Some(((base_name, base), others)) = sides.split_first() {
        for (name, samples) in others {
            rows.extend(comparison(columns, (base_name, base), (name, samples)));
        }
    }
    markdown(&rows)
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
        let table = table(&[ANSWERS], &[("plain", &base), ("gate", &other)]);
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
        let table = table(&[column], &[("plain", &both), ("gate", &both)]);
        let last = table.lines().last().unwrap_or_default();
        assert_eq!(last, "| gate − plain     |            |");
    }
}
