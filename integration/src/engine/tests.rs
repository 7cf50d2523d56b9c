//! The simulator over real sockets, in this process.

use std::time::Instant;

use clap::Parser as _;
use serde_json::Value;

use super::*;
use crate::raw::{RawAnswer, RawClient};
use crate::sse::SseReader;

const CHAT: &str = "/v1/chat/completions";
const HELLO: &str = r#"{"model":"tiny","messages":[{"role":"user","content":"Say hello."}]}"#;
const HELLO_STREAM: &str = r#"{"model":"tiny","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Say hello."}]}"#;

async fn engine(arguments: &[&str]) -> SocketAddr {
    let fast = ["engine", "--ttft", "0", "--token-interval", "0", "--tokens", "4"];
    let options = Options::parse_from(fast.iter().chain(arguments));
    let simulator = Simulator::bind(options).await.unwrap();
    let address = simulator.address();
    tokio::spawn(simulator.run());
    address
}

async fn connect(address: SocketAddr) -> RawClient {
    RawClient::connect(&address.to_string()).await.unwrap()
}

async fn ask(address: SocketAddr, path: &str, headers: &str, body: &str) -> RawAnswer {
    let mut client = connect(address).await;
    client.post(path, headers, body).await.unwrap();
    client.answer().await.unwrap()
}

