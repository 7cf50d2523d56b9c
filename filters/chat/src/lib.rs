//! The wire formats of the inference APIs: what OpenAI's and Anthropic's HTTP
//! bodies say, and the smallest changes to them.
//!
//! Pure: no host, no time, no I/O. A request body is parsed once and whole
//! ([`request`], over our own strict reader of JSON, [`json`]) and changed by
//! spans ([`edit`]); an answer is read as it passes ([`reply`]), at whatever cuts
//! it comes, and never held back except for the bytes of a model's name, or for an
//! event until it is whole where usage is taken out of it again ([`strip`]). Where texts
//! are masked, those of the request are found on the same pass ([`texts`]), and those of
//! the answer are changed event by event ([`answer_texts`]).
//!
//! Nothing here panics, and nothing grows with the size of an answer but an event that is
//! held back, or a JSON body whose texts change: up to a bound.

mod answer;
pub mod answer_texts;
pub mod attempt;
pub mod billing_edits;
mod bounded;
mod cut;
pub mod edit;
pub mod engine_error;
pub mod fields;
pub mod form;
pub mod json;
pub mod markdown;
pub mod media;
pub mod medium;
mod object;
pub mod path;
mod places;
pub mod reply;
pub mod request;
mod splice;
pub mod sse;
pub mod strip;
mod structural;
pub mod texts;
pub mod usage;

pub use answer::{AnswerScanner, Delivered, Findings};
pub use splice::Splice;

#[cfg(test)]
mod captures;
#[cfg(test)]
mod trial;
