//! What may be used: the fields that `roles` and `tenants` share.

use crate::document::{Cursor, Fields};
use crate::ids::{ModelGlob, PathGlob};
use crate::schema::Section;

/// What may be used: what one of the patterns allows and none of `deny` names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rules {
    /// Patterns over model names; none allows nothing.
    pub models: Vec<ModelGlob>,
    /// Patterns over the paths of the API; none allows nothing.
    pub paths: Vec<PathGlob>,
    /// What is refused whatever else allows it.
    pub deny: Deny,
}

/// What is denied; it wins over everything that is allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Deny {
    /// Patterns over model names.
    pub models: Vec<ModelGlob>,
    /// Patterns over the paths of the API.
    pub paths: Vec<PathGlob>,
}

impl Rules {
    /// The rules of a role, which says of itself which models it allows.
    pub(crate) fn of_role(fields: &Fields<'_, '_>) -> Option<Rules> {
        let models = fields.require("models", "a list of patterns such as [\"qwen-*\"]");
        let (paths, deny) = (paths(fields), Deny::of(fields));
        Some(Rules { models: models?.parse_items(ModelGlob::parse), paths, deny })
    }

    /// The rules of a tenant, which may use every model where nothing is said.
    pub(crate) fn of_tenant(fields: &Fields<'_, '_>) -> Rules {
        let every = || ModelGlob::parse("*").into_iter().collect();
        let models = fields.get("models").map(|models| models.parse_items(ModelGlob::parse));
        Rules { models: models.unwrap_or_else(every), paths: paths(fields), deny: Deny::of(fields) }
    }
}

/// The paths that are allowed: every one where nothing is said.
fn paths(fields: &Fields<'_, '_>) -> Vec<PathGlob> {
    let every = || PathGlob::parse("*").into_iter().collect();
    fields.get("paths").map_or_else(every, |paths| paths.parse_items(PathGlob::parse))
}

impl Deny {
    fn of(fields: &Fields<'_, '_>) -> Deny {
        fields.get("deny").as_ref().map(Deny::read).unwrap_or_default()
    }

    fn read(cursor: &Cursor<'_>) -> Deny {
        let fields = cursor.fields(Section::Deny);
        let models = fields.get("models").map(|models| models.parse_items(ModelGlob::parse));
        let paths = fields.get("paths").map(|paths| paths.parse_items(PathGlob::parse));
        fields.close();
        Deny { models: models.unwrap_or_default(), paths: paths.unwrap_or_default() }
    }
}
