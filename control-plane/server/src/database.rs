//! Where the ledger lies: in the data folder, or in a PostgreSQL that several control
//! planes may share.

use crate::error::Failure;
use ledger::{Ledger, PostgresStore, SPOOL_NAME};
use model::Secret;
use reqwest::Url;
use std::path::Path;
use std::sync::Arc;

/// A ledger, and what it lies in.
pub struct Opened {
    /// The ledger.
    pub ledger: Ledger,
    /// What it lies in, for `status`: without user and password.
    pub place: String,
    /// Whether other control planes may have it as well.
    pub shared: bool,
}

/// Opens the ledger of `data`: the one at `url`, or the embedded one. The usage spool lies
/// in the data folder in any case: usage is safe while a database is away.
pub async fn open(url: Option<&Secret>, data: &Path) -> Result<Opened, Failure> {
    let Some(url) = url else {
        let ledger = Ledger::open(data).await;
        let ledger = ledger.map_err(|error| Failure::Ledger(error.to_string()))?;
        return Ok(Opened { ledger, place: "sqlite".to_owned(), shared: false });
    };
    let place = place_of(url.reveal());
    let failed = |error: ledger::Error| Failure::Database { place: place.clone(), cause: error };
    let store = PostgresStore::open(url.reveal()).await.map_err(failed)?;
    let spool = data.join(SPOOL_NAME);
    std::fs::create_dir_all(&spool).map_err(|e| Failure::file("make the folder", &spool, e))?;
    let ledger = Ledger::over(Arc::new(store), spool).await.map_err(failed)?;
    Ok(Opened { ledger, place, shared: true })
}

/// Host and name of a database; nothing else of its URL is to be seen.
fn place_of(url: &str) -> String {
    let url = url.parse::<Url>().ok();
    let host = url.as_ref().and_then(|url| Some((url.host_str()?, url.port())));
    let name = url.as_ref().map(|url| url.path()).unwrap_or_default();
    match host.filter(|(host, _)| !host.is_empty()) {
        Some((host, Some(port))) => format!("postgres {host}:{port}{name}"),
        Some((host, None)) => format!("postgres {host}{name}"),
        None => "postgres".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_no_secrets() {
        let table = [
            (
                "postgres://ann:made-up@db.example:5433/tollgate?a=b",
                "postgres db.example:5433/tollgate",
            ),
            ("postgres://ann:made-up@db.example/tollgate", "postgres db.example/tollgate"),
            ("postgresql:///tollgate?host=/run/made-up", "postgres"),
            ("made-up", "postgres"),
        ];
        for (url, place) in table {
            assert_eq!(place_of(url), place, "{url}");
        }
    }

    #[tokio::test]
    async fn a_database_that_is_away_is_named_without_its_password() {
        let data = tempfile::tempdir().unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = Secret::new(format!("postgres://ann:made-up@{free}/tollgate"));
        let failure = open(Some(&url), data.path()).await.err().unwrap();
        let text = failure.to_string();
        assert!(text.contains(&free.to_string()) && !text.contains("made-up"), "{text}");
        assert_eq!(failure.exit_code(), 1);
    }
}
