//! Records in, rows out: what they sum to.

use super::*;
use crate::tests::record;
use jiff::civil::date;

const PRICES: Prices = Prices {
    input: 600_000_000,
    cached_input: 150_000_000,
    output: 1_800_000_001,
    request: 1_000,
    image: 7,
    page: 0,
    audio_second: 3,
    gpu_second: 0,
};

fn book() -> HashMap<String, Prices> {
    HashMap::from([("v1".to_owned(), PRICES)])
}

fn priced(cost_nanodollars: i64) -> UsageRecord {
    UsageRecord { price_version: Some("v1".into()), cost_nanodollars, ..record("r1") }
}

/// Of each row: what it is of, quantity and cost.
fn rows(records: &[UsageRecord]) -> Vec<(String, String, String)> {
    let mut charges = Charges::default();
    records.iter().for_each(|record| charges.add(record, &book()));
    let at = |name: &str| COLUMNS.iter().position(|column| *column == name).unwrap();
    let mut rows = Vec::new();
    charges.rows(&Period::of(date(2026, 11, 21)).unwrap(), &book(), |row| {
        let of = if row[at("SkuMeter")].is_empty() { "ChargeDescription" } else { "SkuMeter" };
        rows.push((
            row[at(of)].clone(),
            row[at("ConsumedQuantity")].clone(),
            row[at("BilledCost")].clone(),
        ));
    });
    rows
}

fn expected(rows: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    rows.iter().map(|(of, much, cost)| ((*of).into(), (*much).into(), (*cost).into())).collect()
}

const ROUNDING: &str = "Rounding of each request to nano-dollars";

#[test]
fn a_record_is_its_meters_and_its_rounding() {
    // 12 * 600 + 4 * 150 + 14 * 1800.000001 + 1000 nano-dollars = 34000.000014, and rounded.
    let found = rows(&[priced(34_000)]);
    assert_eq!(
        found,
        expected(&[
            ("Input Tokens", "12", "0.0000072"),
            ("Cached Input Tokens", "4", "0.0000006"),
            ("Output Tokens", "14", "0.000025200000014"),
            ("Requests", "1", "0.000001"),
            (ROUNDING, "", "-0.000000000000014"),
        ])
    );
}

#[test]
fn roundings_add_up() {
    let found = rows(&[priced(34_000), priced(34_000)]);
    assert_eq!(found[2], ("Output Tokens".into(), "28".into(), "0.000050400000028".into()));
    assert_eq!(found[4].2, "-0.000000000000028");
}

#[test]
fn what_was_not_billed_is_no_charge() {
    let table = [
        // Without the price of the request.
        (priced(33_000), vec!["Input Tokens", "Cached Input Tokens", "Output Tokens", ROUNDING]),
        // An answer that failed.
        (priced(0), vec![]),
        // A cost that no meter explains.
        (priced(99), vec!["Charges without a meter"]),
        // Prices that are not known, and none.
        (
            UsageRecord { price_version: Some("v9".into()), ..priced(0) },
            vec!["Input Tokens", "Cached Input Tokens", "Output Tokens"],
        ),
        (record("r1"), vec!["Input Tokens", "Cached Input Tokens", "Output Tokens"]),
    ];
    for (record, expected) in table {
        let found = rows(std::slice::from_ref(&record));
        assert_eq!(found.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn other_meters_are_rows_where_they_have_a_price() {
    let used = UsageRecord { images: 2, pages: 5, audio_ms: 1_500, gpu_ms: 9, ..priced(34_019) };
    let found = rows(&[used]);
    let of = |meter: &str| found.iter().find(|row| row.0 == meter).map(|row| row.2.as_str());
    assert_eq!((of("Images"), of("Audio Seconds")), (Some("0.000000014"), Some("0.0000000045")));
    assert_eq!((of("Pages"), of("GPU Seconds")), (None, None));
    // 34018.500014 was rounded up.
    assert_eq!(of(ROUNDING), Some("0.000000000499986"));
}

#[test]
fn groups_are_apart() {
    let other = UsageRecord { user: None, ..priced(34_000) };
    assert_eq!(rows(&[priced(34_000), other]).len(), 10);
}

#[test]
fn the_largest_numbers_do_not_break() {
    let huge = UsageRecord {
        input_tokens: u64::MAX,
        cached_input_tokens: 0,
        output_tokens: u64::MAX,
        ..priced(i64::MAX)
    };
    let found = rows(&[huge.clone(), huge]);
    assert_eq!(found, expected(&[("Charges without a meter", "", "18446744073.709551614")]));
}
