//! Streams that Envoy does not cut when they fall silent (`Onward::is_watched`).
//!
//! Time is counted in ticks of the worker: a clock that is set does not make a stream silent.

use crate::host;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

/// Streams that are broken off in one tick; the others wait for the next. Envoy ends each
/// inside of the end of the one before, on one stack.
const BROKEN_OFF_MAX: usize = 32;

/// All of a worker.
#[derive(Default)]
pub struct Watch {
    ticks: Cell<u64>,
    streams: RefCell<HashMap<u32, Rc<Stream>>>,
}

struct Stream {
    /// The tick after which something was heard last.
    heard: Cell<u64>,
    is_broken_off: Cell<bool>,
}

impl Watch {
    /// The stream of that context, of which something was heard just now.
    pub fn begin(self: &Rc<Self>, context: u32) -> Watched {
        let (heard, is_broken_off) = (Cell::new(self.ticks.get()), Cell::new(false));
        let stream = Rc::new(Stream { heard, is_broken_off });
        self.streams.borrow_mut().insert(context, Rc::clone(&stream));
        Watched { watch: Rc::clone(self), context, stream }
    }

    /// Another `tick` is over: breaks off streams that have said nothing for `silence`.
    pub fn on_tick(&self, tick: Duration, silence: Duration) {
        for context in self.silent(tick, silence) {
            host::break_off_other(context);
        }
    }

    /// Those that have been silent for too long, at most [`BROKEN_OFF_MAX`]; they are no
    /// longer watched. What was heard after a tick may have been heard just before the next.
    fn silent(&self, tick: Duration, silence: Duration) -> Vec<u32> {
        let now = self.ticks.get().wrapping_add(1);
        self.ticks.set(now);
        let ticks = silence.as_millis().div_ceil(tick.as_millis().max(1)).saturating_add(1);
        let mut streams = self.streams.borrow_mut();
        let is_silent = |(_, stream): &(&u32, &Rc<Stream>)| {
            u128::from(now.wrapping_sub(stream.heard.get())) >= ticks
        };
        let silent = streams.iter().filter(is_silent).take(BROKEN_OFF_MAX);
        let silent: Vec<u32> = silent.map(|(context, _)| *context).collect();
        for stream in silent.iter().filter_map(|context| streams.remove(context)) {
            stream.is_broken_off.set(true);
        }
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
        self.stream.heard.set(self.watch.ticks.get());
    }

    /// Whether it was broken off for its silence.
    pub fn is_broken_off(&self) -> bool {
        self.stream.is_broken_off.get()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watch.streams.borrow_mut().remove(&self.context);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(500);
    const SILENCE: Duration = Duration::from_secs(1);

    #[test]
    fn who_says_something_is_not_silent() {
        let watch: Rc<Watch> = Rc::default();
        let (talker, mute) = (watch.begin(1), watch.begin(2));
        let silent: Vec<Vec<u32>> = (0..4)
            .map(|_| {
                talker.heard();
                watch.silent(TICK, SILENCE)
            })
            .collect();
        assert_eq!(silent, [vec![], vec![], vec![2], vec![]], "not before the second is over");
        assert!(mute.is_broken_off() && !talker.is_broken_off());
        drop(talker);
        assert!((0..9).all(|_| watch.silent(TICK, SILENCE).is_empty()));
    }

    #[test]
    fn few_are_broken_off_at_a_time() {
        let watch: Rc<Watch> = Rc::default();
        let all: Vec<Watched> = (0..100).map(|context| watch.begin(context)).collect();
        let counts: Vec<usize> = (0..7).map(|_| watch.silent(TICK, SILENCE).len()).collect();
        assert_eq!(counts, [0, 0, 32, 32, 32, 4, 0]);
        assert!(all.iter().all(Watched::is_broken_off));
    }
}
