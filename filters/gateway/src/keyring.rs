//! The keyring as a worker sees it: shared data, and a call-out for what is not
//! there.

use crate::host::{self, Message};
use contract::keyring::{HmacEntry, KeyEntry};
use contract::limits::{KEY_LOOKUP_TIMEOUT_MS, KEY_LOOKUPS_MAX, KEY_LOOKUPS_PER_SECOND_MAX};
use contract::names::{ANSWER_FOUND, ANSWER_UNKNOWN};
use pipeline::Digest;
use pipeline::keyring::marks::{
    FRESH_NAME, REMEMBERED_NAME, STARTED_NAME, decode_moment, encode_moment, is_stale,
};
use pipeline::keyring::{
    Known, STATE_NAME, State, decode_entry, encode_entry, encode_unknown, entry_name, is_unknown,
    lookup_path, signers, unknown_slot_name,
};
use std::cell::{Cell, RefCell};
use std::time::Duration;

/// One worker's view of the keyring.
pub struct Keyring {
    state: RefCell<Option<State>>,
    /// Unix time in milliseconds of the last word of the control plane.
    fresh_ms: Cell<Option<u64>>,
    /// Whether it was delivered who may sign.
    knows_signers: Cell<bool>,
    remembered_s: Cell<u64>,
    stale_for_ms: u64,
    /// Look-ups under way.
    lookups: Cell<u32>,
    /// Look-ups begun in a second, which is the first of the two.
    begun: Cell<(u64, u32)>,
}

/// What is known of a key at once.
pub enum Found {
    /// Its entry; `None`: it is known not to be valid.
    Settled(Option<KeyEntry>),
    /// The control plane has to be asked.
    Unsettled,
}

/// Unix time in milliseconds at which this process began to look at requests: noted
/// by the first VM, and the same for all that come after.
pub fn process_started_ms() -> u64 {
    let now_ms = host::now_ms();
    host::set_shared_if_absent(STARTED_NAME, &encode_moment(now_ms));
    host::shared(STARTED_NAME).as_deref().and_then(decode_moment).unwrap_or(now_ms)
}

impl Keyring {
    /// A keyring that counts for `stale_for_ms` after the control plane's last word.
    pub fn new(stale_for_ms: u64) -> Keyring {
        Keyring {
            state: RefCell::default(),
            fresh_ms: Cell::default(),
            knows_signers: Cell::default(),
            remembered_s: Cell::default(),
            stale_for_ms,
            lookups: Cell::default(),
            begun: Cell::default(),
        }
    }

    /// Looks how far the keyring is. Called at every tick, so that a request
    /// does not have to.
    pub fn refresh(&self) {
        *self.state.borrow_mut() = host::shared(STATE_NAME).as_deref().and_then(State::decode);
        self.fresh_ms.set(host::shared(FRESH_NAME).as_deref().and_then(decode_moment));
        let remembered = host::shared(REMEMBERED_NAME).as_deref().and_then(decode_moment);
        self.remembered_s.set(remembered.unwrap_or(0));
        self.knows_signers.set(host::shared(signers::SIGNERS_NAME).is_some());
    }

    /// The Unix second up to which some nonce was remembered by the control plane when
    /// this process began.
    pub fn remembered_s(&self) -> u64 {
        self.remembered_s.get()
    }

    /// Whether what was delivered counts still.
    fn counts(&self, now_ms: u64) -> bool {
        let is_stale = || is_stale(self.fresh_ms.get(), now_ms, self.stale_for_ms);
        if self.is_ready() && is_stale() {
            // The last look is up to a tick ago.
            self.refresh();
        }
        self.is_ready() && !is_stale()
    }

    /// The credential by which a request claims to be signed; `None` when nobody knows
    /// just now which there are.
    pub fn signer(&self, id: &str, now_ms: u64) -> Option<Option<HmacEntry>> {
        let stored = host::shared(&signers::entry_name(id));
        let entry = signers::decode_entry(stored.as_deref(), id);
        (self.counts(now_ms) && self.knows_signers.get()).then_some(entry)
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
        if self.counts(now_ms) {
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

    /// Asks the control plane for a key; whether it could be asked.
    pub fn ask(&self, control_cluster: &str, digest: &Digest, now_ms: u64) -> bool {
        if self.lookups.get() >= KEY_LOOKUPS_MAX || !self.begin(now_ms / 1_000) {
            return false;
        }
        let path = lookup_path(digest);
        let timeout = Duration::from_millis(KEY_LOOKUP_TIMEOUT_MS);
        let asked = host::ask_control(control_cluster, Message::Get, &path, timeout).is_ok();
        self.lookups.set(self.lookups.get().saturating_add(u32::from(asked)));
        asked
    }

    /// Whether one more look-up may begin in this second.
    fn begin(&self, now_s: u64) -> bool {
        let (second, begun) = self.begun.get();
        let begun = if second == now_s { begun } else { 0 };
        let may = begun < KEY_LOOKUPS_PER_SECOND_MAX;
        self.begun.set((now_s, begun.saturating_add(u32::from(may))));
        may
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
