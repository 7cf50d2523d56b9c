//! What the media of a request are, counted.

use contract::policy::MediaKind;

/// Media by what an engine makes of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Contents {
    /// Images, those to be fetched too.
    pub images: u64,
    /// Pages of the documents that are in the request itself.
    pub pages: u64,
    /// Sounds, those to be fetched too.
    pub sounds: u64,
    /// Films, those to be fetched too.
    pub films: u64,
    /// Documents to be fetched, and other files of which only the address is known.
    pub unknown: u64,
}

impl Contents {
    /// All of them, a document by its pages.
    #[must_use]
    pub fn media(&self) -> u64 {
        let Self { images, pages, sounds, films, unknown } = *self;
        [pages, sounds, films, unknown].into_iter().fold(images, u64::saturating_add)
    }

    /// Counts one more; `pages` are a document's, if they are known.
    pub(super) fn add(&mut self, kind: Option<MediaKind>, pages: Option<u64>) {
        match (kind, pages) {
            (Some(MediaKind::Image), _) => self.images += 1,
            (Some(MediaKind::Audio), _) => self.sounds += 1,
            (Some(MediaKind::Video), _) => self.films += 1,
            (Some(MediaKind::Document), Some(pages)) => {
                self.pages = self.pages.saturating_add(pages);
            }
            (Some(MediaKind::Document) | None, _) => self.unknown += 1,
        }
    }
}
