//! Metrics as values, and as text.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use std::collections::BTreeMap;
use std::fmt;

/// In front of every name.
const PREFIX: &str = "tollgate";

/// Names and values of labels, in the order in which they are written.
type Labels = Vec<(&'static str, String)>;

/// What a family counts or measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Only grows; `_total` is added to its name.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Always 1, its labels are what it says; `_info` is added to its name.
    Info,
}

/// A metric with all of its series. No series is there twice, which a scraper
/// would refuse the whole answer for.
#[derive(Clone, Debug)]
pub struct Family {
    name: &'static str,
    help: &'static str,
    unit: Option<Unit>,
    kind: Kind,
    series: BTreeMap<Labels, f64>,
}

impl Family {
    /// A value that goes up and down.
    pub fn gauge(name: &'static str, help: &'static str) -> Family {
        Family { name, help, unit: None, kind: Kind::Gauge, series: BTreeMap::new() }
    }

    /// A count that only grows.
    pub fn counter(name: &'static str, help: &'static str) -> Family {
        Family { kind: Kind::Counter, ..Self::gauge(name, help) }
    }

    /// A text, said by labels.
    pub fn info(name: &'static str, help: &'static str) -> Family {
        Family { kind: Kind::Info, ..Self::gauge(name, help) }
    }

    /// The unit that is added to the name.
    pub fn in_unit(self, unit: Unit) -> Family {
        Family { unit: Some(unit), ..self }
    }

    /// One series more.
    pub fn with<const N: usize>(
        mut self,
        labels: [(&'static str, &str); N],
        value: impl Into<Value>,
    ) -> Family {
        self.set(labels, value);
        self
    }

    /// As [`Family::with`].
    pub fn set<const N: usize>(
        &mut self,
        labels: [(&'static str, &str); N],
        value: impl Into<Value>,
    ) {
        let labels = labels.map(|(name, value)| (name, value.to_owned()));
        if let Value(Some(value)) = value.into() {
            self.series.insert(labels.to_vec(), value);
        }
    }

    fn encode(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let name = format!("{PREFIX}_{}", self.name);
        let kind = match self.kind {
            Kind::Counter => MetricType::Counter,
            Kind::Gauge => MetricType::Gauge,
            Kind::Info => MetricType::Info,
        };
        let mut metric = encoder.encode_descriptor(&name, self.help, self.unit.as_ref(), kind)?;
        for (labels, value) in &self.series {
            self.encode_series(&mut metric, labels, *value)?;
        }
        Ok(())
    }

    fn encode_series(
        &self,
        metric: &mut MetricEncoder<'_>,
        labels: &Labels,
        value: f64,
    ) -> fmt::Result {
        match (self.kind, labels.is_empty()) {
            (Kind::Info, _) => metric.encode_info(labels),
            (_, true) => self.encode_value(metric, value),
            (_, false) => self.encode_value(&mut metric.encode_family(labels)?, value),
        }
    }

    fn encode_value(&self, metric: &mut MetricEncoder<'_>, value: f64) -> fmt::Result {
        match self.kind {
            Kind::Counter => metric.encode_counter::<NoLabelSet, _, f64>(&value, None),
            Kind::Gauge | Kind::Info => metric.encode_gauge(&value),
        }
    }
}

/// The value of a series. Counts are exact up to 2^53, as scrapers have them;
/// without one there is no series.
pub struct Value(Option<f64>);

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Value(Some(value))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value(Some(f64::from(u8::from(value))))
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Value(Some(value as f64))
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Value(Some(value as f64))
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value(None), Into::into)
    }
}

#[derive(Debug)]
struct Families(Vec<Family>);

impl Collector for Families {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|family| family.encode(&mut encoder))
    }
}

/// All families as OpenMetrics 1.0 text.
pub fn exposition(families: Vec<Family>) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Families(families)));
    let mut out = String::new();
    text::encode(&mut out, &registry)?;
    Ok(out)
}
