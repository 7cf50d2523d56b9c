//! What a caller is told, and when.

use super::Pool;
use integration::{Result, SseReader};
use serde_json::Value;
use std::time::{Duration, Instant};

/// How long the gateway lets a stream be silent, and what the cut may take besides.
const IDLE: Duration = Duration::from_secs(5);
const CUT_WITHIN: Duration = Duration::from_secs(5);

/// An answer as its caller has it, to its end or to where it was cut.
pub struct Told {
    pub status: u16,
    pub id: String,
    pub pool: String,
    pub text: String,
    /// How many events have text in them.
    pub texts: usize,
    pub is_cut: bool,
    /// Between the last byte and the end.
    pub silence: Duration,
}

impl Told {
    pub async fn of(request: reqwest::RequestBuilder) -> Result<Told> {
        Told::read(request.send().await?, |_| ()).await
    }

    /// Calls `seen` with how many events with text there were so far, whenever there are more.
    pub async fn read(mut answer: reqwest::Response, mut seen: impl FnMut(usize)) -> Result<Told> {
        let header = |name: &str| {
            let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let (id, pool) = (header("x-request-id"), header("x-tollgate-pool"));
        let (status, mut bytes) = (answer.status().as_u16(), Vec::new());
        let (mut reader, mut texts) = (SseReader::default(), 0);
        let mut last_at = Instant::now();
        let is_cut = loop {
            let chunk = match answer.chunk().await {
                Ok(Some(chunk)) => chunk,
                end => break end.is_err(),
            };
            last_at = Instant::now();
            bytes.extend_from_slice(&chunk);
            texts += reader.feed(&chunk).iter().filter(|event| has_text(&event.data)).count();
            seen(texts);
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Told { status, id, pool, text, texts, is_cut, silence: last_at.elapsed() })
    }

    /// The answer, or the events of a stream.
    pub fn parts(&self, stream: bool) -> Vec<Value> {
        let events = SseReader::default().feed(self.text.as_bytes()).into_iter();
        let texts: Vec<String> = match stream {
            true => events.map(|event| event.data).filter(|data| data != "[DONE]").collect(),
            false => vec![self.text.clone()],
        };
        texts.iter().map(|text| serde_json::from_str(text).expect("JSON of the engine")).collect()
    }

    pub fn assert_whole(&self, pool: Pool<'_>, stream: bool) {
        assert_eq!((self.status, self.pool.as_str()), (200, pool.name), "{}", self.text);
        let is_done = self.text.ends_with("data: [DONE]\n\n");
        assert!(!self.is_cut && is_done == stream, "{}", self.text);
        for part in self.parts(stream) {
            assert_eq!(part["model"], "chat", "{part}");
        }
        assert!(!self.text.contains(pool.model), "{}", self.text);
    }

    /// It was silent for as long as a stream may be, and was cut then.
    pub fn assert_hung(&self) {
        assert!(!self.text.contains("[DONE]"), "it has ended by itself: {}", self.text);
        let wanted = IDLE..IDLE + CUT_WITHIN;
        assert!(wanted.contains(&self.silence), "cut after {:?}", self.silence);
    }

    pub fn usage(&self, stream: bool) -> Value {
        self.parts(stream).pop().map(|part| part["usage"].clone()).unwrap_or_default()
    }
}

fn has_text(event: &str) -> bool {
    event.contains("\"content\":\"") && !event.contains("\"content\":\"\"")
}
