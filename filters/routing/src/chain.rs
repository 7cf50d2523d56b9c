//! The pools of a request's attempts.

use crate::table::Route;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::limits::ATTEMPTS_MAX;
use std::rc::Rc;

/// The pools of all attempts in their order, 1 to [`ATTEMPTS_MAX`]. A pool's attempts
/// follow one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    attempts: Box<[Rc<Route>]>,
    header: Box<str>,
}

impl Chain {
    /// `first` and then each of `fallback`, each of them `1 + retries` times; a pool that was
    /// there before is passed over.
    #[must_use]
    pub fn new<'r>(
        first: &'r Rc<Route>,
        fallback: impl IntoIterator<Item = &'r Rc<Route>>,
    ) -> Chain {
        let mut attempts: Vec<Rc<Route>> = Vec::new();
        for route in std::iter::once(first).chain(fallback) {
            if attempts.iter().any(|earlier| earlier.pool == route.pool) {
                continue;
            }
            let times = usize::try_from(route.config.retries).unwrap_or(usize::MAX);
            let left = ATTEMPTS_MAX.saturating_sub(attempts.len());
            let times = times.saturating_add(1).min(left);
            attempts.extend(std::iter::repeat_n(route, times).map(Rc::clone));
        }
        Chain::of(attempts)
    }

    fn of(attempts: Vec<Rc<Route>>) -> Chain {
        let header = header(attempts.iter().map(|route| route.config.cluster.as_str()));
        Chain { attempts: attempts.into(), header: header.into() }
    }

    /// The pool of each attempt.
    #[must_use]
    pub fn attempts(&self) -> &[Rc<Route>] {
        &self.attempts
    }

    /// The pool of the first attempt.
    #[must_use]
    pub fn first(&self) -> Option<&Rc<Route>> {
        self.attempts.first()
    }

    /// Each pool once.
    pub fn pools(&self) -> impl Iterator<Item = &Rc<Route>> {
        let before = std::iter::once(None).chain(self.attempts.iter().map(Some));
        let differs = |(route, before): &(&Rc<Route>, Option<&Rc<Route>>)| {
            before.is_none_or(|before| before.pool != route.pool)
        };
        self.attempts.iter().zip(before).filter(differs).map(|(route, _)| route)
    }

    /// How many attempts may follow the first.
    #[must_use]
    pub const fn retries(&self) -> usize {
        self.attempts.len().saturating_sub(1)
    }

    /// Whether there is more than one pool.
    #[must_use]
    pub fn has_fallback(&self) -> bool {
        self.pools().nth(1).is_some()
    }

    /// The value of [`contract::names::CHAIN_HEADER`].
    #[must_use]
    pub fn header(&self) -> &str {
        &self.header
    }

    /// The chain without the fallbacks that may not serve a request; the first pool stays.
    #[must_use]
    pub fn only(self: &Rc<Chain>, may: impl Fn(&Route) -> bool) -> Rc<Chain> {
        let Some(first) = self.attempts.first() else { return Rc::clone(self) };
        let stays = |route: &Rc<Route>| route.pool == first.pool || may(route);
        if self.pools().all(stays) {
            return Rc::clone(self);
        }
        let fallback: Vec<&Rc<Route>> = self.pools().filter(|route| stays(route)).collect();
        Rc::new(Chain::new(first, fallback))
    }

    /// The chain of one attempt at the first pool.
    #[must_use]
    pub fn once(&self) -> Rc<Chain> {
        Rc::new(Chain::of(self.attempts.iter().take(1).map(Rc::clone).collect()))
    }
}

/// Clusters as Envoy's priority groups want them: Base64 of a `google.protobuf.Value` with a
/// list of `{name: CLUSTER}` (Envoy 1.40, `priority_group`, `override_metadata_namespace`).
#[must_use]
pub fn header<'c>(clusters: impl IntoIterator<Item = &'c str>) -> String {
    let groups = clusters.into_iter().map(|cluster| {
        // Struct.fields is a map: entries with key = 1 and value = 2.
        let entry = [field(1, b"name"), field(2, &field(VALUE_STRING, cluster.as_bytes()))];
        let value = field(VALUE_STRUCT, &field(1, &entry.concat()));
        field(1, &value)
    });
    let list: Vec<u8> = groups.flatten().collect();
    STANDARD.encode(field(VALUE_LIST, &list))
}

