//! The table of `pools.NAME.media`.

use super::{Change, Field, Kind, Presence, Section, Table, form};
use crate::media::{BYTES_LEAST, BYTES_MAX, PAGES_MAX, PIXELS_MAX};
use Change::Live;
use Presence::Default;

pub(super) const MEDIA: Table = Table {
    section: Section::Media,
    name: "pools.NAME.media",
    one_of: &[],
    fields: &[
        Field::new(
            "kinds",
            Kind::List(&Kind::Choice(&["image", "audio", "video", "document"]), 0, None),
            Default("[image, audio, video, document]"),
            Live,
            "[image]",
            "what is taken, told by its first bytes and not by what it is called; an empty list \
             takes text alone",
        ),
        Field::new(
            "hosts",
            Kind::List(&Kind::Text(&form::HOSTS), 0, None),
            Default("[]"),
            Live,
            "[images.example.com, '*.cdn.example.com']",
            "from where the engine may be told to fetch (`image_url` and such with `http` or \
             `https`); none: only what is in the request itself",
        ),
        Field::new(
            "max_bytes",
            Kind::Size(BYTES_LEAST, BYTES_MAX),
            Default("20MiB"),
            Live,
            "4MiB",
            "largest image, sound, film or document, decoded",
        ),
        Field::new(
            "max_pixels",
            Kind::Count(PIXELS_MAX),
            Default("50000000"),
            Live,
            "4000000",
            "most pixels of an image, width times height",
        ),
        Field::new(
            "max_pages",
            Kind::Count(PAGES_MAX),
            Default("100"),
            Live,
            "10",
            "most pages of a document",
        ),
    ],
};
