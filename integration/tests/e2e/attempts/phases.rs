//! A server that dies, at each phase of its answer.

use super::super::ledger::record;
use super::{SOON, World, is_chained};
use integration::engine::Pose;
use integration::{Result, wait_until};
use std::time::Duration;

#[tokio::test]
async fn killed_before_the_headers_another_answers() -> Result<()> {
    let mut world = World::start().await?;
    world.a.fail("hang").await?;
    let request = world.post(&super::chat("hello"));
    let asking = tokio::spawn(super::Told::of(request));
    let a = &world.a;
    assert!(wait_until(async || a.chats().await.is_ok_and(|chats| chats == 1), SOON).await);
    world.a.kill();
    let told = asking.await??;
    match is_chained() {
        true => assert_eq!((told.status, super::pool(&told)), (200, "b"), "{}", told.body),
        false => assert_eq!(told.what(), (502, "engine_error"), "{}", told.body),
    }
    Ok(())
}

/// From the first byte on the answer is the caller's: nobody else may begin another.
#[tokio::test]
async fn an_answer_that_has_begun_is_cut_and_not_begun_again() -> Result<()> {
    let world = World::start().await?;
    // Faults, and how many events with text come before them: a stream's first has none.
    let table = [
        ("reset-after=0", 0..=0),
        ("reset-after=4", 2..=3),
        ("hang-after=0", 0..=0),
        ("hang-after=4", 3..=3),
    ];
    for (round, (fault, texts)) in (1..).zip(table) {
        world.a.fail(fault).await?;
        let stream = world.stream().await?;
        assert!(!stream.whole, "{fault}: {stream:?}");
        assert!(texts.contains(&stream.texts()), "{fault}: {stream:?}");
        assert_eq!(world.asked().await?, [round, 0, 0], "{fault}");
        let row = record(&world.gate, &stream.id).await?;
        assert_eq!((&row["end"], &row["pool"]), (&"engine_failed".into(), &"a".into()), "{row}");
        let billed = row["output_tokens"].as_u64().unwrap_or(u64::MAX);
        assert!((texts.start().to_owned() as u64..=3).contains(&billed), "{fault}: {row}");
    }
    Ok(())
}

#[tokio::test]
async fn killed_in_the_middle_of_a_stream_the_next_request_is_answered() -> Result<()> {
    let mut world = World::start().await?;
    world.a.pose(&Pose { fault: Some("hang-after=4".into()), ..Pose::default() }).await?;
    let mut body = super::chat("hello");
    body["stream"] = true.into();
    let streaming = tokio::spawn(super::Streamed::of(world.post(&body)));
    let a = &world.a;
    assert!(wait_until(async || a.chats().await.is_ok_and(|chats| chats == 1), SOON).await);
    world.a.kill();
    let stream = streaming.await??;
    assert!(!stream.whole, "{stream:?}");
    let row = record(&world.gate, &stream.id).await?;
    assert_eq!(row["end"], "engine_failed", "{row}");
    let told = world.chat().await?;
    let wanted = if is_chained() { 200 } else { 503 };
    assert_eq!(told.status, wanted, "{}", told.body);
    Ok(())
}

/// Long after `stream_idle_timeout`, and before Envoy's last resort: nine times that.
const CUT_BY_NOW: Duration = Duration::from_secs(6);

/// Once the time of an attempt has passed, Envoy cuts no stream that falls silent; the gateway
/// does.
#[tokio::test]
async fn a_stream_that_hangs_is_cut_where_its_first_token_had_a_time() -> Result<()> {
    let world = World::with("", "", ["    first_token_timeout: 200ms\n"; 3]).await?;
    world.a.fail("hang-after=4").await?;
    let stream = tokio::time::timeout(CUT_BY_NOW, world.stream()).await??;
    assert_eq!((stream.status, stream.whole, stream.texts()), (200, false, 3), "{stream:?}");
    let row = record(&world.gate, &stream.id).await?;
    assert_eq!((&row["end"], &row["pool"]), (&"engine_failed".into(), &"a".into()), "{row}");
    assert_eq!(
        (&row["output_tokens"], &row["code"]),
        (&3.into(), &"engine_timeout".into()),
        "{row}"
    );
    Ok(())
}

/// An engine that takes its time, but says something again and again, is heard.
#[tokio::test]
async fn a_slow_stream_is_whole_where_its_first_token_had_a_time() -> Result<()> {
    use integration::{Engine, Tollgate};
    let slow = Engine::start().tokens(8).token_interval(Duration::from_millis(500));
    let slow = slow.spawn().await?;
    let yaml = "gateway:\n  stream_idle_timeout: 1s\npools:\n  tiny:\n    \
                first_token_timeout: 900ms\n";
    let gate = Tollgate::with(yaml).engine("tiny", &slow).start().await?;
    let key = gate.key("acme").await?.key;
    let outcomes = integration::Load::on(gate.url()).key(&key).stream().count(2).await?;
    assert!(outcomes.iter().all(|one| one.complete), "{outcomes:?}");
    Ok(())
}

/// vLLM and llama.cpp stop without closing when they are told to end: the idle time-out
/// cuts the stream, and the server is ejected for it.
#[tokio::test]
async fn servers_that_hang_in_their_streams_are_ejected() -> Result<()> {
    use integration::{Engine, Tollgate};
    let (stuck, good) = (Engine::start().spawn().await?, Engine::start().spawn().await?);
    let yaml = "gateway:\n  stream_idle_timeout: 1s\npools:\n  tiny:\n    \
                ejection: { failures: 2, base: 8s }\n    balance: { by: round_robin }\n";
    let gate = Tollgate::with(yaml).engine("tiny", &stuck).engine("tiny", &good).start().await?;
    let key = gate.key("acme").await?.key;
    stuck.fail("hang-after=2").await?;
    let load = integration::Load::on(gate.url()).key(&key).stream().clients(4);
    let ejected = async || {
        let before = stuck.chats().await.unwrap_or_default();
        let all = load.count(8).await.unwrap_or_default();
        all.iter().all(|one| one.complete) && stuck.chats().await.is_ok_and(|chats| chats == before)
    };
    assert!(wait_until(ejected, SOON).await, "it is asked again and again");
    Ok(())
}
