//! The tables of `auth`.

use super::{Change, Field, Kind, Presence, Section, Table, form};
use crate::auth::{FAILURES_MAX, SKEW_BOUNDS, STALE_BOUNDS};
use crate::issuer::REFRESH_BOUNDS;
use Change::Live;
use Presence::{Default, Otherwise, Required};

pub(super) const AUTH: Table = Table {
    section: Section::Auth,
    name: "auth",
    one_of: &[],
    fields: &[
        Field::new(
            "stale_for",
            Kind::Duration(*STALE_BOUNDS.start(), *STALE_BOUNDS.end()),
            Default("24h"),
            Live,
            "1h",
            "how long keys that a gateway knows are good without a word of the control plane; \
             after it they are refused with 503",
        ),
        Field::new(
            "failures_per_minute",
            Kind::Count(FAILURES_MAX as u64),
            Default("300"),
            Live,
            "60",
            "failed authentications of one address (of IPv6: of one /64); beyond it 429 and no \
             look-up. Credentials that are known to be good pass always",
        ),
        Field::new(
            "hmac",
            Kind::Map(Section::Hmac),
            Default("{}"),
            Live,
            "{ max_skew: 60s }",
            "how signed requests are judged; `tenants.NAME.hmac` says who may sign",
        ),
        Field::new(
            "jwt",
            Kind::List(&Kind::Map(Section::Issuer), 0, None),
            Default("[]"),
            Live,
            "[{ issuer: https://login.example.com, jwks: file:jwks.json, tenants: [acme] }]",
            "who may issue tokens",
        ),
    ],
};

pub(super) const HMAC: Table = Table {
    section: Section::Hmac,
    name: "auth.hmac",
    one_of: &[],
    fields: &[
        Field::new(
            "max_skew",
            Kind::Duration(*SKEW_BOUNDS.start(), *SKEW_BOUNDS.end()),
            Default("300s"),
            Live,
            "60s",
            "how far a timestamp may be off the gateway's clock, in whole seconds",
        ),
        Field::new(
            "nonces",
            Kind::Choice(&["gateway", "shared"]),
            Default("gateway"),
            Live,
            "shared",
            "who remembers which requests were seen: each gateway for itself, or the control \
             plane for all, which is asked at every signed request",
        ),
    ],
};

pub(super) const ISSUER: Table = Table {
    section: Section::Issuer,
    name: "auth.jwt",
    one_of: &[],
    fields: &[
        Field::new(
            "issuer",
            Kind::Text(&form::VISIBLE),
            Required,
            Live,
            "https://login.example.com",
            "exactly what its tokens have in the claim `iss`; one of its kind",
        ),
        Field::new(
            "audiences",
            Kind::List(&Kind::Text(&form::VISIBLE), 1, None),
            Otherwise("tokens for anybody are taken"),
            Live,
            "[tollgate]",
            "of which a token must name one in the claim `aud`",
        ),
        Field::new(
            "jwks",
            Kind::Either(&[Kind::Text(&form::KEYS_FILE), Kind::Text(&form::KEYS_URL)]),
            Required,
            Live,
            "https://login.example.com/.well-known/jwks.json",
            "its public keys (RFC 7517): a watched file, or a URL that Envoy asks",
        ),
        Field::new(
            "refresh",
            Kind::Duration(*REFRESH_BOUNDS.start(), *REFRESH_BOUNDS.end()),
            Default("60s"),
            Live,
            "5m",
            "how old keys from a URL may be; only where `jwks` is one",
        ),
        Field::new(
            "claims",
            Kind::Map(Section::Claims),
            Default("{}"),
            Live,
            "{ user: email }",
            "which claims say who is calling",
        ),
        Field::new(
            "tenants",
            Kind::List(&Kind::Text(&form::TENANT), 1, None),
            Required,
            Live,
            "[acme]",
            "the tenants that its tokens may be of",
        ),
        Field::new(
            "roles",
            Kind::List(&Kind::Text(&form::ROLE), 1, None),
            Otherwise("all that the tenant has"),
            Live,
            "[user]",
            "the roles that its tokens may have: with `claims.roles` those of them that the claim \
             names, else all of them",
        ),
    ],
};

pub(super) const CLAIMS: Table = Table {
    section: Section::Claims,
    name: "auth.jwt.claims",
    one_of: &[],
    fields: &[
        Field::new(
            "tenant",
            Kind::Text(&form::VISIBLE),
            Otherwise("the only one of `tenants`"),
            Live,
            "org_id",
            "the tenant; required with more than one of `tenants`",
        ),
        Field::new("user", Kind::Text(&form::VISIBLE), Default("sub"), Live, "email", "the user"),
        Field::new(
            "roles",
            Kind::Text(&form::VISIBLE),
            Otherwise("a token has all of `roles`"),
            Live,
            "realm_access.roles",
            "the roles; only beside `roles`",
        ),
    ],
};
