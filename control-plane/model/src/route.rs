//! `models`: the names that callers ask for.

use crate::document::Cursor;
use crate::ids::{LimitsName, PolicyName, PoolName};
use crate::schema::Section;
use crate::unbuilt::SPLIT_OF_SEVERAL;
use crate::units;
use crate::validate::Declared;

/// Which pool serves a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Model {
    /// The pool; it exists.
    pub pool: PoolName,
    /// The masking policy of its requests, where the credential names none; it exists.
    pub masking: Option<PolicyName>,
    /// The limits of all its requests together; they exist.
    pub limits: Option<LimitsName>,
}

/// Most weight of a pool in a split.
pub(crate) const WEIGHT_MAX: u64 = 1_000_000;

impl Model {
    /// The model, or nothing when no one pool is named.
    pub(crate) fn read(cursor: &Cursor<'_>, declared: &Declared) -> Option<Model> {
        if cursor.is_scalar() {
            return pool(cursor, declared).map(|pool| Model { pool, masking: None, limits: None });
        }
        let fields = cursor.fields(Section::Model);
        let split = fields.require("split", "write `split: [{ pool: NAME }]`, or the pool alone");
        if let Some(sticky) = fields.get("sticky") {
            sticky.choose(Section::Model, &[("none", ())]);
        }
        let masking = declared.masking(&fields);
        let limits = declared.limits(&fields);
        fields.close();
        Some(Model { pool: only_pool(&split?, declared)?, masking, limits })
    }
}

fn pool(cursor: &Cursor<'_>, declared: &Declared) -> Option<PoolName> {
    cursor.parse(|text| declared.pool(text))
}

fn only_pool(split: &Cursor<'_>, declared: &Declared) -> Option<PoolName> {
    let items = split.items()?;
    match items.as_slice() {
        [] => split.report("is empty; name one pool"),
        [item] => {
            let fields = item.fields(Section::Split);
            let name = fields.require("pool", "name one of `pools`");
            if let Some(weight) = fields.get("weight") {
                weight.parse(|text| units::count(text, WEIGHT_MAX));
            }
            fields.close();
            return pool(&name?, declared);
        }
        _ => split.report_field(SPLIT_OF_SEVERAL),
    }
    None
}
