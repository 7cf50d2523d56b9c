//! Weights that are moved by command: at once, without a lost request, and told in the trail.

use super::ask::{self, running};
use super::attempts::pool;
use integration::{Engine, Failure, KeyMade, Result, Tollgate, client, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);
const YAML: &str = "gateway:\n  expose_pool: true\n  workers: 1\nmodels:\n  chat:\n    sticky: user\n    \
    split: [ { pool: a, weight: 100 }, { pool: b, weight: 0 } ]\n";
/// Weight changes while requests run.
const CHANGES: u32 = 100;
const USERS: usize = 24;
const CLIENTS: usize = 4;

struct World {
    gate: Tollgate,
    _engine: Engine,
}

impl World {
    async fn start() -> Result<World> {
        let engine = Engine::start().spawn().await?;
        let gate = Tollgate::with(YAML).engine("a", &engine).engine("b", &engine).start().await?;
        Ok(World { gate, _engine: engine })
    }

    /// What the command prints of the model.
    async fn rollout(&self, words: &[&str]) -> Result<Value> {
        let words = [&["rollout"], words, &["--format", "json"]].concat();
        self.gate.cli_json(&words).await
    }

    /// The pool that a new chat goes to.
    async fn pool(&self, key: &str) -> Result<String> {
        Ok(pool(&ask::chat(&self.gate, key, "chat").await?).to_owned())
    }

    async fn goes_to(&self, key: &str, wanted: &str) -> bool {
        wait_until(async || self.pool(key).await.is_ok_and(|pool| pool == wanted), SOON).await
    }

    /// Puts the share of `b`, out of 100, by the admin API.
    async fn put(&self, share: u32) -> Result<()> {
        let token = std::fs::read_to_string(self.gate.data().join("admin-token"))?;
        let url = format!("http://{}/api/v1/rollouts/chat", running(&self.gate, "admin")?);
        let weights = json!({"weights": {"a": 100 - share, "b": share}});
        let answer = client().put(url).bearer_auth(token.trim()).json(&weights).send().await?;
        match answer.status().is_success() {
            true => Ok(()),
            false => Err(Failure::new(format!("{share}: {}", answer.text().await?))),
        }
    }
}

#[tokio::test]
async fn weights_are_set_switched_and_undone() -> Result<()> {
    let world = World::start().await?;
    let key = world.gate.key("acme").await?.key;
    assert_eq!(world.pool(&key).await?, "a");
    let row = world.rollout(&["set", "chat", "a=0", "b=100"]).await?;
    assert_eq!((&row["weights"], &row["moved"]), (&json!({"a": 0, "b": 100}), &json!(true)));
    assert_eq!(row["configured"], json!({"a": 100, "b": 0}), "{row}");
    assert!(world.goes_to(&key, "b").await, "set: {}", world.gate.tails());
    world.rollout(&["switch", "chat", "a"]).await?;
    assert!(world.goes_to(&key, "a").await, "switch");
    let row = world.rollout(&["undo", "chat"]).await?;
    assert_eq!(row["weights"], json!({"a": 0, "b": 100}), "{row}");
    assert!(world.goes_to(&key, "b").await, "undo");
    let listed = world.rollout(&["list"]).await?;
    assert_eq!(listed[0]["weights"], json!({"a": 0, "b": 100}), "{listed}");
    world.rollout(&["reset", "chat"]).await?;
    assert!(world.goes_to(&key, "a").await, "reset");
    let table: [&[&str]; 5] = [
        &["rollout", "set", "chat", "nobody=1"],
        &["rollout", "set", "chat", "a=0", "b=0"],
        &["rollout", "set", "no-such-model", "a=1"],
        &["rollout", "switch", "chat", "nobody"],
        &["rollout", "undo", "no-such-model"],
    ];
    for words in table {
        let output = world.gate.cli(words).await?;
        assert_eq!(output.status.code(), Some(1), "{words:?}: {output:?}");
    }
    Ok(())
}

#[tokio::test]
async fn every_step_is_in_the_trail() -> Result<()> {
    let world = World::start().await?;
    world.rollout(&["set", "chat", "a=90", "b=10"]).await?;
    world.rollout(&["switch", "chat", "b"]).await?;
    world.rollout(&["undo", "chat"]).await?;
    world.rollout(&["reset", "chat"]).await?;
    let trail = world.gate.cli_json(&["audit", "list", "--format", "json"]).await?;
    let rows: Vec<&Value> = trail.as_array().into_iter().flatten().collect();
    let of = |action: &str| rows.iter().filter(|row| row["action"] == action).count();
    assert_eq!(
        [of("rollout.set"), of("rollout.undone"), of("rollout.reset")],
        [2, 1, 1],
        "{trail}"
    );
    let set = rows.iter().find(|row| row["action"] == "rollout.set");
    assert_eq!(set.map(|row| &row["subject"]), Some(&json!("chat")));
    assert!(trail.to_string().contains("90"), "what it was set to: {trail}");
    Ok(())
}

