//! A stream of events with the texts of its lanes changed.

use std::ops::Range;

use super::document::Document;
use super::frame::{Event, Frame, Framer};
use super::now::Now;
use super::place::Ends;
use super::template::Template;
use super::{Lane, LaneTexts};

/// What OpenAI's streams send as their last event.
const DONE: &[u8] = b"[DONE]";

/// A lane that something is kept back of, and an event for that.
struct Held {
    lane: Lane,
    template: Template,
}

/// Who changes the texts, and where they go.
struct Pass<'p, T> {
    texts: &'p mut T,
    out: &'p mut Vec<u8>,
}

/// Passes the events of a stream on.
pub(super) struct Stream {
    framer: Framer,
    /// Bytes of an event that has not ended.
    pending: Vec<u8>,
    document: Document,
    held: Vec<Held>,
}

impl Stream {
    pub(super) fn new(event_bytes_max: usize) -> Self {
        Self {
            framer: Framer::new(event_bytes_max),
            pending: Vec::new(),
            document: Document::default(),
            held: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, chunk: &[u8], texts: &mut impl LaneTexts) -> Vec<u8> {
        let mut out = Vec::with_capacity(chunk.len() + chunk.len() / 4);
        let mut pass = Pass { texts, out: &mut out };
        let mut pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            self.frames(chunk, &mut pass);
            pending.extend_from_slice(chunk.get(self.framer.rest()).unwrap_or_default());
        } else {
            pending.extend_from_slice(chunk);
            self.frames(&pending, &mut pass);
            pending.drain(..self.framer.rest().start);
        }
        self.pending = pending;
        out
    }

    /// The stream has ended: an event may lack its end, and every lane has ended.
    pub(super) fn finish(&mut self, texts: &mut impl LaneTexts) -> Vec<u8> {
        let pending = std::mem::take(&mut self.pending);
        let mut out = Vec::new();
        self.event(&pending, true, &mut Pass { texts, out: &mut out });
        out
    }

    fn frames(&mut self, buffer: &[u8], pass: &mut Pass<'_, impl LaneTexts>) {
        while let Some(frame) = self.framer.next(buffer) {
            let bytes = |span: Range<usize>| buffer.get(span).unwrap_or_default();
            match frame {
                Frame::Event(span) => self.event(bytes(span), false, pass),
                Frame::Large(span) => {
                    self.flush(|_| true, pass);
                    pass.out.extend_from_slice(bytes(span));
                }
                Frame::Stray(span) => pass.out.extend_from_slice(bytes(span)),
            }
        }
    }

    fn event(&mut self, raw: &[u8], is_last: bool, pass: &mut Pass<'_, impl LaneTexts>) {
        let event = Event::of(raw);
        let data = event.said();
        let mut document = std::mem::take(&mut self.document);
        let is_object = data.trim_ascii_start().starts_with(b"{");
        let text = if is_object { document.read(&data, true) } else { None };
        if let Some(text) = text {
            let now = Now::new(&event, &data, &text, &document);
            self.document(now, is_last, pass);
        } else {
            if is_last || data.starts_with(DONE) {
                self.flush(|_| true, pass);
            }
            pass.out.extend_from_slice(raw);
        }
        self.document = document;
    }

    fn document(&mut self, mut now: Now<'_>, is_last: bool, pass: &mut Pass<'_, impl LaneTexts>) {
        match now.document.ends(now.text) {
            Ends::None => {}
            Ends::Own => self.flush(|lane| lane.choice == now.document.item(), pass),
            Ends::All => self.flush(|_| true, pass),
        }
        if !self.held.is_empty() {
            self.flush(|lane| now.goes_on_elsewhere(lane), pass);
        }
        for index in 0..now.lanes.len() {
            leaf(index, &mut now, pass);
        }
        if is_last || now.document.finishes_any() {
            self.end(&mut now, is_last, pass);
        }
        now.write(pass.out);
        self.keep(&now, pass);
    }

    /// What is kept back of lanes that have come to their end leaves in their text of
    /// this event, or else before it.
    fn end(&mut self, now: &mut Now<'_>, is_last: bool, pass: &mut Pass<'_, impl LaneTexts>) {
        for lane in now.own_lanes() {
            if (is_last || now.finishes(&lane)) && pass.texts.holds(&lane) {
                let rest = pass.texts.end(&lane);
                now.append(&lane, rest);
            }
        }
        self.flush(|lane| is_last || now.finishes(lane), pass);
    }

    /// What is kept back of some lanes leaves now, each in an event of its own.
    fn flush(&mut self, which: impl Fn(&Lane) -> bool, pass: &mut Pass<'_, impl LaneTexts>) {
        self.held.retain(|held| {
            if !which(&held.lane) {
                return true;
            }
            if let Some(rest) = pass.texts.end(&held.lane).filter(|rest| !rest.is_empty()) {
                pass.out.extend(held.template.with(&rest));
            }
            false
        });
    }

    /// Notes what is kept back of the lanes of an event.
    fn keep(&mut self, now: &Now<'_>, pass: &Pass<'_, impl LaneTexts>) {
        let holds = |lane: &Lane| pass.texts.holds(lane);
        if self.held.is_empty() && !now.lanes.iter().flatten().any(holds) {
            return;
        }
        self.held.retain(|held| pass.texts.holds(&held.lane));
        for lane in now.own_lanes() {
            if !pass.texts.holds(&lane) {
                continue;
            }
            self.held.retain(|held| held.lane != lane);
            if let Some(template) = now.template(&lane) {
                self.held.push(Held { lane, template });
            }
        }
    }
}

/// Has one text of an event changed.
fn leaf(index: usize, now: &mut Now<'_>, pass: &mut Pass<'_, impl LaneTexts>) {
    let said = now.said(index);
    if said.is_empty() {
        return;
    }
    let changed = match now.lane(index) {
        Some(lane) => pass.texts.piece(&lane, &said),
        None => now.whole(index, &said, pass.texts),
    };
    now.put(index, &said, changed);
}
