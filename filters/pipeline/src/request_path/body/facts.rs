//! What rules may ask of a request.

use super::parsed::Parsed;
use crate::exchange::Held;
use auth::authorize::Permissions;
use chat::texts::{Passage, Texts};
use contract::policy::{Language, MediaKind};
use routing::model;
use routing::prompt::{self, Volume};
use std::borrow::Cow;

/// A request, as its body was read once.
pub(super) struct Facts<'f, 'b> {
    pub(super) held: &'f Held,
    pub(super) permissions: &'f Permissions<'f>,
    pub(super) parsed: &'f Parsed<'b>,
    /// `None`: no rule asks for what a prompt says.
    pub(super) texts: Option<&'f Texts<'b>>,
}

impl Facts<'_, '_> {
    fn said(&self) -> impl Iterator<Item = &str> + Clone {
        let passages = self.texts.map(Texts::passages).unwrap_or_default();
        passages.iter().map(Passage::said)
    }
}

impl model::Facts for Facts<'_, '_> {
    fn tenant(&self) -> &str {
        &self.held.signer.caller.tenant
    }

    fn has_role(&self, role: &str) -> bool {
        self.permissions.has_role(role)
    }

    fn path(&self) -> &str {
        self.held.opened.path
    }

    fn stream(&self) -> bool {
        self.parsed.stream()
    }

    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        self.held.opened.told.text(name).map(Cow::Borrowed)
    }

    fn has_media(&self, kind: MediaKind) -> bool {
        self.parsed.has_media(kind)
    }

    fn prompt_tokens(&self) -> u64 {
        Volume::of(self.said()).tokens()
    }

    fn language(&self) -> Language {
        prompt::language(self.said())
    }
}
