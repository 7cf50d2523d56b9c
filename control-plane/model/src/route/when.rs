//! `models.NAME.rules`: which requests other pools serve.

use super::{Share, pool, split};
use crate::document::Cursor;
use crate::header::HeaderName;
use crate::ids::{HeaderGlob, PathGlob, RoleName, TenantName};
use crate::media::KINDS;
use crate::pool::CONTEXT_MAX;
use crate::schema::Section;
use crate::units;
use crate::validate::Declared;
use contract::policy::{Language, MediaKind};
use std::collections::BTreeMap;

/// Requests that other pools than the model's serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Which ones: at least one condition.
    pub when: When,
    /// The pools with their shares; not all of them 0, no pool twice.
    pub split: Vec<Share>,
}

/// What has to be true of a request, all of it; what is empty is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    /// Patterns over the values of headers.
    pub headers: BTreeMap<HeaderName, HeaderGlob>,
    /// One of these tenants asks; they exist.
    pub tenants: Vec<TenantName>,
    /// The caller has one of these roles; they exist.
    pub roles: Vec<RoleName>,
    /// One of these patterns fits the path.
    pub paths: Vec<PathGlob>,
    /// Whether a stream is asked for.
    pub stream: Option<bool>,
    /// The prompt has more tokens, as estimated.
    pub prompt_tokens_over: Option<u64>,
    /// The prompt has no more tokens, as estimated.
    pub prompt_tokens_up_to: Option<u64>,
    /// What most of the prompt is written in.
    pub language: Option<Language>,
    /// The request holds a medium of one of these kinds.
    pub media: Vec<MediaKind>,
}

pub(crate) const LANGUAGES: &[(&str, Language)] =
    &[("korean", Language::Korean), ("other", Language::Other)];

/// The rules, in their order. One that an earlier one leaves nothing to is a mistake.
pub(super) fn rules(cursor: &Cursor<'_>, declared: &Declared) -> Vec<Rule> {
    let mut rules: Vec<(Rule, String)> = Vec::new();
    for item in cursor.items().unwrap_or_default() {
        let Some(rule) = Rule::read(&item, declared) else { continue };
        if let Some((_, path)) = rules.iter().find(|(earlier, _)| earlier.when.covers(&rule.when)) {
            item.report(format!("never decides: {path} takes all of its requests before"));
        }
        rules.push((rule, item.path.clone()));
    }
    rules.into_iter().map(|(rule, _)| rule).collect()
}

impl Rule {
    fn read(cursor: &Cursor<'_>, declared: &Declared) -> Option<Rule> {
        let fields = cursor.fields(Section::Rule);
        let when = fields.require("when", "such as `when: { header: { x-tier: batch } }`");
        let (to, shares) = (fields.get("to"), fields.get("split"));
        match (&to, &shares) {
            (Some(to), Some(_)) => to.report_field("stands beside `split`; give one of the two"),
            (None, None) => {
                fields.report("`to` is missing; name one of `pools`, or give a `split`")
            }
            _ => {}
        }
        fields.close();
        let when = when.and_then(|when| When::read(&when, declared));
        let one = to.and_then(|to| pool(&to, declared)).map(Share::whole);
        let several = shares.map(|shares| split(&shares, declared));
        let split = several.or_else(|| one.map(|one| vec![one])).unwrap_or_default();
        Some(Rule { when: when?, split })
    }
}

impl When {
    fn read(cursor: &Cursor<'_>, declared: &Declared) -> Option<When> {
        let fields = cursor.fields(Section::When);
        let list = |name| fields.get(name);
        let tokens = |text: &str| units::whole(text, 0..=CONTEXT_MAX);
        let bool = fields.get("stream").and_then(|field| field.parse(units::truth));
        let language = list("language").and_then(|field| field.choose(LANGUAGES));
        let when = When {
            headers: list("header").as_ref().map(headers).unwrap_or_default(),
            tenants: one_or_more(list("tenant"), |text| declared.tenant(text)),
            roles: one_or_more(list("role"), |text| declared.role(text)),
            paths: one_or_more(list("path"), PathGlob::parse),
            stream: bool,
            prompt_tokens_over: list("prompt_tokens_over").and_then(|f| f.parse(tokens)),
            prompt_tokens_up_to: list("prompt_tokens_up_to").and_then(|f| f.parse(tokens)),
            language,
            media: list("media").as_ref().map(media).unwrap_or_default(),
        };
        let written = fields.names().count();
        if written == 0 {
            cursor.report_field("has no condition; name one, or make it the model's `split`");
        }
        fields.close();
        if let (Some(over), Some(up_to)) = (when.prompt_tokens_over, when.prompt_tokens_up_to)
            && over >= up_to
        {
            cursor.report_field("asks for more tokens than it allows, so that it never fits");
        }
        // What cannot be read must not look like what fits everything.
        (when.conditions() == written).then_some(when)
    }

