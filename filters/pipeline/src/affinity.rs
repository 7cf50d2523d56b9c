//! Requests that belong together go to the same server of a pool: whoever has served the
//! beginning of a prompt still has it in its cache.

use crate::request_path::Setting;
use crate::spending::Till;
use billing::table::Table;
use chat::edit::{Edit, apply};
use chat::texts::Texts;
use contract::policy::{AffinityBounds, AffinityConfig};
use routing::memory::Sent;
use routing::pick::Pool;
use routing::{Blocks, Memory, Route};
use std::borrow::Cow;
use std::ops::Range;
use std::rc::Rc;

/// The table of the process, as affinity remembers by it.
struct Remembered<'t, T>(&'t T);

impl<T: Table> Memory for Remembered<'_, T> {
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        self.0.read(name)
    }

    fn change<S>(
        &self,
        name: &str,
        change: &mut dyn FnMut(Option<&[u8]>) -> (Option<Vec<u8>>, S),
    ) -> Option<S> {
        self.0.change(name, change)
    }
}

/// What is remembered of the server that serves a request.
#[derive(Debug)]
pub struct Trace {
    route: Rc<Route>,
    bounds: AffinityBounds,
    blocks: Blocks,
    picked: String,
}

impl Trace {
    /// The server at `address` (`IP:PORT`, as Envoy's `upstream.address` says it) of that pool
    /// gives the answer: where it is not the one that was picked, it is the one that has the
    /// prompt in its cache from now on.
    pub fn served<T: Table>(&self, pool: &Route, address: &str, till: &Till<'_, T>) {
        if pool.pool == self.route.pool && address != self.picked {
            let servers = Pool { name: &pool.pool, servers: &[], bounds: self.bounds };
            servers.remember(&self.blocks, address, &Remembered(till.table), till.now_ms);
        }
    }
}

#[cfg(test)]
impl Trace {
    /// What the request begins with.
    pub(crate) fn blocks(&self) -> &Blocks {
        &self.blocks
    }
}

/// A request that is under way at a server: busier than it has told, until the request
/// [leaves](Seat::leave).
#[derive(Debug)]
pub struct Seat {
    route: Rc<Route>,
    bounds: AffinityBounds,
    /// `None`: it could not be counted.
    sent: Option<Sent>,
}

impl Seat {
    /// The request is over.
    pub fn leave<T: Table>(self, till: &Till<'_, T>) {
        let pool = Pool { name: &self.route.pool, servers: &[], bounds: self.bounds };
        if let Some(sent) = self.sent {
            pool.ended(sent, &Remembered(till.table), till.now_ms);
        }
    }
}

/// The servers that should have a request.
pub struct Picked {
    /// The value of the header that names them, in the order of the attempts.
    pub header: String,
    /// Where it is counted.
    pub seat: Seat,
    /// What is remembered of it when another one serves it; `None`: nothing is.
    pub trace: Option<Trace>,
}

/// Whose request it is, and how it begins.
pub struct Beginning<'b, 't> {
    /// The tenant.
    pub tenant: &'b str,
    /// The user; where none is known, the key.
    pub user: &'b str,
    /// The body as it came.
    pub body: &'b [u8],
    /// Its texts.
    pub texts: Option<&'b Texts<'t>>,
    /// What is masked in them, in the order of the places.
    pub masked: &'b [Edit],
}

impl Beginning<'_, '_> {
    /// What a pool's engines tell prompts apart by: after masking, so that values that were
    /// never sent do not stand in hashes, and placeholders count as what they are.
    fn blocks(&self, route: &Route) -> Blocks {
        let spans = self.texts.map(|texts| texts.in_prompt_order(self.body.len()));
        let spans = spans.unwrap_or_default().into_iter();
        let sent: Vec<Cow<'_, str>> = spans.filter_map(|span| self.sent(span)).collect();
        let scope = [route.pool.as_str(), self.tenant];
        let many = if route.config.cache_salt { 2 } else { 1 };
        Blocks::of(scope.get(..many).unwrap_or_default(), sent.iter().map(AsRef::as_ref))
    }

    /// A text as it leaves; `None`: it cannot be told.
    fn sent(&self, span: Range<usize>) -> Option<Cow<'_, str>> {
        let text = self.body.get(span.clone())?;
        let first = self.masked.partition_point(|edit| edit.span.start < span.start);
        let inside = self.masked.iter().skip(first).take_while(|edit| edit.span.end <= span.end);
        let moved = inside.map(|edit| Edit {
            span: edit.span.start - span.start..edit.span.end - span.start,
            text: edit.text.clone(),
        });
        let edits: Vec<Edit> = moved.collect();
        if edits.is_empty() {
            return std::str::from_utf8(text).ok().map(Cow::Borrowed);
        }
        String::from_utf8(apply(text, &edits)?).ok().map(Cow::Owned)
    }
}

/// The servers of `route` that should have a request, if that pool has affinity and its
/// servers are known. It is counted as under way.
pub fn pick<T: Table>(
    route: &Rc<Route>,
    beginning: &Beginning<'_, '_>,
    setting: &Setting<'_, T>,
) -> Option<Picked> {
    let (by_prefix, bounds) = match route.config.affinity {
        AffinityConfig::None => return None,
        AffinityConfig::User(bounds) => (false, bounds),
        AffinityConfig::Prefix(bounds) => (true, bounds),
    };
    let servers = setting.fleet.pools.get(&route.pool)?;
    let pool = Pool { name: &route.pool, servers, bounds };
    let (memory, now_ms) = (Remembered(setting.till.table), setting.till.now_ms);
    let blocks = by_prefix.then(|| beginning.blocks(route));
    let picks = match &blocks {
        Some(blocks) => pool.by_prefix(blocks, &memory, now_ms),
        None => pool.by_user(beginning.tenant, beginning.user, &memory, now_ms),
    };
    let (header, address) = (picks.header()?, &picks.first()?.address);
    let seat = Seat { route: Rc::clone(route), bounds, sent: pool.sent(address, &memory, now_ms) };
    let trace = blocks.map(|blocks| {
        pool.remember(&blocks, address, &memory, now_ms);
        Trace { route: Rc::clone(route), bounds, blocks, picked: address.clone() }
    });
    Some(Picked { header, seat, trace })
}
