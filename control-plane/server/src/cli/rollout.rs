//! `tollgate rollout`.

use super::client::Client;
use super::{say, say_json, table};
use crate::args::{Format, OneRollout, Rollout, SetRollout, SwitchRollout};
use crate::error::Failure;
use admin::{SetWeights, SwitchPool, WeightsRow};
use ledger::Weights;
use std::collections::BTreeMap;

/// The collection.
const PATH: &str = "rollouts";

/// Lists or moves weights.
pub async fn run(wanted: Rollout) -> Result<(), Failure> {
    match wanted {
        Rollout::List(list) => {
            let rows: Vec<WeightsRow> = Client::of(&list.target)?.get(PATH, &[]).await?;
            match list.format {
                Format::Json => say_json(&rows),
                Format::Table => say(&as_table(&rows)),
            }
        }
        Rollout::Set(wanted) => set(wanted).await,
        Rollout::Switch(SwitchRollout { of, pool }) => {
            let client = Client::of(&of.target)?;
            show(&of, client.post_to(PATH, &of.model, "switch", &SwitchPool { pool }).await?)
        }
        Rollout::Undo(of) => {
            let client = Client::of(&of.target)?;
            show(&of, client.post_to(PATH, &of.model, "undo", &()).await?)
        }
        Rollout::Reset(of) => {
            let client = Client::of(&of.target)?;
            show(&of, client.delete(PATH, &of.model).await?)
        }
    }
}

async fn set(wanted: SetRollout) -> Result<(), Failure> {
    let SetRollout { of, weights: named } = wanted;
    let count = named.len();
    let weights: BTreeMap<_, _> = named.into_iter().collect();
    if weights.len() < count {
        return Err(Failure::Usage("a pool is named twice; once is allowed".to_owned()));
    }
    let client = Client::of(&of.target)?;
    show(&of, client.put(PATH, &of.model, &SetWeights { weights }).await?)
}

fn show(of: &OneRollout, row: WeightsRow) -> Result<(), Failure> {
    match of.format {
        Format::Json => say_json(&row),
        Format::Table => say(&as_table(&[row])),
    }
}

/// A row for each pool of each model, and below them what is not in force.
pub fn as_table(rows: &[WeightsRow]) -> String {
    let columns = ["MODEL", "POOL", "WEIGHT", "SHARE", "CONFIGURED", "MOVED", "SINCE", "UNDO"];
    let mut table = table::new(&columns, &["WEIGHT", "SHARE", "CONFIGURED", "UNDO"]);
    for row in rows {
        let sum: u64 = row.weights.values().map(|weight| u64::from(*weight)).sum();
        for (pool, weight) in &row.weights {
            table.add_row([
                table::plain(&row.model),
                table::plain(pool),
                weight.to_string(),
                share(*weight, sum),
                table::or_nothing(row.configured.get(pool)),
                table::or_nothing(Some(table::yes_or_no(true)).filter(|_| row.moved)),
                table::or_nothing(row.at.as_ref()),
                row.steps_to_undo.to_string(),
            ]);
        }
    }
    let unfit = rows.iter().filter_map(|row| Some(unfit(&row.model, row.unfit.as_ref()?)));
    let parts: Vec<_> = [table::text(&table)].into_iter().chain(unfit).collect();
    parts.join("\n")
}

/// What is said of weights that were commanded for another split.
fn unfit(model: &str, weights: &Weights) -> String {
    let weight = |(pool, weight): (&String, &u32)| format!("{}={weight}", table::plain(pool));
    let weights: Vec<_> = weights.iter().map(weight).collect();
    format!(
        "{}: {} by command does not fit the configuration's split; not in force",
        table::plain(model),
        weights.join(" ")
    )
}

/// In percent, to a hundredth of one.
fn share(weight: u32, sum: u64) -> String {
    let hundredths = (u64::from(weight) * 10_000).checked_div(sum).unwrap_or(0);
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_for_people() {
        let weights = |a, b| [("a".to_owned(), a), ("b".to_owned(), b)].into();
        let row = WeightsRow {
            model: "chat".into(),
            weights: weights(2, 1),
            configured: weights(95, 5),
            moved: true,
            at: Some("2026-11-22T03:40:00Z".into()),
            steps_to_undo: 3,
            unfit: None,
        };
        let text = as_table(&[row]);
        let words: Vec<Vec<_>> =
            text.lines().map(|line| line.split_whitespace().collect()).collect();
        let since = "2026-11-22T03:40:00Z";
        assert_eq!(words[1], ["chat", "a", "2", "66.66%", "95", "yes", since, "3"]);
        assert_eq!(words[2], ["chat", "b", "1", "33.33%", "5", "yes", since, "3"]);
        assert_eq!(words.len(), 3);
        assert_eq!((share(0, 0), share(1, 1)), ("0.00%".to_owned(), "100.00%".to_owned()));
    }
    #[test]
    fn what_does_not_fit_is_said() {
        let weights = |a, b| Weights::from([("a".to_owned(), a), ("b".to_owned(), b)]);
        let gone = |model: &str| WeightsRow {
            model: model.into(),
            unfit: Some(weights(0, 100)),
            ..WeightsRow::default()
        };
        let chat = WeightsRow { weights: [("a".to_owned(), 1)].into(), ..gone("chat") };
        let text = as_table(&[chat, gone("gone")]);
        let said = |model| {
            format!(
                "{model}: a=0 b=100 by command does not fit the configuration's split; not in force"
            )
        };
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert_eq!(lines[2..], [said("chat"), said("gone")]);
    }
}