    /// How many conditions there are.
    fn conditions(&self) -> usize {
        let asked = [
            !self.headers.is_empty(),
            !self.tenants.is_empty(),
            !self.roles.is_empty(),
            !self.paths.is_empty(),
            self.stream.is_some(),
            self.prompt_tokens_over.is_some(),
            self.prompt_tokens_up_to.is_some(),
            self.language.is_some(),
            !self.media.is_empty(),
        ];
        asked.into_iter().filter(|asked| *asked).count()
    }

    /// Whether every request that fits `later` fits this as well, as far as that shows by
    /// holding condition against condition.
    fn covers(&self, later: &When) -> bool {
        let header = |(name, value)| later.headers.get(name) == Some(value);
        let at_least = self
            .prompt_tokens_over
            .is_none_or(|own| later.prompt_tokens_over.is_some_and(|theirs| theirs >= own));
        let at_most = self
            .prompt_tokens_up_to
            .is_none_or(|own| later.prompt_tokens_up_to.is_some_and(|theirs| theirs <= own));
        self.headers.iter().all(header)
            && holds(&self.tenants, &later.tenants)
            && holds(&self.roles, &later.roles)
            && holds(&self.paths, &later.paths)
            && holds(&self.media, &later.media)
            && (self.stream.is_none() || self.stream == later.stream)
            && (self.language.is_none() || self.language == later.language)
            && at_least
            && at_most
    }
}

/// Whether one of `own`, or nothing at all, is asked wherever one of `theirs` is.
fn holds<T: PartialEq>(own: &[T], theirs: &[T]) -> bool {
    own.is_empty() || (!theirs.is_empty() && theirs.iter().all(|one| own.contains(one)))
}

fn one_or_more<T, E: std::fmt::Display>(
    field: Option<Cursor<'_>>,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Vec<T> {
    let items = field.map(|field| field.one_or_more()).unwrap_or_default();
    items.iter().filter_map(|item| item.parse(&parse)).collect()
}

fn headers(cursor: &Cursor<'_>) -> BTreeMap<HeaderName, HeaderGlob> {
    let named = cursor.named(HeaderName::of_callers);
    if named.is_empty() {
        cursor.report("names no header; name one, or remove it");
    }
    let mut headers = BTreeMap::new();
    for (name, pattern) in named {
        let Some(glob) = pattern.parse(HeaderGlob::parse) else { continue };
        if headers.insert(name, glob).is_some() {
            pattern.report_field("stands here a second time; headers have no case");
        }
    }
    headers
}

/// Every kind for `any`, else those that are named.
fn media(cursor: &Cursor<'_>) -> Vec<MediaKind> {
    let mut all: Vec<(&str, &[MediaKind])> = vec![("any", &MediaKind::ALL)];
    let kinds = KINDS.iter().map(|(name, kind)| (*name, std::slice::from_ref(kind)));
    if cursor.is_scalar() {
        all.extend(kinds);
        return cursor.choose(&all).map(<[MediaKind]>::to_vec).unwrap_or_default();
    }
    let items = cursor.one_or_more();
    items.iter().filter_map(|item| item.choose(KINDS)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(tokens: u64) -> When {
        When { prompt_tokens_over: Some(tokens), ..When::default() }
    }

    #[test]
    fn what_an_earlier_rule_takes() {
        let [a, b] = ["a", "b"].map(|name| TenantName::parse(name).unwrap());
        let of = |tenants: &[&TenantName]| When {
            tenants: tenants.iter().map(|&name| name.clone()).collect(),
            ..When::default()
        };
        let stream = |stream| When { stream: Some(stream), ..When::default() };
        let up_to = |tokens| When { prompt_tokens_up_to: Some(tokens), ..When::default() };
        let both = When { stream: Some(true), ..of(&[&a]) };
        let table = [
            (over(10), over(10), true),
            (over(10), over(11), true),
            (over(10), over(9), false),
            (up_to(10), up_to(9), true),
            (up_to(10), up_to(11), false),
            (over(10), up_to(20), false),
            (of(&[&a, &b]), of(&[&a]), true),
            (of(&[&a]), of(&[&a, &b]), false),
            (of(&[&a]), both.clone(), true),
            (both, of(&[&a]), false),
            (stream(true), stream(false), false),
            (stream(true), over(10), false),
        ];
        for (earlier, later, expected) in table {
            assert_eq!(earlier.covers(&later), expected, "{earlier:?} {later:?}");
        }
    }
}
