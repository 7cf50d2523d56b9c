//! `auth`: how callers are told apart beyond the keys of tenants.

use crate::document::Cursor;
use crate::issuer::{Issuer, IssuersSeen};
use crate::schema::Section;
use crate::units;
use crate::validate::Declared;
use contract::limits::{
    FAILURES_PER_MINUTE_DEFAULT, MAX_SKEW_S_DEFAULT, MAX_SKEW_S_MAX, STALE_FOR_MS_DEFAULT,
};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

/// How long what is known of keys may count without a word of the control plane.
pub(crate) const STALE_BOUNDS: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(30 * 86_400);

/// Most `failures_per_minute`; more than any one address can fail.
pub(crate) const FAILURES_MAX: u32 = 1_000_000;

/// How far the timestamp of a signed request may be off.
pub(crate) const SKEW_BOUNDS: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(MAX_SKEW_S_MAX);

/// The section `auth`, defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// How long what a gateway knows of keys counts without a word of the control plane.
    pub stale_for: Duration,
    /// Failed authentications of one address in a minute, beyond which it is refused
    /// without a look-up; at least 1.
    pub failures_per_minute: u32,
    /// Signed requests.
    pub hmac: Hmac,
    /// Who may issue tokens; no two with one name.
    pub jwt: Vec<Issuer>,
}

/// How signed requests are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hmac {
    /// How far a timestamp may be from the gateway's clock, in whole seconds.
    pub max_skew: Duration,
    /// Who remembers what was seen.
    pub nonces: Nonces,
}

/// Who remembers the nonces of signed requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Nonces {
    /// Each gateway its own: a request could be replayed to another gateway.
    #[default]
    Gateway,
    /// The control plane, for all gateways, which is asked at every signed request.
    Shared,
}

pub(crate) const NONCES: &[(&str, Nonces)] =
    &[("gateway", Nonces::Gateway), ("shared", Nonces::Shared)];

impl Auth {
    pub(crate) fn read(cursor: Option<&Cursor<'_>>, base: &Path, declared: &Declared) -> Auth {
        let mut auth = Auth::default();
        let Some(cursor) = cursor else { return auth };
        let fields = cursor.fields(Section::Auth);
        auth.stale_for =
            fields.value("stale_for", auth.stale_for, |text| units::duration(text, STALE_BOUNDS));
        auth.failures_per_minute =
            fields.value("failures_per_minute", auth.failures_per_minute, |text| {
                units::count_u32(text, FAILURES_MAX).map(NonZeroU32::get)
            });
        auth.hmac = fields.get("hmac").as_ref().map(Hmac::read).unwrap_or_default();
        let issuers = fields.get("jwt").and_then(|jwt| jwt.items()).unwrap_or_default();
        fields.close();
        let mut seen = IssuersSeen::default();
        let mut issuer = |item| Issuer::read(item, base, declared, &mut seen);
        auth.jwt = issuers.iter().filter_map(&mut issuer).collect();
        auth
    }
}

impl Default for Auth {
    fn default() -> Self {
        Auth {
            stale_for: Duration::from_millis(STALE_FOR_MS_DEFAULT),
            failures_per_minute: FAILURES_PER_MINUTE_DEFAULT,
            hmac: Hmac::default(),
            jwt: Vec::new(),
        }
    }
}

impl Hmac {
    fn read(cursor: &Cursor<'_>) -> Hmac {
        let default = Hmac::default();
        let fields = cursor.fields(Section::Hmac);
        let max_skew = fields.value("max_skew", default.max_skew, max_skew);
        let nonces = fields.get("nonces").and_then(|field| field.choose(NONCES));
        fields.close();
        Hmac { max_skew, nonces: nonces.unwrap_or_default() }
    }
}

impl Default for Hmac {
    fn default() -> Self {
        let max_skew = Duration::from_secs(MAX_SKEW_S_DEFAULT);
        Hmac { max_skew, nonces: Nonces::default() }
    }
}

/// Timestamps count seconds, and so does what they may be off.
fn max_skew(text: &str) -> Result<Duration, String> {
    let skew = units::duration(text, SKEW_BOUNDS)?;
    if skew.subsec_nanos() > 0 {
        return Err("is no whole number of seconds, which timestamps count in".to_owned());
    }
    Ok(skew)
}
