//! The keyring as a worker sees it: shared data, and a call-out for what is not
//! there.

use crate::host;
use contract::keyring::KeyEntry;
use contract::limits::{KEY_LOOKUP_TIMEOUT_MS, KEY_LOOKUPS_MAX};
use contract::names::{ANSWER_FOUND, ANSWER_UNKNOWN};
use pipeline::Digest;
use pipeline::keyring::{
    Known, STATE_NAME, State, decode_entry, encode_entry, encode_unknown, entry_name, is_unknown,
    lookup_path, unknown_slot_name,
};
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// One worker's view of the keyring.
#[derive(Default)]
pub struct Keyring {
    state: RefCell<Option<State>>,
    lookups: Cell<u32>,
}

/// What is known of a key at once.
pub enum Found {
    /// Its entry; `None`: it is known not to be valid.
    Settled(Option<KeyEntry>),
    /// The control plane has to be asked.
    Unsettled,
}

impl Keyring {
    /// Looks how far the keyring is. Called at every tick, so that a request
    /// does not have to.
    pub fn refresh(&self) {
        *self.state.borrow_mut() = host::shared(STATE_NAME).as_deref().and_then(State::decode);
    }

    /// Whether the keyring was delivered at least once.
    pub fn is_ready(&self) -> bool {
        if self.state.borrow().is_none() {
            self.refresh();
        }
        self.state.borrow().is_some()
    }

    /// What shared data says of a key.
    pub fn find(&self, digest: &Digest, now_ms: u64) -> Found {
        if self.is_ready() {
            match self.known(digest) {
                Known::Key(entry) => return Found::Settled(Some(entry)),
                Known::Revoked => return Found::Settled(None),
                Known::Nothing => {}
            }
        }
        let slot = host::shared(&unknown_slot_name(digest));
        if slot.is_some_and(|slot| is_unknown(&slot, digest, now_ms)) {
            return Found::Settled(None);
        }
        Found::Unsettled
    }

    fn known(&self, digest: &Digest) -> Known {
        let state = self.state.borrow();
        let (Some(state), Some(stored)) = (&*state, host::shared(&entry_name(digest))) else {
            return Known::Nothing;
        };
        decode_entry(&stored, &state.epoch)
    }

    /// Asks the control plane for a key; `None` when it cannot be asked now.
    pub fn ask(&self, control_cluster: &str, digest: &Digest) -> Option<u32> {
        if self.lookups.get() >= KEY_LOOKUPS_MAX {
            return None;
        }
        let path = lookup_path(digest);
        let timeout = Duration::from_millis(KEY_LOOKUP_TIMEOUT_MS);
        let token = host::ask_control(control_cluster, &path, timeout).ok()?;
        self.lookups.set(self.lookups.get().saturating_add(1));
        Some(token)
    }

    /// A call that [`Keyring::ask`] began is over, also when nobody waits for
    /// its answer any more.
    pub fn asked(&self) {
        self.lookups.set(self.lookups.get().saturating_sub(1));
    }

    /// Reads the control plane's answer and keeps it for the next request;
    /// `None` when the control plane did not answer.
    pub fn learn(
        &self,
        answer: &host::ControlAnswer,
        digest: &Digest,
        now_ms: u64,
    ) -> Option<Option<KeyEntry>> {
        match answer.kind()?.as_str() {
            ANSWER_FOUND => {
                let entry: KeyEntry = serde_json::from_slice(&answer.body()).ok()?;
                if let Some(state) = &*self.state.borrow() {
                    // What `sync` has written meanwhile may be a revocation.
                    let stored = encode_entry(&state.epoch, Some(&entry));
                    host::set_shared_if_absent(&entry_name(digest), &stored);
                }
                Some(Some(entry))
            }
            ANSWER_UNKNOWN => {
                host::set_shared(&unknown_slot_name(digest), &encode_unknown(digest, now_ms));
                Some(None)
            }
            _ => None,
        }
    }
}
