//! The errors that an engine tells inside of an answer, told again.

use super::{AnswerScanner, Nested, State};
use crate::answer::member::Member;
use crate::bounded::Bounded;
use crate::engine_error::{Place, Retelling};
use crate::splice::Splice;
use crate::structural::end_of_text;

/// Largest error inside of an answer that is read, in bytes; nothing of a larger one is told.
const ERROR_BYTES_MAX: usize = 16 * 1024;

/// Keeps an error back until it is whole.
pub(super) struct Errors {
    retelling: Retelling,
    value: Bounded<ERROR_BYTES_MAX>,
    /// The opening quote of a text was read.
    is_open: bool,
}

impl AnswerScanner {
    /// The same, of an engine whose errors are told again.
    pub(crate) fn set_retelling(&mut self, retelling: Retelling) {
        let value = Bounded::default();
        self.errors = Some(Box::new(Errors { retelling, value, is_open: false }));
    }

    /// The state at an error's first byte; `None`: the value is none that is told again.
    pub(super) fn begin_error(&mut self, byte: u8) -> Option<State> {
        let errors = self.errors.as_mut()?;
        let state = match (self.member, byte) {
            (Member::Error | Member::Message, b'"') => State::Told,
            (Member::Error, b'{' | b'[') => {
                self.nested = Nested::of_error();
                State::Nested
            }
            _ => return None,
        };
        errors.value.clear();
        errors.is_open = false;
        Some(state)
    }

    /// Reads on in a text that is an error.
    pub(super) fn told(&mut self, rest: &[u8], at: usize, out: &mut Splice<'_>) -> usize {
        let is_open =
            self.errors.as_mut().is_none_or(|of| std::mem::replace(&mut of.is_open, true));
        let opening = usize::from(!is_open);
        let behind = rest.get(opening..).unwrap_or_default();
        let (used, closed) = end_of_text(behind, &mut self.escaped);
        let used = opening + used;
        if closed {
            self.state = State::Between;
        }
        self.keep_error(rest.get(..used).unwrap_or_default());
        self.tell(at, used, out);
        used
    }

    /// More of an error was read.
    pub(super) fn keep_error(&mut self, more: &[u8]) {
        if let Some(errors) = &mut self.errors {
            errors.value.push(more);
        }
    }

    /// Leaves out what was read of an error, or puts it as it is told where it is whole.
    pub(super) fn tell(&mut self, at: usize, used: usize, out: &mut Splice<'_>) {
        let Some(errors) = &self.errors else { return };
        let is_whole = self.state == State::Between;
        let text = is_whole.then(|| match (self.member, self.depth) {
            (Member::Message, _) => errors.retelling.text(errors.value.whole()),
            (_, 0) => errors.retelling.value(Place::Document, errors.value.whole()),
            _ => errors.retelling.value(Place::Response, errors.value.whole()),
        });
        out.replace(at..at + used, text.as_deref().unwrap_or_default());
    }
}

#[cfg(test)]
mod tests;
