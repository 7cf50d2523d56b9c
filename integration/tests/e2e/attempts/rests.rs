//! Engines that say when to come again: they are left alone until then, as long as somebody
//! else can answer.

use super::{SOON, is_chained};
use integration::engine::Pose;
use integration::{Engine, Load, Result, Tollgate, wait_until};
use serde_json::Value;

/// So many requests that a server which could get them would get some.
const MANY: u64 = 20;

/// A gateway, and what is sent through it.
struct World {
    gate: Tollgate,
    load: Load,
}

impl World {
    /// One with this configuration, and these servers in these pools.
    async fn with(yaml: &str, servers: &[(&str, &Engine)]) -> Result<World> {
        let gate = Tollgate::with(yaml);
        let gate = servers.iter().fold(gate, |gate, (pool, engine)| gate.engine(pool, engine));
        let gate = gate.start().await?;
        let load = Load::on(gate.url()).key(&gate.key("acme").await?.key);
        Ok(World { gate, load })
    }

    /// The same, where another model is asked for.
    fn of(self, model: &str) -> World {
        World { load: self.load.model(model), ..self }
    }

    /// Sends many requests, one after another; how many had a whole answer.
    async fn answered(&self) -> Result<u64> {
        let outcomes = self.load.clone().clients(1).count(MANY).await?;
        Ok(outcomes.iter().filter(|outcome| outcome.complete).count() as u64)
    }

    /// Until `engine` is not asked any more, whatever is sent.
    async fn is_left_alone(&self, engine: &Engine) -> bool {
        let alone = async || {
            let before = engine.chats().await.unwrap_or_default();
            self.answered().await.is_ok_and(|answered| answered == MANY)
                && engine.chats().await.is_ok_and(|chats| chats == before)
        };
        wait_until(alone, SOON).await
    }

    /// Until Envoy knows that `engine`, a server of `pool`, has asked to be left alone.
    async fn rests(&self, pool: &str, engine: &Engine) -> bool {
        let rests = async || {
            let _ = self.answered().await;
            let told = self.told(pool, engine).await;
            told["resting_until_ms"].is_u64() && told["health"] == "degraded"
        };
        wait_until(rests, SOON).await
    }

    /// What `tollgate status` tells of the server of `pool` that `engine` is.
    async fn told(&self, pool: &str, engine: &Engine) -> Value {
        let status = self.gate.cli_json(&["status", "--format", "json"]).await.unwrap_or_default();
        let pools = status["pools"].as_array().into_iter().flatten();
        let mut endpoints = pools
            .filter(|told| told["name"] == pool)
            .flat_map(|told| told["endpoints"].as_array().into_iter().flatten());
        let is_it = |told: &&Value| engine.url().ends_with(told["address"].as_str().unwrap_or("-"));
        endpoints.find(is_it).cloned().unwrap_or_default()
    }
}

async fn puts_off(engine: &Engine, fault: &str) -> Result<()> {
    engine.pose(&Pose { fault: Some(fault.into()), ..Pose::default() }).await
}

async fn has_room(engine: &Engine) -> Result<()> {
    engine.pose(&Pose::default()).await
}

/// Nobody is passed over for anything else.
const ONE_AFTER_ANOTHER: &str = "pools:\n  tiny:\n    balance: { by: round_robin }\n    \
                                 ejection: { failures: 1000, error_rate: 100% }\n";

