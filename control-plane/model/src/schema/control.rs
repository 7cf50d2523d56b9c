//! The tables of `control`.

use super::{Change, Field, Kind, Presence, Section, Table, form};
use crate::canary::SOAK_BOUNDS;
use crate::control::{FLUSH_BOUNDS, INTERVAL_BOUNDS};
use Change::{Envoy, Said, Start};
use Presence::{Default, Otherwise, Required};

const FLUSH: &[Kind] =
    &[Kind::Text(&form::LINE), Kind::Duration(*FLUSH_BOUNDS.start(), *FLUSH_BOUNDS.end())];

pub(super) const CONTROL: Table = Table {
    section: Section::Control,
    name: "control",
    one_of: &[],
    fields: &[
        Field::new(
            "admin",
            Kind::Text(&form::ADDRESS),
            Default("127.0.0.1:8081"),
            Start,
            "10.0.0.5:8081",
            "address of the admin API; not loopback: read [security.md](security.md#the-admin-api) first",
        ),
        Field::new(
            "admin_token",
            Kind::Text(&form::TOKEN),
            Otherwise("a random one in the data folder"),
            Start,
            "${TOLLGATE_ADMIN_TOKEN}",
            "its token",
        ),
        Field::new(
            "xds",
            Kind::Either(&[
                Kind::Text(&form::ADDRESS),
                Kind::Text(&form::SOCKET),
                Kind::Map(Section::XdsPort),
            ]),
            Otherwise("`unix:DATA/xds.sock` for `up`, `127.0.0.1:18000` for `serve`"),
            Envoy,
            "unix:xds.sock",
            "where Envoys ask; the short form is what is listened on",
        ),
        Field::new(
            "canary",
            Kind::Map(Section::Canary),
            Otherwise("a change goes to every Envoy at once"),
            Start,
            "{ nodes: [canary-*] }",
            "the Envoys that a change goes to first; one of them that refuses it ends it",
        ),
        Field::new(
            "envoy_admin",
            Kind::Text(&form::ADDRESS),
            Default("127.0.0.1:9901"),
            Envoy,
            "127.0.0.1:0",
            "address of Envoy's own admin interface; loopback only",
        ),
        Field::new(
            "data",
            Kind::Text(&form::PATH),
            Default("./tollgate-data"),
            Start,
            "/var/lib/tollgate",
            "data folder: ledger, keys, spool",
        ),
        Field::new(
            "database",
            Kind::Text(&form::DATABASE),
            Otherwise("an SQLite file in the data folder"),
            Start,
            "'postgres://tollgate:${DATABASE_PASSWORD}@db.example:5432/tollgate'",
            "the PostgreSQL database (15 or newer) with the ledger and the keys; several control \
             planes may share one",
        ),
        Field::new(
            "wasm",
            Kind::Text(&form::PATH),
            Default("target/wasm/gateway.wasm"),
            Said("start; Envoy is replaced when the content differs"),
            "/opt/tollgate/gateway.wasm",
            "the module; its content is copied into the data folder at the start. Where the default \
             is not, the one built with the program is taken",
        ),
        Field::new(
            "usage_flush",
            Kind::Either(FLUSH),
            Default("line"),
            Envoy,
            "200ms",
            "when the end of an answer leaves Envoy's memory: `line`, before the client has the \
             answer, or a duration that it may wait",
        ),
        Field::new(
            "usage_interval",
            Kind::Duration(*INTERVAL_BOUNDS.start(), *INTERVAL_BOUNDS.end()),
            Default("1s"),
            Said(
                "live, but it makes a new listener: connections of the old one are drained, and a \
                 stream that outlasts Envoy's drain time (10 minutes) is cut",
            ),
            "5s",
            "how often a running stream writes its count",
        ),
    ],
};

pub(super) const XDS: Table = Table {
    section: Section::XdsPort,
    name: "control.xds",
    one_of: &[],
    fields: &[
        Field::new(
            "listen",
            Kind::Either(&[Kind::Text(&form::ADDRESS), Kind::Text(&form::SOCKET)]),
            Default("127.0.0.1:18000"),
            Envoy,
            "127.0.0.1:18001",
            "what is listened on; beyond loopback and Unix sockets `tls` is required, and \
             `tls.client_ca` or `token`",
        ),
        Field::new(
            "connect",
            Kind::Text(&form::DIAL),
            Otherwise("`listen`"),
            Envoy,
            "control.example:18000",
            "what Envoys dial, for `tollgate bootstrap`",
        ),
        Field::new(
            "tls",
            Kind::Map(Section::XdsTls),
            Otherwise("plain text"),
            Envoy,
            "{ cert: xds.pem, key: xds-key.pem }",
            "what Envoys are shown",
        ),
        Field::new(
            "token",
            Kind::Text(&form::TOKEN),
            Otherwise("none is asked for"),
            Envoy,
            "${XDS_TOKEN}",
            "what Envoys show as bearer",
        ),
        Field::new(
            "envoy",
            Kind::Map(Section::XdsEnvoy),
            Otherwise("-"),
            Envoy,
            "{ ca: /etc/envoy/ca.pem }",
            "files on Envoy's machine, written into its bootstrap; only beside `tls`",
        )
        .beside(&[("tls", "{ cert: xds.pem, key: xds-key.pem }")]),
    ],
};

pub(super) const XDS_TLS: Table = Table {
    section: Section::XdsTls,
    name: "control.xds.tls",
    one_of: &[],
    fields: &[
        Field::new(
            "cert",
            Kind::Text(&form::PATH),
            Required,
            Envoy,
            "xds.pem",
            "the control plane's certificate chain, a PEM file",
        ),
        Field::new("key", Kind::Text(&form::PATH), Required, Envoy, "xds-key.pem", "its key"),
        Field::new(
            "client_ca",
            Kind::Text(&form::PATH),
            Otherwise("Envoys show no certificate"),
            Envoy,
            "envoys-ca.pem",
            "who must have signed the certificates of Envoys",
        ),
    ],
};

pub(super) const XDS_ENVOY: Table = Table {
    section: Section::XdsEnvoy,
    name: "control.xds.envoy",
    one_of: &[],
    fields: &[
        Field::new(
            "ca",
            Kind::Text(&form::PATH),
            Otherwise("-"),
            Envoy,
            "/etc/envoy/ca.pem",
            "who must have signed the control plane's certificate",
        ),
        Field::new(
            "cert",
            Kind::Text(&form::PATH),
            Otherwise("-"),
            Envoy,
            "/etc/envoy/envoy.pem",
            "the certificate chain that Envoy shows; with `key`",
        )
        .beside(&[("key", "/etc/envoy/envoy-key.pem")]),
        Field::new(
            "key",
            Kind::Text(&form::PATH),
            Otherwise("-"),
            Envoy,
            "/etc/envoy/envoy-key.pem",
            "its key",
        )
        .beside(&[("cert", "/etc/envoy/envoy.pem")]),
    ],
};

pub(super) const CANARY: Table = Table {
    section: Section::Canary,
    name: "control.canary",
    one_of: &[],
    fields: &[
        Field::new(
            "nodes",
            Kind::List(&Kind::Text(&form::PATTERN), 1, None),
            Required,
            Start,
            "[canary-*]",
            "node ids of Envoys",
        ),
        Field::new(
            "soak",
            Kind::Duration(*SOAK_BOUNDS.start(), *SOAK_BOUNDS.end()),
            Default("10s"),
            Start,
            "30s",
            "how long without a refusal until everybody else is sent the change",
        ),
    ],
};
