//! Whom to ask, where and how often.

use model::{Engine, Metrics};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::time::Duration;

/// Shortest interval; an engine has more to do than to count.
const INTERVAL_MIN: Duration = Duration::from_millis(100);

/// Longest interval: what is older than this says nothing of the load.
const INTERVAL_MAX: Duration = Duration::from_secs(3600);

/// An engine may think this long at least, however often it is asked: a busy one
/// is slow to answer, and taking it for an unknown one would give it more work.
const TIMEOUT_MIN: Duration = Duration::from_secs(1);

/// Nor may it think longer than this, however seldom it is asked.
const TIMEOUT_MAX: Duration = Duration::from_secs(5);

/// How one engine is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scrape {
    /// Where it answers requests: its name in pools and weights.
    pub id: SocketAddr,
    /// Where its metrics are.
    pub url: String,
    /// Its name. Where the URL has it, the address of `id` is dialled and TLS
    /// checks the name; else it goes into the `host` header.
    pub hostname: Option<String>,
    /// What runs there.
    pub engine: Engine,
    /// Time between two questions, 100 ms to 1 h; what is beyond counts as the
    /// nearer of the two.
    pub interval: Duration,
    /// After how many intervals without an answer its reading counts no more.
    pub stale_after: u32,
}

impl Scrape {
    /// How an endpoint of a pool with these settings is asked.
    #[must_use]
    pub fn new(
        id: SocketAddr,
        hostname: Option<&str>,
        tls: bool,
        engine: Engine,
        metrics: &Metrics,
    ) -> Scrape {
        let at = SocketAddr::new(id.ip(), metrics.port.unwrap_or(id.port()));
        let url = match hostname {
            Some(name) if tls => format!("https://{name}:{}{}", at.port(), metrics.path),
            _ if tls => format!("https://{at}{}", metrics.path),
            _ => format!("http://{at}{}", metrics.path),
        };
        Scrape {
            id,
            url,
            hostname: hostname.map(str::to_owned),
            engine,
            interval: metrics.interval,
            stale_after: metrics.stale_after,
        }
    }

    pub(super) fn period(&self) -> Duration {
        self.interval.clamp(INTERVAL_MIN, INTERVAL_MAX)
    }

    pub(super) fn timeout(&self) -> Duration {
        self.interval.clamp(TIMEOUT_MIN, TIMEOUT_MAX)
    }

    /// When it is asked within an interval: always the same for one address.
    pub(super) fn phase(&self) -> Duration {
        let mut hasher = DefaultHasher::new();
        self.id.hash(&mut hasher);
        let [first, second, ..] = hasher.finish().to_be_bytes();
        let share = f64::from(u16::from_be_bytes([first, second])) / 65_536.0;
        self.period().mul_f64(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrape(id: &str, hostname: Option<&str>, tls: bool, port: Option<u16>) -> Scrape {
        let metrics = Metrics { port, ..Metrics::default() };
        Scrape::new(id.parse().unwrap(), hostname, tls, Engine::Vllm, &metrics)
    }

    #[test]
    fn the_url_has_the_address_or_the_name_that_a_certificate_has() {
        let table = [
            ("10.0.0.1:8000", None, false, None, "http://10.0.0.1:8000/metrics"),
            ("10.0.0.1:8000", None, false, Some(8002), "http://10.0.0.1:8002/metrics"),
            ("10.0.0.1:8000", Some("gpu.example"), false, None, "http://10.0.0.1:8000/metrics"),
            ("10.0.0.1:443", Some("gpu.example"), true, None, "https://gpu.example:443/metrics"),
            ("10.0.0.1:443", None, true, None, "https://10.0.0.1:443/metrics"),
            ("[fd00::1]:8000", None, false, None, "http://[fd00::1]:8000/metrics"),
        ];
        for (id, hostname, tls, port, expected) in table {
            let scrape = scrape(id, hostname, tls, port);
            assert_eq!(scrape.url, expected);
            assert_eq!(
                (scrape.id.to_string().as_str(), scrape.hostname.as_deref()),
                (id, hostname)
            );
        }
    }

    #[test]
    fn phases_are_spread_over_the_interval_and_stay() {
        let phase =
            |number: u8| scrape(&format!("10.0.0.{number}:8000"), None, false, None).phase();
        let mut quarters = [0; 4];
        for number in 0..100 {
            assert_eq!(phase(number), phase(number));
            assert!(phase(number) < Duration::from_secs(1));
            quarters[usize::try_from(phase(number).as_millis() / 250).unwrap()] += 1;
        }
        assert!(quarters.iter().all(|engines| (10..=45).contains(engines)), "{quarters:?}");
    }

    #[test]
    fn times_are_bounded() {
        let with = |interval| Scrape { interval, ..scrape("10.0.0.1:8000", None, false, None) };
        let table = [(0, 100, 1000), (250, 250, 1000), (2000, 2000, 2000), (60_000, 60_000, 5000)];
        for (interval_ms, period_ms, timeout_ms) in table {
            let scrape = with(Duration::from_millis(interval_ms));
            assert_eq!(scrape.period(), Duration::from_millis(period_ms));
            assert_eq!(scrape.timeout(), Duration::from_millis(timeout_ms));
        }
        let endless = with(Duration::MAX);
        assert_eq!(endless.period(), INTERVAL_MAX);
        assert!(endless.phase() < INTERVAL_MAX);
    }
}
