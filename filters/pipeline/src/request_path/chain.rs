//! Where a request goes: the pools that may serve it one after another, what each of them
//! gets, and the headers that tell Envoy.

mod bodies;

use super::body::{Answers, Draft};
use crate::Policy;
use crate::command::HeaderEdit;
use crate::exchange::Stop;
use crate::spending::BYTES_PER_TOKEN_MAX;
use billing::bound::{Asked, Bound};
use bodies::between;
use chat::edit::Edit;
use contract::attempt::{Bodies, BodyEdit, PoolBody};
use contract::names::{
    ATTEMPT_TIMEOUT_HEADER, CHAIN_HEADER, POOL_HEADER, RETRIES_HEADER, SHADOW_BODY_BYTES_MAX,
    SHADOW_BODY_HEADER, SHADOW_HEADER, STREAM_HEADER, TIMEOUT_HEADER,
};
use contract::policy::PoolConfig;
use routing::{Chain, Route};
use std::rc::Rc;

/// Longest time that all attempts of one request may take together, in milliseconds, where
/// the pools' own time-outs are shorter than that: an hour.
const ATTEMPTS_MS_MAX: u64 = 3_600_000;

/// The way of a request over the pools.
pub(super) struct Way {
    /// The pools of its attempts.
    pub(super) chain: Rc<Chain>,
    /// Whether it is too large to be sent again.
    pub(super) is_sent_once: bool,
    /// What the pools after the first are given.
    pub(super) others: Vec<Other>,
}

/// What another pool than the first is given.
pub(super) struct Other {
    pub(super) route: Rc<Route>,
    /// What makes the body this pool's, the cap of its answers not yet among it.
    pub(super) edits: Vec<Edit>,
    pub(super) answers: Answers,
    /// Bytes of the body that goes there, without media.
    pub(super) body_bytes: u64,
}

impl Way {
    /// The way of a draft along `chain`; `bytes` is how long its first body is.
    pub(super) fn of(
        policy: &Policy,
        chain: &Rc<Chain>,
        draft: &Draft<'_, '_>,
        salt: Option<&str>,
        bytes: u64,
    ) -> Way {
        let is_sent_once = chain.retries() > 0 && bytes > policy.replay_bytes;
        if is_sent_once {
            return Way { chain: chain.once(), is_sent_once, others: Vec::new() };
        }
        if !chain.has_fallback() {
            return Way { chain: Rc::clone(chain), is_sent_once, others: Vec::new() };
        }
        let chain = chain.only(|route| may_serve(&route.config, draft));
        let others = chain.pools().skip(1).map(|route| other(route, draft, salt)).collect();
        Way { chain, is_sent_once, others }
    }

    /// A way that can cost less: without the pools at which `asked` can cost more than at its
    /// first; without all others where none of them is dearer. `None`: only the first is left.
    pub(super) fn cheaper(self, asked: &Asked) -> Option<Way> {
        let most = Bound::of(&self.chain.first()?.config, asked).nanodollars();
        let before = self.others.len();
        if before == 0 {
            return None;
        }
        let is_no_dearer = |other: &Other| other.bound(asked).nanodollars() <= most;
        let mut others: Vec<_> = self.others.into_iter().filter(is_no_dearer).collect();
        if others.len() == before {
            others.clear();
        }
        let stays = |route: &Route| others.iter().any(|other| other.route.pool == route.pool);
        Some(Way { chain: self.chain.only(stays), others, ..self })
    }

    /// How long all attempts may take together, in milliseconds.
    pub(super) fn attempts_ms(&self) -> u64 {
        let timeouts = self.chain.attempts().iter().map(|route| route.config.timeout_ms);
        let sum = timeouts.fold(0, u64::saturating_add);
        sum.min(ATTEMPTS_MS_MAX).max(self.longest_ms())
    }

    /// How long one attempt may take, in milliseconds: Envoy knows one time for all of them.
    fn longest_ms(&self) -> u64 {
        self.chain.attempts().iter().map(|route| route.config.timeout_ms).max().unwrap_or(0)
    }

