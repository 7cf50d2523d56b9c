//! What it costs to find the texts of a request, and to pass an answer on: run with
//! `cargo run --release --example texts_cost`.

use std::hint::black_box;
use std::time::Instant;

use chat::answer_texts::{AnswerTexts, Field, Form, Lane, LaneTexts};
use chat::path::Api;
use chat::request::{parse, parse_with_texts};

/// Changes nothing, or every text.
struct Same(bool);

impl LaneTexts for Same {
    fn piece(&mut self, _: &Lane, text: &str) -> Option<String> {
        self.0.then(|| text.to_uppercase())
    }
    fn holds(&self, _: &Lane) -> bool {
        false
    }
    fn end(&mut self, _: &Lane) -> Option<String> {
        None
    }
    fn whole(&mut self, _: Field, _: &str) -> Option<String> {
        None
    }
}

/// The mean time of one of `times` runs, in microseconds.
fn micros(times: u32, mut run: impl FnMut()) -> f64 {
    run();
    let start = Instant::now();
    for _ in 0..times {
        run();
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(times)
}

fn answer(change: bool) -> f64 {
    let event = r#"data: {"id":"chatcmpl-0123456789abcdef0123456789abcdef","object":"chat.completion.chunk","created":1790000000,"model":"meta-llama/Llama-3.1-8B","choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}],"usage":null}"#;
    let event = format!("{event}\n\n");
    let mut texts = Same(change);
    let mut passing = AnswerTexts::new(Form::EventStream, &Api::Chat);
    micros(200_000, || {
        black_box(passing.push(black_box(event.as_bytes()), &mut texts));
    })
}

fn request(bytes: usize) -> (f64, f64, f64) {
    let text = "Plain words, and now and then a line.\\nMore words. ".repeat(10);
    let message = format!(r#"{{"role":"user","content":"{text}"}},"#);
    let messages = message.repeat(bytes / message.len() + 1);
    let body = format!(r#"{{"model":"m","messages":[{}]}}"#, messages.trim_end_matches(','));
    let times = 20_000_000 / u32::try_from(bytes).unwrap_or(u32::MAX);
    let plain = micros(times, || drop(black_box(parse(black_box(body.as_bytes())))));
    let texts = micros(times, || {
        drop(black_box(parse_with_texts(black_box(body.as_bytes()), &Api::Chat)));
    });
    let found = parse_with_texts(body.as_bytes(), &Api::Chat).map(|(_, texts)| texts);
    let found = found.unwrap_or_default();
    let edits = micros(times, || {
        for passage in found.passages() {
            black_box(passage.edits(&[(6..11, "[EMAIL_a1b2c3]".to_owned())]));
        }
    });
    (plain, texts, edits)
}

#[expect(clippy::print_stdout, reason = "the result of the measurement")]
fn main() {
    println!("event of 250 bytes: {:.2} µs, changed {:.2} µs", answer(false), answer(true));
    for bytes in [2_000, 64_000, 1_000_000] {
        let (plain, texts, edits) = request(bytes);
        println!(
            "{bytes} bytes: parsed {plain:.1} µs, with texts {texts:.1} µs, edits {edits:.1} µs"
        );
    }
}
