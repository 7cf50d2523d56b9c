//! What an engine and a client get to see.

use integration::{Engine, RawClient, Result, Tollgate, client};
use serde_json::{Value, json};

/// What the engine received: the echo is the answer's content.
async fn received(
    gate: &Tollgate,
    key: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Result<(Value, reqwest::header::HeaderMap)> {
    let mut request =
        client().post(format!("{}/v1/chat/completions?trace=1", gate.url())).json(body);
    request = request.bearer_auth(key).header("x-sim-echo", "body");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await?;
    let heads = answer.headers().clone();
    let body: Value = answer.json().await?;
    let content = body["choices"][0]["message"]["content"].as_str().unwrap_or_default();
    Ok((serde_json::from_str(content)?, heads))
}

fn values<'a>(echo: &'a Value, name: &str) -> Vec<&'a str> {
    let lines = echo["headers"].as_array().map(Vec::as_slice).unwrap_or_default();
    lines.iter().filter(|line| line[0] == name).filter_map(|line| line[1].as_str()).collect()
}

#[tokio::test]
async fn an_engine_sees_no_credential_and_nothing_of_ours() -> Result<()> {
    let engine = Engine::start().model("org/engine-name").spawn().await?;
    let yaml = "models: { tiny: p }\npools:\n  p:\n    cache_salt: none\n";
    let gate = Tollgate::with(yaml).engine("p", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let body = json!({"model": "tiny", "messages": [{"role": "user", "content": "한글 \u{1F600}"}], "top_p": 0.50});
    let sent = [
        ("x-tollgate-pool", "pool/other"),
        ("x-tollgate-masked", "0"),
        ("x-envoy-upstream-rq-timeout-ms", "1"),
        ("x-envoy-retry-on", "5xx"),
        ("accept-encoding", "gzip"),
        ("x-request-id", "mine-1"),
        ("x-custom", "kept"),
    ];
    let (echo, heads) = received(&gate, &key, &sent, &body).await?;
    let lines = echo["headers"].to_string();
    assert!(!lines.contains(&key) && !lines.contains("x-tollgate"), "{lines}");
    for gone in
        ["authorization", "accept-encoding", "x-envoy-upstream-rq-timeout-ms", "x-envoy-retry-on"]
    {
        assert_eq!(values(&echo, gone), Vec::<&str>::new(), "{gone}");
    }
    assert_eq!(values(&echo, "x-custom"), ["kept"]);
    assert_eq!(echo["path"], "/v1/chat/completions?trace=1");
    let text = serde_json::to_string(&body)?.replacen("\"tiny\"", "\"org/engine-name\"", 1);
    assert_eq!(echo["body"], text);
    assert_eq!(values(&echo, "content-length"), [text.len().to_string()]);
    assert_eq!(heads.get("x-tollgate-pool"), None);
    Ok(())
}

#[tokio::test]
async fn the_gateway_makes_the_request_id() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate =
        Tollgate::with("gateway:\n  expose_pool: true\n").engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let body = json!({"model": "tiny", "messages": []});
    for header in ["x-request-id", "x-client-request-id"] {
        let (echo, heads) = received(&gate, &key, &[(header, "mine-1")], &body).await?;
        let id = heads["x-request-id"].to_str().unwrap_or_default();
        assert_eq!(values(&echo, "x-request-id"), [id], "the engine has the same id");
        assert_ne!(id, "mine-1");
        assert_eq!(heads["x-client-request-id"], "mine-1");
        assert_eq!(heads["x-tollgate-pool"], "tiny");
        let row = super::ledger::record(&gate, id).await?;
        assert_eq!(row["client_request_id"], "mine-1");
    }
    let (_, heads) =
        received(&gate, &key, &[("x-request-id", "not \"well\" formed")], &body).await?;
    assert_eq!(heads.get("x-client-request-id"), None);
    Ok(())
}

#[tokio::test]
async fn health_needs_no_key() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with("").engine("tiny", &engine).start().await?;
    assert_eq!(client().get(format!("{}/healthz", gate.url())).send().await?.status(), 200);
    assert_eq!(gate.usage().await?.len(), 0);
    Ok(())
}

#[tokio::test]
async fn two_requests_on_one_connection_stay_apart() -> Result<()> {
    let engine = Engine::start().model("a-much-longer-name-than-the-one-asked-for").spawn().await?;
    let gate = Tollgate::with("models: { t: p }\n").engine("p", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let headers = format!("authorization: Bearer {key}\r\n");
    let body = r#"{"model":"t","messages":[{"role":"user","content":"x"}]}"#;
    let mut connection = RawClient::connect(gate.url()).await?;
    for _ in 0..20 {
        connection.post("/v1/chat/completions", &headers, body).await?;
        let answer = connection.answer().await?;
        assert_eq!((answer.status, answer.json()["model"].clone()), (200, json!("t")));
    }
    assert_eq!(engine.counters().await?.by_path["/v1/chat/completions"], 20);
    Ok(())
}
