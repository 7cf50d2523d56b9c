//! Usage as it is exported.

use super::{World, get, request, send, world};
use axum::body::Body;
use axum::http::{Method, StatusCode};
use contract::price::Prices;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

/// Prices at which nearly every request is rounded.
const PRICES: Prices = Prices {
    input: 600_000_001,
    cached_input: 150_000_003,
    output: 1_800_000_007,
    request: 5,
    image: 0,
    page: 0,
    audio_second: 0,
    gpu_second: 0,
};

/// 2026-11-21T09:09:23.120Z.
const AT_MS: u64 = 1_795_252_163_120;

/// Milliseconds of a day.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The line of a request that has ended.
fn line(number: u64, more: Value) -> String {
    let who = json!({
        "tenant": if number.is_multiple_of(2) { "acme" } else { "bluefin" },
        "key": format!("k{}", number % 3),
        "organisation": "north",
        "user": if number.is_multiple_of(5) { Value::Null } else { json!(format!("=u{}", number % 7)) },
        "model": "llama",
        "pool": "llama-70b",
        "price_version": PRICES.version(),
    });
    let usage = json!({"in": 17 + number % 90, "cached": number % 11, "out": number % 131,
        "src": "engine", "whole": true});
    let mut line = json!({
        "type": "DownstreamEnd", "id": format!("r{number}"),
        "at_ms": AT_MS + number % 2 * DAY_MS, "who": who.to_string(), "usage": usage.to_string(),
        "status": 200, "details": "via_upstream", "endpoint": "127.0.0.1:9", "duration_ms": 3,
        "sent": 100, "attempts": 1,
    });
    line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    format!("{line}\n")
}

/// Posts so many requests.
pub(super) async fn post(world: &World, requests: u64) {
    world.ledger.record_prices(&[PRICES]).await.unwrap();
    let lines: String = (0..requests).fold(String::new(), |mut lines, number| {
        lines.write_str(&line(number, json!({}))).unwrap();
        lines
    });
    let folder = world.data.path().join("spool");
    std::fs::write(folder.join("usage.jsonl"), lines).unwrap();
    let ledger = world.ledger.clone();
    let reader = tokio::spawn(async move { ledger.tail().await });
    assert!(world.ledger.catch_up(Duration::from_secs(60)).await);
    reader.abort();
}

