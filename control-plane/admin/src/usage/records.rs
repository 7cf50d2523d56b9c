//! Every record, page by page.

use super::PAGE_RECORDS;
use super::form::{self, AnyError, Form};
use crate::problem::Problem;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::stream;
use ledger::{Ledger, UsageFilter, UsageRecord};

/// Columns of the records' CSV, in the order of the contract; what came later is behind.
const COLUMNS: &[&str] = &[
    "id",
    "client_request_id",
    "at",
    "tenant",
    "key",
    "user",
    "model",
    "pool",
    "endpoint",
    "path",
    "stream",
    "status",
    "code",
    "input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "reasoning_tokens",
    "source",
    "end",
    "cost_nanodollars",
    "price_version",
    "first_token_ms",
    "duration_ms",
    "masked",
    "organisation",
    "attempts",
    "images",
    "pages",
    "audio_ms",
    "gpu_ms",
];

/// How far the records were read and sent.
struct Walk {
    ledger: Ledger,
    filter: UsageFilter,
    form: Form,
    /// Read and not sent yet.
    page: Vec<(u64, UsageRecord)>,
    /// Whether something was sent.
    begun: bool,
}

/// The records that match. The first page is read before the answer begins, so that a
/// database that fails is an error with a status; later its failure cuts the answer off.
pub async fn answer(ledger: Ledger, filter: UsageFilter, form: Form) -> Result<Response, Problem> {
    let page = ledger.usage_page(&filter, 0, PAGE_RECORDS).await?;
    let walk = Walk { ledger, filter, form, page, begun: false };
    let pages = stream::try_unfold(Some(walk), async |walk| match walk {
        Some(walk) => walk.step().await.map(Some).inspect_err(|error| cut_off(error.as_ref())),
        None => Ok(None),
    });
    Ok(([(CONTENT_TYPE, form.media_type())], Body::from_stream(pages)).into_response())
}

/// Says in the log why an answer ends before its end.
pub fn cut_off(error: &(dyn std::error::Error + Send + Sync)) {
    tracing::error!(%error, "a report was cut off");
}

impl Walk {
    /// The text of the page that was read, and the next page, if there may be one.
    async fn step(mut self) -> Result<(Bytes, Option<Walk>), AnyError> {
        let records: Vec<_> = self.page.iter().map(|(_, record)| record).collect();
        let last = records.len() < PAGE_RECORDS as usize;
        let text = self.text(&records, last)?;
        let after = self.page.last().map(|(number, _)| *number);
        self.begun = true;
        let Some(after) = after.filter(|_| !last) else { return Ok((text.into(), None)) };
        self.page = self.ledger.usage_page(&self.filter, after, PAGE_RECORDS).await?;
        Ok((text.into(), Some(self)))
    }

    fn text(&self, records: &[&UsageRecord], last: bool) -> Result<Vec<u8>, AnyError> {
        match self.form {
            Form::Csv | Form::Focus => form::csv_rows(COLUMNS, !self.begun, records),
            Form::Jsonl => Ok(form::lines(records)?),
            Form::Json => {
                let elements = form::elements(records)?;
                let before: &[u8] = match (self.begun, elements.is_empty()) {
                    (false, _) => b"[",
                    (true, false) => b",\n",
                    (true, true) => b"",
                };
                let after: &[u8] = if last { b"]" } else { b"" };
                Ok([before, elements.as_slice(), after].concat())
            }
        }
    }
}
