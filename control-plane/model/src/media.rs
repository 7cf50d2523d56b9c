//! `pools.NAME.media`: which images, sounds and documents a request may hold.

use crate::document::Cursor;
use crate::endpoint::{self, Host};
use crate::schema::Section;
use crate::units;
use contract::limits::MAX_BODY_BYTES_MAX;
use contract::policy::{MediaConfig, MediaKind};
use std::num::NonZeroU64;

/// Least `max_bytes`: a smaller one would refuse almost every picture.
pub(crate) const BYTES_LEAST: u64 = 1024;

/// Most `max_bytes`: no body is larger.
pub(crate) const BYTES_MAX: u64 = MAX_BODY_BYTES_MAX;

/// Most `max_pixels`: a thousand million, which take 4 GB in an engine.
pub(crate) const PIXELS_MAX: u64 = 1_000_000_000;

/// Most `max_pages`; more than any engine reads.
pub(crate) const PAGES_MAX: u64 = 100_000;

pub(crate) const KINDS: &[(&str, MediaKind)] = &[
    ("image", MediaKind::Image),
    ("audio", MediaKind::Audio),
    ("video", MediaKind::Video),
    ("document", MediaKind::Document),
];

/// The section, defaults filled in.
pub(crate) fn read(cursor: &Cursor<'_>) -> MediaConfig {
    let default = MediaConfig::default();
    let fields = cursor.fields(Section::Media);
    let kinds = fields.get("kinds").as_ref().map_or(default.kinds, kinds);
    let hosts = fields.get("hosts").map(|hosts| hosts.parse_items(host_pattern));
    let bytes_max = fields
        .value("max_bytes", default.bytes_max, |text| units::size(text, BYTES_LEAST..=BYTES_MAX));
    let pixels_max = fields.value("max_pixels", default.pixels_max, |text| {
        units::count(text, PIXELS_MAX).map(NonZeroU64::get)
    });
    let pages_max = fields.value("max_pages", default.pages_max, |text| {
        units::count(text, PAGES_MAX).map(NonZeroU64::get)
    });
    fields.close();
    MediaConfig { kinds, hosts: hosts.unwrap_or_default(), bytes_max, pixels_max, pages_max }
}

/// The kinds that are named, each once, in the order of [`MediaKind::ALL`].
fn kinds(cursor: &Cursor<'_>) -> Vec<MediaKind> {
    let items = cursor.items().unwrap_or_default();
    let named: Vec<_> = items.iter().filter_map(|item| item.choose(KINDS)).collect();
    MediaKind::ALL.into_iter().filter(|kind| named.contains(kind)).collect()
}

/// A host that engines may be told to fetch from: a name in lower case, or `*.NAME` for
/// all below it. No address: an engine has neighbours that only their address guards.
fn host_pattern(text: &str) -> Result<String, &'static str> {
    let name = text.strip_prefix("*.").unwrap_or(text);
    match endpoint::host(name) {
        Some(Host::Name(_)) => Ok(text.to_ascii_lowercase()),
        _ => Err("is not the name of a host; write one such as images.example.com, or \
            *.example.com for all below it, without scheme, port or path"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_may_be_fetched_from() {
        let table = [
            ("Images.Example.com", Some("images.example.com")),
            ("*.example.com", Some("*.example.com")),
            ("cdn", Some("cdn")),
            ("*", None),
            ("*.", None),
            ("a.*.com", None),
            ("*example.com", None),
            ("10.0.0.1", None),
            ("[::1]", None),
            ("*.0.0.1", None),
            ("example.com:443", None),
            ("https://example.com", None),
            ("example.com/a", None),
            ("example.com.", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(host_pattern(text).ok().as_deref(), expected, "{text}");
        }
    }
}
