//! How fast the ledger reads what gateways have written: usage lines a second into SQLite
//! and into PostgreSQL, and how long a million waiting lines take.
//!
//! `cargo bench --package integration --bench ledger [-- LINES]`

mod lines;

use integration::{Failure, Result};
use ledger::{Budget, BudgetBook, Ledger, Per, PostgresStore, SqliteStore, Store};
use lines::{TENANTS, write_lines};
use postgres_server::PostgresServer;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Waiting lines, when the command line does not say.
const LINES: u64 = 1_000_000;
/// What SQLite has to take on this machine, in lines a second.
const SQLITE_BAR: f64 = 20_000.0;
/// Of PostgreSQL fewer lines are read, the fewest that say something.
const POSTGRES_SHARE: u64 = 5;
const LOOK_EVERY: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(600);

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let lines = match words.as_slice() {
        [] => LINES,
        [count] => count.parse()?,
        more => return Err(Failure::new(format!("what is {more:?}? One number, of lines"))),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(lines))
}

async fn measure(lines: u64) -> Result<()> {
    println!("\n## Ledger: waiting usage lines, posted\n");
    println!("| store | lines | seconds | lines/s | records |\n| --- | --- | --- | --- | --- |");
    let folder = TempDir::with_prefix("bench-ledger-")?;
    let store = SqliteStore::open(&folder.path().join("ledger.db")).await?;
    let speed = catch_up("SQLite", Arc::new(store), lines).await?;
    match PostgresServer::start_durable() {
        Ok(server) => {
            let store = PostgresStore::open(&server.url("postgres")).await?;
            catch_up("PostgreSQL", Arc::new(store), lines.div_ceil(POSTGRES_SHARE)).await?;
        }
        Err(error) => println!("\nPostgreSQL was not measured: {error}"),
    }
    let kept = if speed >= SQLITE_BAR { "kept" } else { "MISSED" };
    println!("\nThe bar of {SQLITE_BAR:.0} lines/s into SQLite is {kept}.");
    Ok(())
}

/// Writes the lines as a gateway does, lets a ledger read them, and holds what it has
/// against them; lines a second.
async fn catch_up(name: &str, store: Arc<dyn Store>, lines: u64) -> Result<f64> {
    let spool = TempDir::with_prefix("bench-spool-")?;
    let billable = write_lines(spool.path(), lines)?;
    let ledger = Ledger::over(store, spool.path().to_owned()).await?;
    ledger.set_budgets(budgets());
    let begun = Instant::now();
    let tail = tokio::spawn({
        let ledger = ledger.clone();
        async move { ledger.tail().await }
    });
    while ledger.status().await?.lag_bytes > 0 {
        if begun.elapsed() > PATIENCE {
            return Err(Failure::new(format!("{name}: not within {PATIENCE:?}")));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let took = begun.elapsed().as_secs_f64();
    tail.abort();
    let records: u64 = records(&ledger).await?;
    let speed = lines as f64 / took;
    println!("| {name} | {lines} | {took:.1} | {speed:.0} | {records} |");
    match records == billable {
        true => Ok(speed),
        false => Err(Failure::new(format!("{name}: {records} records of {billable} requests"))),
    }
}

async fn records(ledger: &Ledger) -> Result<u64> {
    let all = ledger::UsageFilter::default();
    let sums = ledger.usage_sums(&all, ledger::GroupBy::Tenant).await?;
    Ok(sums.iter().map(|sum| sum.requests).sum())
}

/// A budget for each tenant: what is posted is added to its balance too.
fn budgets() -> BudgetBook {
    let mut book = BudgetBook::default();
    for tenant in 0..TENANTS {
        let account = contract::lease::Account::Tenant(format!("tenant-{tenant}"));
        book.accounts.insert(account, Budget { nanodollars: u64::MAX / 4, per: Per::Month });
    }
    book
}
