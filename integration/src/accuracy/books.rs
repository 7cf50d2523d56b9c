//! What a gateway has billed, however it tells.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::{Failure, Result, client};

/// A usage record, as far as the suite looks at it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Billed {
    /// The `x-request-id` that the engine and the client were told.
    pub id: String,
    /// Prompt tokens.
    #[serde(default)]
    pub input_tokens: u64,
    /// Generated tokens.
    #[serde(default)]
    pub output_tokens: u64,
    /// How the answer ended; empty where a gateway does not say.
    #[serde(default)]
    pub end: String,
    /// Where the counts come from; empty where a gateway does not say.
    #[serde(default)]
    pub source: String,
    /// Status that the client was told; 0 where a gateway does not say.
    #[serde(default)]
    pub status: u16,
    /// What it cost.
    #[serde(default)]
    pub cost_nanodollars: i64,
}

/// Where records are read.
#[derive(Debug, Clone)]
pub enum Books {
    /// From Tollgate's admin API.
    Admin {
        /// `http://ADDRESS`
        url: String,
        /// The admin token.
        token: String,
    },
    /// From a file with a header line, written anew by whoever knows.
    Csv(PathBuf),
}

impl Books {
    /// `tollgate://TOKEN@ADDRESS`, or the path of a CSV file with the columns `id`,
    /// `input_tokens`, `output_tokens` and, if there are, `end`, `source` and
    /// `cost_nanodollars`.
    ///
    /// # Errors
    /// A URL without a token.
    pub fn at(place: &str) -> Result<Books> {
        let Some(rest) = place.strip_prefix("tollgate://") else {
            return Ok(Books::Csv(PathBuf::from(place)));
        };
        let (token, address) =
            rest.split_once('@').ok_or_else(|| Failure::new("tollgate://TOKEN@ADDRESS"))?;
        let url = format!("http://{}", address.trim_end_matches('/'));
        Ok(Books::Admin { url, token: token.to_owned() })
    }

    /// Of the Tollgate whose data folder this is; it runs.
    ///
    /// # Errors
    /// Nothing has run there.
    pub fn of_data(data: &Path) -> Result<Books> {
        let run: Value = serde_json::from_slice(&std::fs::read(data.join("run.json"))?)?;
        let address = run["admin"].as_str().unwrap_or_default();
        let token = std::fs::read_to_string(data.join("admin-token"))?.trim().to_owned();
        Ok(Books::Admin { url: format!("http://{address}"), token })
    }

    /// Every record there is.
    pub async fn read(&self) -> Result<Vec<Billed>> {
        match self {
            Books::Admin { url, token } => {
                let asked = client().get(format!("{url}/api/v1/usage")).bearer_auth(token);
                Ok(asked.send().await?.error_for_status()?.json().await?)
            }
            Books::Csv(path) => of_csv(&std::fs::read_to_string(path)?),
        }
    }
}

/// Columns by their names in the first line; no cell may have a comma in it.
fn of_csv(text: &str) -> Result<Vec<Billed>> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let names: Vec<&str> = lines.next().unwrap_or_default().split(',').map(str::trim).collect();
    if !names.contains(&"id") {
        return Err(Failure::new("the first line of the records names no column `id`"));
    }
    let record = |line: &str| {
        let cells = || names.iter().zip(line.split(',').map(str::trim));
        let text = |name: &str| {
            cells().find(|(key, _)| **key == name).map_or("", |(_, cell)| cell).to_owned()
        };
        Billed {
            id: text("id"),
            input_tokens: text("input_tokens").parse().unwrap_or(0),
            output_tokens: text("output_tokens").parse().unwrap_or(0),
            status: text("status").parse().unwrap_or(0),
            end: text("end"),
            source: text("source"),
            cost_nanodollars: text("cost_nanodollars").parse().unwrap_or(0),
        }
    };
    Ok(lines.map(record).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_its_columns() {
        let read = of_csv("output_tokens,id,x\n7,a,\n\n9, b ,z\n").unwrap();
        let seen: Vec<_> = read.iter().map(|it| (it.id.as_str(), it.output_tokens)).collect();
        assert_eq!(seen, [("a", 7), ("b", 9)]);
        assert!(of_csv("a,b\n1,2\n").is_err());
    }

    #[test]
    fn a_place_is_an_admin_api_or_a_file() {
        assert!(matches!(Books::at("tollgate://t@127.0.0.1:1"), Ok(Books::Admin { url, token })
            if url == "http://127.0.0.1:1" && token == "t"));
        assert!(matches!(Books::at("records.csv"), Ok(Books::Csv(_))));
        assert!(Books::at("tollgate://127.0.0.1:1").is_err());
    }
}
