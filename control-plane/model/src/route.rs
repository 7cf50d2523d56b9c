//! `models`: the names that callers ask for.

mod when;

pub use when::{Rule, When};

use crate::document::{Cursor, Fields};
use crate::header::HeaderName;
use crate::ids::{ExperimentName, LimitsName, ModelGlob, ModelName, PolicyName, PoolName};
use crate::schema::Section;
use crate::units;
use crate::validate::Declared;
use contract::limits::ATTEMPTS_MAX;
use contract::policy::Sticky;
use std::collections::{BTreeMap, BTreeSet};

/// What serves a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// The pools that serve it where no rule says otherwise: at least one, no pool twice,
    /// not all of their weights 0.
    pub split: Vec<Share>,
    /// What keeps a caller on the pool that he was given once.
    pub sticky: Sticky,
    /// The word that is hashed beside the caller; `None`: the model's name.
    pub experiment: Option<ExperimentName>,
    /// Pools that are tried in this order where the chosen one fails; they exist, none
    /// twice.
    pub fallback: Vec<PoolName>,
    /// The first that fits decides.
    pub rules: Vec<Rule>,
    /// Where a share of the requests goes as well.
    pub shadow: Option<Shadow>,
    /// The masking policy of its requests, where the credential names none; it exists.
    pub masking: Option<PolicyName>,
    /// The limits of all its requests together; they exist.
    pub limits: Option<LimitsName>,
}

/// A pool's share of the requests.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Share {
    /// The pool; it exists.
    pub pool: PoolName,
    /// Its part of the sum of all weights; 0: none.
    pub weight: u32,
}

/// Where a share of the requests goes as well; the answers are dropped.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shadow {
    /// The pool; it exists.
    pub pool: PoolName,
    /// How many of a million requests, at least 1.
    pub per_million: u32,
}

/// Models whose names fit a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// `*` stands for any run of characters.
    pub pattern: ModelGlob,
    /// What serves them.
    pub model: Model,
}

impl Model {
    /// A model that one pool serves.
    #[must_use]
    pub fn of_pool(pool: PoolName) -> Model {
        Model { split: vec![Share::whole(pool)], ..Model::default() }
    }

    /// The weights of its split.
    #[must_use]
    pub fn weights(&self) -> BTreeMap<PoolName, u32> {
        self.split.iter().map(|share| (share.pool.clone(), share.weight)).collect()
    }

    /// Whether `weights` can take the place of its own: see [`weights_fit`](contract::routes::weights_fit).
    #[must_use]
    pub fn takes(&self, weights: &BTreeMap<PoolName, u32>) -> bool {
        contract::routes::weights_fit(weights, &self.weights())
    }
}

/// Most weight of a pool in a split.
pub const WEIGHT_MAX: u32 = 1_000_000;

/// Most pools that a request can go on to: with the first one as many as it has attempts.
pub(crate) const FALLBACKS_MAX: usize = ATTEMPTS_MAX - 1;

/// Most rules of a model: each request is held against them one by one.
pub(crate) const RULES_MAX: usize = 100;

/// What the `sticky` of a header begins with.
const HEADER: &str = "header:";

/// What stands under a name.
pub(crate) enum Entry<'a> {
    /// A model.
    Model(Model),
    /// Another name of one, and where that stands.
    Alias(ModelName, Cursor<'a>),
}

