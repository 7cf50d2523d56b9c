//! Usage lines as gateways write them.

use contract::spool::{Line, LineType};
use contract::usage::{Source, Tally, Who};
use integration::Result;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

/// Tenants that the lines are of.
pub const TENANTS: u64 = 20;
/// Keys of each tenant.
const KEYS: u64 = 50;
/// Lines of one request: its start, once while it runs, its end.
const LINES_PER_REQUEST: u64 = 3;

/// Writes so many lines into the live file of a spool; how many requests end in them.
pub fn write_lines(spool: &Path, lines: u64) -> Result<u64> {
    let mut file = BufWriter::new(File::create(spool.join(ledger::generation::LIVE_NAME))?);
    let mut ended = 0;
    for number in 0..lines {
        let line = line(number);
        ended += u64::from(line.line_type == LineType::End);
        serde_json::to_writer(&mut file, &line)?;
        file.write_all(b"\n")?;
    }
    file.flush()?;
    Ok(ended)
}

fn line(number: u64) -> Line {
    let request = number / LINES_PER_REQUEST;
    let line_type = match number % LINES_PER_REQUEST {
        0 => LineType::Start,
        1 => LineType::Periodic,
        _ => LineType::End,
    };
    let (tenant, key) = (request % TENANTS, request % (TENANTS * KEYS));
    let who = Who {
        tenant: format!("tenant-{tenant}"),
        key: format!("key-{key}"),
        user: Some(format!("user-{key}")),
        model: Some("chat".to_owned()),
        pool: Some("engines".to_owned()),
        path: Some("/v1/chat/completions".to_owned()),
        price_version: Some("i0-c0-o0".to_owned()),
        ..Who::default()
    };
    let tally = Tally { input: 300, output: 16, source: Source::Engine, ..Tally::default() };
    let is_known = line_type != LineType::Start;
    Line {
        line_type,
        id: format!("00000000-0000-4000-8000-{request:012x}"),
        at_ms: 1_790_000_000_000 + request,
        who: is_known.then(|| serde_json::to_string(&who).unwrap_or_default()),
        usage: is_known.then(|| serde_json::to_string(&tally).unwrap_or_default()),
        status: Some(200),
        flags: None,
        details: Some("via_upstream".to_owned()),
        endpoint: Some("127.0.0.1:8000".to_owned()),
        duration_ms: Some(120),
        sent: Some(2_300),
        attempts: Some(1),
    }
}
