//! The harness against the simulator alone: what these tests rely on, the
//! end-to-end tests rely on.

use std::time::Duration;

use integration::{
    Engine, Load, RawClient, Result, SseAnswer, binaries, client, free_address, wait_until,
};

const CHAT: &str = "/v1/chat/completions";
const HELLO: &str = r#"{"model":"tiny","messages":[{"role":"user","content":"Say hello."}]}"#;

#[tokio::test]
async fn a_load_notes_every_outcome() -> Result<()> {
    let engine = Engine::start().tokens(8).spawn().await?;
    let load = Load::on(engine.url()).clients(4);
    let json = load.count(40).await?;
    let streams = load.clone().stream().count(40).await?;
    for outcome in json.iter().chain(&streams) {
        assert!(outcome.complete, "{outcome:?}");
        assert_eq!((outcome.input_tokens, outcome.output_tokens), (Some(5), Some(8)));
    }
    assert_eq!((json.len(), streams.len()), (40, 40));
    assert!(streams.iter().all(|outcome| outcome.text_events == 8));
    let counters = engine.counters().await?;
    assert_eq!((counters.by_path[CHAT], counters.generation_tokens), (80, 640));
    Ok(())
}

#[tokio::test]
async fn a_broken_stream_is_no_whole_answer() -> Result<()> {
    let engine = Engine::start().tokens(8).spawn().await?;
    let load = Load::on(engine.url()).stream();
    for fault in ["reset-after=3", "error-event", "no-done", "malformed-sse"] {
        let outcomes = load.clone().header("x-sim-fault", fault).count(1).await?;
        assert_eq!((outcomes[0].complete, outcomes[0].status), (false, Some(200)), "{fault}");
    }
    Ok(())
}

#[tokio::test]
async fn a_killed_engine_is_gone_and_may_come_back() -> Result<()> {
    let address = free_address();
    let mut engine = Engine::start().listen(address).spawn().await?;
    let running = Load::on(engine.url()).clients(2).start();
    let busy = async || running.sent() > 20;
    assert!(wait_until(busy, Duration::from_secs(10)).await);
    engine.kill();
    let refused = async || RawClient::connect(&address.to_string()).await.is_err();
    assert!(wait_until(refused, Duration::from_secs(5)).await);
    let again = Engine::start().listen(address).spawn().await?;
    let served = async || again.counters().await.is_ok_and(|it| it.answered > 0);
    assert!(wait_until(served, Duration::from_secs(10)).await);
    let outcomes = running.stop().await?;
    assert!(outcomes.iter().any(|outcome| outcome.error.is_some()));
    assert!(outcomes.last().is_some_and(|outcome| outcome.complete));
    Ok(())
}

#[tokio::test]
async fn a_stream_is_read_with_its_text_and_usage() -> Result<()> {
    let engine = Engine::start().tokens(3).spawn().await?;
    let body = HELLO.replacen('{', r#"{"stream":true,"stream_options":{"include_usage":true},"#, 1);
    let request = client().post(format!("{}{CHAT}", engine.url())).body(body);
    let stream = SseAnswer::read(request.send().await?).await;
    assert!(stream.done && stream.complete);
    assert_eq!(stream.text(), "w0 w1 w2");
    assert_eq!(stream.usage().map(|it| it["completion_tokens"].clone()), Some(3.into()));
    Ok(())
}

/// Every capture of the repository, in its recorded and in random cuts.
#[tokio::test]
async fn every_capture_is_replayed_to_the_byte() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let mut replayed = 0;
    for folder in std::fs::read_dir(binaries::captures())?.flatten() {
        for file in std::fs::read_dir(folder.path()).into_iter().flatten().flatten() {
            let (folder, file_name) = (folder.file_name(), file.file_name());
            let (folder, file_name) = (folder.to_string_lossy(), file_name.to_string_lossy());
            let Some(name) = file_name.strip_suffix(".response.http") else { continue };
            let recorded = std::fs::read(file.path())?;
            for cuts in ["recorded", "random:7"] {
                let mut client = RawClient::connect(engine.url()).await?;
                let headers = format!("x-sim-replay: {folder}/{name}\r\nx-sim-cuts: {cuts}\r\n");
                client.post(CHAT, &headers, HELLO).await?;
                let mut raw = Vec::new();
                while raw.len() < recorded.len() {
                    let more = client.some().await?;
                    assert!(!more.is_empty(), "{folder}/{name} {cuts}: cut short");
                    raw.extend(more);
                }
                assert!(raw == recorded, "{folder}/{name} {cuts}");
            }
            replayed += 1;
        }
    }
    assert!(replayed > 0, "there are captures");
    Ok(())
}
