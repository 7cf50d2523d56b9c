//! Charges in the columns of FOCUS, day by day.

use super::PAGE_RECORDS;
use super::form::{AnyError, Form};
use super::records::cut_off;
use crate::focus::{COLUMNS, Charges, Period};
use crate::problem::Problem;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::stream;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ledger::{Correction, GroupBy, Ledger, UsageFilter};
use std::collections::{BTreeMap, VecDeque};

/// Days that are still to be read and sent.
struct Walk {
    ledger: Ledger,
    filter: UsageFilter,
    days: VecDeque<Date>,
    /// By the day of the record that they correct.
    corrections: BTreeMap<Date, Vec<Correction>>,
}

/// The charges of the records that match, and of what corrects them.
pub async fn answer(ledger: Ledger, filter: UsageFilter) -> Result<Response, Problem> {
    let days = ledger.usage_sums(&filter, GroupBy::Day).await?;
    let days = days.iter().filter_map(|sum| sum.group.as_deref()?.parse().ok()).collect();
    let mut corrections: BTreeMap<Date, Vec<Correction>> = BTreeMap::new();
    for correction in ledger.corrections(&filter).await? {
        corrections.entry(day_of(correction.record.at_ms)).or_default().push(correction);
    }
    let names = names().map_err(|error| Problem::internal(error.as_ref()))?;
    let walk = Walk { ledger, filter, days, corrections };
    let first = stream::iter([Ok::<_, AnyError>(Bytes::from(names))]);
    let rest = stream::try_unfold(walk, async |walk| {
        walk.step().await.inspect_err(|error| cut_off(error.as_ref()))
    });
    let body = Body::from_stream(stream::StreamExt::chain(first, rest));
    Ok(([(CONTENT_TYPE, Form::Focus.media_type())], body).into_response())
}

fn names() -> Result<Vec<u8>, AnyError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    Ok(writer.into_inner()?)
}

fn day_of(at_ms: u64) -> Date {
    let at = i64::try_from(at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.unwrap_or(Timestamp::MAX).to_zoned(TimeZone::UTC).date()
}

impl Walk {
    /// The rows of the next day.
    async fn step(mut self) -> Result<Option<(Bytes, Walk)>, AnyError> {
        let Some(day) = self.days.pop_front() else { return Ok(None) };
        let Some(period) = Period::of(day) else { return Ok(None) };
        let charges = self.charges(day).await?;
        let prices = self.ledger.price_book().await?;
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut written = Ok(());
        charges.rows(&period, &prices, |row| {
            if written.is_ok() {
                written = writer.write_record(&row);
            }
        });
        written?;
        for correction in self.corrections.remove(&day).unwrap_or_default() {
            writer.write_record(period.correction(&correction, day_of(correction.at_ms)))?;
        }
        Ok(Some((writer.into_inner()?.into(), self)))
    }

    /// All records of a day, added up.
    async fn charges(&self, day: Date) -> Result<Charges, AnyError> {
        let filter = self.filter_of(day)?;
        let prices = self.ledger.price_book().await?;
        let (mut charges, mut after) = (Charges::default(), 0);
        loop {
            let page = self.ledger.usage_page(&filter, after, PAGE_RECORDS).await?;
            page.iter().for_each(|(_, record)| charges.add(record, &prices));
            match page.last() {
                Some((number, _)) if page.len() == PAGE_RECORDS as usize => after = *number,
                _ => return Ok(charges),
            }
        }
    }

    /// What of the day was asked for.
    fn filter_of(&self, day: Date) -> Result<UsageFilter, AnyError> {
        let begin = |day: Date| -> Result<u64, AnyError> {
            Ok(u64::try_from(day.to_zoned(TimeZone::UTC)?.timestamp().as_millisecond())?)
        };
        let (start_ms, end_ms) = (begin(day)?, begin(day.tomorrow()?)?);
        Ok(UsageFilter {
            since_ms: Some(self.filter.since_ms.unwrap_or(0).max(start_ms)),
            until_ms: Some(self.filter.until_ms.unwrap_or(u64::MAX).min(end_ms)),
            ..self.filter.clone()
        })
    }
}
