//! No credential of one pool reaches another, and none of the caller's reaches any.

use super::{World, is_chained};
use integration::Result;
use integration::engine::Received;

const OF_A: &str = "Bearer made-up-secret-of-a";
const OF_B: &str = "made-up-secret-of-b";
const POOLS: [&str; 3] = [
    "    credentials: { header: authorization, value: \"Bearer made-up-secret-of-a\" }\n",
    "    credentials: { header: x-api-key, value: made-up-secret-of-b }\n",
    "",
];

/// The values of `authorization` and of `x-api-key`.
fn shown(received: &Received) -> (Vec<&str>, Vec<&str>) {
    (received.values("authorization"), received.values("x-api-key"))
}

/// No header but these two has a secret in it, nor a header of the gateway's own.
fn assert_clean(received: &Received, foreign: &[&str]) {
    for (name, value) in &received.headers {
        assert!(!foreign.iter().any(|secret| value.contains(secret)), "{name}: {value}");
        assert!(!name.starts_with("x-tollgate-"), "{name}: {value}");
        assert!(!name.starts_with("x-envoy-"), "{name}: {value}");
    }
    let body = String::from_utf8_lossy(&received.body);
    assert!(!body.contains("made-up-secret"), "{body}");
}

#[tokio::test]
async fn every_pool_is_shown_its_own_credential_alone() -> Result<()> {
    let world = World::with("", "", POOLS).await?;
    let key = world.key.as_str();
    for faults in [[false, false], [true, false], [true, true]] {
        for (engine, fails) in [&world.a, &world.b].into_iter().zip(faults) {
            match fails {
                true => engine.fail("status=503").await?,
                false => engine.recover().await?,
            }
        }
        let told = world.chat().await?;
        assert_eq!(told.status == 200, is_chained() || !faults[0], "{}", told.body);
        let stream = world.stream().await?;
        assert!(stream.whole || !is_chained(), "{stream:?}");
    }
    let (a, b, c) = (world.a.asked(0).await?, world.b.asked(0).await?, world.c.asked(0).await?);
    let counts = if is_chained() { [6, 4, 2] } else { [6, 0, 0] };
    assert_eq!([a.len(), b.len(), c.len()], counts);
    for received in &a {
        assert_eq!(shown(received), (vec![OF_A], vec![]));
        assert_clean(received, &[OF_B, key]);
    }
    for received in &b {
        assert_eq!(shown(received), (vec![], vec![OF_B]));
        assert_clean(received, &["made-up-secret-of-a", key]);
    }
    for received in &c {
        assert_eq!(shown(received), (vec![], vec![]));
        assert_clean(received, &["made-up-secret", key]);
    }
    Ok(())
}

/// However the caller shows his own, and whatever he sends to steer attempts.
#[tokio::test]
async fn nothing_of_the_callers_steers_an_attempt() -> Result<()> {
    let world = World::with("", "", POOLS).await?;
    world.a.fail("status=503").await?;
    let key = world.key.as_str();
    let request = || {
        let url = format!("{}{}", world.gate.url(), super::CHAT);
        integration::client().post(url).header("x-api-key", key).json(&super::chat("hello"))
    };
    let steering = [
        ("x-tollgate-pool", "pool/c"),
        ("x-tollgate-chain", "EggSBhoEbmFtZQ=="),
        ("x-tollgate-pick", "127.0.0.1:1"),
        ("x-tollgate-shadow", "pool/c"),
        ("x-envoy-max-retries", "0"),
        ("x-envoy-retry-on", "5xx"),
        ("x-envoy-upstream-rq-per-try-timeout-ms", "1"),
        ("x-envoy-upstream-rq-timeout-ms", "1"),
        ("x-envoy-hedge-on-per-try-timeout", "true"),
    ];
    let request = steering.iter().fold(request(), |it, (name, value)| it.header(*name, *value));
    let told = super::Told::of(request).await?;
    assert_eq!(told.status == 200, is_chained(), "{}", told.body);
    assert_eq!(super::pool(&told) == "b", is_chained(), "{:?}", told.headers);
    for received in world.a.asked(0).await? {
        assert_eq!(shown(&received), (vec![OF_A], vec![]));
        assert_clean(&received, &[OF_B, key]);
    }
    for received in world.b.asked(0).await? {
        assert_eq!(shown(&received), (vec![], vec![OF_B]));
        assert_clean(&received, &["made-up-secret-of-a", key]);
    }
    assert_eq!(world.c.chats().await?, 0);
    Ok(())
}

#[tokio::test]
async fn no_secret_is_in_a_log_or_in_what_envoy_tells() -> Result<()> {
    let world = World::with("", "", POOLS).await?;
    world.a.fail("status=503").await?;
    world.chat().await?;
    let run: serde_json::Value =
        serde_json::from_slice(&std::fs::read(world.gate.data().join("run.json"))?)?;
    let admin = run["envoy_admin"].as_str().unwrap_or_default();
    for path in ["config_dump?include_eds", "stats", "clusters"] {
        let url = format!("http://{admin}/{path}");
        let told = integration::client().get(url).send().await?.text().await?;
        assert!(!told.contains("made-up-secret"), "{path}");
    }
    assert!(!world.gate.tails().contains("made-up-secret"), "a credential is in a log");
    Ok(())
}
