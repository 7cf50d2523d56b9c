//! How busy the inference servers are: their metrics, read once for all
//! gateways, and the weights that follow.
//!
//! [`Scraper`] asks each engine once per interval. What an answer says is read
//! by the dialect of its engine into a [`Snapshot`], smoothed by a [`Window`]
//! into a [`Reading`], and [`weigh()`] makes the weights of a pool from those.
//! Everything but the scraper is pure and takes the time as an argument.

pub mod dialects;
pub mod exposition;
mod latency;
mod scraper;
mod signals;
mod tally;
mod weigh;
mod window;

pub use dialects::tells_latency;
pub use scraper::{Failure, Report, Scrape, Scraper, http_client};
pub use signals::{Answered, Prefix, Reading, Signals, Snapshot};
pub use weigh::{WEIGHT_FLOOR, WEIGHT_MAX, load, weigh, weigh_by_latency};
pub use window::Window;
