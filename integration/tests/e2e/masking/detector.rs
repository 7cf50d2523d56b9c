//! The external detector: a small service with the interface of Presidio's analyzer.

use super::{EMAIL, World, content};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use integration::Result;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const NAME: &str = "홍길동";

#[derive(Default)]
struct Analyzer {
    asked: Mutex<Vec<Value>>,
    wait_ms: AtomicU64,
    /// Status and body in the place of an answer.
    instead: Mutex<Option<(u16, &'static str)>>,
}

/// Finds the name wherever it stands, in characters.
async fn analyze(State(analyzer): State<Arc<Analyzer>>, Json(asked): Json<Value>) -> Response {
    if let Some((status, body)) = *analyzer.instead.lock().unwrap_or_else(|it| it.into_inner()) {
        let status = StatusCode::from_u16(status).unwrap_or_default();
        return (status, body).into_response();
    }
    let wait = analyzer.wait_ms.load(Relaxed);
    tokio::time::sleep(Duration::from_millis(wait)).await;
    let text = asked["text"].as_str().unwrap_or_default().to_owned();
    analyzer.asked.lock().unwrap_or_else(|it| it.into_inner()).push(asked);
    let entities = text.match_indices(NAME).map(|(at, name)| {
        let start = text[..at].chars().count();
        json!({"entity_type": "PERSON", "start": start, "end": start + name.chars().count(), "score": 0.85})
    });
    Json(entities.collect::<Value>()).into_response()
}

struct Service {
    analyzer: Arc<Analyzer>,
    url: String,
}

impl Service {
    async fn start() -> Result<Service> {
        let analyzer = Arc::new(Analyzer::default());
        let app = Router::new().route("/analyze", post(analyze)).with_state(Arc::clone(&analyzer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/analyze", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Service { analyzer, url })
    }

    fn asked(&self) -> Vec<Value> {
        self.analyzer.asked.lock().unwrap_or_else(|it| it.into_inner()).clone()
    }
}

fn yaml(url: &str, more: &str) -> String {
    format!(
        "masking:\n  policies:\n    default:\n      external: {{ url: \"{url}\", language: ko, timeout: 500ms }}\n{more}tenants:\n  acme:\n    masking: default\n"
    )
}

#[tokio::test]
async fn names_are_masked_with_one_question() -> Result<()> {
    let service = Service::start().await?;
    let world = World::with(&yaml(&service.url, "")).await?;
    let body = json!({"model": "tiny", "messages": [
        {"role": "system", "content": "You know 홍길동."},
        {"role": "user", "content": format!("{NAME}에게 {EMAIL} 보내줘, {NAME}!")},
    ]});
    let told = world.ask("/v1/chat/completions", &body).await?;
    assert_eq!(told.status, 200, "{}", told.body);
    let expected = format!("You know {NAME}.\n{NAME}에게 {EMAIL} 보내줘, {NAME}!");
    assert_eq!(content(&told), expected);
    let received = world.received().await?;
    assert!(!received.contains(NAME) && !received.contains(EMAIL), "{received}");
    assert_eq!(received.matches("[PERSON_").count(), 3, "{received}");
    let asked = service.asked();
    assert_eq!((asked.len(), &asked[0]["language"]), (1, &"ko".into()), "{asked:?}");
    let row = super::super::ledger::record(&world.gate, told.id()).await?;
    assert_eq!(row["masked"], json!({"EMAIL": 1, "PERSON": 3}), "{row}");
    Ok(())
}

#[tokio::test]
async fn over_its_time_the_policy_decides() -> Result<()> {
    for (more, status) in [("", 503), ("      on_failure: pass\n", 200)] {
        let service = Service::start().await?;
        let world = World::with(&yaml(&service.url, more)).await?;
        service.analyzer.wait_ms.store(5_000, Relaxed);
        let text = format!("{NAME} {EMAIL}");
        let told = world.chat(&text).await?;
        assert_eq!(told.status, status, "{}", told.body);
        let received = world.received().await?;
        if status == 200 {
            assert!(received.contains(NAME) && !received.contains(EMAIL), "{received}");
            assert_eq!(content(&told), text);
        } else {
            assert_eq!((told.code.as_str(), received.as_str()), ("control_unavailable", ""));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_service_that_is_not_there_is_a_failure() -> Result<()> {
    let free = integration::free_address();
    let world = World::with(&yaml(&format!("http://{free}/analyze"), "")).await?;
    let told = world.chat(NAME).await?;
    assert_eq!(told.what(), (503, "control_unavailable"), "{}", told.body);
    Ok(())
}

#[tokio::test]
async fn what_is_no_answer_is_a_failure_that_is_counted() -> Result<()> {
    let service = Service::start().await?;
    let world = World::with(&yaml(&service.url, "      on_failure: pass\n")).await?;
    let answers = [
        (500, "[]"),
        (200, "no JSON"),
        (200, r#"[{"entity_type":"PERSON","start":0,"end":99999,"score":1.0}]"#),
        (200, r#"[{"entity_type":"PERSON","start":0,"end":3}]"#),
    ];
    for answer in answers {
        *service.analyzer.instead.lock().unwrap_or_else(|it| it.into_inner()) = Some(answer);
        let told = world.chat(NAME).await?;
        assert_eq!((told.status, content(&told)), (200, NAME), "{answer:?}: {}", told.body);
    }
    let admin = super::super::ask::running(&world.gate, "envoy_admin")?;
    let stats =
        integration::client().get(format!("http://{admin}/stats")).send().await?.text().await?;
    let counted = format!("wasmcustom.tollgate_masking_detector_failures: {}", answers.len());
    assert!(stats.contains(&counted), "{stats}");
    Ok(())
}

#[tokio::test]
async fn a_client_that_leaves_while_the_detector_is_asked_leaves_nothing_behind() -> Result<()> {
    let service = Service::start().await?;
    let world = World::with(&yaml(&service.url, "")).await?;
    service.analyzer.wait_ms.store(300, Relaxed);
    for _ in 0..5 {
        let request = world.post("/v1/chat/completions", &super::chat(NAME));
        assert!(request.timeout(Duration::from_millis(100)).send().await.is_err());
    }
    service.analyzer.wait_ms.store(0, Relaxed);
    let told = world.chat(NAME).await?;
    assert_eq!(content(&told), NAME, "{}", told.body);
    let posts = world.engine.received(0).await?.into_iter().filter(|it| it.method == "POST");
    assert_eq!(posts.count(), 1, "what was given up has gone to no engine");
    Ok(())
}
