//! The columns, and what stands in them.

use super::Group;
use super::amount::Amount;
use super::meter::Meter;
use crate::csv_text::text;
use contract::price::Prices;
use jiff::ToSpan as _;
use jiff::civil::Date;
use ledger::Correction;
use serde_json::json;

/// The columns in the order of the export, which is that of their names.
pub const COLUMNS: [&str; 39] = [
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingAccountType",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "SubAccountType",
    "Tags",
];

/// Who provides, publishes and bills.
const PROVIDER: &str = "Tollgate";

/// A day of charges, and the month that is billed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    start: String,
    end: String,
    month_start: String,
    month_end: String,
}

impl Period {
    /// The period of `day`, in UTC; `None` for the last day that a calendar has.
    pub fn of(day: Date) -> Option<Period> {
        let month = day.first_of_month();
        Some(Period {
            start: midnight(day),
            end: midnight(day.checked_add(1.day()).ok()?),
            month_start: midnight(month),
            month_end: midnight(month.checked_add(1.month()).ok()?),
        })
    }
}

impl Period {
    /// The row of a correction that was made on the day `made`: it is of the day of its
    /// record, and billed in the month in which it was made. Only there is it a correction
    /// to FOCUS; within the month it is an adjustment like others.
    pub fn correction(&self, correction: &Correction, made: Date) -> [String; COLUMNS.len()] {
        let group = Group::of(&correction.record);
        let amount = Amount::nanodollars(correction.nanodollars.into());
        let billed = Period::of(made).unwrap_or_else(|| self.clone());
        let later = billed.month_start > self.month_start;
        let period = Period {
            start: self.start.clone(),
            end: self.end.clone(),
            month_start: billed.month_start,
            month_end: billed.month_end,
        };
        let what = format!("Correction of {}: {}", correction.record.id, correction.why);
        adjustment(&group, &period, amount, &what, later)
    }
}

/// ISO 8601 in UTC (FOCUS, "Date/Time Format").
fn midnight(day: Date) -> String {
    format!("{day}T00:00:00Z")
}

/// What differs from row to row beside the group.
#[derive(Default)]
struct Charge {
    cost: Amount,
    category: &'static str,
    class: &'static str,
    description: String,
    consumed: String,
    consumed_unit: &'static str,
    priced: String,
    pricing_unit: &'static str,
    pricing_category: &'static str,
    unit_price: String,
    sku: String,
    meter: &'static str,
    price_id: String,
}

/// The row of what was used.
pub fn of_meter(
    group: &Group,
    period: &Period,
    meter: Meter,
    counted: u128,
    prices: &Prices,
) -> [String; COLUMNS.len()] {
    let pool = group.pool.as_deref().unwrap_or_default();
    let charge = Charge {
        cost: meter.cost(counted, prices),
        category: "Usage",
        description: text(&format!("{} of {pool}", meter.name())),
        consumed: meter.consumed(counted),
        consumed_unit: meter.consumed_unit(),
        priced: meter.priced(counted),
        pricing_unit: meter.pricing_unit(),
        pricing_category: "Standard",
        unit_price: Amount::nanodollars(meter.unit_price(prices).into()).to_string(),
        sku: text(&format!("{pool}/{}", meter.id())),
        meter: meter.name(),
        price_id: group.price_version.as_deref().map_or_else(String::new, text),
        ..Charge::default()
    };
    columns(group, period, charge)
}

/// A row without a quantity; whether it `corrects` an invoice of before (FOCUS,
/// "Charge Class").
pub fn adjustment(
    group: &Group,
    period: &Period,
    cost: Amount,
    what: &str,
    corrects: bool,
) -> [String; COLUMNS.len()] {
    let charge = Charge {
        cost,
        category: "Adjustment",
        class: if corrects { "Correction" } else { "" },
        description: text(what),
        ..Charge::default()
    };
    columns(group, period, charge)
}

fn columns(group: &Group, period: &Period, charge: Charge) -> [String; COLUMNS.len()] {
    let cost = charge.cost.to_string();
    let (account, account_type) = match &group.organisation {
        Some(organisation) => (organisation, "Organisation"),
        None => (&group.tenant, "Tenant"),
    };
    let (account, tenant) = (text(account), text(&group.tenant));
    let (pool, model) = (optional(&group.pool), optional(&group.model));
    let resource_type = if pool.is_empty() { "" } else { "Pool" };
    [
        cost.clone(),
        account.clone(),
        account,
        account_type.into(),
        "USD".into(),
        period.month_end.clone(),
        period.month_start.clone(),
        charge.category.into(),
        charge.class.into(),
        charge.description,
        "Usage-Based".into(),
        period.end.clone(),
        period.start.clone(),
        charge.consumed,
        charge.consumed_unit.into(),
        cost.clone(),
        charge.unit_price.clone(),
        cost.clone(),
        PROVIDER.into(),
        cost,
        charge.unit_price,
        charge.pricing_category.into(),
        charge.priced,
        charge.pricing_unit.into(),
        PROVIDER.into(),
        PROVIDER.into(),
        pool,
        model,
        resource_type.into(),
        "AI and Machine Learning".into(),
        "Inference".into(),
        "Generative AI".into(),
        charge.sku,
        charge.meter.into(),
        charge.price_id,
        tenant.clone(),
        tenant,
        "Tenant".into(),
        tags(group),
    ]
}

fn optional(name: &Option<String>) -> String {
    name.as_deref().map_or_else(String::new, text)
}

/// Who and what, as JSON (FOCUS, "Key-Value Format"); what has no name is left out.
fn tags(group: &Group) -> String {
    let mut tags = json!({"tenant": group.tenant, "key": group.key});
    let named = [
        ("organisation", &group.organisation),
        ("user", &group.user),
        ("model", &group.model),
        ("pool", &group.pool),
        ("price_version", &group.price_version),
    ];
    if let Some(tags) = tags.as_object_mut() {
        let named = named.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        tags.extend(named.map(|(name, value)| (name.to_owned(), value.as_str().into())));
    }
    tags.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_day_is_of_its_month() {
        let period = Period::of(date(2026, 12, 31)).unwrap();
        assert_eq!(period.start, "2026-12-31T00:00:00Z");
        assert_eq!(period.end, "2027-01-01T00:00:00Z");
        assert_eq!(period.month_start, "2026-12-01T00:00:00Z");
        assert_eq!(period.month_end, "2027-01-01T00:00:00Z");
        assert_eq!(Period::of(Date::MAX), None);
    }

    #[test]
    fn columns_are_in_the_order_of_their_names() {
        assert!(COLUMNS.is_sorted());
    }
}
