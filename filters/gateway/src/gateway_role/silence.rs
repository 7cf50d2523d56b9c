//! Streams that Envoy does not cut when they fall silent (`Onward::is_watched`).

use crate::host;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// All of a worker.
#[derive(Default)]
pub struct Watch(RefCell<HashMap<u32, Rc<Stream>>>);

#[derive(Default)]
struct Stream {
    heard_ms: Cell<u64>,
    is_broken_off: Cell<bool>,
}

impl Watch {
    /// The stream of that context, of which something was heard just now.
    pub fn begin(self: &Rc<Self>, context: u32) -> Watched {
        let stream = Rc::new(Stream::default());
        stream.heard_ms.set(host::now_ms());
        self.0.borrow_mut().insert(context, Rc::clone(&stream));
        Watched { watch: Rc::clone(self), context, stream }
    }

    /// Breaks off those that have said nothing for `silence_ms`.
    pub fn on_tick(&self, silence_ms: u64) {
        if self.0.borrow().is_empty() {
            return;
        }
        let now_ms = host::now_ms();
        for context in self.take_silent(now_ms, silence_ms) {
            host::break_off_other(context);
        }
    }

    fn take_silent(&self, now_ms: u64, silence_ms: u64) -> Vec<u32> {
        let mut silent = Vec::new();
        self.0.borrow_mut().retain(|context, stream| {
            let is_silent = now_ms.saturating_sub(stream.heard_ms.get()) >= silence_ms;
            if is_silent {
                stream.is_broken_off.set(true);
                silent.push(*context);
            }
            !is_silent
        });
        silent
    }
}

/// A stream is watched as long as this is there.
pub struct Watched {
    watch: Rc<Watch>,
    context: u32,
    stream: Rc<Stream>,
}

impl Watched {
    /// Its engine has said something.
    pub fn heard(&self) {
        self.stream.heard_ms.set(host::now_ms());
    }

    /// Whether it was broken off for its silence.
    pub fn is_broken_off(&self) -> bool {
        self.stream.is_broken_off.get()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watch.0.borrow_mut().remove(&self.context);
    }
}