async fn text(world: &World, path: &str, accept: &str) -> String {
    let request = request(Method::GET, path).header("accept", accept);
    let (status, text) = send(&world.router, request.body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    text
}

fn rows(csv: &str) -> Vec<csv::StringRecord> {
    csv::Reader::from_reader(csv.as_bytes()).records().map(Result::unwrap).collect()
}

#[tokio::test]
async fn usage_of_nobody_and_wrong_questions() {
    let world = world().await;
    assert_eq!(get(&world, "/api/v1/usage?tenant=acme&since=24h").await.1, json!([]));
    assert_eq!(get(&world, "/api/v1/usage?by=day").await.1, json!([]));
    let wrong = ["since=yesterday", "by=colour", "colour=red", "format=pdf", "by=day&format=focus"];
    for wrong in wrong {
        let (status, answer) = get(&world, &format!("/api/v1/usage?{wrong}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}");
        assert_eq!(answer["error"]["code"], "invalid_request", "{wrong}");
    }
    let csv = text(&world, "/api/v1/usage", "text/csv").await;
    assert!(csv.starts_with("id,client_request_id,at,tenant,"), "{csv}");
    assert!(csv.ends_with(",masked,organisation,attempts,images,pages,audio_ms,gpu_ms\n"), "{csv}");
    assert_eq!(text(&world, "/api/v1/usage", "application/x-ndjson").await, "");
    let focus = text(&world, "/api/v1/usage?format=focus", "*/*").await;
    assert!(focus.starts_with("BilledCost,BillingAccountId,"), "{focus}");
    assert_eq!(focus.lines().count(), 1);
}

/// Each form has every record once, in the order of their posting, whatever the pages are.
#[tokio::test]
async fn reports_have_every_page() {
    const REQUESTS: u64 = 4_001;
    let world = world().await;
    post(&world, REQUESTS).await;
    let ids: Vec<_> = (0..REQUESTS).map(|number| format!("r{number}")).collect();
    let array: Value = serde_json::from_str(&text(&world, "/api/v1/usage", "*/*").await).unwrap();
    let found: Vec<_> = array.as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
    assert_eq!(found, ids);
    let lines = text(&world, "/api/v1/usage", "application/x-ndjson").await;
    let found = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    assert_eq!(found.map(|row| row["id"].clone()).collect::<Vec<_>>(), ids);
    let csv = text(&world, "/api/v1/usage?format=csv", "*/*").await;
    assert_eq!(rows(&csv).iter().map(|row| row[0].to_owned()).collect::<Vec<_>>(), ids);
    let half = text(&world, "/api/v1/usage?tenant=acme&pool=llama-70b", "text/csv").await;
    assert_eq!(rows(&half).len(), 2_001);
    for by in ["organisation", "pool"] {
        let (_, sums) = get(&world, &format!("/api/v1/usage?by={by}")).await;
        assert_eq!((sums.as_array().unwrap().len(), &sums[0]["requests"]), (1, &json!(REQUESTS)));
    }
}

/// Decimal text as femto-dollars.
fn femtodollars(text: &str) -> i128 {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
    sign * format!("{whole}{places:0<15}").parse::<i128>().unwrap()
}

#[tokio::test]
async fn the_charges_sum_to_what_the_ledger_has() {
    let world = world().await;
    post(&world, 500).await;
    for (record, dollars) in [("r3", "-0.000000001"), ("r4", "1.5")] {
        let body = json!({"record": record, "dollars": dollars, "why": "=made up"});
        let asked = super::ask(&world, Method::POST, "/api/v1/ledger/corrections", body);
        assert_eq!(asked.await.0, StatusCode::CREATED);
    }
    let (_, sums) = get(&world, "/api/v1/usage?by=day").await;
    let of_ledger: i64 = sums
        .as_array()
        .unwrap()
        .iter()
        .map(|sum| {
            let of = |name: &str| sum[name].as_i64().unwrap();
            of("cost_nanodollars") + of("corrected_nanodollars")
        })
        .sum();
    let focus = text(&world, "/api/v1/usage?format=focus", "*/*").await;
    let names: Vec<_> = focus.lines().next().unwrap().split(',').collect();
    let at = |name: &str| names.iter().position(|known| *known == name).unwrap();
    let rows = rows(&focus);
    let billed: i128 = rows.iter().map(|row| femtodollars(&row[at("BilledCost")])).sum();
    assert_eq!(billed, i128::from(of_ledger) * 1_000_000);
    assert!(rows.iter().any(|row| row[at("ChargeDescription")].starts_with("Rounding of each")));
    // Quantity times unit price is the cost, exactly.
    let used = rows.iter().filter(|row| &row[at("ChargeCategory")] == "Usage");
    for row in used.clone() {
        let (quantity, price) = (&row[at("PricingQuantity")], &row[at("ListUnitPrice")]);
        let product = femtodollars(quantity) * (femtodollars(price) / 1_000_000);
        assert_eq!(product, femtodollars(&row[at("BilledCost")]) * 1_000_000_000, "{row:?}");
    }
    let tokens = |meter: &str| -> u64 {
        let of = used.clone().filter(|row| &row[at("SkuMeter")] == meter);
        of.map(|row| row[at("ConsumedQuantity")].parse::<u64>().unwrap()).sum()
    };
    let by_day = |name: &str| -> u64 {
        sums.as_array().unwrap().iter().map(|sum| sum[name].as_u64().unwrap()).sum()
    };
    assert_eq!(tokens("Output Tokens"), by_day("output_tokens"));
    assert_eq!(tokens("Cached Input Tokens"), by_day("cached_input_tokens"));
    let input = tokens("Input Tokens") + tokens("Cached Input Tokens");
    assert_eq!((input, tokens("Requests")), (by_day("input_tokens"), 500));
    let tags: Value = serde_json::from_str(&rows[0][at("Tags")]).unwrap();
    assert_eq!((&tags["organisation"], &tags["pool"]), (&json!("north"), &json!("llama-70b")));
}