    /// How long the first bytes of a stream may take, in milliseconds, where that is less than
    /// the `silence_ms` that ends it anyway, and there is another attempt. The first of its
    /// pools decides whether there is a time, and it is the longest of all, where a pool that
    /// says nothing has as long as for a whole answer: Envoy knows one time for all attempts.
    pub(super) fn first_token_ms(&self, silence_ms: u64) -> Option<u64> {
        let attempts = self.chain.attempts();
        attempts.first()?.config.first_token_timeout_ms?;
        let first_token = |route: &Rc<Route>| {
            route.config.first_token_timeout_ms.unwrap_or(route.config.timeout_ms)
        };
        let longest_ms = attempts.iter().map(first_token).max()?;
        (longest_ms < silence_ms && self.chain.retries() > 0).then_some(longest_ms)
    }

    /// The headers by which Envoy sends it this way; `first_token_ms` is of a stream.
    pub(super) fn headers(&self, stream: bool, first_token_ms: Option<u64>) -> Vec<HeaderEdit> {
        let mut edits = Vec::with_capacity(4);
        let retries = self.chain.retries();
        edits.push(match self.chain.first() {
            Some(first) if self.others.is_empty() => {
                HeaderEdit::set(POOL_HEADER, first.config.cluster.clone())
            }
            _ => HeaderEdit::set(CHAIN_HEADER, self.chain.header().to_owned()),
        });
        edits.push(if stream {
            HeaderEdit::set(STREAM_HEADER, "1")
        } else {
            HeaderEdit::set(TIMEOUT_HEADER, self.attempts_ms().to_string())
        });
        if retries > 0 || self.is_sent_once {
            edits.push(HeaderEdit::set(RETRIES_HEADER, retries.to_string()));
        }
        let whole_ms = || (retries > 0).then(|| self.longest_ms());
        let attempt = if stream { first_token_ms } else { whole_ms() };
        if let Some(attempt_ms) = attempt {
            edits.push(HeaderEdit::set(ATTEMPT_TIMEOUT_HEADER, attempt_ms.to_string()));
        }
        edits
    }
}

/// Whether a pool may be given a request in place of its first: it may have what is in it, and
/// has room for it.
pub(super) fn may_serve(pool: &PoolConfig, draft: &Draft<'_, '_>) -> bool {
    // Even so it would be too long.
    let least = draft.text_bytes / BYTES_PER_TOKEN_MAX;
    let tokens = least.saturating_add(draft.parsed.asked_tokens().unwrap_or(1));
    let has_room = pool.context == 0 || tokens <= pool.context;
    has_room && draft.parsed.suits(pool, &draft.route.config, draft.body)
}

fn other(route: &Rc<Route>, draft: &Draft<'_, '_>, salt: Option<&str>) -> Other {
    let (edits, answers) = draft.parsed.edits(&route.config, salt);
    let body_bytes = draft.body_bytes(&edits);
    Other { route: Rc::clone(route), edits, answers, body_bytes }
}

impl Other {
    /// The most that the request can cost there.
    pub(super) fn bound(&self, asked: &Asked) -> Bound {
        Bound::of(&self.route.config, &Asked { body_bytes: self.body_bytes, ..*asked })
    }
}

/// The pools that may answer in place of the first.
pub(super) fn stops(others: Vec<Other>, bounds: impl Iterator<Item = Bound>) -> Vec<Stop> {
    let both = others.into_iter().zip(bounds);
    both.map(|(Other { route, answers, .. }, bound)| Stop { pool: route, answers, bound }).collect()
}

/// A body that leaves, told by its edits and its length.
pub(super) struct Sent<'e> {
    /// Edits of the body that came, in the order of their places.
    pub(super) edits: Vec<&'e Edit>,
    /// Its bytes.
    pub(super) length: usize,
}

