//! Which pool a request goes to.

mod names;
mod rules;
mod splits;

use super::ask::{self, Told};
use super::attempts::pool;
use integration::{Engine, Result, Tollgate};
use serde_json::{Value, json};

/// A gateway of many pools, which one engine is behind: what counts is which was chosen.
struct World {
    gate: Tollgate,
    key: String,
    _engine: Engine,
}

impl World {
    /// With these pools and these further sections.
    async fn with(pools: &[&str], sections: &str) -> Result<World> {
        let engine = Engine::start().spawn().await?;
        let yaml = format!("gateway:\n  expose_pool: true\n  workers: 1\n{sections}");
        let start = Tollgate::with(&yaml);
        let gate = pools.iter().fold(start, |gate, pool| gate.engine(pool, &engine));
        let gate = gate.start().await?;
        let key = gate.key("acme").await?.key;
        Ok(World { gate, key, _engine: engine })
    }

    /// A request with these headers.
    async fn ask(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Result<Told> {
        let bearer = format!("Bearer {}", self.key);
        let own = [("authorization", bearer.as_str())];
        let named = |it: &(&str, &str)| it.0 == "authorization";
        let own: &[_] = if headers.iter().any(named) { &[] } else { &own };
        let headers = [own, headers].concat();
        Told::of(ask::post(&self.gate, path, &headers, &body.to_string())).await
    }

    /// The pool that a chat with this model is answered by; the code of a refusal in its place.
    async fn pool_of(&self, headers: &[(&str, &str)], body: &Value) -> Result<String> {
        let told = self.ask(ask::CHAT, headers, body).await?;
        let pool = if told.status == 200 { pool(&told) } else { &told.code };
        Ok(pool.to_owned())
    }
}

fn chat(model: &str, content: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": content}]})
}
