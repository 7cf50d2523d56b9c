//! The tables of `models`.

use super::{Change, Field, Kind, Presence, Section, Table, form};
use crate::pool::CONTEXT_MAX;
use crate::route::{FALLBACKS_MAX, RULES_MAX, WEIGHT_MAX};
use Change::Live;
use Presence::{Default, Otherwise, Required};

const POOL: Kind = Kind::Text(&form::POOL);

const SHARES: Kind = Kind::List(&Kind::Map(Section::Split), 1, None);

pub(super) const MODEL: Table = Table {
    section: Section::Model,
    name: "models.NAME",
    one_of: &["split", "alias"],
    fields: &[
        Field::new(
            "split",
            SHARES,
            Otherwise("-"),
            Live,
            "[{ pool: llama }]",
            "the pools that serve the name, with their shares. Exactly one of `split` and `alias`",
        ),
        Field::new(
            "alias",
            Kind::Text(&form::MODEL),
            Otherwise("-"),
            Live,
            "llama",
            "the model that this is another name of; stands alone",
        ),
        Field::new(
            "sticky",
            Kind::Either(&[
                Kind::Choice(&["none", "user", "key"]),
                Kind::Text(&form::HEADER_REFERENCE),
            ]),
            Default("none"),
            Live,
            "user",
            "whose requests stay with the pool that they were given once: those of one user (of \
             one key, where no user is known), of one key, or with one value of a header",
        ),
        Field::new(
            "experiment",
            Kind::Text(&form::PLAIN_NAME),
            Otherwise("the model's name"),
            Live,
            "tone-of-voice",
            "the word that is hashed beside the caller: splits with the same word divide callers \
             alike, others independently",
        )
        .beside(&[("sticky", "user")]),
        Field::new(
            "fallback",
            Kind::List(&POOL, 0, Some(FALLBACKS_MAX)),
            Default("[]"),
            Live,
            "[qwen]",
            "pools that are tried in this order where the chosen one fails before the first byte \
             of its answer",
        ),
        Field::new(
            "rules",
            Kind::List(&Kind::Map(Section::Rule), 0, Some(RULES_MAX)),
            Default("[]"),
            Live,
            "[{ when: { stream: true }, to: qwen }]",
            "requests that other pools serve; the first that fits decides",
        ),
        Field::new(
            "shadow",
            Kind::Map(Section::Shadow),
            Otherwise("none"),
            Live,
            "{ pool: qwen, share: 10% }",
            "where a share of the requests is sent as well",
        ),
        Field::new(
            "masking",
            Kind::Text(&form::MASKING),
            Otherwise("the tenant's"),
            Live,
            "default",
            "the masking policy of its requests, where the credential names none",
        ),
        Field::new(
            "limits",
            Kind::Text(&form::LIMITS),
            Otherwise("none"),
            Live,
            "standard",
            "the limits of all its requests together, whoever sends them",
        ),
    ],
};

pub(super) const SPLIT: Table = Table {
    section: Section::Split,
    name: "models.NAME.split",
    one_of: &[],
    fields: &[
        Field::new("pool", POOL, Required, Live, "llama", "the pool; each at most once"),
        Field::new(
            "weight",
            Kind::Whole(0, WEIGHT_MAX as u64),
            Default("1"),
            Live,
            "95",
            "its part of the sum of all weights; 0: no requests, until `tollgate rollout` gives \
             it some",
        ),
    ],
};

pub(super) const RULE: Table = Table {
    section: Section::Rule,
    name: "models.NAME.rules",
    one_of: &["to", "split"],
    fields: &[
        Field::new(
            "when",
            Kind::Map(Section::When),
            Required,
            Live,
            "{ stream: true }",
            "what has to be true of a request, all of it; at least one condition",
        ),
        Field::new("to", POOL, Otherwise("-"), Live, "qwen", "the pool that serves them"),
        Field::new(
            "split",
            SHARES,
            Otherwise("-"),
            Live,
            "[{ pool: llama }, { pool: qwen }]",
            "the pools that do, with their shares",
        ),
    ],
};

pub(super) const WHEN: Table = Table {
    section: Section::When,
    name: "models.NAME.rules.when",
    one_of: &[],
    fields: &[
        Field::new(
            "header",
            Kind::Named(&form::HEADER, &Kind::Text(&form::PATTERN)),
            Otherwise("-"),
            Live,
            "{ x-tier: batch }",
            "patterns over the values of headers; each has to be there and to fit",
        ),
        Field::new(
            "tenant",
            Kind::Either(&[
                Kind::Text(&form::TENANT),
                Kind::List(&Kind::Text(&form::TENANT), 1, None),
            ]),
            Otherwise("-"),
            Live,
            "acme",
            "one of these tenants asks",
        ),
        Field::new(
            "role",
            Kind::Either(&[Kind::Text(&form::ROLE), Kind::List(&Kind::Text(&form::ROLE), 1, None)]),
            Otherwise("-"),
            Live,
            "[user]",
            "the caller has one of these roles",
        ),
        Field::new(
            "path",
            Kind::Either(&[
                Kind::Text(&form::PATHS),
                Kind::List(&Kind::Text(&form::PATHS), 1, None),
            ]),
            Otherwise("-"),
            Live,
            "/v1/embeddings",
            "one of these patterns fits the path",
        ),
        Field::new(
            "stream",
            Kind::Truth,
            Otherwise("-"),
            Live,
            "false",
            "whether a stream is asked for",
        ),
        Field::new(
            "prompt_tokens_over",
            Kind::Whole(0, CONTEXT_MAX),
            Otherwise("-"),
            Live,
            "30000",
            "the prompt has more tokens than this, as the gateway estimates",
        ),
        Field::new(
            "prompt_tokens_up_to",
            Kind::Whole(0, CONTEXT_MAX),
            Otherwise("-"),
            Live,
            "2000",
            "the prompt has no more than this",
        ),
        Field::new(
            "language",
            Kind::Choice(&["korean", "other"]),
            Otherwise("-"),
            Live,
            "korean",
            "what the prompt is written in: `korean` where at least a fifth of its letters are \
             Hangul",
        ),
        Field::new(
            "media",
            Kind::Either(&[
                Kind::Choice(&["any", "image", "audio", "video", "document"]),
                Kind::List(&Kind::Choice(&["image", "audio", "video", "document"]), 1, None),
            ]),
            Otherwise("-"),
            Live,
            "any",
            "the request holds a medium of one of these kinds",
        ),
    ],
};

pub(super) const SHADOW: Table = Table {
    section: Section::Shadow,
    name: "models.NAME.shadow",
    one_of: &[],
    fields: &[
        Field::new(
            "pool",
            POOL,
            Required,
            Live,
            "qwen",
            "the pool that gets copies; its answers are dropped and nobody pays for them",
        ),
        Field::new(
            "share",
            Kind::Share,
            Required,
            Live,
            "10%",
            "how many of the requests are copied",
        ),
    ],
};
