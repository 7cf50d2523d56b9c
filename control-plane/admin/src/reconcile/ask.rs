//! `GET /api/v1/reconcile`: both sides, from the ledger.

use super::{Compared, Counters, PoolRow, Posted};
use crate::api::{Admin, CLOCK};
use crate::problem::Problem;
use crate::when;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use contract::policy::Engine;
use ledger::{Ledger, UsageFilter};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The window when the query does not say, in milliseconds: a day until now.
const WINDOW_MS: u64 = 24 * 60 * 60 * 1_000;

/// How much of the counters is read at once, in milliseconds: a hundred engines have
/// 36,000 samples in six hours.
const PIECE_MS: u64 = 6 * 60 * 60 * 1_000;

/// Longest window, in milliseconds: a year.
const WINDOW_MS_MAX: u64 = 366 * WINDOW_MS;

/// Records of a page.
const PAGE_RECORDS: u32 = 2_000;

/// How long before the window a request may have begun that ended in it, in milliseconds.
const LONGEST_REQUEST_MS: u64 = 60 * 60 * 1_000;

/// The query.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReconcileQuery {
    since: Option<String>,
    until: Option<String>,
    pool: Option<String>,
}

/// `GET reconcile`: a row for each pool.
pub async fn reconcile(
    State(admin): State<Admin>,
    query: Result<Query<ReconcileQuery>, QueryRejection>,
) -> Result<Json<Vec<PoolRow>>, Problem> {
    let Query(query) = query?;
    let window = window(&query, CLOCK.now_ms())?;
    let pools = pools(&admin, query.pool.as_deref())?;
    let (mut sampled, shared) = sampled(&admin.ledger, window).await?;
    let mut rows = Vec::new();
    for (pool, engine) in pools {
        let read = sampled.remove(&pool).unwrap_or_default().read();
        let posted = posted(&admin.ledger, &pool, read.window.unwrap_or(window)).await?;
        let of =
            Compared { pool: &pool, engine, shared: shared.get(&pool).unwrap_or(&BTreeSet::new()) }
                .row(&posted, &read);
        rows.push(of);
    }
    Ok(Json(rows))
}

fn window(query: &ReconcileQuery, now_ms: u64) -> Result<(u64, u64), Problem> {
    let until_ms = when::asked_ms("until", query.until.as_deref(), now_ms)?.unwrap_or(now_ms);
    let since_ms = when::asked_ms("since", query.since.as_deref(), now_ms)?;
    let since_ms = since_ms.unwrap_or_else(|| until_ms.saturating_sub(WINDOW_MS));
    if since_ms >= until_ms {
        return Err(Problem::invalid("since: lies before until."));
    }
    if until_ms - since_ms > WINDOW_MS_MAX {
        return Err(Problem::invalid("since: lies at most a year before until."));
    }
    Ok((since_ms, until_ms))
}

/// The pools of the configuration, or the one that is meant.
fn pools(admin: &Admin, only: Option<&str>) -> Result<Vec<(String, Engine)>, Problem> {
    let plan = admin.plan.borrow();
    let all = plan.filter.pools.iter().map(|(name, pool)| (name.clone(), pool.engine));
    let pools: Vec<_> = all.filter(|(name, _)| only.is_none_or(|only| name == only)).collect();
    match only {
        Some(only) if pools.is_empty() => {
            Err(Problem::not_found(format!("There is no pool {only}.")))
        }
        _ => Ok(pools),
    }
}

/// Names of engines that several pools have.
type Shared = BTreeMap<String, BTreeSet<String>>;

/// The counters of each pool, and the endpoints of each that others have as well.
async fn sampled(
    ledger: &Ledger,
    (since_ms, until_ms): (u64, u64),
) -> Result<(BTreeMap<String, Counters>, Shared), Problem> {
    let mut pools: BTreeMap<String, Counters> = BTreeMap::new();
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut from_ms = since_ms;
    while from_ms < until_ms {
        let to_ms = until_ms.min(from_ms.saturating_add(PIECE_MS));
        for sample in ledger.counters(from_ms, to_ms).await? {
            pools.entry(sample.pool.clone()).or_default().add(&sample);
            places.entry(sample.endpoint).or_default().insert(sample.pool);
        }
        from_ms = to_ms;
    }
    let mut shared = Shared::new();
    for (endpoint, pools) in places.into_iter().filter(|(_, pools)| pools.len() > 1) {
        for pool in pools {
            shared.entry(pool).or_default().insert(endpoint.clone());
        }
    }
    Ok((pools, shared))
}

/// What the ledger has of a pool in a window.
async fn posted(
    ledger: &Ledger,
    pool: &str,
    (from_ms, to_ms): (u64, u64),
) -> Result<Posted, Problem> {
    let filter = UsageFilter {
        pool: Some(pool.to_owned()),
        since_ms: Some(from_ms.saturating_sub(LONGEST_REQUEST_MS)),
        until_ms: Some(to_ms),
        ..UsageFilter::default()
    };
    let (mut posted, mut after) = (Posted::default(), 0);
    loop {
        let page = ledger.usage_page(&filter, after, PAGE_RECORDS).await?;
        page.iter().for_each(|(_, record)| posted.add(record, from_ms, to_ms));
        match page.last() {
            Some((number, _)) if page.len() == PAGE_RECORDS as usize => after = *number,
            _ => return Ok(posted),
        }
    }
}
