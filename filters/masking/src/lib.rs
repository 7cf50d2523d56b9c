//! What must not leave, and how it comes back.
//!
//! ```text
//! text -> fold -> scene -> detectors -> resolve -> findings -> redact -> placeholders
//!                                                   answer -> restore -> text
//! ```
//!
//! Pure: no host, no time, no I/O; texts in, places and texts out. What is a text in a
//! request or an answer is decided elsewhere. A detector looks at a bounded window around
//! its place, and nothing backtracks, so that time grows with the text alone.
//!
//! Texts, values and keys have no `Debug` here: they cannot be logged.

#![cfg_attr(test, expect(clippy::string_slice, reason = "tests cut texts where they know them"))]

mod answers;
mod custom;
mod deny;
mod detectors;
mod evidence;
mod fold;
mod nesting;
mod placeholder;
mod policy;
mod redact;
mod resolve;
mod restore;
mod rules;
mod scan;
mod scene;
mod tag;
mod value;

pub use answers::{Answer, Lane};
pub use contract::masking::PiiType;
pub use fold::Folded;
pub use placeholder::{TEMPLATE_BYTES_MAX, Template, masked};
pub use policy::Policy;
pub use redact::{Redaction, Settled, apart};
pub use restore::{Escape, Issued, LaneText};
pub use rules::Rules;
pub use scan::{Finding, scan};
pub use tag::{TAG_CHARS_MAX, TAG_CHARS_MIN, TagKey};
