//! Errors of engines, towards the client and for the ledger.

use super::*;
use crate::affinity::Trace;
use crate::exchange::Onward;
use contract::names::NOBODY_STATUS;
use serde_json::Value;

fn on(path: &str) -> Forwarded {
    let who = Who { path: Some(path.to_owned()), ..Who::default() };
    Forwarded { who, ..trial::forwarded() }
}

fn error(status: u16, more: &[(&str, &str)]) -> Headers {
    let status = status.to_string();
    let mut lines = vec![(":status", status.as_str()), ("content-type", "text/plain")];
    lines.extend(more);
    Headers::of(&lines)
}

/// The edits, and what leaves in the place of the chunks.
fn told(forwarded: Forwarded, headers: &Headers, chunks: &[&str]) -> (Vec<HeaderEdit>, String) {
    let Head { edits, mut answering, reply } = on_headers(forwarded, headers, false, || true);
    assert_eq!(reply, None);
    let mut body = Vec::new();
    for (nth, chunk) in chunks.iter().enumerate() {
        let last = nth + 1 == chunks.len();
        let step = on_body(&mut answering, chunk.as_bytes(), last, || 1, free);
        body.extend(step.replacement.unwrap_or_else(|| chunk.as_bytes().to_vec()));
    }
    assert!(final_tally(&answering).whole && !final_tally(&answering).failed);
    (edits, String::from_utf8(body).unwrap())
}

fn field(body: &str, name: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap();
    body["error"][name].as_str().unwrap().to_owned()
}

#[test]
fn an_engines_error_is_told_in_the_contracts_words() {
    let more = [("content-length", "9"), ("content-encoding", "identity"), ("retry-after", "7")];
    let (edits, body) =
        told(on("/v1/chat/completions"), &error(422, &more), &["own", " words", ""]);
    assert_eq!(
        edits,
        [
            HeaderEdit::remove("content-encoding"),
            HeaderEdit::remove("retry-after"),
            HeaderEdit::set(":status", "400"),
            HeaderEdit::set("content-type", "application/json"),
            HeaderEdit::remove("content-length"),
        ]
    );
    assert_eq!(
        (field(&body, "message"), field(&body, "code")),
        ("own words".into(), "invalid_request".into())
    );
}

#[test]
fn on_the_path_of_messages_it_has_their_shape() {
    let (_, body) = told(on("/v1/messages"), &error(500, &[]), &["Internal Server Error"]);
    assert!(body.starts_with(r#"{"type":"error","error":{"#), "{body}");
    assert_eq!(field(&body, "type"), "api_error");
}

#[test]
fn when_there_is_room_again_is_passed_on() {
    for (status, told_status) in [(429, "429"), (503, "503"), (NOBODY_STATUS, "503")] {
        let (edits, _) =
            told(on("/v1/completions"), &error(status, &[("retry-after", "7")]), &["x"]);
        assert!(edits.contains(&HeaderEdit::set(":status", told_status)), "{status}");
        assert_eq!(edits.last(), Some(&HeaderEdit::set("retry-after", "7")));
    }
}

#[test]
fn the_engines_name_of_the_model_is_not_told() {
    let forwarded = on("/v1/chat/completions");
    let own = forwarded.pool.config.model.clone();
    let (_, body) = told(forwarded, &error(400, &[]), &[&format!("`{own}` has no tools")]);
    assert_eq!(field(&body, "message"), "`llama` has no tools");
}

#[test]
fn an_error_without_a_body_gets_one() {
    let forwarded = Forwarded {
        expose_pool: true,
        who: Who { pool: Some("big".into()), ..Who::default() },
        ..on("")
    };
    let Head { reply, answering, .. } =
        on_headers(forwarded, &error(500, &[("x-a", "b")]), true, || true);
    let reply = reply.unwrap();
    assert_eq!(reply.status, 502);
    assert_eq!(
        reply.headers,
        [("content-type", "application/json".to_owned()), ("x-tollgate-pool", "big".to_owned())]
    );
    assert_eq!(field(&reply.body, "code"), "engine_error");
    assert_eq!(answering.status, 502);
    assert!(final_tally(&answering).whole);
}

#[test]
fn what_envoy_tells_stays() {
    let headers = error(413, &[("content-length", "3")]);
    let Head { edits, mut answering, .. } = on_headers(on(""), &headers, false, || false);
    assert_eq!((edits, answering.status), (vec![], 413));
    assert_eq!(on_body(&mut answering, b"own", true, || 1, free).replacement, None);
}

#[test]
fn the_records_have_the_status_that_the_client_saw() {
    let headers = error(401, &[]);
    let Head { answering, .. } = on_headers(on(""), &headers, false, || true);
    assert_eq!(journal_line(&answering, 0, 1).status, Some(502));
    assert_eq!(answering.tally, Tally::default());
}

#[test]
fn nobody_is_asked_whose_a_good_answer_is() {
    let Head { edits, .. } =
        on_headers(on(""), &answer("image/png"), false, || panic!("not asked"));
    assert_eq!(edits, []);
}

#[test]
fn an_answer_to_what_was_sent_once_says_so() {
    let onward = Onward { is_sent_once: true, ..Onward::default() };
    let forwarded = Forwarded { onward, ..on("") };
    let Head { edits, .. } = on_headers(forwarded, &answer("image/png"), false, || true);
    assert_eq!(edits, [HeaderEdit::set("x-tollgate-retry", "off")]);
}

#[test]
fn nobody_is_asked_for_a_server_that_is_not_remembered() {
    let trace: Option<Trace> = None;
    let onward = Onward { trace, ..Onward::default() };
    let forwarded = Forwarded { onward, ..on("") };
    on_server(&forwarded, &answer("image/png"), || panic!("not asked"), free);
}
