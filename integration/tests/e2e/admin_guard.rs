//! The admin API: a token always, and no page in a browser may use it.

use super::ask::running;
use integration::{Engine, RawClient, Result, Tollgate};

/// Header lines, method and path of a request, and the status that it gets.
type Row<'a> = (&'a str, &'a str, &'a str, u16);

async fn status(address: &str, (lines, method, path, _): &Row<'_>, body: &str) -> Result<u16> {
    let mut client = RawClient::connect(address).await?;
    let length = body.len();
    client
        .send(format!("{method} {path} HTTP/1.1\r\n{lines}content-length: {length}\r\nconnection: close\r\n\r\n{body}"))
        .await?;
    Ok(client.answer().await?.status)
}

#[tokio::test]
async fn nobody_gets_in_without_the_token_or_from_another_page() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let token = "a-made-up-admin-token-0123456789";
    let yaml = "control:\n  admin_token: ${ADMIN_TOKEN}\n";
    let gate =
        Tollgate::with(yaml).env("ADMIN_TOKEN", token).engine("tiny", &engine).start().await?;
    let address = running(&gate, "admin")?;
    let port = address.rsplit(':').next().unwrap_or_default();
    let host = format!("host: {address}\r\n");
    let good = format!("{host}authorization: Bearer {token}\r\n");
    let wrong = format!("{host}authorization: Bearer {}x\r\n", &token[1..]);
    let with = |line: &str| format!("{good}{line}\r\n");
    let named = |name: &str| format!("host: {name}:{port}\r\nauthorization: Bearer {token}\r\n");
    let table: Vec<(String, u16)> = vec![
        (good.clone(), 200),
        (named("localhost"), 200),
        (with(&format!("origin: http://{address}")), 200),
        (with("sec-fetch-site: same-origin"), 200),
        (host.clone(), 401),
        (wrong, 401),
        (format!("{host}authorization: Bearer\r\n"), 401),
        (format!("{host}authorization: Basic {token}\r\n"), 401),
        (format!("{host}x-api-key: {token}\r\n"), 401),
        (format!("{host}cookie: token={token}\r\n"), 401),
        (named("evil.example"), 421),
        (named("localhost.evil.example"), 421),
        (named("127.0.0.1.evil.example"), 421),
        (with("origin: http://evil.example"), 403),
        (with(&format!("origin: http://evil.example:{port}")), 403),
        (with("origin: null"), 403),
        (with(&format!("origin: http://{address}.evil.example")), 403),
        (with(&format!("origin: http://{address}@evil.example")), 403),
        (with("sec-fetch-site: cross-site"), 403),
        (with("sec-fetch-site: same-site"), 403),
    ];
    for (lines, wanted) in &table {
        let row = (lines.as_str(), "GET", "/api/v1/keys", *wanted);
        assert_eq!(status(&address, &row, "").await?, *wanted, "{lines}");
    }
    for path in ["/api/v1/config", "/api/v1/usage", "/api/v1/status", "/api/v1/audit", "/metrics"] {
        assert_eq!(status(&address, &(&host, "GET", path, 401), "").await?, 401, "{path}");
    }
    Ok(())
}

/// A form that another page posts is no JSON, so a browser asks first and is refused.
#[tokio::test]
async fn a_form_makes_no_key() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with("control:\n  admin_token: made-up-token\n")
        .engine("tiny", &engine)
        .start()
        .await?;
    let address = running(&gate, "admin")?;
    let good = format!("host: {address}\r\nauthorization: Bearer made-up-token\r\n");
    let body = r#"{"tenant":"acme","name":"n"}"#;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
    ] {
        let lines = format!("{good}content-type: {kind}\r\n");
        assert_eq!(
            status(&address, &(&lines, "POST", "/api/v1/keys", 415), body).await?,
            415,
            "{kind}"
        );
    }
    let preflight = format!(
        "host: {address}\r\norigin: http://evil.example\r\naccess-control-request-method: POST\r\n"
    );
    let mut client = RawClient::connect(&address).await?;
    client
        .send(format!("OPTIONS /api/v1/keys HTTP/1.1\r\n{preflight}connection: close\r\n\r\n"))
        .await?;
    let answer = client.answer().await?;
    assert!(
        answer.status >= 400 && answer.header("access-control-allow-origin").is_none(),
        "{answer:?}"
    );
    let json = format!("{good}content-type: application/json\r\n");
    assert_eq!(status(&address, &(&json, "POST", "/api/v1/keys", 201), body).await?, 201);
    Ok(())
}

/// Where nobody says one, a token is made, for the owner's eyes alone.
#[cfg(unix)]
#[tokio::test]
async fn a_token_is_made_and_kept_from_others() -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with("").engine("tiny", &engine).start().await?;
    let address = running(&gate, "admin")?;
    let host = format!("host: {address}\r\n");
    assert_eq!(status(&address, &(&host, "GET", "/api/v1/keys", 401), "").await?, 401);
    let mut private = 0;
    for entry in std::fs::read_dir(gate.data())? {
        let (path, metadata) = {
            let entry = entry?;
            (entry.path(), entry.metadata()?)
        };
        let is_token =
            path.file_name().is_some_and(|name| name.to_string_lossy().contains("token"));
        if is_token {
            assert_eq!(metadata.permissions().mode() & 0o077, 0, "{}", path.display());
            private += 1;
        }
    }
    assert!(private > 0, "there is a token in the data folder");
    Ok(())
}
