//! Prices in a database: the bits of unsigned numbers.

use super::dialect::{Pool, begin};
use crate::error::Error;
use crate::store::PriceBook;
use contract::price::Prices;
use sqlx::Row as _;

const COLUMNS: [&str; 8] =
    ["input", "cached_input", "output", "request", "image", "page", "audio_second", "gpu_second"];

pub(super) async fn record(writer: &Pool, prices: &[Prices]) -> Result<(), Error> {
    let doing = "recording prices";
    let mut transaction = begin(writer, doing).await?;
    for each in prices {
        sqlx::query(
            "INSERT INTO prices (version, input, cached_input, output, request, image, page,
             audio_second, gpu_second) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT DO NOTHING",
        )
        .bind(each.version())
        .bind(each.input.cast_signed())
        .bind(each.cached_input.cast_signed())
        .bind(each.output.cast_signed())
        .bind(each.request.cast_signed())
        .bind(each.image.cast_signed())
        .bind(each.page.cast_signed())
        .bind(each.audio_second.cast_signed())
        .bind(each.gpu_second.cast_signed())
        .execute(&mut *transaction)
        .await
        .map_err(Error::database(doing))?;
    }
    transaction.commit().await.map_err(Error::database(doing))
}

pub(super) async fn book(reader: &Pool) -> Result<PriceBook, Error> {
    let doing = "reading the prices";
    let rows = sqlx::query("SELECT * FROM prices").fetch_all(reader).await;
    let read = rows.map_err(Error::database(doing))?.into_iter().map(|row| {
        let mut numbers = [0; COLUMNS.len()];
        for (number, column) in numbers.iter_mut().zip(COLUMNS) {
            *number = row.try_get::<i64, _>(column)?.cast_unsigned();
        }
        let [input, cached_input, output, request, image, page, audio_second, gpu_second] = numbers;
        let prices =
            Prices { input, cached_input, output, request, image, page, audio_second, gpu_second };
        Ok((row.try_get("version")?, prices))
    });
    read.collect::<sqlx::Result<_>>().map_err(Error::database(doing))
}
