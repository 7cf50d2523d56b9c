//! Which pool is tried when, and what the caller is told where none can.

use super::{SOON, World, is_chained, pool};
use integration::engine::Pose;
use integration::{Result, wait_until};

/// How long every pool may take to a whole answer, and to the first byte of a stream: Envoy
/// knows one time for all attempts, the longest of a chain.
const IMPATIENT: [&str; 3] = [PATIENCE; 3];
const PATIENCE: &str = "    timeout: 1s\n    first_token_timeout: 500ms\n";

/// How the first pool fails, and what is told of it where no other can be tried.
const FAILURES: &[(&str, u16, &str)] = &[
    ("status=429", 429, "rate_limit_exceeded"),
    ("status=503", 503, "no_healthy_engine"),
    ("status=500", 502, "engine_error"),
    ("refuse", 502, "engine_error"),
    ("reset-before", 502, "engine_error"),
    ("hang", 504, "engine_timeout"),
    ("slow-headers=30000", 504, "engine_timeout"),
];

#[tokio::test]
async fn the_next_pool_answers_whatever_fails() -> Result<()> {
    let world = World::with("", "", IMPATIENT).await?;
    for (round, &(fault, status, code)) in (1..).zip(FAILURES) {
        world.a.fail(fault).await?;
        let told = world.chat().await?;
        let stream = world.stream().await?;
        match is_chained() {
            true => {
                assert_eq!((told.status, pool(&told)), (200, "b"), "{fault}: {}", told.body);
                assert_eq!(told.body["model"], "chat", "{fault}: {}", told.body);
                assert_eq!((stream.status, stream.pool.as_str()), (200, "b"), "{fault}");
                assert!(stream.whole && stream.texts() == 8, "{fault}: {stream:?}");
                assert!(!stream.text.contains("org/"), "{fault}: {stream:?}");
                assert_eq!(world.asked().await?, [2 * round, 2 * round, 0], "{fault}");
            }
            false => {
                assert_eq!(told.what(), (status, code), "{fault}: {}", told.body);
                assert_eq!(stream.status, status, "{fault}: {stream:?}");
                assert_eq!(world.asked().await?, [2 * round, 0, 0], "{fault}");
            }
        }
    }
    world.a.recover().await?;
    assert_eq!(pool(&world.chat().await?), "a");
    Ok(())
}

/// What is the caller's own fault is so everywhere: nobody else is asked.
#[tokio::test]
async fn a_refusal_is_not_tried_elsewhere() -> Result<()> {
    let world = World::start().await?;
    let table = [
        ("status=400", 400, "invalid_request"),
        ("status=422", 400, "invalid_request"),
        ("status=404", 404, "not_found"),
        ("status=401", 502, "engine_error"),
    ];
    for (round, (fault, status, code)) in (1..).zip(table) {
        world.a.fail(fault).await?;
        let told = world.chat().await?;
        assert_eq!(told.what(), (status, code), "{fault}: {}", told.body);
        assert_eq!(world.asked().await?, [round, 0, 0], "{fault}");
    }
    Ok(())
}

#[tokio::test]
async fn pools_are_tried_in_their_order() -> Result<()> {
    let world = World::with("", "", IMPATIENT).await?;
    // How a, b and c fail; who answers, or with what all of them have failed.
    type Row = (
        [Option<&'static str>; 3],
        std::result::Result<&'static str, (u16, &'static str, &'static str)>,
    );
    let busy = "rate_limit_exceeded";
    let table: &[Row] = &[
        ([None, Some("status=500"), Some("status=500")], Ok("a")),
        ([Some("status=503"), None, None], Ok("b")),
        ([Some("status=503"), Some("status=429"), None], Ok("c")),
        ([Some("hang"), Some("reset-before"), None], Ok("c")),
        ([Some("status=500"), Some("status=500"), Some("status=429:3")], Err((429, busy, "3"))),
        (
            [Some("status=429"), Some("status=429"), Some("status=503:7")],
            Err((503, "no_healthy_engine", "7")),
        ),
        (
            [Some("status=429:9"), Some("status=429"), Some("status=503")],
            Err((503, "no_healthy_engine", "")),
        ),
        ([Some("refuse"), Some("status=503"), Some("status=500")], Err((502, "engine_error", ""))),
    ];
    if !is_chained() {
        world.a.fail("status=429:3").await?;
        let told = world.chat().await?;
        assert_eq!((told.what(), super::header(&told.headers, "retry-after")), ((429, busy), "3"));
        return Ok(());
    }
    for (faults, wanted) in table {
        for (engine, fault) in [&world.a, &world.b, &world.c].into_iter().zip(faults) {
            let fault = fault.map(str::to_owned);
            engine.pose(&Pose { fault, ..Pose::default() }).await?;
        }
        let told = world.chat().await?;
        match wanted {
            Ok(name) => assert_eq!((told.status, pool(&told)), (200, *name), "{faults:?}"),
            Err((status, code, later)) => {
                assert_eq!(told.what(), (*status, *code), "{faults:?}: {}", told.body);
                assert_eq!(super::header(&told.headers, "retry-after"), *later, "{faults:?}");
            }
        }
    }
    Ok(())
}

/// A pool of which nobody listens, and one of which nobody is well, are passed over.
#[tokio::test]
async fn a_pool_without_a_server_is_passed_over() -> Result<()> {
    let health = "    health: { path: /health, interval: 100ms }\n";
    let mut world = World::with("", "", [health, health, health]).await?;
    let told = world.chat().await?;
    assert_eq!(pool(&told), "a", "{}", told.body);
    world.a.kill();
    let told = world.chat().await?;
    let wanted = if is_chained() { (200, "") } else { (503, "no_healthy_engine") };
    assert_eq!(told.what(), wanted, "{}", told.body);
    assert_eq!(pool(&told) == "b", is_chained(), "{:?}", told.headers);
    world.a.start_again().await?;
    let back = async || world.chat().await.is_ok_and(|told| pool(&told) == "a");
    assert!(wait_until(back, SOON).await, "{}", world.gate.tails());
    world.a.pose(&Pose { health: Some(503), ..Pose::default() }).await?;
    let away = async || {
        let before = world.a.chats().await.unwrap_or_default();
        let told = world.chat().await;
        let is_told = told.is_ok_and(|told| told.what() == wanted);
        is_told && world.a.chats().await.is_ok_and(|now| now == before)
    };
    assert!(wait_until(away, SOON).await, "an unwell server is asked");
    Ok(())
}

#[tokio::test]
async fn nobody_at_all_is_said_to_be_so() -> Result<()> {
    let mut world = World::start().await?;
    for engine in [&mut world.a, &mut world.b, &mut world.c] {
        engine.kill();
    }
    for _ in 0..3 {
        let told = world.chat().await?;
        assert_eq!(told.what(), (503, "no_healthy_engine"), "{}", told.body);
        assert_eq!(told.body["error"]["type"], "server_error", "{}", told.body);
        let row = super::super::ledger::record(&world.gate, told.id()).await?;
        assert_eq!((&row["code"], &row["output_tokens"]), (&"no_healthy_engine".into(), &0.into()));
    }
    Ok(())
}
