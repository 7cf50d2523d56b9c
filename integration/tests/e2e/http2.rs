//! HTTP/2 clients, above all bodies that end with trailers: then no part of the
//! body says that it is the last.

use bytes::Bytes;
use h2::client::SendRequest;
use http::{HeaderMap, HeaderValue, Request};
use integration::{Engine, Result, Tollgate};
use serde_json::Value;

const CHAT: &str = r#"{"model":"tiny","messages":[{"role":"user","content":"one two"}]}"#;

async fn connect(gate: &Tollgate) -> Result<SendRequest<Bytes>> {
    let address = gate.url().trim_start_matches("http://").to_owned();
    let stream = tokio::net::TcpStream::connect(address).await?;
    let (sender, connection) = h2::client::handshake(stream).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Sends the body in pieces, then trailers if there are any, else an empty end.
async fn ask(
    sender: &mut SendRequest<Bytes>,
    gate: &Tollgate,
    key: &str,
    pieces: &[&str],
    trailers: bool,
) -> Result<(u16, Value)> {
    let request = Request::post(format!("{}/v1/chat/completions", gate.url()))
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .body(())
        .map_err(|error| integration::Failure::new(error.to_string()))?;
    let (answer, mut body) = sender.send_request(request, false)?;
    for piece in pieces {
        body.send_data(Bytes::copy_from_slice(piece.as_bytes()), false)?;
        tokio::task::yield_now().await;
    }
    if trailers {
        let end = HeaderMap::from_iter([(
            http::HeaderName::from_static("x-end"),
            HeaderValue::from_static("1"),
        )]);
        body.send_trailers(end)?;
    } else {
        body.send_data(Bytes::new(), true)?;
    }
    let answer = answer.await?;
    let (status, mut stream) = (answer.status().as_u16(), answer.into_body());
    let mut bytes = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        bytes.extend_from_slice(&data);
    }
    Ok((status, serde_json::from_slice(&bytes)?))
}

#[tokio::test]
async fn a_body_may_end_with_trailers() -> Result<()> {
    let engine = Engine::start().model("a-longer-name-of-the-engine").spawn().await?;
    let gate = Tollgate::with("models: { tiny: p }\n").engine("p", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let mut sender = connect(&gate).await?.ready().await?;
    let (begin, end) = CHAT.split_at(20);
    for trailers in [true, false, true] {
        for pieces in [&[CHAT][..], &[begin, end]] {
            let (status, body) = ask(&mut sender, &gate, &key, pieces, trailers).await?;
            assert_eq!((status, body["model"].as_str()), (200, Some("tiny")), "{body}");
            assert_eq!(body["usage"]["prompt_tokens"], 2, "{body}");
        }
    }
    assert_eq!(engine.counters().await?.by_path["/v1/chat/completions"], 6);
    Ok(())
}

#[tokio::test]
async fn trailers_without_a_body_are_no_body() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with("").engine("tiny", &engine).start().await?;
    let key = gate.key("acme").await?.key;
    let mut sender = connect(&gate).await?.ready().await?;
    let (status, body) = ask(&mut sender, &gate, &key, &[], true).await?;
    assert_eq!((status, body["error"]["code"].as_str()), (400, Some("invalid_json")));
    Ok(())
}

#[tokio::test]
async fn a_key_that_is_looked_up_while_the_body_arrives() -> Result<()> {
    let engine = Engine::start().spawn().await?;
    let gate = Tollgate::with("").engine("tiny", &engine).start().await?;
    let mut sender = connect(&gate).await?.ready().await?;
    for trailers in [true, false] {
        let (status, body) =
            ask(&mut sender, &gate, &format!("no-such-key-{trailers}"), &[CHAT], trailers).await?;
        assert_eq!((status, body["error"]["code"].as_str()), (401, Some("invalid_api_key")));
    }
    Ok(())
}
