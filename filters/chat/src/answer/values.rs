//! The values of an answer, each read to its end.

use super::{AnswerScanner, Delivered, Kept, MODEL_VALUE_BYTES_MAX, Nested, State};
use crate::answer::member::Member;
use crate::splice::Splice;
use crate::structural::{end_of_text, next_structural};

impl AnswerScanner {
    pub(super) fn generated(&mut self, rest: &[u8]) -> usize {
        let (used, said, closed) = self.letters.push(rest);
        self.deliver(said);
        if closed {
            self.state = State::Between;
        }
        used
    }

    /// Generated text of an event counts once the event has ended: one that is kept
    /// back and dropped was not delivered.
    fn deliver(&mut self, bytes: u64) {
        if bytes == 0 {
            return;
        }
        self.document.reasoned |= self.member == Member::Reasoning;
        self.document.said = self.document.said.saturating_add(bytes);
        if !self.is_event {
            self.findings.delivered = Delivered { events: 1, bytes: self.document.said };
        }
    }

    pub(super) fn text(&mut self, rest: &[u8]) -> usize {
        let (used, closed) = end_of_text(rest, &mut self.escaped);
        if closed {
            self.state = State::Between;
        }
        used
    }

    pub(super) fn scalar(&mut self, rest: &[u8], at: usize, out: &Splice<'_>) -> usize {
        let ends = |b: &u8| matches!(b, b',' | b'}' | b']' | b'"' | b' ' | b'\n' | b'\r' | b'\t');
        let end = rest.iter().position(ends);
        let used = end.unwrap_or(rest.len());
        if self.member.is_number() {
            self.word.push(rest.get(..used).unwrap_or_default());
        }
        if end.is_some() {
            self.state = State::Between;
            self.note_end(at + used, out);
            if self.member.is_number() {
                let word = std::mem::take(&mut self.word);
                self.notice(word.number());
            }
        }
        used
    }

    /// Notes where the value of the document's own usage ends.
    pub(super) fn note_end(&mut self, at: usize, out: &Splice<'_>) {
        if self.depth == 0 && self.member == Member::Usage && self.state == State::Between {
            self.places.end(out.place(at));
        }
    }

    pub(super) fn model(&mut self, rest: &[u8], at: usize, out: &mut Splice<'_>) -> usize {
        let opening = usize::from(self.held.is_empty());
        let (used, closed) =
            end_of_text(rest.get(opening..).unwrap_or_default(), &mut self.escaped);
        let used = opening + used;
        let value = rest.get(..used).unwrap_or(rest);
        if self.held.len() + used > MODEL_VALUE_BYTES_MAX {
            self.give_up_name(at, out);
            self.state = if closed { State::Between } else { State::Text };
        } else if closed {
            if !self.held.is_empty() || value != &*self.asked {
                out.replace(at..at + used, &self.asked);
            }
            self.held.clear();
            self.state = State::Between;
        } else {
            self.held.extend_from_slice(value);
            out.replace(at..at + used, b"");
        }
        used
    }

    pub(super) fn give_up_name(&mut self, at: usize, out: &mut Splice<'_>) {
        if !self.held.is_empty() {
            out.replace(at..at, &self.held);
            self.held.clear();
        }
        self.state = State::Text;
    }

    pub(super) fn nested(&mut self, rest: &[u8]) -> usize {
        let Nested { mut depth, mut in_text, kept } = self.nested;
        let mut at = 0;
        while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
            if in_text {
                let (used, closed) = end_of_text(tail, &mut self.escaped);
                at += used;
                in_text = !closed;
                continue;
            }
            let Some((offset, byte)) = next_structural(tail) else {
                at = rest.len();
                break;
            };
            at += offset + 1;
            match byte {
                b'"' => in_text = true,
                b'{' | b'[' => depth = depth.saturating_add(1),
                _ => depth = depth.saturating_sub(1),
            }
            if depth == 0 {
                break;
            }
        }
        match kept {
            Kept::Usage => self.usage.push(rest.get(..at).unwrap_or_default()),
            Kept::Bytes => self.deliver(at as u64),
            Kept::Error => self.keep_error(rest.get(..at).unwrap_or_default()),
            Kept::Nothing => {}
        }
        self.nested = Nested { depth, in_text, kept };
        if depth == 0 {
            self.document.has_usage |= kept == Kept::Usage;
            self.state = State::Between;
        }
        at
    }
}
