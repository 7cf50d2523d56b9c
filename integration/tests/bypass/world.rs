//! A gate with two tenants before two engines that note everything they receive.

use super::attack::{AUTH, Attack, CHAT, HONEST, JSON, filled, post};
use super::verdict::{Honest, Outcome, outside};
use integration::engine::Received;
use integration::{Engine, Failure, KeyMade, RawAnswer, RawClient, Result, Tollgate};
use serde_json::Value;
use std::time::Duration;

/// How long the gate may work on what is not finished before the attacker leaves.
const PATIENCE: Duration = Duration::from_millis(400);
/// How long a second answer may take after the first.
const AFTERTHOUGHT: Duration = Duration::from_millis(40);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);
/// By which the attacker may sign as well.
const SIGNER: &str = "partner-1";
const RECORD_TIMEOUT: Duration = Duration::from_secs(15);

pub struct World {
    pub gate: Tollgate,
    /// Serves `tiny`, which the attacker may use.
    own: Witness,
    /// Serves `secret`, which exists for another tenant alone.
    other: Witness,
    pub key: KeyMade,
    rich: KeyMade,
    honest: Honest,
    /// Ids of the requests that engines received.
    served: Vec<String>,
    faults: Vec<String>,
}

/// An engine, and how much of what it received was looked at.
struct Witness {
    _engine: Engine,
    wire: RawClient,
    looked_at: u64,
}

impl Witness {
    async fn new(engine: Engine) -> Result<Witness> {
        let wire = RawClient::connect(engine.url()).await?;
        Ok(Witness { _engine: engine, wire, looked_at: 0 })
    }

    /// What it received since the last call, Envoy's and the control plane's own
    /// questions apart.
    async fn news(&mut self) -> Result<Vec<Received>> {
        let since = self.looked_at;
        self.wire
            .send(format!("GET /sim/received?since={since} HTTP/1.1\r\nhost: t\r\n\r\n"))
            .await?;
        let mut news: Vec<Received> = serde_json::from_slice(&self.wire.answer().await?.body)?;
        self.looked_at += news.len() as u64;
        let is_own = |it: &Received| {
            it.method == "GET" && ["/health", "/metrics"].contains(&it.path.as_str())
        };
        news.retain(|it| !is_own(it));
        Ok(news)
    }
}

impl World {
    /// A gate with these further sections of the configuration.
    pub async fn with(yaml: &str) -> Result<World> {
        let engine = Engine::start().model("engine-tiny").record().spawn().await?;
        let other = Engine::start().model("engine-secret").record().spawn().await?;
        let base = "models: { tiny: p, secret: q }\n\
                    tenants:\n  acme:\n    models: [tiny]\n    hmac:\n      \
                    - { id: partner-1, secret: a-made-up-secret-of-partner-1 }\n  rich: {}\n\
                    auth:\n  failures_per_minute: 1000000\n";
        // What belongs to `auth` comes first, indented.
        let start = Tollgate::with(&format!("{base}{yaml}"));
        let gate = start.engine("p", &engine).engine("q", &other).start().await?;
        let (key, rich) = (gate.key("acme").await?, gate.key("rich").await?);
        let honest = Honest::new(Received::default());
        let (own, other) = (Witness::new(engine).await?, Witness::new(other).await?);
        let (served, faults) = (Vec::new(), Vec::new());
        let mut world = World { gate, own, other, key, rich, honest, served, faults };
        world.honest_request().await?;
        let [mut received, _] = world.received().await?;
        let received = received.pop().ok_or_else(|| Failure::new("nothing was received"))?;
        world.honest = Honest::new(received);
        Ok(world)
    }

    pub async fn new() -> Result<World> {
        World::with("").await
    }

    /// Tries all of them, one after the other, each on its own connection.
    pub async fn try_all(&mut self, attacks: Vec<Attack>) -> Result<()> {
        for attack in attacks {
            let outcomes = self.send(&attack).await?;
            self.judge(&attack, &outcomes).await?;
        }
        Ok(())
    }

    /// What is sent for an attack, with the keys in it.
    pub fn filled(&self, bytes: &[u8]) -> Vec<u8> {
        filled(bytes, &self.key.key, &self.rich.key)
    }