#[tokio::test]
async fn a_server_that_says_when_to_come_again_is_left_alone_until_then() -> Result<()> {
    for (fault, affinity) in [("status=429:3600", "none"), ("status=503:3600", "user")] {
        let (one, other) = (Engine::start().spawn().await?, Engine::start().spawn().await?);
        let balance = format!("{{ by: round_robin, affinity: {affinity} }}");
        let yaml = ONE_AFTER_ANOTHER.replace("{ by: round_robin }", &balance);
        let world = World::with(&yaml, &[("tiny", &one), ("tiny", &other)]).await?;
        // With affinity, whoever has the user.
        assert_eq!(world.answered().await?, MANY);
        let (one, other) = if one.chats().await? > 0 { (one, other) } else { (other, one) };
        puts_off(&one, fault).await?;
        assert!(world.rests("tiny", &one).await, "{fault}: {}", world.gate.tails());
        assert!(world.is_left_alone(&one).await, "{fault}: {}", world.gate.tails());
        assert!(world.told("tiny", &one).await["resting_until_ms"].is_u64());
        assert_eq!(world.told("tiny", &other).await["resting_until_ms"], Value::Null);
        // The bound that the configuration has is over for him: he is back at once.
        has_room(&one).await?;
        let allowed = "error_rate: 100%, retry_after: 0s }";
        world.gate.rewrite_config(|text| text.replace("error_rate: 100% }", allowed))?;
        let back = async || {
            let told = world.told("tiny", &one).await;
            told["health"] == "healthy" && told["resting_until_ms"].is_null()
        };
        assert!(wait_until(back, SOON).await, "{fault}: {}", world.told("tiny", &one).await);
    }
    Ok(())
}

#[tokio::test]
async fn a_rest_ends_by_itself_and_at_the_bound_of_the_configuration() -> Result<()> {
    let (one, other) = (Engine::start().spawn().await?, Engine::start().spawn().await?);
    let yaml = ONE_AFTER_ANOTHER.replace("100% }", "100%, retry_after: 3s }");
    let world = World::with(&yaml, &[("tiny", &one), ("tiny", &other)]).await?;
    puts_off(&one, "status=429:3600").await?;
    assert!(world.rests("tiny", &one).await, "{}", world.gate.tails());
    has_room(&one).await?;
    // Nothing is asked of him meanwhile, so that nothing lengthens it.
    let back = async || {
        let told = world.told("tiny", &one).await;
        told["health"] == "healthy" && told["resting_until_ms"].is_null()
    };
    assert!(wait_until(back, SOON).await, "he rests for ever: {}", world.gate.tails());
    let before = one.chats().await?;
    assert_eq!(world.answered().await?, MANY);
    assert!(one.chats().await? > before, "he is not asked any more");
    Ok(())
}

#[tokio::test]
async fn a_pool_whose_servers_all_rest_is_passed_over_where_every_request_goes_on() -> Result<()> {
    if !is_chained() {
        return Ok(());
    }
    let (first, second) = (Engine::start().spawn().await?, Engine::start().spawn().await?);
    let yaml = "pools:\n  a:\n    ejection: { failures: 1000, error_rate: 100% }\n\
                models:\n  chat: { split: [ { pool: a, weight: 1 } ], fallback: [b] }\n";
    let world = World::with(yaml, &[("a", &first), ("b", &second)]).await?.of("chat");
    puts_off(&first, "status=503:3600").await?;
    assert!(world.rests("a", &first).await, "{}", world.gate.tails());
    assert!(world.is_left_alone(&first).await, "{}", world.gate.tails());
    Ok(())
}

/// A server that is busy is better than none: also in a pool that others go on from.
#[tokio::test]
async fn the_only_server_goes_on_being_asked_where_a_request_ends_at_it() -> Result<()> {
    let (one, other) = (Engine::start().spawn().await?, Engine::start().spawn().await?);
    let yaml = format!(
        "{ONE_AFTER_ANOTHER}models:\n  tiny: tiny\n  chat:\n    \
         split: [ {{ pool: tiny, weight: 1 }} ]\n    fallback: [b]\n"
    );
    let world = World::with(&yaml, &[("tiny", &one), ("b", &other)]).await?;
    puts_off(&one, "status=429:3600").await?;
    assert!(world.rests("tiny", &one).await, "{}", world.gate.tails());
    has_room(&one).await?;
    let before = one.chats().await?;
    assert_eq!(world.answered().await?, MANY);
    assert_eq!(one.chats().await?, before + MANY);
    assert!(world.told("tiny", &one).await["resting_until_ms"].is_u64(), "he rests all the same");
    Ok(())
}
