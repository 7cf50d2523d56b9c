//! The tables of `roles` and `tenants`.

use super::{Change, Field, Kind, Presence, Section, Table, form};
use Change::Live;
use Presence::{Default, Otherwise, Required};

const PATHS: Field = Field::new(
    "paths",
    Kind::List(&Kind::Text(&form::PATHS), 0, None),
    Default("['*']"),
    Live,
    "[/v1/chat/completions, /v1/embeddings]",
    "which paths may be asked for; others are 403",
);

const DENIED: Field = Field::new(
    "deny",
    Kind::Map(Section::Deny),
    Default("{}"),
    Live,
    "{ models: ['*-internal'] }",
    "what is refused whatever else allows it",
);

pub(super) const ROLE: Table = Table {
    section: Section::Role,
    name: "roles.NAME",
    one_of: &[],
    fields: &[
        Field::new(
            "models",
            Kind::List(&Kind::Text(&form::PATTERN), 0, None),
            Required,
            Live,
            "['qwen-*']",
            "what a caller with the role may use; an empty list allows nothing",
        ),
        PATHS,
        DENIED,
    ],
};

pub(super) const DENY: Table = Table {
    section: Section::Deny,
    name: "deny",
    one_of: &[],
    fields: &[
        Field::new(
            "models",
            Kind::List(&Kind::Text(&form::PATTERN), 0, None),
            Default("[]"),
            Live,
            "['*-internal']",
            "models that do not exist for the caller",
        ),
        Field::new(
            "paths",
            Kind::List(&Kind::Text(&form::PATHS), 0, None),
            Default("[]"),
            Live,
            "[/v1/embeddings]",
            "paths that are 403",
        ),
    ],
};

pub(super) const TENANT: Table = Table {
    section: Section::Tenant,
    name: "tenants.NAME",
    one_of: &[],
    fields: &[
        Field::new(
            "models",
            Kind::List(&Kind::Text(&form::PATTERN), 0, None),
            Default("['*']"),
            Live,
            "['qwen-*', e5]",
            "what the tenant may use; no key, user or token of it may do more",
        ),
        PATHS,
        DENIED,
        Field::new(
            "masking",
            Kind::Text(&form::MASKING),
            Otherwise("none"),
            Live,
            "default",
            "the masking policy of its requests, where neither the credential nor the model names \
             one",
        ),
        Field::new(
            "organisation",
            Kind::Text(&form::ORGANISATION),
            Otherwise("none"),
            Live,
            "northwind",
            "the organisation it is of",
        ),
        Field::new(
            "limits",
            Kind::Text(&form::LIMITS),
            Otherwise("none"),
            Live,
            "standard",
            "the limits of all its requests together",
        ),
        Field::new(
            "budget",
            Kind::Map(Section::Budget),
            Otherwise("none"),
            Live,
            "{ dollars: 250.00, per: month }",
            "what all its requests together may spend",
        ),
        Field::new(
            "aliases",
            Kind::Named(&form::MODEL_NAME, &Kind::Text(&form::MODEL)),
            Default("{}"),
            Live,
            "{ gpt-4o: llama }",
            "what its callers call models; such a name hides a model that has it",
        ),
        Field::new(
            "users",
            Kind::Map(Section::Users),
            Default("{}"),
            Live,
            "{ roles: { kim: [user] } }",
            "bounds of single users",
        ),
        Field::new(
            "mtls",
            Kind::List(&Kind::Text(&form::PATTERN), 0, None),
            Default("[]"),
            Live,
            "['spiffe://acme/*']",
            "client certificates of the tenant, by their names (SAN of the kinds URI and DNS); \
             needs `gateway.tls.client_ca`",
        ),
        Field::new(
            "hmac",
            Kind::List(&Kind::Map(Section::Credential), 0, None),
            Default("[]"),
            Live,
            "[{ id: partner-1, secret: '${PARTNER_SECRET}' }]",
            "who may sign requests",
        ),
        Field::new(
            "keys",
            Kind::List(&Kind::Map(Section::Key), 0, None),
            Default("[]"),
            Live,
            "[{ name: ci, sha256: 5a64fe93fe7a86ed94eb10a1ed9dfb3a18ecb7f3c2a3e0f87b7a43e8a4b3b1f0 }]",
            "keys that stand in the configuration",
        ),
    ],
};