/// Fields of `google.protobuf.Value`.
const VALUE_STRING: u8 = 3;
const VALUE_STRUCT: u8 = 5;
const VALUE_LIST: u8 = 6;

/// A length-delimited field: its tag, its length as a varint, its bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    const LENGTH_DELIMITED: u8 = 2;
    let mut out = vec![number << 3 | LENGTH_DELIMITED];
    let mut left = bytes.len();
    while left > 0x7f {
        out.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
    out.extend_from_slice(bytes);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::tests::pool;

    fn route(name: &str, retries: u32) -> Rc<Route> {
        let config = contract::policy::PoolConfig { retries, ..pool(name) };
        Rc::new(Route { pool: name.into(), config })
    }

    fn names(chain: &Chain) -> String {
        let names: Vec<&str> = chain.attempts().iter().map(|route| route.pool.as_str()).collect();
        names.join(" ")
    }

    #[test]
    fn attempts_follow_one_another() {
        let (a, b, c, d) = (route("a", 0), route("b", 1), route("c", 3), route("d", 3));
        let table: [(&[&Rc<Route>], &str); 6] = [
            (&[&a], "a"),
            (&[&b], "b b"),
            (&[&a, &b, &c], "a b b c c c c"),
            (&[&b, &a, &b], "b b a"),
            (&[&a, &a, &a], "a"),
            (&[&c, &b, &a, &d], "c c c c b b a d"),
        ];
        for (routes, expected) in table {
            let chain = Chain::new(routes[0], routes[1..].iter().copied());
            assert_eq!(names(&chain), expected);
            assert_eq!(chain.retries(), chain.attempts().len() - 1);
        }
    }

    #[test]
    fn any_number_of_retries_is_bounded() {
        let chain = Chain::new(&route("a", u32::MAX), [&route("b", 0)]);
        assert_eq!((chain.attempts().len(), chain.pools().count()), (ATTEMPTS_MAX, 1));
        assert!(!chain.has_fallback());
    }

    #[test]
    fn each_pool_is_told_once() {
        let chain = Chain::new(&route("a", 2), [&route("b", 1), &route("c", 0)]);
        let pools: Vec<&str> = chain.pools().map(|route| route.pool.as_str()).collect();
        assert_eq!(pools, ["a", "b", "c"]);
        assert!(chain.has_fallback());
        assert_eq!(names(&chain.once()), "a");
    }

    #[test]
    fn fallbacks_that_may_not_are_passed_over_and_the_first_stays() {
        let chain = Rc::new(Chain::new(&route("a", 1), [&route("b", 1), &route("c", 0)]));
        assert!(Rc::ptr_eq(&chain, &chain.only(|_| true)));
        assert_eq!(names(&chain.only(|route| route.pool == "c")), "a a c");
        let none = chain.only(|_| false);
        assert_eq!((names(&none).as_str(), none.has_fallback()), ("a a", false));
    }

    /// Taken from the reference implementation of protocol buffers:
    /// `Value(list_value=[{"name": "pool/a"}, {"name": "pool/b"}])`.
    #[test]
    fn the_header_is_what_protocol_buffers_say() {
        let chain = Chain::new(&route("a", 0), [&route("b", 0)]);
        assert_eq!(
            chain.header(),
            "MiwKFCoSChAKBG5hbWUSCBoGcG9vbC9hChQqEgoQCgRuYW1lEggaBnBvb2wvYg=="
        );
    }

    #[test]
    fn long_names_have_long_lengths() {
        let bytes = field(1, &[7; 300]);
        assert_eq!((&bytes[..3], bytes.len()), (&[0x0a, 0xac, 0x02][..], 303));
        assert_eq!(field(6, b""), [0x32, 0]);
    }
}
