//! Nonces that were seen: in shared data, for all workers, and where that is not
//! enough at the control plane.

use crate::host::{self, Message};
use contract::limits::KEY_LOOKUP_TIMEOUT_MS;
use contract::names::{ANSWER_FRESH, ANSWER_SEEN};
use pipeline::nonce::{Insert, Nonce, insert};
use std::time::Duration;

/// What is known of a nonce.
pub enum Seen {
    /// It is here for the first time.
    Never,
    /// It was here before.
    Before,
    /// There is no room to remember it for so many seconds.
    NoRoom {
        /// At least one.
        retry_after_s: u64,
    },
}

/// Remembers a nonce in shared data.
pub fn remember(nonce: &Nonce, now_s: u64) -> Seen {
    let inserted = host::change_shared(&nonce.slot_name(), |slot| {
        match insert(slot.unwrap_or_default(), nonce, now_s) {
            Insert::Fresh(slot) => (Some(slot), Seen::Never),
            Insert::Seen => (None, Seen::Before),
            Insert::Full { retry_after_s } => (None, Seen::NoRoom { retry_after_s }),
        }
    });
    inserted.unwrap_or(Seen::NoRoom { retry_after_s: 1 })
}

/// Asks the control plane to remember a nonce; whether it could be asked.
pub fn ask(control_cluster: &str, nonce: &Nonce) -> bool {
    let timeout = Duration::from_millis(KEY_LOOKUP_TIMEOUT_MS);
    host::ask_control(control_cluster, Message::Post(b""), &nonce.path(), timeout).is_ok()
}

/// What the control plane knows of it; `None` when it did not say.
pub fn learn(answer: &host::ControlAnswer) -> Option<Seen> {
    match answer.kind()?.as_str() {
        ANSWER_FRESH => Some(Seen::Never),
        ANSWER_SEEN => Some(Seen::Before),
        _ => None,
    }
}