pub(super) const USERS: Table = Table {
    section: Section::Users,
    name: "tenants.NAME.users",
    one_of: &[],
    fields: &[
        Field::new(
            "roles",
            Kind::Named(&form::VISIBLE, &Kind::List(&Kind::Text(&form::ROLE), 1, None)),
            Default("{}"),
            Live,
            "{ 'auth0|kim': [user] }",
            "roles by user: who is named here may do no more than one of them allows, whatever \
             the key or token allows",
        ),
        Field::new(
            "limits",
            Kind::Text(&form::LIMITS),
            Otherwise("none"),
            Live,
            "standard",
            "the limits of each user by himself",
        ),
        Field::new(
            "budget",
            Kind::Map(Section::Budget),
            Otherwise("none"),
            Live,
            "{ dollars: 5.00, per: day }",
            "what each user may spend",
        ),
        Field::new(
            "from",
            Kind::Choice(&["credential", "body"]),
            Default("credential"),
            Live,
            "body",
            "who says who the user is: the key or token alone, or the field `user` of the body \
             where the credential names none",
        ),
    ],
};

pub(super) const KEY: Table = Table {
    section: Section::Key,
    name: "tenants.NAME.keys",
    one_of: &[],
    fields: &[
        Field::new(
            "name",
            Kind::Text(&form::PLAIN_NAME),
            Required,
            Live,
            "ci",
            "one of its kind in the tenant; the key's id in records is `yaml:TENANT/NAME`",
        ),
        Field::new(
            "sha256",
            Kind::Text(&form::SHA256),
            Required,
            Live,
            "5a64fe93fe7a86ed94eb10a1ed9dfb3a18ecb7f3c2a3e0f87b7a43e8a4b3b1f0",
            "SHA-256 of the key; never the key",
        ),
        Field::new(
            "roles",
            Kind::List(&Kind::Text(&form::ROLE), 1, None),
            Otherwise("all that the tenant has"),
            Live,
            "[user]",
            "what it may use: what one of them allows and none denies",
        ),
        Field::new(
            "models",
            Kind::List(&Kind::Text(&form::PATTERN), 1, None),
            Otherwise("all that the roles allow"),
            Live,
            "['qwen-*']",
            "a further bound for this key alone",
        ),
        Field::new(
            "user",
            Kind::Text(&form::PLAIN_NAME),
            Otherwise("none"),
            Live,
            "kim",
            "the user it is for, shown in records",
        ),
        Field::new(
            "expires",
            Kind::Text(&form::TIME),
            Otherwise("never"),
            Live,
            "2030-01-31",
            "time from which it is refused",
        ),
        Field::new(
            "masking",
            Kind::Text(&form::MASKING),
            Otherwise("the model's, else the tenant's"),
            Live,
            "default",
            "the masking policy of its requests",
        ),
        Field::new(
            "limits",
            Kind::Text(&form::LIMITS),
            Otherwise("none"),
            Live,
            "standard",
            "the limits of the key itself",
        ),
        Field::new(
            "budget",
            Kind::Map(Section::Budget),
            Otherwise("none"),
            Live,
            "{ dollars: 20.00, per: total }",
            "what the key may spend",
        ),
    ],
};

pub(super) const CREDENTIAL: Table = Table {
    section: Section::Credential,
    name: "tenants.NAME.hmac",
    one_of: &[],
    fields: &[
        Field::new(
            "id",
            Kind::Text(&form::PLAIN_NAME),
            Required,
            Live,
            "partner-1",
            "one of its kind among all tenants; stands in the header and in records. Does not \
             begin with `key_`, `yaml:`, `jwt:` or `mtls:`",
        ),
        Field::new(
            "secret",
            Kind::Text(&form::SECRET),
            Required,
            Live,
            "'${PARTNER_SECRET}'",
            "the key of the HMAC; no two credentials have the same",
        ),
        Field::new(
            "roles",
            Kind::List(&Kind::Text(&form::ROLE), 1, None),
            Otherwise("all that the tenant has"),
            Live,
            "[user]",
            "what it may use",
        ),
        Field::new(
            "user",
            Kind::Text(&form::PLAIN_NAME),
            Otherwise("none"),
            Live,
            "kim",
            "the user it is for, shown in records",
        ),
        Field::new(
            "masking",
            Kind::Text(&form::MASKING),
            Otherwise("the model's, else the tenant's"),
            Live,
            "default",
            "the masking policy of its requests",
        ),
    ],
};
