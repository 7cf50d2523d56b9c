//! The figures that tables tell of a run.

use crate::figures::{each, micros};
use crate::report::{Column, Compare};

/// Whole answers by the clock.
pub const REQUESTS: Column = Column {
    title: "requests/s",
    digits: 0,
    value: |sample| sample.answers as f64 / sample.elapsed.as_secs_f64(),
    compare: Compare::Ratio,
};
/// What a request costs Envoy.
pub const CPU_PER_REQUEST: Column = Column {
    title: "CPU µs/request",
    digits: 1,
    value: |sample| each(micros(sample.envoy.on_core), sample.answers),
    compare: Compare::RatioAndDifference,
};
/// Events by the clock.
pub const EVENTS: Column = Column {
    title: "events/s",
    digits: 0,
    value: |sample| sample.events as f64 / sample.elapsed.as_secs_f64(),
    compare: Compare::Ratio,
};
/// What an event costs Envoy.
pub const CPU_PER_EVENT: Column = Column {
    title: "CPU µs/event",
    digits: 2,
    value: |sample| each(micros(sample.envoy.on_core), sample.events),
    compare: Compare::RatioAndDifference,
};
/// Half of the answers take no longer.
pub const P50: Column = Column {
    title: "p50 µs",
    digits: 0,
    value: |sample| micros(sample.p50),
    compare: Compare::RatioAndDifference,
};
/// 99 of 100 answers take no longer.
pub const P99: Column = Column {
    title: "p99 µs",
    digits: 0,
    value: |sample| micros(sample.p99),
    compare: Compare::RatioAndDifference,
};
/// How full the core is.
pub const BUSY: Column = Column {
    title: "Envoy's core %",
    digits: 0,
    value: |sample| 100.0 * sample.envoy.on_core.as_secs_f64() / sample.elapsed.as_secs_f64(),
    compare: Compare::Nothing,
};
/// How much others were in Envoy's way.
pub const WAITED: Column = Column {
    title: "waited for it %",
    digits: 0,
    value: |sample| 100.0 * sample.envoy.waited.as_secs_f64() / sample.elapsed.as_secs_f64(),
    compare: Compare::Nothing,
};
