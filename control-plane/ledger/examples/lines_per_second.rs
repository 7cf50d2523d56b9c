//! How fast a spool is read into SQLite, and how fast the books are verified:
//! `cargo run --release -p ledger --example lines_per_second [REQUESTS [KEYS]]`.

use contract::price::Prices;
use ledger::{SqliteStore, Store as _, tail};
use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// 2026-11-21T09:09:23.120Z.
const AT_MS: u64 = 1_795_252_163_120;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse());
    let (requests, keys) = (number(200_000)?, number(50)?);
    let folder = tempfile::tempdir()?;
    let prices = Prices { input: 600_000_000, output: 1_800_000_000, ..Prices::default() };
    write_spool(folder.path(), requests, keys, &prices.version())?;
    let store = Arc::new(SqliteStore::open(&folder.path().join("a.db")).await?);
    store.record_prices(&[prices]).await?;
    let began = Instant::now();
    let mut tail = tail::Tail::new(store.clone(), folder.path().to_owned(), "");
    while tail.step(Instant::now()).await? == tail::Step::Moved {}
    let posted = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let found = ledger::verify::verify(&*store, folder.path(), "").await?;
    let verified = began.elapsed().as_secs_f64();
    let mut out = std::io::stdout().lock();
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let per_second = |count: u64, seconds: f64| count as f64 / seconds;
    writeln!(
        out,
        "{} records of {keys} keys, {} lines in {posted:.2} s: {:.0} lines/s, {:.0} records/s",
        found.records,
        2 * requests,
        per_second(2 * requests, posted),
        per_second(found.records, posted),
    )?;
    writeln!(
        out,
        "verified in {verified:.2} s: {:.0} records/s, sound: {}",
        per_second(found.records, verified),
        found.is_sound(),
    )?;
    Ok(())
}

/// Requests that begin and end, each 64 after it began.
fn write_spool(
    folder: &Path,
    requests: u64,
    keys: u64,
    prices: &str,
) -> Result<(), Box<dyn Error>> {
    let path = folder.join("usage.1.closed.jsonl");
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    for n in 0..requests.saturating_add(64) {
        if n < requests {
            writeln!(file, "{}", line("Start", n, "null", "null"))?;
        }
        if let Some(n) = n.checked_sub(64) {
            let key = n.wrapping_mul(7_919) % keys.max(1);
            let who = format!(
                r#""{{\"tenant\":\"acme\",\"key\":\"key_{key}\",\"organisation\":\"org\",\"user\":\"user-{key}\",\"model\":\"llama\",\"pool\":\"llama-70b\",\"path\":\"/v1/chat/completions\",\"stream\":true,\"price_version\":\"{prices}\"}}""#
            );
            let usage = format!(
                r#""{{\"in\":{},\"out\":{},\"src\":\"engine\",\"first\":41,\"whole\":true}}""#,
                100 + n % 900,
                n % 400
            );
            writeln!(file, "{}", line("End", n, &who, &usage))?;
        }
    }
    Ok(file.flush()?)
}

fn line(kind: &str, n: u64, who: &str, usage: &str) -> String {
    let at_ms = AT_MS.saturating_add(n);
    format!(
        r#"{{"type":"Downstream{kind}","id":"0192f0c1-aaaa-7bbb-8ccc-{n:012}","at_ms":"{at_ms}","who":{who},"usage":{usage},"status":200,"flags":null,"details":"via_upstream","endpoint":"127.0.0.1:8000","duration_ms":812,"sent":2048,"attempts":1}}"#
    )
}