impl<'a> Entry<'a> {
    /// The entry, or nothing when something that it cannot be without is wrong.
    pub(crate) fn read(cursor: &Cursor<'a>, declared: &Declared) -> Option<Entry<'a>> {
        if cursor.is_scalar() {
            return pool(cursor, declared).map(|pool| Entry::Model(Model::of_pool(pool)));
        }
        let fields = cursor.fields(Section::Model);
        let Some(alias) = fields.get("alias") else {
            return Model::read(cursor, fields, declared).map(Entry::Model);
        };
        if fields.names().any(|name| name != "alias") {
            alias.report_field("stands alone: what else holds is said where the model is");
        } else {
            fields.close();
        }
        alias.parse(ModelName::parse).map(|model| Entry::Alias(model, alias))
    }
}

impl Share {
    /// All of the requests.
    fn whole(pool: PoolName) -> Share {
        Share { pool, weight: 1 }
    }
}

impl Model {
    fn read(cursor: &Cursor<'_>, fields: Fields<'_, '_>, declared: &Declared) -> Option<Model> {
        let split = fields.require("split", "write `split: [{ pool: NAME }]`, or the pool alone");
        let split = split.map(|field| self::split(&field, declared));
        let (sticky, experiment) = stickiness(&fields);
        let fallback = fields.get("fallback");
        let rules = fields.get("rules").map(|field| when::rules(&field, declared));
        let shadow = fields.get("shadow");
        let (masking, limits) = (declared.masking(&fields), declared.limits(&fields));
        fields.close();
        let (split, rules) = (split?, rules.unwrap_or_default());
        if rules.len() > RULES_MAX {
            cursor.report_field(format!("has more rules than {RULES_MAX}"));
        }
        let first = split.iter().chain(rules.iter().flat_map(|rule| &rule.split));
        let first: BTreeSet<_> = first.map(|share| &share.pool).collect();
        let fallback = fallback.map(|field| self::fallback(&field, &first, declared));
        let shadow = shadow.and_then(|field| Shadow::read(&field, &first, declared));
        let fallback = fallback.unwrap_or_default();
        Some(Model { split, sticky, experiment, fallback, rules, shadow, masking, limits })
    }
}

fn pool(cursor: &Cursor<'_>, declared: &Declared) -> Option<PoolName> {
    cursor.parse(|text| declared.pool(text))
}

/// The shares of pools. A single one has all of it, whatever its weight.
fn split(cursor: &Cursor<'_>, declared: &Declared) -> Vec<Share> {
    let Some(items) = cursor.items() else { return Vec::new() };
    if items.is_empty() {
        cursor.report("is empty; name a pool");
    }
    let (mut shares, mut seen) = (Vec::new(), BTreeSet::new());
    for item in &items {
        let fields = item.fields(Section::Split);
        let pool = fields.require("pool", "name one of `pools`");
        let weight = fields.value("weight", 1, |text| units::whole(text, 0..=WEIGHT_MAX.into()));
        fields.close();
        let Some(pool) = pool.and_then(|field| self::pool(&field, declared)) else { continue };
        if !seen.insert(pool.clone()) {
            item.report(format!("names the pool {pool} a second time; once is allowed"));
        }
        shares.push(Share { pool, weight: u32::try_from(weight).unwrap_or(WEIGHT_MAX) });
    }
    if let [only] = shares.as_mut_slice() {
        only.weight = 1;
    }
    if !shares.is_empty() && shares.iter().all(|share| share.weight == 0) {
        cursor.report("gives nobody any weight; at least one has to be above 0");
    }
    shares
}

/// What keeps a caller on a pool, and by which word.
fn stickiness(fields: &Fields<'_, '_>) -> (Sticky, Option<ExperimentName>) {
    let sticky = fields.value("sticky", Sticky::None, sticky);
    let experiment = fields.get("experiment");
    if let (Some(experiment), Sticky::None) = (&experiment, &sticky) {
        experiment.report_field("counts only with `sticky`, which says who stays; remove it");
    }
    (sticky, experiment.and_then(|field| field.parse(ExperimentName::parse)))
}

fn sticky(text: &str) -> Result<Sticky, String> {
    match text {
        "none" => Ok(Sticky::None),
        "user" => Ok(Sticky::User),
        "key" => Ok(Sticky::Key),
        _ => {
            let header = text.strip_prefix(HEADER);
            let name = header.ok_or("is not known; allowed: none, user, key, header:NAME")?;
            Ok(Sticky::Header(HeaderName::of_callers(name)?.to_string()))
        }
    }
}

/// Where a request goes on to. `first`: where it can begin.
fn fallback(
    cursor: &Cursor<'_>,
    first: &BTreeSet<&PoolName>,
    declared: &Declared,
) -> Vec<PoolName> {
    let items = cursor.items().unwrap_or_default();
    if items.len() > FALLBACKS_MAX {
        cursor.report(format!("names more pools than the {FALLBACKS_MAX} that can be tried"));
    }
    let mut pools: Vec<PoolName> = Vec::new();
    for item in items.iter().take(FALLBACKS_MAX) {
        let Some(pool) = self::pool(item, declared) else { continue };
        if pools.contains(&pool) {
            item.report(format!("names the pool {pool} a second time; once is allowed"));
        }
        only_another(item, first, &pool);
        pools.push(pool);
    }
    pools
}

/// Reports a pool that every request begins at.
fn only_another(cursor: &Cursor<'_>, first: &BTreeSet<&PoolName>, pool: &PoolName) {
    if first.iter().eq([&pool]) {
        cursor.report(format!("is where every request begins; name another pool than {pool}"));
    }
}

impl Shadow {
    /// `first`: where a request can begin.
    fn read(
        cursor: &Cursor<'_>,
        first: &BTreeSet<&PoolName>,
        declared: &Declared,
    ) -> Option<Shadow> {
        let fields = cursor.fields(Section::Shadow);
        let pool = fields.require("pool", "name one of `pools`");
        let share = fields.require("share", "such as 10%");
        fields.close();
        let pool = pool.and_then(|field| {
            let pool = self::pool(&field, declared)?;
            only_another(&field, first, &pool);
            Some(pool)
        });
        let per_million = share.and_then(|field| field.parse(units::per_million));
        Some(Shadow { pool: pool?, per_million: per_million? })
    }
}