/// What was moved by command holds over a restart. It is not in force while the file's split has
/// other pools, and it is again with the split as it was.
#[tokio::test]
async fn weights_outlive_a_restart_and_not_another_split() -> Result<()> {
    let mut world = World::start().await?;
    let key = world.gate.key("acme").await?.key;
    world.rollout(&["switch", "chat", "b"]).await?;
    assert!(world.goes_to(&key, "b").await);
    world.gate.stop();
    world.gate.start_again().await?;
    assert!(world.goes_to(&key, "b").await, "a restart forgets it");
    let (both, one) = (", { pool: b, weight: 0 } ]", " ]\n  other: b");
    world.gate.rewrite_config(|yaml| yaml.replace(both, one))?;
    assert!(world.goes_to(&key, "a").await, "{}", world.gate.tails());
    let unfit = json!({"a": 0, "b": 100});
    let listed = world.rollout(&["list"]).await?;
    assert_eq!(listed[0]["unfit"], unfit, "{listed}");
    let status = world.gate.cli_json(&["status", "--format", "json"]).await?;
    assert_eq!(status["rollouts"][0]["unfit"], unfit, "{status}");
    world.gate.rewrite_config(|yaml| yaml.replace(one, both))?;
    assert!(world.goes_to(&key, "b").await, "{}", world.gate.tails());
    // By command it goes for good.
    world.gate.rewrite_config(|yaml| yaml.replace(both, one))?;
    assert!(world.goes_to(&key, "a").await, "{}", world.gate.tails());
    let row = world.rollout(&["reset", "chat"]).await?;
    assert_eq!(row["unfit"], Value::Null, "{row}");
    world.gate.rewrite_config(|yaml| yaml.replace(one, both))?;
    let back = async || {
        let row = world.rollout(&["list"]).await.unwrap_or_default();
        row[0]["configured"] == json!({"a": 100, "b": 0})
    };
    assert!(wait_until(back, SOON).await, "{}", world.gate.tails());
    assert_eq!(world.pool(&key).await?, "a");
    Ok(())
}

/// What one user's requests were answered by, in their order, and whatever failed.
#[derive(Default)]
struct Seen {
    pools: BTreeMap<usize, Vec<String>>,
    failures: Vec<String>,
}

/// Asks for the users of one client, in turn, until it is stopped.
async fn ask_on(
    url: String,
    users: Vec<(usize, String)>,
    stop: Arc<AtomicBool>,
    rounds: Arc<AtomicU64>,
) -> Seen {
    let (client, mut seen) = (client(), Seen::default());
    while !stop.load(Relaxed) {
        for (user, key) in &users {
            let body = json!({"model": "chat", "messages": [{"role": "user", "content": "hello"}]});
            let request = client.post(format!("{url}{}", ask::CHAT)).bearer_auth(key).json(&body);
            match ask::Told::of(request).await {
                Ok(told) if told.status == 200 => {
                    seen.pools.entry(*user).or_default().push(pool(&told).to_owned());
                }
                Ok(told) => seen.failures.push(format!("{}: {}", told.status, told.body)),
                Err(failure) => seen.failures.push(failure.to_string()),
            }
        }
        rounds.fetch_add(1, Relaxed);
    }
    seen
}

async fn users(world: &World) -> Result<Vec<(usize, String)>> {
    let mut users = Vec::new();
    for user in 0..USERS {
        let made: KeyMade =
            ask::key(&world.gate, "acme", &["--user", &format!("user-{user}")]).await?;
        users.push((user, made.key));
    }
    Ok(users)
}

/// As `b` grows from nothing to all, every user moves once, from `a` to `b`, and never back;
/// and no request is lost in a hundred changes.
#[tokio::test]
async fn a_hundred_changes_lose_no_request_and_move_nobody_twice() -> Result<()> {
    let world = World::start().await?;
    let users = users(&world).await?;
    let (stop, rounds) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let clients: Vec<_> = users
        .chunks(USERS / CLIENTS)
        .map(|users| {
            let (url, users) = (world.gate.url().to_owned(), users.to_vec());
            tokio::spawn(ask_on(url, users, Arc::clone(&stop), Arc::clone(&rounds)))
        })
        .collect();
    for share in 1..=CHANGES {
        world.put(share).await?;
        // A few changes go by between two requests of a user, a few requests between two.
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    assert!(world.goes_to(&users[0].1, "b").await, "{}", world.gate.tails());
    let now = rounds.load(Relaxed);
    let settled = async || rounds.load(Relaxed) > now + 2 * CLIENTS as u64;
    assert!(wait_until(settled, SOON).await);
    stop.store(true, Relaxed);
    let mut moved = 0;
    for client in clients {
        let seen = client.await?;
        assert!(seen.failures.is_empty(), "{:?}", seen.failures);
        for (user, pools) in seen.pools {
            let of_a = pools.iter().take_while(|pool| *pool == "a").count();
            assert!(pools[of_a..].iter().all(|pool| pool == "b"), "user {user}: {pools:?}");
            assert_eq!(pools.last().map(String::as_str), Some("b"), "user {user}");
            moved += usize::from(of_a > 0);
        }
    }
    assert!(moved > USERS / 2, "only {moved} of {USERS} began at a");
    Ok(())
}
