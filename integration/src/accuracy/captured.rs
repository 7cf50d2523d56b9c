//! Answers that real engines gave once, replayed by the simulator: they are billed by what
//! those engines had counted.

use serde_json::{Value, json};

use super::client::Question;
use super::plain::Random;
use super::verdict::{Bar, Row};
use super::world::World;
use crate::Result;
use crate::recorded::{Capture, ENGINES, captures, tokens};

/// As in the report.
pub const CAPTURED: &str = "answers of real engines, cut at random";

/// Replays every one.
///
/// # Errors
/// As [`World::run`], or the captures are not there.
pub async fn captured(world: &World) -> Result<Row> {
    let mut row = Row { scenario: CAPTURED.to_owned(), ..Row::default() };
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut asked = Vec::new();
    for engine in ENGINES {
        for capture in captures(engine)? {
            let cuts = format!("random:{}", random.below(1_000_000));
            let question = question(&capture, &world.model)
                .header("x-sim-replay", &capture.name)
                .header("x-sim-cuts", &cuts);
            let heard = question.ask(&world.url, &world.key).await?;
            asked.push((heard.id.unwrap_or_default(), capture));
        }
    }
    let ids = asked.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>();
    let billed = world.billed(&ids).await?;
    for (id, capture) in &asked {
        let records: Vec<_> = billed.iter().filter(|it| it.id == *id).collect();
        row.requests += 1;
        row.lost += u64::from(records.is_empty());
        row.doubled += records.len().saturating_sub(1) as u64;
        let (Some(record), Some([input, _, output, _])) = (records.first(), tokens(capture)) else {
            continue;
        };
        row.wrong += u64::from((record.input_tokens, record.output_tokens) != (input, output));
        row.output.add(output, output, record.output_tokens);
        row.input.add(input, input, record.input_tokens);
    }
    row.judge(Bar::Exact);
    Ok(row)
}

/// A request of the kind that was answered.
fn question(capture: &Capture, model: &str) -> Question {
    let path = crate::recorded::PATHS.into_iter().find(|path| *path == capture.path);
    let mut body = match capture.path.as_str() {
        "/v1/completions" => json!({"prompt": "one"}),
        "/v1/embeddings" => json!({"input": "one"}),
        "/v1/responses" => json!({"input": "one"}),
        "/v1/rerank" => json!({"query": "one", "documents": ["two"]}),
        _ => json!({"messages": [{"role": "user", "content": "one"}], "max_tokens": 64}),
    };
    if capture.is_stream {
        body["stream"] = Value::Bool(true);
    }
    if capture.is_stream && capture.path.ends_with("completions") {
        body["stream_options"] = json!({"include_usage": true});
    }
    Question::at(path.unwrap_or_default(), model, body)
}
