//! The servers of pools with affinity as a worker sees them: in shared data, where `sync`
//! has put them.

use crate::host;
use contract::fleet::Fleet;
use pipeline::fleet::{FLEET_NAME, decode};
use pipeline::keyring::marks::{FRESH_NAME, decode_moment};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// How long the servers count without a word of the control plane, in milliseconds. Envoy sends
/// to a server that was picked whatever it thinks of it, so nobody may be picked who is not
/// known to be well.
const FRESH_MS: u64 = 5_000;

fn is_fresh() -> bool {
    let heard_ms = host::shared(FRESH_NAME).as_deref().and_then(decode_moment);
    heard_ms.is_some_and(|heard_ms| host::now_ms() <= heard_ms.saturating_add(FRESH_MS))
}

/// One worker's copy.
pub struct Servers {
    fleet: RefCell<Rc<Fleet>>,
    /// Which change of shared data it was read at.
    version: Cell<Option<u32>>,
}

impl Servers {
    /// As they stand there now.
    pub fn open() -> Servers {
        let servers = Servers { fleet: RefCell::default(), version: Cell::default() };
        servers.refresh();
        servers
    }

    /// Looks at shared data again. Called at every tick, so that a request does not have
    /// to.
    pub fn refresh(&self) {
        if !is_fresh() {
            self.version.set(None);
            *self.fleet.borrow_mut() = Rc::default();
            return;
        }
        let Some((stored, version)) = host::shared_with_version(FLEET_NAME) else { return };
        if self.version.replace(Some(version)) != Some(version) {
            *self.fleet.borrow_mut() = Rc::new(decode(&stored));
        }
    }

    /// The servers that were told last.
    pub fn get(&self) -> Rc<Fleet> {
        Rc::clone(&self.fleet.borrow())
    }
}
