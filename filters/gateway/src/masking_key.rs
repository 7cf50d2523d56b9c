//! The key of the placeholders' tags as a worker sees it: in shared data, where `sync`
//! has put it.

use crate::host;
use pipeline::masking_key::{self, MASKING_KEY_NAME};
use std::cell::RefCell;
use std::rc::Rc;

/// One worker's copy. It has no `Debug`.
#[derive(Default)]
pub struct TagSecret(RefCell<Option<Rc<[u8]>>>);

impl TagSecret {
    /// Looks at shared data again. Called at every tick, so that a request does not have
    /// to.
    pub fn refresh(&self) {
        let stored = host::shared(MASKING_KEY_NAME);
        let key = stored.as_deref().and_then(masking_key::decode);
        *self.0.borrow_mut() = key.as_ref().and_then(masking_key::bytes).map(Rc::from);
    }

    /// Whether a key was delivered.
    pub fn is_there(&self) -> bool {
        self.get().is_some()
    }

    /// The key's bytes, if one was delivered.
    pub fn get(&self) -> Option<Rc<[u8]>> {
        if self.0.borrow().is_none() {
            self.refresh();
        }
        self.0.borrow().clone()
    }
}
