//! Engines that keep an account, a gateway before them, and its books.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use futures::StreamExt as _;

use super::books::{Billed, Books};
use super::client::{Heard, Question};
use super::verdict::{Bar, Evidence, Row};
use crate::engine::{Counters, Delivered};
use crate::engine_peer::delivered_by;
use crate::{Engine, Result, Tollgate, client, wait_until};

/// Requests at once, where a scenario does not say.
const AT_ONCE: usize = 16;
/// How long records may take to appear.
const RECORDS_TIMEOUT: Duration = Duration::from_secs(30);
/// How long those of answers that a killed gateway has cut may take: some have none.
const CUT_TIMEOUT: Duration = Duration::from_secs(6);
/// How long engines may take to notice that their clients are gone.
const QUIET_TIMEOUT: Duration = Duration::from_secs(20);
/// After all records are there, one that is there twice gets this long to show.
const DOUBLES_TIME: Duration = Duration::from_millis(400);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What the suite runs against.
#[derive(Debug, Clone)]
pub struct World {
    /// `http://ADDRESS` of the gateway.
    pub url: String,
    /// Key of all requests.
    pub key: String,
    /// The model that leads to the engines.
    pub model: String,
    /// The one that estimates are made of: best a pool of its own, so that what a gateway
    /// learns of it is of one kind.
    pub estimated: String,
    /// `http://ADDRESS` of each simulator behind it.
    pub engines: Vec<String>,
    /// Where it tells what it has billed.
    pub books: Books,
}

/// What there was before a scenario.
#[derive(Debug, Default)]
pub struct Mark {
    delivered: HashSet<String>,
    billed: HashSet<String>,
}

impl World {
    /// A gateway of our own with two workers before `engine`, which it has to outlive.
    ///
    /// # Errors
    /// It does not start.
    pub async fn of_our_own(engine: &Engine) -> Result<(Tollgate, World)> {
        let gate = Tollgate::with("gateway:\n  workers: 2\n")
            .engine("tiny", engine)
            .engine("steady", engine)
            .start()
            .await?;
        let world = World {
            url: gate.url().to_owned(),
            key: gate.key("acme").await?.key,
            model: "tiny".to_owned(),
            estimated: "steady".to_owned(),
            engines: vec![engine.url().to_owned()],
            books: Books::of_data(&gate.data())?,
        };
        Ok((gate, world))
    }

    /// Asks the questions, and holds the bill against them.
    ///
    /// # Errors
    /// The gateway cannot be reached at all, or the engines or the books cannot.
    pub async fn run(&self, scenario: &str, bar: Bar, questions: Vec<Question>) -> Result<Row> {
        let mark = self.mark().await?;
        let heard = self.ask_all(questions).await?;
        self.row(scenario, bar, &heard, &mark, false).await
    }

    /// Asks several at once; the answers in any order.
    pub async fn ask_all(&self, questions: Vec<Question>) -> Result<Vec<Heard>> {
        let asking = questions.into_iter().map(async |it| it.ask(&self.url, &self.key).await);
        let heard: Vec<Result<Heard>> =
            futures::stream::iter(asking).buffer_unordered(AT_ONCE).collect().await;
        heard.into_iter().collect()
    }

    /// What is there now.
    pub async fn mark(&self) -> Result<Mark> {
        let delivered = self.delivered().await?.into_iter().map(|it| it.id).collect();
        let billed = self.books.read().await?.into_iter().map(|it| it.id).collect();
        Ok(Mark { delivered, billed })
    }

    /// The line of a scenario, once the engines are quiet and every record is there, or
    /// has had its time.
    pub async fn row(
        &self,
        scenario: &str,
        bar: Bar,
        heard: &[Heard],
        mark: &Mark,
        killed: bool,
    ) -> Result<Row> {
        wait_until(async || self.is_quiet().await, QUIET_TIMEOUT).await;
        let mut delivered = self.delivered().await?;
        delivered.retain(|it| !mark.delivered.contains(&it.id));
        let look = async || -> Result<Row> {
            let mut billed = self.books.read().await?;
            billed.retain(|it: &Billed| !mark.billed.contains(&it.id));
            let (delivered, billed) = (&delivered[..], &billed[..]);
            Ok(Row::of(&Evidence { scenario, bar, heard, delivered, billed, killed }))
        };
        let begun = Instant::now();
        loop {
            let row = look().await?;
            let patience = if row.lost > 0 { RECORDS_TIMEOUT } else { CUT_TIMEOUT };
            if row.is_settled() || begun.elapsed() >= patience {
                break;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        tokio::time::sleep(DOUBLES_TIME).await;
        look().await
    }

    /// The records of these ids, once all are there or have had their time.
    pub async fn billed(&self, ids: &[&str]) -> Result<Vec<Billed>> {
        let begun = Instant::now();
        loop {
            let mut billed = self.books.read().await?;
            billed.retain(|it| ids.contains(&it.id.as_str()));
            if billed.len() >= ids.len() || begun.elapsed() >= RECORDS_TIMEOUT {
                return Ok(billed);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// What all engines have delivered.
    pub async fn delivered(&self) -> Result<Vec<Delivered>> {
        let mut all = Vec::new();
        for engine in &self.engines {
            all.extend(delivered_by(engine).await?);
        }
        Ok(joined(all))
    }

    async fn is_quiet(&self) -> bool {
        for engine in &self.engines {
            let Ok(answer) = client().get(format!("{engine}/sim/requests")).send().await else {
                return false;
            };
            if answer.json::<Counters>().await.map_or(1, |it| it.in_flight) > 0 {
                return false;
            }
        }
        true
    }
}

/// A request that was tried at several engines is one.
fn joined(all: Vec<Delivered>) -> Vec<Delivered> {
    let mut places = HashMap::<String, usize>::new();
    let mut joined: Vec<Delivered> = Vec::new();
    for delivered in all {
        match places.get(&delivered.id) {
            Some(place) => joined[*place].attempts.extend(delivered.attempts),
            None => {
                places.insert(delivered.id.clone(), joined.len());
                joined.push(delivered);
            }
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Attempt;

    #[test]
    fn a_request_at_two_engines_is_one() {
        let one = |id: &str, tokens| Delivered {
            id: id.into(),
            path: "/".into(),
            attempts: vec![Attempt { output_tokens: tokens, ..Attempt::default() }],
        };
        let all = joined(vec![one("a", 0), one("b", 2), one("a", 3)]);
        assert_eq!((all.len(), all[0].attempts.len(), all[1].attempts.len()), (2, 2, 1));
    }
}
