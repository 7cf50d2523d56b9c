//! The snapshot that is in force, and word to the sessions when it changes.

use std::sync::Arc;

use tokio::sync::watch;

use crate::resource::Snapshot;

/// What every Envoy shall have now. Clones share the same content.
#[derive(Clone, Debug)]
pub struct Cache {
    sender: watch::Sender<Option<Arc<Snapshot>>>,
    closed: watch::Sender<bool>,
}

impl Default for Cache {
    fn default() -> Self {
        Self::new()
    }
}

impl Cache {
    /// A cache without a snapshot: sessions wait for the first one.
    pub fn new() -> Self {
        Self { sender: watch::Sender::new(None), closed: watch::Sender::new(false) }
    }

    /// Puts `snapshot` in force. Sessions that are busy see only the latest of
    /// several; one with the version in force wakes nobody.
    pub fn publish(&self, snapshot: Snapshot) {
        self.sender.send_if_modified(|current| {
            let known = current.as_ref().is_some_and(|c| c.version() == snapshot.version());
            if !known {
                *current = Some(Arc::new(snapshot));
            }
            !known
        });
    }

    /// The snapshot in force; `None` before the first was published.
    pub fn current(&self) -> Option<Arc<Snapshot>> {
        self.sender.borrow().clone()
    }

    /// Ends every stream, now and later: a server that shuts down gracefully
    /// would wait for them for ever. Envoys keep what they have.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }

    pub(crate) fn watch_closed(&self) -> watch::Receiver<bool> {
        self.closed.subscribe()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Option<Arc<Snapshot>>> {
        self.sender.subscribe()
    }
}
