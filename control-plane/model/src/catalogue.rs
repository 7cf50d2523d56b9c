//! Every name that callers can ask for: models, families of them, and aliases.

use crate::document::{Cursor, alternatives};
use crate::ids::{ModelGlob, ModelName};
use crate::route::{Entry, Family, Model};
use crate::validate::Declared;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Most aliases that one leads over: people who read the file follow them too.
const ALIASES_MAX: usize = 8;

/// What the name of a family has, and no other.
const ANY: char = '*';

/// The section `models`.
#[derive(Default)]
pub(crate) struct Catalogue {
    pub models: BTreeMap<ModelName, Model>,
    pub families: Vec<Family>,
    pub names: Names,
}

/// What can be asked for, whether what stands under it is right or wrong.
#[derive(Default)]
pub(crate) struct Names {
    models: BTreeSet<ModelName>,
    patterns: Vec<ModelGlob>,
    pub aliases: BTreeMap<ModelName, ModelName>,
}

impl Catalogue {
    pub fn read(cursor: &Cursor<'_>, declared: &Declared) -> Catalogue {
        let mut catalogue = Catalogue::default();
        let mut aliases = BTreeMap::new();
        for (name, cursor) in cursor.named(ModelName::parse) {
            match Entry::read(&cursor, declared) {
                Some(Entry::Alias(to, alias)) => {
                    if name.as_str().contains(ANY) {
                        cursor.report_field("is a pattern, which cannot be an alias; name pools");
                    }
                    aliases.insert(name, (to, alias));
                }
                entry => catalogue.take(name, entry),
            }
        }
        catalogue.families.sort_by_key(|family| specialty(&family.pattern));
        catalogue.names.aliases = catalogue.names.flattened(&aliases);
        catalogue
    }

    fn take(&mut self, name: ModelName, entry: Option<Entry<'_>>) {
        let model = match entry {
            Some(Entry::Model(model)) => Some(model),
            _ => None,
        };
        match ModelGlob::parse(name.as_str()).ok().filter(|_| name.as_str().contains(ANY)) {
            Some(pattern) => {
                self.names.patterns.push(pattern.clone());
                self.families.extend(model.map(|model| Family { pattern, model }));
            }
            None => {
                self.names.models.insert(name.clone());
                self.models.extend(model.map(|model| (name, model)));
            }
        }
    }
}

/// The order in which patterns are tried: the one with the most that is fixed first.
fn specialty(pattern: &ModelGlob) -> (Reverse<usize>, usize, String) {
    let text = pattern.as_str();
    let any = text.matches(ANY).count();
    (Reverse(text.len().saturating_sub(any)), any, text.to_owned())
}

impl Names {
    /// The model that `text` stands for, over its alias if it is one.
    ///
    /// # Errors
    /// When there is none; follows the quoted name.
    pub fn model(&self, text: &str) -> Result<ModelName, Unknown<'_>> {
        let unknown = || Unknown { names: self, text: text.to_owned() };
        let aliased = self.aliases.get(text).cloned();
        aliased.or_else(|| self.own(text)).ok_or_else(unknown)
    }

    /// A model, or a name that a family has.
    fn own(&self, text: &str) -> Option<ModelName> {
        let family = || self.patterns.iter().any(|pattern| pattern.matches(text));
        let known = self.models.contains(text) || (!text.contains(ANY) && family());
        ModelName::parse(text).ok().filter(|_| known)
    }

    /// Each alias with the model at its end; one without an end is reported.
    fn flattened(&self, written: &Written<'_>) -> BTreeMap<ModelName, ModelName> {
        let end = |(name, (_, cursor)): (&ModelName, &(ModelName, Cursor<'_>))| match self
            .end_of(name, written)
        {
            Ok(end) => Some((name.clone(), end)),
            Err(problem) => {
                cursor.report(problem);
                None
            }
        };
        written.iter().filter_map(end).collect()
    }

    fn end_of(&self, name: &ModelName, written: &Written<'_>) -> Result<ModelName, String> {
        let mut at = name;
        for _ in 0..ALIASES_MAX {
            let Some((to, _)) = written.get(at) else { break };
            if to == name {
                return Err(format!("the alias {name} leads back to itself; name a model"));
            }
            at = to;
        }
        if written.contains_key(at) {
            return Err(format!("leads over more than {ALIASES_MAX} aliases; name the model"));
        }
        self.own(at.as_str()).ok_or_else(|| {
            let names = self.models.iter().map(AsRef::as_ref);
            format!("`{at}` is no model;{}", alternatives(at.as_str(), names))
        })
    }
}

/// Aliases as they are written: what each leads to, and where that stands.
type Written<'a> = BTreeMap<ModelName, (ModelName, Cursor<'a>)>;

/// A name that nobody can ask for; looks for what was meant when it is shown.
pub(crate) struct Unknown<'d> {
    names: &'d Names,
    text: String,
}

impl fmt::Display for Unknown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.names.models.iter().map(AsRef::as_ref);
        write!(f, "is no model;{}", alternatives(&self.text, names))
    }
}

/// What a tenant's callers call models. None leads to a name that they call otherwise.
pub(crate) fn aliases_of_tenant(
    cursor: &Cursor<'_>,
    declared: &Declared,
) -> BTreeMap<ModelName, ModelName> {
    let named = cursor.named(ModelName::parse);
    let own: BTreeSet<_> = named.iter().map(|(name, _)| name.clone()).collect();
    let mut aliases = BTreeMap::new();
    for (name, target) in named {
        if name.as_str().contains(ANY) {
            target.report_field("is a pattern; an alias is one name");
        }
        let Some(model) = target.parse(|text| declared.names.model(text)) else { continue };
        if own.contains(&model) {
            target.report(format!("leads to {model}, which is an alias of the tenant itself"));
        }
        aliases.insert(name, model);
    }
    aliases
}
