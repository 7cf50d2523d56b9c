//! Requests that begin alike go to the server that has the beginning in its cache.

use super::ask::{self, CHAT};
use integration::engine::Pose;
use integration::{Engine, Failure, Result, Tollgate, client, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);
const TURNS: usize = 5;
const CONVERSATIONS: usize = 12;

struct World {
    gate: Tollgate,
    key: String,
    servers: Vec<Engine>,
}

impl World {
    /// A pool of three with this affinity, where who is picked is asked, and nobody else.
    async fn with(affinity: &str) -> Result<World> {
        let mut servers = Vec::new();
        for _ in 0..3 {
            servers.push(Engine::start().spawn().await?);
        }
        let yaml = format!(
            "pools:\n  tiny:\n    retries: 0\n    balance: {{ by: load, affinity: {affinity} }}\n    \
             metrics: {{ interval: 100ms }}\n    health: {{ path: /health, interval: 100ms }}\n\
             models:\n  tiny: tiny\n"
        );
        let start = servers.iter().fold(Tollgate::with(&yaml), |it, one| it.engine("tiny", one));
        let gate = start.start().await?;
        let key = gate.key("acme").await?.key;
        let world = World { gate, key, servers };
        // Until the gateway knows its servers, nobody is preferred.
        let knows = async || world.sticks(&conversation(usize::MAX)).await.unwrap_or(false);
        assert!(wait_until(knows, SOON).await, "no affinity: {}", world.gate.tails());
        Ok(world)
    }

    /// What each was asked for so far; one that is gone is asked for nothing.
    async fn chats(&self) -> Vec<u64> {
        let mut chats = Vec::new();
        for server in &self.servers {
            chats.push(server.chats().await.unwrap_or(0));
        }
        chats
    }

    /// The server that a chat with these messages goes to; an error where it is not answered.
    async fn server_of(&self, key: &str, messages: &[Value]) -> Result<usize> {
        let before = self.chats().await;
        let body = json!({"model": "tiny", "messages": messages});
        let request = client().post(format!("{}{CHAT}", self.gate.url())).json(&body);
        let told = ask::Told::of(request.bearer_auth(key)).await?;
        if told.status != 200 {
            return Err(Failure::new(format!("{}: {}", told.status, told.body)));
        }
        let after = self.chats().await;
        let asked = before.iter().zip(&after).position(|(before, after)| after > before);
        Ok(asked.unwrap_or(usize::MAX))
    }

    /// Whether all turns of a conversation go to one server.
    async fn sticks(&self, messages: &[Value]) -> Result<bool> {
        Ok(self.servers_of(messages).await?.len() == 1)
    }

    async fn servers_of(&self, messages: &[Value]) -> Result<BTreeSet<usize>> {
        let mut servers = BTreeSet::new();
        for turn in 0..TURNS {
            let end = (2 + 2 * turn).min(messages.len());
            servers.insert(self.server_of(&self.key, &messages[..end]).await?);
        }
        Ok(servers)
    }
}

/// A system prompt of its own, then questions and answers in turn.
fn conversation(number: usize) -> Vec<Value> {
    let system = format!("You are assistant number {number}. ").repeat(60);
    let mut messages = vec![json!({"role": "system", "content": system})];
    for turn in 0..TURNS {
        let question = format!("Question {turn} of {number}. ").repeat(20);
        messages.push(json!({"role": "user", "content": question}));
        messages.push(json!({"role": "assistant", "content": "An answer. ".repeat(20)}));
    }
    messages
}

#[tokio::test]
async fn a_conversation_returns_to_its_server() -> Result<()> {
    let world = World::with("prefix").await?;
    let mut used = BTreeSet::new();
    for number in 0..CONVERSATIONS {
        let servers = world.servers_of(&conversation(number)).await?;
        assert_eq!(servers.len(), 1, "conversation {number}: {servers:?}");
        used.extend(servers);
    }
    assert!(used.len() > 1, "all conversations are on {used:?}");
    Ok(())
}

/// Above the bound affinity ends: another server computes the prompt anew.
#[tokio::test]
async fn a_busy_server_is_not_preferred() -> Result<()> {
    let world = World::with("prefix, bound: 150%").await?;
    let messages = conversation(1);
    let home = world.server_of(&world.key, &messages[..2]).await?;
    assert_eq!(world.server_of(&world.key, &messages[..4]).await?, home);
    let busy = Pose { running: Some(60), waiting: Some(20), ..Pose::default() };
    world.servers[home].pose(&busy).await?;
    let elsewhere = async || {
        world.server_of(&world.key, &messages[..6]).await.is_ok_and(|server| server != home)
    };
    assert!(wait_until(elsewhere, SOON).await, "a busy server is still preferred");
    Ok(())
}

/// Whether all turns of a conversation are answered by one server, and not by one of these.
async fn is_away(world: &World, messages: &[Value], from: &[usize]) -> bool {
    let servers = world.servers_of(messages).await.unwrap_or_default();
    servers.len() == 1 && servers.iter().all(|server| !from.contains(server))
}

/// A server that is unwell or gone is preferred by nobody.
#[tokio::test]
async fn a_conversation_moves_when_its_server_goes() -> Result<()> {
    let mut world = World::with("prefix").await?;
    let messages = conversation(2);
    let home = world.server_of(&world.key, &messages[..2]).await?;
    // It says so, and would answer all the same.
    world.servers[home].pose(&Pose { health: Some(503), ..Pose::default() }).await?;
    let away = async || is_away(&world, &messages, &[home]).await;
    assert!(wait_until(away, SOON).await, "an unwell server is preferred");
    let next = world.server_of(&world.key, &messages).await?;
    assert_ne!(next, home);
    world.servers[next].kill();
    let away = async || is_away(&world, &messages, &[home, next]).await;
    assert!(wait_until(away, SOON).await, "a server that is gone is preferred");
    Ok(())
}

#[tokio::test]
async fn a_user_returns_to_his_server() -> Result<()> {
    let world = World::with("user").await?;
    let mut used = BTreeSet::new();
    for user in 0..8 {
        let key = ask::key(&world.gate, "acme", &["--user", &format!("user-{user}")]).await?.key;
        let mut servers = BTreeSet::new();
        for turn in 0..4 {
            let messages = [json!({"role": "user", "content": format!("question {turn}")})];
            servers.insert(world.server_of(&key, &messages).await?);
        }
        assert_eq!(servers.len(), 1, "user {user}: {servers:?}");
        used.extend(servers);
    }
    assert!(used.len() > 1, "all users are on {used:?}");
    Ok(())
}
