//! What it costs to read a stream while it passes, an event: run with
//! `cargo run --release -p chat --example answer_cost`.

use std::hint::black_box;
use std::time::Instant;

use chat::reply::Reader;
use chat::strip::Strip;

const ROUNDS: usize = 200;
const EVENTS_A_ROUND: usize = 1_600;

const USAGE: &str = r#","usage":{"prompt_tokens":16,"total_tokens":21,"completion_tokens":5,"completion_tokens_details":{"reasoning_tokens":0}}"#;

fn event(usage: &str) -> String {
    let head = r#"data: {"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1790000000,"model":"meta-llama/Llama-3.1-8B","choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}]"#;
    format!("{head}{usage}}}\n\n")
}

/// The time of an event in nanoseconds, `a_chunk` of them at a time: the best round of
/// many, so that what else the machine does counts little.
fn nanos(strip: Option<Strip>, event: &str, a_chunk: usize) -> f64 {
    let mut reader = Reader::for_answer(200, Some("text/event-stream"), None, "large");
    if let Some(strip) = strip {
        reader = reader.with_usage(strip);
    }
    let chunk = event.repeat(a_chunk);
    let times = EVENTS_A_ROUND / a_chunk;
    let mut round = || {
        let start = Instant::now();
        for _ in 0..times {
            black_box(reader.push(black_box(chunk.as_bytes())));
        }
        start.elapsed().as_secs_f64() * 1e9
    };
    let best = (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min);
    best / f64::from(u32::try_from(times * a_chunk).unwrap_or(u32::MAX))
}

#[expect(clippy::print_stdout, reason = "the result of the measurement")]
fn main() {
    for (name, usage) in [("without usage", ""), ("with usage", USAGE)] {
        let event = event(usage);
        for a_chunk in [1, 16] {
            let plain = nanos(None, &event, a_chunk);
            let whole = nanos(Some(Strip::Nothing), &event, a_chunk);
            let strip = nanos(Some(Strip::Usage { nulls: true }), &event, a_chunk);
            println!(
                "event {name}, {} bytes, {a_chunk} a chunk: {plain:.0} ns, held whole {whole:.0} ns, stripped {strip:.0} ns",
                event.len(),
            );
        }
    }
}
