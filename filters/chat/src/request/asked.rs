//! What a request asks for that decides what it can cost.

use std::borrow::Cow;
use std::ops::Range;

use contract::policy::MediaKind;

use super::Request;
use crate::json::Str;
use crate::medium::Place;
use crate::path::Api;

/// Longest name of a user that counts, in bytes. It goes into records.
pub const USER_BYTES_MAX: usize = 256;

/// Where the caps of an answer stand, each the value in the body, in bytes; also a
/// `null`, which counts as no cap. `None`: the member is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MaxTokensPlaces {
    /// `max_tokens`.
    pub max_tokens: Option<Range<usize>>,
    /// `max_completion_tokens`.
    pub max_completion_tokens: Option<Range<usize>>,
    /// `max_output_tokens`.
    pub max_output_tokens: Option<Range<usize>>,
}

/// Where `stream_options` and its flags stand, also those that are `null`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OptionPlaces {
    /// The value of the member.
    pub(crate) options: Option<Range<usize>>,
    pub(crate) include_usage: Option<Range<usize>>,
    pub(crate) continuous_usage: Option<Range<usize>>,
    /// Whether the object has a member.
    pub(crate) has_members: bool,
}

/// The items of a list that may be one prompt or many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Items {
    all: u64,
    numbers: u64,
}

impl Items {
    /// Counts one more.
    #[inline]
    pub(crate) fn note(&mut self, is_number: bool) {
        self.all += 1;
        self.numbers += u64::from(is_number);
    }

    fn numbers(self) -> u64 {
        self.numbers
    }

    /// How many prompts they are: numbers alone are the tokens of one. A mixture is
    /// one to some engines; the larger count is the bound.
    fn prompts(self) -> u64 {
        if self.all == self.numbers { 1 } else { self.all }
    }
}

/// A name that may go into records; `None`: it is empty, too long or has control
/// characters.
pub(super) fn user_name(name: Str<'_>) -> Option<Cow<'_, str>> {
    if name.raw().len() > 6 * USER_BYTES_MAX {
        return None;
    }
    let said = name.unescaped();
    let fits = (1..=USER_BYTES_MAX).contains(&said.len());
    (fits && !said.chars().any(char::is_control)).then_some(said)
}

impl Request<'_> {
    /// The user that the body names: `user`, on messages `metadata.user_id`. At most
    /// [`USER_BYTES_MAX`] bytes without control characters; any other value names
    /// nobody.
    #[must_use]
    pub fn user(&self, api: &Api<'_>) -> Option<&str> {
        let named = if *api == Api::Messages { &self.metadata_user } else { &self.body_user };
        named.as_deref()
    }

    /// How many prompts are answered, each with as much as the cap allows: at least
    /// one, more only of completions.
    #[must_use]
    pub fn prompts(&self, api: &Api<'_>) -> u64 {
        if *api == Api::Completions { self.prompt_items.prompts() } else { 1 }
    }

    /// How many texts are read: the prompts of completions, the inputs of embeddings, the
    /// documents of a rerank, otherwise one.
    #[must_use]
    pub fn inputs(&self, api: &Api<'_>) -> u64 {
        match api {
            Api::Embeddings => self.input_items.prompts(),
            Api::Rerank => self.document_items.prompts(),
            _ => self.prompts(api),
        }
    }

    /// Bytes of the strings that a model may be given to read, as they stand in the body, media
    /// not counted. A prompt that is a list of tokens has four for each.
    #[must_use]
    pub fn text_bytes(&self) -> u64 {
        let tokens = self.prompt_items.numbers().saturating_add(self.input_items.numbers());
        let media = self.media.iter().map(|medium| medium.span.len().saturating_sub(2) as u64);
        self.text_bytes.saturating_sub(media.sum()).saturating_add(tokens.saturating_mul(4))
    }

    /// Bytes that are read with each of them again: the query of a rerank.
    #[must_use]
    pub fn repeated_bytes(&self, api: &Api<'_>) -> u64 {
        if *api == Api::Rerank { self.query_bytes } else { 0 }
    }

    /// Most tokens that the caller wants of one answer; where chat names two, the
    /// larger, as engines differ in which they read. 0 is a cap of completions alone:
    /// elsewhere engines take it for none.
    #[must_use]
    pub fn asked_tokens(&self, api: &Api<'_>) -> Option<u64> {
        let some = |tokens: &u64| *tokens > 0;
        match api {
            Api::Chat => self.max_completion_tokens.max(self.max_tokens).filter(some),
            Api::Completions => self.max_tokens,
            Api::Messages => self.max_tokens.filter(some),
            Api::Responses => self.max_output_tokens.filter(some),
            _ => None,
        }
    }

    /// How many media stand where images do.
    #[must_use]
    pub fn images(&self) -> u64 {
        self.count_media(|place| place == Place::Medium(MediaKind::Image))
    }

    /// How many media stand anywhere else: sounds, films, documents and files.
    #[must_use]
    pub fn other_media(&self) -> u64 {
        let is_other = |place| !matches!(place, Place::Medium(MediaKind::Image) | Place::Service);
        self.count_media(is_other)
    }

    fn count_media(&self, which: impl Fn(Place) -> bool) -> u64 {
        self.media.iter().filter(|medium| which(medium.place)).count() as u64
    }
}

#[cfg(test)]
mod tests;
