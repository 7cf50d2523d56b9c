//! The table that the suite prints.

use super::verdict::Row;

const HEADINGS: [&str; 12] = [
    "scenario",
    "requests",
    "tokens sent",
    "read by clients",
    "billed",
    "error",
    "lost",
    "doubled",
    "overspent",
    "cut by a kill: read–sent, billed",
    "bar",
    "missed",
];

/// The rows as a table in Markdown, and what the columns mean.
pub fn table(rows: &[Row]) -> String {
    let mut lines: Vec<Vec<String>> = vec![HEADINGS.map(str::to_owned).to_vec()];
    lines.extend(rows.iter().map(cells));
    let widths: Vec<usize> = (0..HEADINGS.len())
        .map(|at| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0))
        .collect();
    let rule = widths.iter().map(|width| "-".repeat(*width)).collect();
    lines.insert(1, rule);
    let mut text = String::new();
    for line in lines {
        let padded = line.iter().zip(&widths).map(|(cell, width)| {
            let space = width - cell.chars().count();
            format!("{cell}{}", " ".repeat(space))
        });
        text += &format!("| {} |\n", padded.collect::<Vec<_>>().join(" | "));
    }
    for row in rows.iter().filter(|row| !row.note.is_empty()) {
        text += &format!("- {}: {}\n", row.scenario, row.note);
    }
    for row in rows {
        row.examples.iter().for_each(|example| text += &format!("- {}: {example}\n", row.scenario));
    }
    text + EXPLAINED
}

const EXPLAINED: &str = "\
Tokens are generated ones, input tokens are held to the same bars. Tokens sent: those that \
an engine's socket has taken; read by clients: those that arrived. A bill between the two is \
right: of a client that hangs up nobody knows what was still on its way. Error: how far the \
bill is outside, in percent of what was sent. Bars: 0 lost, 0 doubled, 0 overspent; to the \
token where the engine tells running usage; within 2 % where it tells none. Answers that a \
killed gateway has cut are told apart: billed is what it had written down.\n";

/// The rows in JSON, with the errors in percent.
pub fn json(rows: &[Row]) -> serde_json::Value {
    let told = rows.iter().map(|row| {
        let mut told = serde_json::to_value(row).unwrap_or_default();
        told["output_error_percent"] = row.output.error_percent().into();
        told["input_error_percent"] = row.input.error_percent().into();
        told
    });
    told.collect()
}

fn cells(row: &Row) -> Vec<String> {
    let cut = match row.cut {
        0 => "-".to_owned(),
        cut => {
            let sum = row.cut_output;
            format!("{cut}: {}–{}, {}", sum.read, sum.sent, sum.billed)
        }
    };
    vec![
        row.scenario.clone(),
        row.requests.to_string(),
        row.output.sent.to_string(),
        row.output.read.to_string(),
        row.output.billed.to_string(),
        format!("{:+.2} %", row.output.error_percent()),
        row.lost.to_string(),
        row.doubled.to_string(),
        format!("${:.6}", row.overspent_nanodollars as f64 / 1e9),
        cut,
        row.bar.to_owned(),
        if row.missed.is_empty() { "-".to_owned() } else { row.missed.join(", ") },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accuracy::Sum;

    #[test]
    fn every_column_is_told() {
        let row = Row {
            scenario: "x".into(),
            requests: 3,
            output: Sum { read: 90, sent: 100, billed: 103 },
            overspent_nanodollars: 2_000,
            missed: vec!["1 lost".into()],
            cut: 2,
            cut_output: Sum { read: 1, sent: 4, billed: 3 },
            ..Row::default()
        };
        let text = table(std::slice::from_ref(&row));
        for cell in ["| x ", "| 3 ", "| +3.00 % ", "| $0.000002 ", "| 2: 1–4, 3 ", "| 1 lost "] {
            assert!(text.contains(cell), "{cell} is not in\n{text}");
        }
        assert_eq!(json(&[row])[0]["output_error_percent"], 3.0);
    }
}
