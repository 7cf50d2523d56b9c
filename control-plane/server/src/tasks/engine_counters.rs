//! Keeps what the engines say that they have counted, once a minute: what the ledger is
//! held against later. The scraper of the load asks much more often and keeps nothing.

use admin::CLOCK;
use engines::exposition::Reader;
use engines::{Scrape, dialects};
use futures::StreamExt as _;
use futures::stream;
use ledger::{EngineCounters, Ledger};
use model::ids::PoolName;
use reqwest::header::HOST;
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

use crate::roster::Roster;

/// How often.
const SAMPLE_EVERY: Duration = Duration::from_secs(60);

/// How long one engine may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Most engines that are asked at a time.
const AT_A_TIME: usize = 16;

/// Longest answer, as the scraper of the load has it.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The keeper of counters.
pub struct CounterKeeper {
    /// Which engines there are.
    pub roster: Roster,
    /// Where the counters go.
    pub ledger: Ledger,
}

impl CounterKeeper {
    /// Keeps for ever.
    pub async fn run(self) {
        let mut turns = interval(SAMPLE_EVERY);
        turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            turns.tick().await;
            let counters = sampled(self.roster.scrapes()).await;
            if counters.is_empty() {
                continue;
            }
            if let Err(error) = self.ledger.note_counters(&counters).await {
                tracing::warn!(%error, "the engines' counters could not be kept");
            }
        }
    }
}

/// What each engine says; those that say nothing are left out, as whoever asks for their
/// load says already.
async fn sampled(engines: Vec<(PoolName, Scrape)>) -> Vec<EngineCounters> {
    let asked = stream::iter(engines).map(async |(pool, scrape)| {
        let sample = ask(&pool, &scrape).await;
        sample.inspect_err(|error| tracing::debug!(%error, %pool, "no counters")).ok().flatten()
    });
    asked.buffer_unordered(AT_A_TIME).filter_map(async |sample| sample).collect().await
}

/// What one engine says; none where it does not tell its tokens.
async fn ask(pool: &PoolName, scrape: &Scrape) -> Result<Option<EngineCounters>, reqwest::Error> {
    let Some(mut dialect) = dialects::of(scrape.engine) else { return Ok(None) };
    let Ok(url) = scrape.url.parse::<Url>() else { return Ok(None) };
    let mut request = client(scrape, &url)?.get(url.clone()).timeout(PATIENCE);
    if let Some(name) = &scrape.hostname {
        let port = url.port_or_known_default().unwrap_or_default();
        request = request.header(HOST, format!("{name}:{port}"));
    }
    let mut answer = request.send().await?.error_for_status()?;
    let (mut reader, mut bytes) = (Reader::default(), 0);
    dialect.start();
    while let Some(piece) = answer.chunk().await? {
        bytes += piece.len();
        if bytes > BODY_BYTES_MAX {
            return Ok(None);
        }
        reader.read(&piece, |line| dialect.take(&line));
    }
    let said = dialect.snapshot();
    let Some((input, output)) = said.prompt_tokens.zip(said.generated_tokens) else {
        return Ok(None);
    };
    let cached = match said.prefix {
        Some(engines::Prefix::Counted { hit, .. }) => Some(tokens(hit)),
        _ => None,
    };
    Ok(Some(EngineCounters {
        at_ms: CLOCK.now_ms(),
        pool: pool.to_string(),
        endpoint: scrape.id.to_string(),
        engine: word(scrape.engine),
        input_tokens: tokens(input),
        cached_input_tokens: cached,
        output_tokens: tokens(output),
    }))
}

/// Without a proxy and following nobody elsewhere. Where the URL has the name, the address
/// that it was resolved to is dialled: another one is another engine.
fn client(scrape: &Scrape, url: &Url) -> Result<Client, reqwest::Error> {
    let builder = Client::builder().no_proxy().redirect(Policy::none());
    let named = scrape.hostname.as_deref().zip(url.host_str());
    match named.filter(|(name, host)| name.eq_ignore_ascii_case(host)) {
        Some((name, _)) => {
            let port = url.port_or_known_default().unwrap_or_default();
            builder.resolve(name, SocketAddr::new(scrape.id.ip(), port)).build()
        }
        None => builder.build(),
    }
}

/// The engine's word in the configuration.
fn word(engine: model::Engine) -> String {
    let word = serde_json::to_value(engine).ok();
    word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A counter of Prometheus is floating point: exact up to 2^53, which no engine reaches.
fn tokens(counted: f64) -> u64 {
    counted as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Engine, Metrics};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// Answers once with `body`.
    async fn engine(body: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut peer, _) = listener.accept().await.unwrap();
            let _ = peer.read(&mut [0; 4096]).await.unwrap();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            peer.write_all(head.as_bytes()).await.unwrap();
            peer.write_all(body.as_bytes()).await.unwrap();
        });
        address
    }

    async fn asked(kind: Engine, body: &'static str) -> Option<EngineCounters> {
        crate::cryptography::choose();
        let scrape = Scrape::new(engine(body).await, None, false, kind, &Metrics::default());
        ask(&PoolName::parse("a").unwrap(), &scrape).await.unwrap()
    }

    #[tokio::test]
    async fn counters_as_engines_tell_them() {
        let vllm = "vllm:prompt_tokens_total{engine=\"0\"} 120.0\n\
                    vllm:prompt_tokens_total{engine=\"1\"} 3.0\n\
                    vllm:generation_tokens_total{engine=\"0\"} 45.0\n\
                    vllm:prefix_cache_queries_total 123.0\nvllm:prefix_cache_hits_total 64.0\n";
        let told = asked(Engine::Vllm, vllm).await.unwrap();
        let counted = (told.input_tokens, told.cached_input_tokens, told.output_tokens);
        assert_eq!(counted, (123, Some(64), 45));
        assert_eq!((told.pool.as_str(), told.engine.as_str()), ("a", "vllm"));
        let llamacpp = "llamacpp:prompt_tokens_total 16\nllamacpp:prompt_tokens_cached_total 4\n\
                        llamacpp:tokens_predicted_total 9\n";
        let told = asked(Engine::Llamacpp, llamacpp).await.unwrap();
        assert_eq!((told.input_tokens, told.output_tokens), (20, 9), "cached ones are input");
        assert_eq!(asked(Engine::Vllm, "vllm:num_requests_running 1\n").await, None);
    }

    #[tokio::test]
    async fn an_engine_that_is_away_is_left_out() {
        crate::cryptography::choose();
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let scrape = Scrape::new(free, None, false, Engine::Vllm, &Metrics::default());
        assert_eq!(sampled(vec![(PoolName::parse("a").unwrap(), scrape)]).await, []);
    }
}
