//! Server-sent events, read as a client reads them (WHATWG HTML §9.2).

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// Its `event` field, empty where there is none.
    pub name: String,
    /// Its `data` lines, joined by line feeds.
    pub data: String,
}

/// Collects bytes, gives events.
#[derive(Debug, Default)]
pub struct SseReader {
    unread: Vec<u8>,
    event: Event,
    has_data: bool,
}

/// A stream, read to its end.
#[derive(Debug, Default)]
pub struct SseAnswer {
    /// What came.
    pub events: Vec<Event>,
    /// The last was `data: [DONE]`.
    pub done: bool,
    /// The body ended as its framing says it ends.
    pub complete: bool,
}

impl SseReader {
    /// The events that these bytes complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.unread.extend_from_slice(bytes);
        let mut events = Vec::new();
        while let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unread.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            events.extend(self.line(line.trim_end_matches(['\r', '\n'])));
        }
        events
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return std::mem::take(&mut self.has_data).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.event.name = value.to_owned(),
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            _ => {}
        }
        None
    }
}

impl SseAnswer {
    /// Reads a body to its end, be that a break.
    pub async fn read(mut answer: reqwest::Response) -> SseAnswer {
        let mut reader = SseReader::default();
        let mut events = Vec::new();
        let complete = loop {
            match answer.chunk().await {
                Ok(Some(bytes)) => events.extend(reader.feed(&bytes)),
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        let done = events.last().is_some_and(|event| event.data == "[DONE]");
        SseAnswer { events, done, complete }
    }

    /// The events that are JSON, in order.
    pub fn json(&self) -> Vec<serde_json::Value> {
        self.events.iter().filter_map(|event| serde_json::from_str(&event.data).ok()).collect()
    }

    /// The text of choice 0 of a chat.
    pub fn text(&self) -> String {
        let piece = |event: &serde_json::Value| {
            event["choices"][0]["delta"]["content"].as_str().unwrap_or_default().to_owned()
        };
        self.json().iter().map(piece).collect()
    }

    /// The last usage that was told, in whatever words the interface has for it.
    pub fn usage(&self) -> Option<serde_json::Value> {
        let usage = |event: &serde_json::Value| {
            let places = [&event["usage"], &event["response"]["usage"]];
            places.into_iter().find(|usage| usage.is_object()).cloned()
        };
        self.json().iter().rev().find_map(usage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_the_same_over_any_cut() {
        let bytes =
            b": comment\r\nevent: a\r\ndata: 1\r\n\r\ndata:2\ndata: 3\n\nid: x\n\ndata: cut";
        let event = |name: &str, data: &str| Event { name: name.into(), data: data.into() };
        let expected = [event("a", "1"), event("", "2\n3")];
        for cut in 0..bytes.len() {
            let mut reader = SseReader::default();
            let mut events = reader.feed(&bytes[..cut]);
            events.extend(reader.feed(&bytes[cut..]));
            assert_eq!(events, expected, "cut {cut}");
        }
    }
}
