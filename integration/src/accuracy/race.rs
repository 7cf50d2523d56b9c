//! Many clients at two gateways, and one budget that ends while they ask.

use std::sync::Arc;
use std::time::{Duration, Instant};

use postgres_server::{PostgresServer, Shutdown};
use tokio::sync::Barrier;

use super::books::Books;
use super::client::{Heard, Question};
use super::verdict::{Bar, Row};
use super::world::World;
use crate::engine::Attempt;
use crate::serving::{Serving, ready};
use crate::{Engine, Result, Tollgate, TollgateStart};

/// Prices in dollars per million tokens, the input's and the output's.
const PRICES: (u64, u64) = (1, 10);
/// Tokens that a client asks for, and the time between two of them.
const TOKENS: u64 = 16;
const PACE: Duration = Duration::from_millis(2);
/// Between two refusals of a client.
const AFTER_REFUSAL: Duration = Duration::from_millis(250);

/// A race for the last cent.
#[derive(Debug, Clone, Copy)]
pub struct Race {
    /// As in the report.
    pub name: &'static str,
    /// Who race.
    pub clients: usize,
    /// How long they ask: longer than the money lasts, and than gateways keep what
    /// others could use.
    pub time: Duration,
    /// What there is to spend, in millionths of a dollar.
    pub microdollars: u64,
    /// By what the gateways share it.
    pub ledger: Shared,
}

/// By what two gateways share a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shared {
    /// By the control plane that both belong to.
    ByControlPlane,
    /// By a PostgreSQL server: each has a control plane of its own.
    ByPostgres {
        /// How often the server is killed and started again meanwhile.
        restarts: u32,
    },
}

impl Race {
    /// Two gateways, and one budget.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn run(&self) -> Result<Row> {
        let engine = Engine::start().tokens(TOKENS).token_interval(PACE).spawn().await?;
        match self.ledger {
            Shared::ByControlPlane => self.on_one_control_plane(&engine).await,
            Shared::ByPostgres { restarts } => self.on_postgres(&engine, restarts).await,
        }
    }

    /// Both gateways at one control plane and one address.
    async fn on_one_control_plane(&self, engine: &Engine) -> Result<Row> {
        let serving = Serving::start(self.gate("").engine("tiny", engine)).await?;
        let envoys = [serving.envoy("one").await?, serving.envoy("two").await?];
        let key = key(&serving)?;
        let url = ready(&envoys).await?;
        self.race(&[world(&serving, url, key, engine)?]).await
    }

    /// Each gateway at a control plane of its own; the ledger is a PostgreSQL server,
    /// which is restarted meanwhile.
    async fn on_postgres(&self, engine: &Engine, restarts: u32) -> Result<Row> {
        let mut server = tokio::task::spawn_blocking(PostgresServer::start).await??;
        let database = format!("control:\n  database: {}\n", server.url("postgres"));
        let mut worlds = Vec::new();
        let mut running = Vec::new();
        for node in ["one", "two"] {
            let serving = Serving::start(self.gate(&database).engine("tiny", engine)).await?;
            let envoy = [serving.envoy(node).await?];
            let key = key(&serving)?;
            worlds.push(world(&serving, ready(&envoy).await?, key, engine)?);
            running.push((serving, envoy));
        }
        let pause = self.time / (restarts + 1);
        let restarting = tokio::task::spawn_blocking(move || {
            for _ in 0..restarts {
                std::thread::sleep(pause);
                server.restart(Shutdown::Immediate)?;
            }
            Ok::<_, postgres_server::Error>(server)
        });
        let mut row = self.race(&worlds).await?;
        let _server = restarting.await??;
        row.note += &format!(", PostgreSQL restarted {restarts} times");
        Ok(row)
    }

    fn gate(&self, more: &str) -> TollgateStart {
        let (input, output) = PRICES;
        let (whole, rest) = (self.microdollars / 1_000_000, self.microdollars % 1_000_000);
        Tollgate::with(&format!(
            "{more}pools:\n  tiny:\n    price: {{ input: {input}, output: {output} }}\n\
             tenants:\n  acme:\n    budget: {{ dollars: {whole}.{rest:06}, per: total }}\n"
        ))
    }

    /// The race itself, in worlds that share engine, books and budget.
    async fn race(&self, worlds: &[World]) -> Result<Row> {
        let books = &worlds[0];
        let mark = books.mark().await?;
        let together = Arc::new(Barrier::new(self.clients));
        let asking = (0..self.clients).map(|at| {
            let world = worlds[at % worlds.len()].clone();
            let (together, time) = (Arc::clone(&together), self.time);
            tokio::spawn(async move {
                together.wait().await;
                ask_until(&world, Instant::now() + time).await
            })
        });
        let asking: Vec<_> = asking.collect();
        let mut heard = Vec::new();
        for asking in asking {
            heard.extend(asking.await??);
        }
        let row = books.row(self.name, Bar::Exact, &heard, &mark, false).await?;
        self.settle(row, books, &heard).await
    }

    /// Holds the money against the budget as well.
    async fn settle(&self, mut row: Row, world: &World, heard: &[Heard]) -> Result<Row> {
        let delivered = world.delivered().await?;
        let delivered: u64 = delivered.iter().flat_map(|it| &it.attempts).map(cost).sum();
        let billed = world.books.read().await?;
        let billed: i64 = billed.iter().map(|it| it.cost_nanodollars).sum();
        let budget = self.microdollars * 1_000;
        let most = delivered.max(u64::try_from(billed).unwrap_or(0));
        row.overspent_nanodollars = most.saturating_sub(budget);
        let is_refused = |it: &&Heard| it.code.as_deref() == Some("budget_exceeded");
        let refused = heard.iter().filter(is_refused).count();
        let percent = 100.0 * delivered as f64 / budget.max(1) as f64;
        row.note = format!("{percent:.1} % of the budget was spent, {refused} requests refused");
        row.judge(Bar::Exact);
        if refused == 0 {
            row.missed.push("nobody was refused".to_owned());
        }
        Ok(row)
    }
}

fn key(serving: &Serving) -> Result<String> {
    let make = ["keys", "create", "--tenant", "acme", "--name", "race", "--format", "json"];
    Ok(serving.cli_json(&make)?["key"].as_str().unwrap_or_default().to_owned())
}

fn world(serving: &Serving, url: String, key: String, engine: &Engine) -> Result<World> {
    Ok(World {
        url,
        key,
        model: "tiny".to_owned(),
        estimated: "tiny".to_owned(),
        engines: vec![engine.url().to_owned()],
        books: Books::of_data(&serving.data())?,
    })
}

/// What an attempt was worth, in nano-dollars: a dollar per million tokens is 1,000 each.
fn cost(attempt: &Attempt) -> u64 {
    1_000 * (PRICES.0 * attempt.prompt_tokens + PRICES.1 * attempt.output_tokens)
}

async fn ask_until(world: &World, until: Instant) -> Result<Vec<Heard>> {
    let question = Question::chat(&world.model).stream().field("max_tokens", TOKENS.into());
    let mut all = Vec::new();
    while Instant::now() < until {
        let heard = question.ask(&world.url, &world.key).await?;
        if heard.status == 429 {
            tokio::time::sleep(AFTER_REFUSAL).await;
        }
        all.push(heard);
    }
    Ok(all)
}
