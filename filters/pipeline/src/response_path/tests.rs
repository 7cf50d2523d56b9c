mod paid;
mod refused;
mod restored;

use super::*;
use crate::command::HeaderEdit;
use crate::exchange::Forwarded;
use crate::headers::Headers;
use crate::spending::trial::{self, free};
use contract::usage::Who;

fn forwarded(expose_pool: bool) -> Forwarded {
    Forwarded {
        who: Who {
            pool: Some("big".into()),
            client_request_id: Some("c-1".into()),
            ..Who::default()
        },
        expose_pool,
        ..trial::forwarded()
    }
}

fn answer(content_type: &str) -> Headers {
    Headers::of(&[(":status", "200"), ("content-type", content_type), ("content-length", "99")])
}

fn answering(content_type: &str) -> Answering {
    on_headers(forwarded(false), &answer(content_type), false, || true).answering
}

const JSON: &str = r#"{"model":"meta/Llama","usage":{"prompt_tokens":3,"completion_tokens":2}}"#;

#[test]
fn headers_of_an_answer_that_is_read() {
    let Head { edits, .. } =
        on_headers(forwarded(true), &answer("application/json"), false, || true);
    assert_eq!(
        edits,
        [
            HeaderEdit::remove("content-length"),
            HeaderEdit::set("x-client-request-id", "c-1"),
            HeaderEdit::set("x-tollgate-pool", "big"),
        ]
    );
}

#[test]
fn an_answer_that_is_not_read_keeps_its_length() {
    let Head { edits, answering, .. } =
        on_headers(forwarded(false), &answer("image/png"), false, || true);
    assert_eq!(edits, [HeaderEdit::set("x-client-request-id", "c-1")]);
    assert!(!answering.reader.rewrites());
}

#[test]
fn an_engine_does_not_speak_for_the_gateway() {
    let mut headers = answer("application/json");
    headers.0.push(("x-tollgate-pool".into(), b"other".to_vec()));
    headers.0.push(("x-ratelimit-limit-requests".into(), b"9".to_vec()));
    let Head { edits, .. } = on_headers(forwarded(true), &headers, false, || true);
    assert_eq!(edits[0], HeaderEdit::remove("x-tollgate-pool"));
    assert_eq!(edits[1], HeaderEdit::remove("x-ratelimit-limit-requests"));
    assert_eq!(edits.last(), Some(&HeaderEdit::set("x-tollgate-pool", "big")));
}

#[test]
fn a_json_answer_in_one_piece() {
    let mut answering = answering("application/json");
    let step = on_body(&mut answering, JSON.as_bytes(), true, || 7, free);
    let body = String::from_utf8(step.replacement.unwrap()).unwrap();
    assert_eq!(body, JSON.replace("meta/Llama", "llama"));
    let tally = final_tally(&answering);
    assert_eq!((tally.input, tally.output, tally.source), (3, 2, Source::Engine));
    assert!(tally.whole && !tally.failed);
    assert_eq!(tally.first_token_ms, None);
}

#[test]
fn a_json_answer_whose_end_comes_by_itself() {
    let mut answering = answering("application/json");
    on_body(&mut answering, JSON.as_bytes(), false, || 7, free);
    assert_eq!(final_tally(&answering).source, Source::Running);
    assert!(!final_tally(&answering).whole);
    assert_eq!(on_body(&mut answering, b"", true, || 7, free), Step::default());
    assert_eq!(final_tally(&answering).source, Source::Engine);
}

#[test]
fn a_stream_is_counted_while_it_runs() {
    let mut answering = answering("text/event-stream");
    let event = |tokens| {
        format!(
            "data: {{\"model\":\"x\",\"usage\":{{\"prompt_tokens\":3,\"completion_tokens\":{tokens}}}}}\n\n"
        )
    };
    let first = on_body(&mut answering, event(1).as_bytes(), false, || 7, free);
    assert!(first.tally_changed);
    assert_eq!(answering.tally.first_token_ms, Some(7));
    assert_eq!((answering.tally.output, answering.tally.source), (1, Source::Running));
    let second = on_body(&mut answering, event(2).as_bytes(), false, || 9, free);
    assert!(second.tally_changed);
    assert_eq!(answering.tally.first_token_ms, Some(7));
    let same = on_body(&mut answering, event(2).as_bytes(), false, || 9, free);
    assert!(!same.tally_changed);
    on_body(&mut answering, b"data: [DONE]\n\n", true, || 9, free);
    let tally = final_tally(&answering);
    assert_eq!((tally.input, tally.output, tally.source), (3, 2, Source::Engine));
    assert!(tally.whole);
}

#[test]
fn an_error_inside_an_answer_is_the_engines_failure() {
    let mut answering = answering("text/event-stream");
    let event = "data: {\"error\": {\"message\": \"x\", \"code\": 500}}\n\ndata: [DONE]\n\n";
    on_body(&mut answering, event.as_bytes(), true, || 1, free);
    let tally = final_tally(&answering);
    assert!(tally.failed);
    // The engine has read the prompt.
    assert_eq!((tally.source, tally.output), (Source::Estimated, 0));
    assert!(tally.input > 0);
}

#[test]
fn an_error_under_its_own_status_is_an_answer() {
    let headers = Headers::of(&[(":status", "400"), ("content-type", "application/json")]);
    let Head { mut answering, .. } = on_headers(forwarded(false), &headers, false, || true);
    on_body(&mut answering, br#"{"error":{"message":"too long"}}"#, true, || 1, free);
    assert!(!final_tally(&answering).failed);
}

#[test]
fn the_journal_says_what_the_access_log_will_say() {
    let mut answering = answering("application/json");
    on_body(&mut answering, JSON.as_bytes(), true, || 7, free);
    let line = journal_line(&answering, 1_000, 1_250);
    assert_eq!((line.id.as_str(), line.at_ms, line.duration_ms), ("r-1", 1_000, Some(250)));
    assert_eq!(line.status, Some(200));
    let tally: Tally = serde_json::from_str(line.usage.as_deref().unwrap()).unwrap();
    assert_eq!((tally.input, tally.output, tally.whole), (3, 2, true));
    let read: Line = serde_json::from_str(&serde_json::to_string(&line).unwrap()).unwrap();
    assert_eq!(read, line);
}

#[test]
fn what_was_held_back_leaves_at_the_end() {
    let mut answering = answering("application/json");
    let first = on_body(&mut answering, br#"{"model":"meta/L"#, false, || 1, free);
    let mut whole = first.replacement.unwrap();
    let last = on_body(&mut answering, b"", true, || 1, free);
    whole.extend(last.replacement.unwrap());
    assert_eq!(whole, br#"{"model":"meta/L"#);
}

#[test]
fn an_answer_without_a_body_is_whole() {
    let Head { edits, answering, reply } =
        on_headers(forwarded(false), &answer("application/json"), true, || true);
    assert_eq!(reply, None);
    assert!(final_tally(&answering).whole);
    assert!(!edits.contains(&HeaderEdit::remove("content-length")));
}