    async fn send(&self, attack: &Attack) -> Result<Vec<Outcome>> {
        let mut client = RawClient::connect(self.gate.url()).await?;
        // The gate may close in the middle of what it refuses.
        let _ = client.send(self.filled(&attack.bytes)).await;
        let patience = if attack.is_unfinished { PATIENCE } else { ANSWER_TIMEOUT };
        Ok(answers(&mut client, patience, attack.is_unfinished).await)
    }

    /// Holds what came of an attack against the rule, and asks honestly after it.
    pub async fn judge(&mut self, attack: &Attack, outcomes: &[Outcome]) -> Result<()> {
        let mut faults = outside(attack, outcomes);
        if outcomes.is_empty() && !attack.is_unfinished {
            faults.push("nothing came".to_owned());
        }
        // After it everything is there that came of the attack.
        let honest_id = self.honest_request().await?;
        let [own, others] = self.received().await?;
        let (honest, own): (Vec<_>, Vec<_>) =
            own.into_iter().partition(|got| got.values("x-request-id") == [&honest_id]);
        let keys = [self.key.key.clone(), self.rich.key.clone()];
        for got in &own {
            faults.extend(self.honest.faults(attack, got, &[&keys[0], &keys[1]]));
        }
        faults.extend(others.iter().map(|got| format!("the other engine was asked: {got:?}")));
        if honest.len() != 1 {
            faults.push("the honest request after it was not served".to_owned());
        }
        let key_hidden = |fault: String| fault.replace(&keys[0], "KEY").replace(&keys[1], "RICH");
        let named = faults.into_iter().map(|fault| format!("{}: {fault}", attack.name));
        let named: Vec<String> = named.map(key_hidden).collect();
        self.faults.extend(named);
        Ok(())
    }

    /// Sends what an honest caller sends, and returns the id that its answer has.
    async fn honest_request(&self) -> Result<String> {
        let mut client = RawClient::connect(self.gate.url()).await?;
        let bytes = post(CHAT, &format!("{JSON}{AUTH}"), HONEST);
        client.send(self.filled(&bytes)).await?;
        let answer = client.answer().await?;
        let id = answer.header("x-request-id").filter(|_| answer.status == 200);
        Ok(id.unwrap_or_default().to_owned())
    }

    /// What the engines received since the last call.
    async fn received(&mut self) -> Result<[Vec<Received>; 2]> {
        let news = [self.own.news().await?, self.other.news().await?];
        self.served.extend(news.iter().flatten().map(|it| it.values("x-request-id").concat()));
        Ok(news)
    }

    /// Ends the world: every fault is shown, and the records hold what was served to
    /// the attacker's own key, and nothing else.
    pub async fn end(mut self) -> Result<()> {
        let late = self.received().await?;
        let late: Vec<_> = late.iter().flatten().collect();
        assert!(late.is_empty(), "engines were asked after the end: {late:?}");
        assert!(
            self.faults.is_empty(),
            "{} faults:\n{}",
            self.faults.len(),
            self.faults.join("\n")
        );
        let id = |row: &Value| row["id"].as_str().unwrap_or_default().to_owned();
        let all = |rows: &[Value]| {
            self.served.iter().all(|served| rows.iter().any(|row| id(row) == *served))
        };
        let rows = self.gate.usage_when(all, RECORD_TIMEOUT).await?;
        for row in &rows {
            let own = [self.key.id.as_str(), SIGNER].map(Some);
            assert!(row["tenant"] == "acme" && own.contains(&row["key"].as_str()), "{row}");
            let served = self.served.iter().filter(|served| **served == id(row)).count();
            let tokens = row["output_tokens"].as_u64();
            assert!(served == 1 || tokens == Some(0), "served {served} times: {row}");
            assert!(served == 0 || row["pool"] == "p" && row["model"] == "tiny", "{row}");
        }
        Ok(())
    }
}

/// The answer on the connection, or all of them: the gate may leave it open for a while.
async fn answers(client: &mut RawClient, patience: Duration, all: bool) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let mut patience = patience;
    while let Ok(answer) = tokio::time::timeout(patience, client.answer()).await {
        match answer {
            Ok(RawAnswer { status, body, .. }) => {
                outcomes.push(Outcome::Answer { status: Some(status), body });
            }
            Err(_) if outcomes.is_empty() => return vec![Outcome::Cut],
            Err(_) => break,
        }
        if !all {
            break;
        }
        patience = AFTERTHOUGHT;
    }
    outcomes
}
