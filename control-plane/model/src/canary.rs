//! `control.canary`: the Envoys that a change goes to first.

use crate::document::Cursor;
use crate::ids::NodeGlob;
use crate::schema::Section;
use crate::units;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How long the first Envoys are watched, by default and at all.
const SOAK_DEFAULT: Duration = Duration::from_secs(10);
pub(crate) const SOAK_BOUNDS: RangeInclusive<Duration> =
    Duration::ZERO..=Duration::from_secs(3_600);

/// The Envoys that a change goes to first, and how long it stays with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    /// Patterns over node ids; at least one.
    pub nodes: Vec<NodeGlob>,
    /// After how long without a refusal everybody else is sent the change.
    pub soak: Duration,
}

impl Canary {
    pub(crate) fn read(cursor: &Cursor<'_>) -> Option<Canary> {
        let fields = cursor.fields(Section::Canary);
        let nodes = fields.require("nodes", "a list of patterns such as [\"canary-*\"]");
        let soak = fields.value("soak", SOAK_DEFAULT, |text| units::duration(text, SOAK_BOUNDS));
        fields.close();
        let nodes = nodes?;
        if nodes.items()?.is_empty() {
            nodes.report("is empty; name a pattern, or remove `canary`");
        }
        Some(Canary { nodes: nodes.parse_items(NodeGlob::parse), soak })
    }
}
