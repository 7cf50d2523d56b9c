//! What bad input gets: the contract's error, and no engine hears of it.

use integration::{Engine, RawAnswer, RawClient, Result, Tollgate};

const PATH: &str = "/v1/chat/completions";
const CHAT: &str = r#"{"model":"tiny","messages":[{"role":"user","content":"hello"}]}"#;

/// A request in bytes, and the status and code that it gets.
struct Case {
    request: String,
    status: u16,
    code: &'static str,
}

fn post(headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {PATH} HTTP/1.1\r\nhost: t\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
    )
}

fn cases(key: &str) -> Vec<Case> {
    let auth = format!("authorization: Bearer {key}\r\n");
    let json = "content-type: application/json\r\n";
    let good = format!("{auth}{json}");
    let case = |request: String, status, code| Case { request, status, code };
    let body = |body: &str| post(&good, body);
    let get = |path: &str, headers: &str| {
        format!("GET {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n{headers}\r\n")
    };
    vec![
        case(body(""), 400, "invalid_json"),
        case(body("{"), 400, "invalid_json"),
        case(body("null"), 400, "invalid_request"),
        case(body("{}"), 400, "invalid_request"),
        case(body(r#"{"model":7}"#), 400, "invalid_request"),
        case(body(r#"{"model":"tiny","stream":1}"#), 400, "invalid_request"),
        case(body(r#"{"model":"tiny","n":17}"#), 400, "invalid_request"),
        case(body(r#"{"model":"tiny","model":"tiny"}"#), 400, "duplicate_key"),
        case(body(&"[".repeat(60_000)), 400, "invalid_request"),
        case(body(r#"{"model":"tiny","x":1}"#), 400, "field_not_allowed"),
        case(body(r#"{"model":"nothing"}"#), 404, "model_not_found"),
        case(post(json, CHAT), 401, "missing_credentials"),
        case(post(&format!("{json}authorization: Bearer\r\n"), CHAT), 401, "missing_credentials"),
        case(post(&format!("{json}x-api-key: nobody\r\n"), CHAT), 401, "invalid_api_key"),
        case(post(&format!("{good}x-api-key: {key}\r\n"), CHAT), 400, "ambiguous_credentials"),
        case(post(&format!("{good}{auth}"), CHAT), 400, "ambiguous_credentials"),
        case(post(&auth, CHAT), 415, "unsupported_media_type"),
        case(
            post(&format!("{good}content-encoding: gzip\r\n"), CHAT),
            415,
            "unsupported_media_type",
        ),
        case(get(&format!("/v1/models?api_key={key}"), ""), 401, "missing_credentials"),
        case(get("/v1/models", ""), 401, "missing_credentials"),
        case(get(PATH, &auth), 405, "method_not_allowed"),
        case(get("/metrics", &auth), 404, "not_found"),
        case(get("/v1/models/nothing", &auth), 404, "model_not_found"),
        case(
            body(&format!(r#"{{"model":"tiny","x":"{}"}}"#, "a".repeat(70_000))),
            413,
            "request_too_large",
        ),
        case(chunked(&good, 70_000), 413, "request_too_large"),
    ]
}

/// A body of `bytes` bytes that does not say its length.
fn chunked(headers: &str, bytes: usize) -> String {
    let body = format!(r#"{{"model":"tiny","x":"{}"}}"#, "a".repeat(bytes));
    format!(
        "POST {PATH} HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\nconnection: close\r\n{headers}\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    )
}

async fn ask(gate: &Tollgate, request: &str) -> Result<RawAnswer> {
    let mut client = RawClient::connect(gate.url()).await?;
    client.send(request).await?;
    Ok(client.answer().await?)
}

#[tokio::test]
async fn bad_input_gets_its_error_and_reaches_nobody() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate =
        Tollgate::with("gateway:\n  max_body: 64KiB\n").engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    for case in cases(&key) {
        let shown: String = case.request.replace(&key, "KEY").chars().take(300).collect();
        let answer = ask(&gate, &case.request).await?;
        assert_eq!(answer.status, case.status, "{shown}");
        let error = &answer.json()["error"];
        assert_eq!(error["code"], case.code, "{shown}");
        assert!(error["message"].is_string() && error["type"].is_string(), "{shown}: {error}");
        assert!(answer.header("x-request-id").is_some(), "{shown}");
    }
    let counters = engine.counters().await?;
    assert_eq!(counters.by_path.get(PATH), None, "{counters:?}");
    assert_eq!(
        ask(
            &gate,
            &post(
                &format!("authorization: Bearer {key}\r\ncontent-type: application/json\r\n"),
                CHAT
            )
        )
        .await?
        .status,
        200
    );
    Ok(())
}

#[tokio::test]
async fn refusals_of_known_callers_are_recorded_and_others_are_not() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with("").engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let good = format!("authorization: Bearer {key}\r\ncontent-type: application/json\r\n");
    ask(&gate, &post("content-type: application/json\r\n", CHAT)).await?;
    let refused = ask(&gate, &post(&good, r#"{"model":"nothing"}"#)).await?;
    let id = refused.header("x-request-id").unwrap_or_default();
    let row = super::ledger::record(&gate, id).await?;
    assert_eq!(
        (&row["code"], &row["end"]),
        (&"model_not_found".into(), &"refused".into()),
        "{row}"
    );
    assert_eq!((&row["status"], &row["cost_nanodollars"]), (&404.into(), &0.into()), "{row}");
    assert_eq!(gate.usage().await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn errors_on_messages_have_anthropics_shape() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with("").engine("tiny", &engine).start().await?;
    let mut client = RawClient::connect(gate.url()).await?;
    client.post("/v1/messages", "", "{}").await?;
    let answer = client.answer().await?;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json()["type"], "error");
    assert_eq!(answer.json()["error"]["type"], "authentication_error");
    Ok(())
}

#[tokio::test]
async fn bad_yaml_is_told_with_line_and_column_and_nothing_starts() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let file = folder.path().join("bad.yaml");
    std::fs::write(
        &file,
        "version: 1\npools:\n  p:\n    engine: vlm\n    modell: x\nmodels:\n  m: q\n",
    )?;
    let program = integration::binaries::built("tollgate", "TOLLGATE_BIN")?;
    for command in ["check", "up"] {
        let mut run = tokio::process::Command::new(&program);
        run.arg(command);
        if command == "up" {
            run.arg("-c");
        }
        let output = run.arg(&file).kill_on_drop(true).output().await?;
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8_lossy(&told).into_owned();
        let name = file.display();
        for at in [
            format!("{name}:4:13: pools.p.engine:"),
            format!("{name}:5:5: pools.p"),
            format!("{name}:7:6: models.m:"),
        ] {
            assert!(told.contains(&at), "{at} is not in\n{told}");
        }
    }
    assert!(!folder.path().join("tollgate-data/run.json").exists());
    Ok(())
}