/// The value of the property `bodies`: what each pool gets, as changes of what leaves. `Ok`
/// with `None`: all get the same.
///
/// # Errors
/// A body that cannot be told.
pub(super) fn bodies(
    came: Came<'_>,
    first: (&PoolConfig, &Sent<'_>),
    others: &[(&PoolConfig, Vec<&Edit>)],
) -> Result<Option<Vec<u8>>, Untold> {
    let (pool, sent) = first;
    let all = std::iter::once(pool).chain(others.iter().map(|(pool, _)| *pool));
    let path = came.told_path(all);
    let mut pools = vec![pool_body(pool, sent.length, Vec::new(), path).ok_or(Untold)?];
    for (pool, edits) in others {
        let changes = between(came.body, &sent.edits, edits).ok_or(Untold)?;
        pools.push(pool_body(pool, sent.length, changes, path).ok_or(Untold)?);
    }
    if path.is_none() && pools.iter().all(|pool| pool.edits.is_empty()) {
        return Ok(None);
    }
    serde_json::to_vec(&Bodies { pools }).map(Some).map_err(|_| Untold)
}

/// A body cannot be told as changes of another one: it goes nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Untold;

/// What came of a request, and where it asked.
#[derive(Clone, Copy)]
pub(super) struct Came<'a> {
    pub(super) body: &'a [u8],
    /// The path with its query.
    pub(super) path: &'a str,
}

impl<'a> Came<'a> {
    /// The path, where one of these pools is asked at another than the gateway: then it has to be
    /// told of each.
    fn told_path<'p>(&self, mut pools: impl Iterator<Item = &'p PoolConfig>) -> Option<&'a str> {
        pools.any(|pool| !pool.base_path.is_empty()).then_some(self.path)
    }
}

/// Where a pool is asked what is asked of the gateway at `path`.
pub(super) fn path_at(pool: &PoolConfig, path: &str) -> String {
    format!("{}{path}", pool.base_path)
}

fn pool_body(
    pool: &PoolConfig,
    sent: usize,
    edits: Vec<BodyEdit>,
    path: Option<&str>,
) -> Option<PoolBody> {
    let put_in: u64 = edits.iter().map(|edit| edit.text.len() as u64).sum();
    let taken_out: u64 = edits.iter().map(|edit| edit.end - edit.start).sum();
    let length = (sent as u64).checked_add(put_in)?.checked_sub(taken_out)?;
    let path = path.map(|path| path_at(pool, path));
    Some(PoolBody { cluster: pool.cluster.clone(), length, path, edits })
}

/// The headers by which a copy goes to another pool as well; none where its body cannot be
/// told in a header. `others` are the pools of the request's own way: the copy has the path
/// that it has there.
pub(super) fn shadow_headers<'p>(
    came: Came<'_>,
    sent: &Sent<'_>,
    others: impl Iterator<Item = &'p PoolConfig>,
    (pool, edits): (&'p PoolConfig, &[&Edit]),
) -> Vec<HeaderEdit> {
    let path = came.told_path(others.chain([pool]));
    let changes = between(came.body, &sent.edits, edits);
    let told = changes.and_then(|changes| pool_body(pool, sent.length, changes, path));
    let Some(body) = told else { return Vec::new() };
    let mut headers = vec![HeaderEdit::set(SHADOW_HEADER, pool.cluster.clone())];
    if body.edits.is_empty() && path.is_none() {
        return headers;
    }
    let told = serde_json::to_string(&body).map(|told| ascii(&told)).unwrap_or_default();
    if told.is_empty() || told.len() > SHADOW_BODY_BYTES_MAX {
        return Vec::new();
    }
    headers.push(HeaderEdit::set(SHADOW_BODY_HEADER, told));
    headers
}

/// JSON with nothing but ASCII in it (RFC 8259 §7): outside of strings there is nothing else.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut units = [0; 2];
    for letter in json.chars() {
        if letter.is_ascii() {
            out.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut units) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    out
}