async fn get(address: SocketAddr, path: &str) -> RawAnswer {
    let mut client = connect(address).await;
    client.send(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n")).await.unwrap();
    client.answer().await.unwrap()
}

async fn counters(address: SocketAddr) -> Counters {
    serde_json::from_value(get(address, "/sim/requests").await.json()).unwrap()
}

fn data(answer: &RawAnswer) -> Vec<String> {
    SseReader::default().feed(&answer.body).into_iter().map(|event| event.data).collect()
}

fn json(data: &str) -> Value {
    serde_json::from_str(data).unwrap()
}

#[tokio::test]
async fn a_chat_is_answered_with_usage() {
    let address = engine(&[]).await;
    let answer = ask(address, CHAT, "x-request-id: abc-1\r\n", HELLO).await;
    let body = answer.json();
    assert_eq!((answer.status, body["id"].as_str()), (200, Some("chatcmpl-abc-1")));
    assert_eq!(body["choices"][0]["message"]["content"], "w0 w1 w2 w3");
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    assert_eq!(body["usage"]["prompt_tokens"], 2);
    assert_eq!(body["usage"]["completion_tokens"], 4);
    assert_eq!(body["usage"]["prompt_tokens_details"]["cached_tokens"], 0);
}

#[tokio::test]
async fn a_stream_has_a_chunk_for_each_event() {
    let address = engine(&[]).await;
    let answer = ask(address, CHAT, "", HELLO_STREAM).await;
    let data = data(&answer);
    assert_eq!(data.len(), 8, "role, four tokens, finish, usage, done: {data:#?}");
    assert_eq!(json(&data[0])["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(json(&data[2])["choices"][0]["delta"]["content"], " w1");
    assert_eq!(json(&data[5])["choices"][0]["finish_reason"], "stop");
    let usage = json(&data[6]);
    assert_eq!(usage["choices"], serde_json::json!([]));
    assert_eq!(usage["usage"]["completion_tokens"], 4);
    assert_eq!(data[7], "[DONE]");
    let chunks = answer.raw.windows(8).filter(|it| it.ends_with(b"\r\ndata:")).count();
    assert_eq!(chunks, 8);
}

#[tokio::test]
async fn continuous_usage_counts_up() {
    for (arguments, options) in [
        (&[][..], r#"{"include_usage":true,"continuous_usage_stats":true}"#),
        (&["--continuous-usage"][..], "null"),
    ] {
        let address = engine(arguments).await;
        let body = format!(
            r#"{{"stream":true,"n":2,"max_tokens":2,"stream_options":{options},"messages":[]}}"#
        );
        let data = data(&ask(address, CHAT, "", &body).await);
        let counts: Vec<u64> = data[..data.len() - 1]
            .iter()
            .map(|it| json(it)["usage"]["completion_tokens"].as_u64().unwrap())
            .collect();
        assert_eq!(counts, [0, 0, 1, 1, 2, 2, 4], "{data:#?}");
    }
}

#[tokio::test]
async fn every_interface_answers_in_its_words() {
    let address = engine(&[]).await;
    let table = [
        ("/v1/completions", r#"{"prompt":"a b"}"#, "/choices/0/text", "w0 w1 w2 w3"),
        ("/v1/messages", r#"{"messages":[{"content":"a"}]}"#, "/content/0/text", "w0 w1 w2 w3"),
        ("/v1/responses", r#"{"input":"a"}"#, "/output/0/content/0/text", "w0 w1 w2 w3"),
        ("/v1/embeddings", r#"{"input":["a","b"]}"#, "/data/1/object", "embedding"),
        ("/v1/rerank", r#"{"query":"q","documents":["a"]}"#, "/model", "tiny"),
    ];
    for (path, body, pointer, expected) in table {
        let answer = ask(address, path, "", body).await;
        assert_eq!(
            answer.json().pointer(pointer).and_then(Value::as_str),
            Some(expected),
            "{path}"
        );
    }
    let counted = counters(address).await;
    assert_eq!((counted.by_path.len(), counted.answered, counted.generation_tokens), (5, 5, 12));
}

#[tokio::test]
async fn streams_of_every_interface_are_events_with_usage() {
    let address = engine(&[]).await;
    let table = [
        (
            "/v1/completions",
            r#"{"prompt":"a b","stream":true,"stream_options":{"include_usage":true}}"#,
            "/usage/completion_tokens",
        ),
        ("/v1/messages", r#"{"messages":[{"content":"a"}],"stream":true}"#, "/usage/output_tokens"),
        ("/v1/responses", r#"{"input":"a","stream":true}"#, "/response/usage/output_tokens"),
    ];
    for (path, body, pointer) in table {
        let answer = ask(address, path, "", body).await;
        let events: Vec<Value> =
            data(&answer).iter().filter(|it| *it != "[DONE]").map(|it| json(it)).collect();
        let told = events.iter().rev().find_map(|event| event.pointer(pointer)?.as_u64());
        assert_eq!((answer.complete, told), (true, Some(4)), "{path}");
    }
}

#[tokio::test]
async fn errors_have_the_shape_of_vllm() {
    let address = engine(&[]).await;
    let other = ask(address, CHAT, "", r#"{"model":"nope","messages":[]}"#).await;
    assert_eq!((other.status, other.json()["error"]["code"].as_u64()), (404, Some(404)));
    assert_eq!(other.json()["error"]["type"], "NotFoundError");
    assert_eq!(ask(address, CHAT, "", "{").await.status, 400);
    assert_eq!(ask(address, CHAT, "x-sim-fault: nope\r\n", HELLO).await.status, 400);
    assert_eq!(ask(address, "/v1/nope", "", "").await.json()["detail"], "Not Found");
    assert_eq!(get(address, CHAT).await.status, 405);
    assert_eq!(get(address, "/v1/models").await.json()["data"][0]["id"], "tiny");
    assert_eq!(get(address, "/health").await.status, 200);
    assert!(String::from_utf8(get(address, "/metrics").await.body).unwrap().contains("vllm:"));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_turn() {
    let address = engine(&[]).await;
    let mut client = connect(address).await;
    for id in ["one", "two"] {
        client.post(CHAT, &format!("x-request-id: {id}\r\n"), HELLO).await.unwrap();
    }
    let (length, tail) = HELLO.split_at(10);
    let chunked = format!(
        "POST {CHAT} HTTP/1.1\r\nx-request-id: three\r\ntransfer-encoding: chunked\r\n\r\na\r\n{length}\r\n{:x}\r\n{tail}\r\n0\r\n\r\n",
        tail.len()
    );
    client.send(chunked).await.unwrap();
    for id in ["one", "two", "three"] {
        let answer = client.answer().await.unwrap();
        assert_eq!((answer.status, answer.header("x-request-id")), (200, Some(id)));
    }
}

#[tokio::test]
async fn an_echo_tells_what_the_engine_received() {
    let address = engine(&[]).await;
    let answer = ask(address, CHAT, "x-sim-echo: body\r\n", HELLO).await;
    let told = json(answer.json()["choices"][0]["message"]["content"].as_str().unwrap());
    assert_eq!((told["path"].as_str(), told["body"].as_str()), (Some(CHAT), Some(HELLO)));
    let stream = ask(address, CHAT, "x-sim-echo: body\r\n", HELLO_STREAM).await;
    let piece =
        |it: &String| json(it)["choices"][0]["delta"]["content"].as_str().map(str::to_owned);
    let whole: String =
        data(&stream).iter().filter(|it| *it != "[DONE]").filter_map(piece).collect();
    assert_eq!(json(&whole)["body"], HELLO_STREAM);
    let embedding =
        ask(address, "/v1/embeddings", "x-sim-echo: body\r\n", r#"{"input":"a"}"#).await;
    assert_eq!(json(embedding.json()["sim_echo"].as_str().unwrap())["path"], "/v1/embeddings");
}

#[tokio::test]
async fn faults_come_as_commanded() {
    let address = engine(&[]).await;
    let fault = |name: &str| format!("x-sim-fault: {name}\r\n");
    for (name, kind) in
        [("refuse", io::ErrorKind::UnexpectedEof), ("reset-before", io::ErrorKind::ConnectionReset)]
    {
        let mut client = connect(address).await;
        client.post(CHAT, &fault(name), HELLO).await.unwrap();
        assert_eq!(client.answer().await.unwrap_err().kind(), kind, "{name}");
    }
    let status = ask(address, CHAT, &fault("status=503"), HELLO).await;
    assert_eq!((status.status, status.json()["error"]["code"].as_u64()), (503, Some(503)));
    let malformed = ask(address, CHAT, &fault("malformed-json"), HELLO).await;
    assert!(malformed.complete && serde_json::from_slice::<Value>(&malformed.body).is_err());
    let half = ask(address, CHAT, &fault("reset-after=1"), HELLO).await;
    assert!(!half.complete && !half.body.is_empty());
    let begun = Instant::now();
    assert_eq!(ask(address, CHAT, &fault("slow-headers=60"), HELLO).await.status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(60));
}

#[tokio::test]
async fn a_pose_makes_requests_fail_and_health_lie() {
    let address = engine(&[]).await;
    let body = r#"{"messages":[{"role":"user","content":"x"}]}"#;
    let pose = r#"{"fault":"status=503","running":7}"#;
    assert_eq!(ask(address, "/sim/pose", "", pose).await.status, 200);
    assert_eq!(ask(address, "/v1/chat/completions", "", body).await.status, 503);
    assert_eq!(get(address, "/health").await.status, 200);
    let metrics = get(address, "/metrics").await.body;
    assert!(
        String::from_utf8_lossy(&metrics)
            .contains("num_requests_running{engine=\"0\",model_name=\"tiny\"} 7.0")
    );
    assert_eq!(ask(address, "/sim/pose", "", r#"{"fault":"sulk"}"#).await.status, 400);
    assert_eq!(ask(address, "/sim/pose", "", "{}").await.status, 200);
    assert_eq!(ask(address, "/v1/chat/completions", "", body).await.status, 200);
}

#[tokio::test]
async fn a_stream_in_a_hurry_does_not_pause() {
    let address = engine(&["--tokens", "40", "--token-interval", "1m"]).await;
    let mut client = connect(address).await;
    let body = r#"{"messages":[{"role":"user","content":"x"}],"stream":true}"#;
    assert_eq!(ask(address, "/sim/pose", "", r#"{"hurry":true}"#).await.status, 200);
    client.post("/v1/chat/completions", "", body).await.unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(20), client.answer()).await;
    assert!(answer.unwrap().unwrap().complete);
}

#[tokio::test]
async fn streams_break_as_commanded() {
    let address = engine(&[]).await;
    let table = [
        ("reset-after=2", false, 2, false),
        ("reset-after=99", false, 7, false),
        ("malformed-sse", true, 5, false),
        ("error-event", true, 5, true),
        ("no-done", true, 7, false),
    ];
    for (fault, complete, events, done) in table {
        let headers = format!("x-sim-fault: {fault}\r\n");
        let answer = ask(address, CHAT, &headers, HELLO_STREAM).await;
        let data = data(&answer);
        let ends_done = data.last().is_some_and(|it| it == "[DONE]");
        assert_eq!((answer.status, answer.complete, ends_done), (200, complete, done), "{fault}");
        assert!(data.len() >= events, "{fault}: {data:#?}");
        if fault == "error-event" {
            assert_eq!(json(&data[3])["error"]["code"], 500);
        }
    }
}

#[tokio::test]
async fn a_client_that_leaves_is_counted_and_frees_its_place() {
    let address = engine(&["--batch", "1"]).await;
    for fault in ["hang", "hang-after=1"] {
        let mut client = connect(address).await;
        client.post(CHAT, &format!("x-sim-fault: {fault}\r\n"), HELLO_STREAM).await.unwrap();
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    let gone = async || {
        let now = counters(address).await;
        now.aborted == 2 && now.in_flight == 0
    };
    assert!(crate::wait_until(gone, Duration::from_secs(5)).await);
    assert_eq!(ask(address, CHAT, "", HELLO).await.status, 200);
}

#[tokio::test]
async fn more_than_the_batch_waits() {
    let address = engine(&["--batch", "1", "--ttft", "60ms"]).await;
    let begun = Instant::now();
    let both = [ask(address, CHAT, "", HELLO), ask(address, CHAT, "", HELLO_STREAM)];
    let both = futures::future::join_all(both).await;
    assert!(both.iter().all(|answer| answer.status == 200 && answer.complete));
    assert!(begun.elapsed() >= Duration::from_millis(120));
}

#[tokio::test]
async fn a_capture_is_replayed_to_the_byte() {
    let captures = tempfile::tempdir().unwrap();
    std::fs::create_dir(captures.path().join("vllm")).unwrap();
    let event = "5\r\ndata:\r\n5\r\n héé\r\n2\r\n\n\n\r\n".repeat(60);
    let head = "HTTP/1.1 200 OK\r\nX-Case: Kept\r\ntransfer-encoding: chunked\r\n";
    let table = [("cut", "connection: close\r\n", ""), ("whole", "", "0\r\n\r\n")];
    for (name, more, end) in table {
        let bytes = format!("{head}{more}\r\n{event}{end}");
        std::fs::write(captures.path().join(format!("vllm/{name}.response.http")), bytes).unwrap();
    }
    std::fs::write(captures.path().join("vllm/cut.reads.tsv"), "ms\tn\n1.0\t7\n2.0\t90\n").unwrap();
    let address = engine(&["--captures", captures.path().to_str().unwrap()]).await;
    for cuts in ["recorded", "random:1", "random:2", "whole", "bytes"] {
        let mut client = connect(address).await;
        for name in ["whole", "cut"] {
            let headers = format!("x-sim-replay: vllm/{name}\r\nx-sim-cuts: {cuts}\r\n");
            client.post(CHAT, &headers, HELLO).await.unwrap();
            let path = captures.path().join(format!("vllm/{name}.response.http"));
            let answer = client.answer().await.unwrap();
            assert_eq!(answer.raw, std::fs::read(path).unwrap(), "{name} {cuts}");
        }
        assert_eq!(client.rest().await.unwrap(), b"", "closed as recorded");
    }
    let missing = ask(address, CHAT, "x-sim-replay: ../x\r\n", HELLO).await;
    assert_eq!(missing.status, 400);
}

#[tokio::test]
async fn a_form_becomes_a_text_and_what_arrived_is_kept() {
    let address = engine(&["--record"]).await;
    let form = "--B\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nRIFF\r\n--B\r\n\
                Content-Disposition: form-data; name=\"model\"\r\n\r\ntiny\r\n--B--\r\n";
    let path = "/v1/audio/transcriptions";
    let mut client = connect(address).await;
    let kind = "content-type: multipart/form-data; boundary=B\r\n";
    let length = form.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\n{kind}content-length: {length}\r\n\r\n");
    client.send(head + form).await.unwrap();
    let answer = client.answer().await.unwrap();
    assert_eq!((answer.status, answer.json()["text"].as_str()), (200, Some("w0 w1 w2")));
    let received: Vec<Received> =
        serde_json::from_value(get(address, "/sim/received?since=0").await.json()).unwrap();
    assert_eq!((received.len(), received[0].path.as_str()), (1, path));
    assert_eq!(received[0].body, form.as_bytes());
    assert_eq!(get(address, "/sim/received?since=1").await.json(), serde_json::json!([]));
}

async fn delivered(address: SocketAddr) -> Vec<Delivered> {
    serde_json::from_value(get(address, "/sim/delivered").await.json()).unwrap()
}

#[tokio::test]
async fn what_was_delivered_is_told_to_the_token() {
    let address = engine(&[]).await;
    let asks = [
        ("json", "", r#"{"messages":[{"content":"a b"}],"n":2,"max_tokens":3}"#, 6, true),
        ("steps", "x-sim-tokens-per-event: 3\r\n", HELLO_STREAM, 4, true),
        ("reset", "x-sim-fault: reset-after=3\r\n", HELLO_STREAM, 2, false),
        ("refused", "x-sim-fault: status=503\r\n", HELLO, 0, false),
        ("liar", "x-sim-ignore: max_tokens\r\n", r#"{"messages":[],"max_tokens":2}"#, 4, true),
    ];
    for (id, headers, body, _, _) in asks {
        ask(address, CHAT, &format!("x-request-id: {id}\r\n{headers}"), body).await;
    }
    let told = delivered(address).await;
    for ((id, _, _, tokens, whole), told) in asks.into_iter().zip(&told) {
        assert_eq!((told.id.as_str(), told.attempts.len()), (id, 1));
        assert_eq!(
            (told.attempts[0].output_tokens, told.attempts[0].whole),
            (tokens, whole),
            "{id}"
        );
    }
    assert_eq!((told[0].attempts[0].max_tokens, told[0].attempts[0].prompt_tokens), (Some(3), 2));
    let sums: Sums = serde_json::from_value(get(address, "/sim/counters").await.json()).unwrap();
    assert_eq!((sums.requests, sums.whole, sums.output_tokens), (5, 3, 16));
}

#[tokio::test]
async fn usage_is_as_odd_as_commanded() {
    let address = engine(&[]).await;
    let every = r#"{"stream":true,"stream_options":{"include_usage":true,"continuous_usage_stats":true},"messages":[]}"#;
    let unasked = r#"{"stream":true,"messages":[]}"#;
    let table = [
        ("asked", every, vec![Some(0), Some(1), Some(2), Some(3), Some(4), Some(4), Some(4)]),
        ("final", every, [None; 6].into_iter().chain([Some(4)]).collect()),
        ("none", every, vec![None; 6]),
        ("zero", every, vec![Some(0); 7]),
        ("asked", unasked, vec![None; 6]),
        ("unasked", unasked, [None; 6].into_iter().chain([Some(4)]).collect()),
    ];
    for (kind, body, expected) in table {
        let answer = ask(address, CHAT, &format!("x-sim-usage: {kind}\r\n"), body).await;
        let told: Vec<Option<u64>> = data(&answer)
            .iter()
            .filter(|it| *it != "[DONE]")
            .map(|it| json(it)["usage"]["completion_tokens"].as_u64())
            .collect();
        assert_eq!(told, expected, "{kind}: {body}");
    }
    for path in ["/v1/messages", "/v1/responses", "/v1/embeddings", "/v1/rerank"] {
        let body = r#"{"messages":[],"input":"a","query":"a","documents":["b"]}"#;
        let answer = ask(address, path, "x-sim-usage: none\r\n", body).await;
        assert!(answer.json()["usage"].is_null(), "{path}");
    }
}

#[tokio::test]
async fn a_token_has_one_w_in_it() {
    let address = engine(&["--words", "uneven", "--tokens", "40"]).await;
    let text = ask(address, CHAT, "", HELLO).await.json()["choices"][0]["message"]["content"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert_eq!(text.matches('w').count(), 40, "{text}");
}

#[tokio::test]
async fn a_pose_fails_every_nth_request_and_says_so_of_its_health() {
    let address = engine(&[]).await;
    let pose = r#"{"fault": "status=503:7", "every": 2, "health": 500}"#;
    assert_eq!(ask(address, "/sim/pose", "", pose).await.status, 200);
    let mut seen = Vec::new();
    for _ in 0..4 {
        let answer = ask(address, CHAT, "", HELLO).await;
        seen.push((answer.status, answer.header("retry-after").map(str::to_owned)));
        assert_eq!(get(address, "/health").await.status, 500);
    }
    let (well, later) = ((200, None), (503, Some("7".to_owned())));
    assert_eq!(seen, [well.clone(), later.clone(), well, later]);
    assert_eq!(ask(address, "/sim/pose", "", "{}").await.status, 200);
    assert_eq!(get(address, "/health").await.status, 200);
}
