//! Which fields of a request a caller may set: the documented ones of its API, and
//! what the pool allows beyond them.
//!
//! An engine's own fields choose slots, caches, adapters, templates and peers of the
//! engine; new ones come with each release. So nothing is denied by its name: what is
//! not known to be harmless needs the operator's word.

mod documented;

use contract::policy::Engine;

use crate::path::Api;
use crate::request::Request;

/// Longest name that an error repeats, in bytes.
const TOLD_BYTES_MAX: usize = 64;

/// What is told in place of a name that is no plain word.
pub const UNTOLD: &str = "?";

/// Documented fields that choose a price or a place, where a provider runs the engine:
/// the bill is the operator's. Other engines ignore them.
const PROVIDERS_OWN: [&str; 3] = ["inference_geo", "service_tier", "speed"];

/// The first field of a request that its caller may not set, as it may be told: its
/// name, or `?` where that is no plain word. `None`: it may set all of them.
///
/// `allow_fields` are the pool's. `own_cache_salt` is whether the pool puts a
/// `cache_salt` in itself: a caller's is then refused whatever else is allowed, as it
/// would choose whose cache is read.
#[must_use]
pub fn refused<'r>(
    api: &Api<'_>,
    engine: Engine,
    allow_fields: &[String],
    own_cache_salt: bool,
    request: &'r Request<'_>,
) -> Option<&'r str> {
    let rules = Rules { documented: documented::of(api), engine, allow_fields, own_cache_salt };
    let fields = request.fields.iter().map(AsRef::as_ref).find(|name| !rules.allow(name));
    let steering = || request.steering.iter().copied().find(|name| !rules.allow_steering(name));
    fields.or_else(steering).map(told)
}

/// The name itself, if it is a documented field of one of the APIs.
pub(crate) fn documented(name: &str) -> Option<&'static str> {
    documented::find(name)
}

struct Rules<'c> {
    documented: &'static [&'static str],
    engine: Engine,
    allow_fields: &'c [String],
    own_cache_salt: bool,
}

impl Rules<'_> {
    /// Whether a member of the body itself may be there. What its value makes of it
    /// is [`Rules::allow_steering`]'s.
    fn allow(&self, name: &str) -> bool {
        if name == "cache_salt" && self.own_cache_salt {
            return false;
        }
        let is_priced = name != "service_tier" && self.is_providers_own(name);
        let is_documented = self.documented.binary_search(&name).is_ok();
        (is_documented && !is_priced) || self.is_allowed(name)
    }

    fn allow_steering(&self, name: &str) -> bool {
        let is_ignored = PROVIDERS_OWN.contains(&name) && !self.is_providers_own(name);
        is_ignored || self.is_allowed(name)
    }

    fn is_providers_own(&self, name: &str) -> bool {
        self.engine == Engine::Openai && PROVIDERS_OWN.contains(&name)
    }

    fn is_allowed(&self, name: &str) -> bool {
        self.allow_fields.iter().any(|allowed| allowed == name)
    }
}

/// What of a name is told to its caller, and so may stand in logs beyond it: a name
/// can be as long as a body and say anything; [`UNTOLD`] then.
#[must_use]
pub fn told(name: &str) -> &str {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let fits = (1..=TOLD_BYTES_MAX).contains(&name.len());
    if fits && name.bytes().all(is_word) { name } else { UNTOLD }
}

#[cfg(test)]
mod tests;
