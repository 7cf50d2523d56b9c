//! `masking`: what must not reach an engine, and what is done with it.

mod detector;

pub use detector::Detector;
pub(crate) use detector::TIMEOUT_BOUNDS;

use crate::document::{Cursor, Fields};
use crate::ids::{PatternName, PolicyName};
use crate::schema::Section;
use crate::secret::Secret;
use crate::units;
use contract::masking::{Action, MaskingPolicyConfig, OnFailure, PLACEHOLDER_DEFAULT, PiiType};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// How long the key is, in bytes. Who can guess it can tell whether a placeholder stands
/// for a value that he guesses; a good one has 32 random bytes.
const KEY_BYTES: RangeInclusive<usize> = 16..=1024;

/// Longest placeholder, in bytes: what could still become one is held back in a stream.
const PLACEHOLDER_BYTES_MAX: usize = 64;

/// Longest word of a list, in characters.
const WORD_CHARS_MAX: usize = 200;

/// Longest regular expression, in characters.
const PATTERN_CHARS_MAX: usize = 1000;

pub(crate) const ACTIONS: &[(&str, Action)] = &[
    ("restore", Action::Restore),
    ("mask", Action::Mask),
    ("block", Action::Block),
    ("alert", Action::Alert),
    ("off", Action::Off),
];

pub(crate) const ON_FAILURE: &[(&str, OnFailure)] =
    &[("refuse", OnFailure::Refuse), ("pass", OnFailure::Pass)];

/// The section `masking`. It may hold a secret and therefore has no `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Masking {
    /// The key of the placeholders' tags, 16 to 1024 visible ASCII characters; `None`:
    /// that of the data folder.
    pub key: Option<Secret>,
    /// Policies by name.
    pub policies: BTreeMap<PolicyName, MaskingPolicy>,
}

/// What is looked for, and what is done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskingPolicy {
    /// The rules, as the filter takes them, without `external`.
    pub rules: MaskingPolicyConfig,
    /// A service that finds what rules cannot.
    pub external: Option<Detector>,
}

/// The word of whoever applies policies on whether rules can be applied: patterns have to
/// be compiled for that. The filter's own compiler stands behind it.
pub trait PolicyCheck {
    /// What is wrong with the rules. A fault that is one field's begins with it and a
    /// colon, as `custom.NAME: `, `deny_words[0]: ` or `placeholder: `.
    fn faults(&self, rules: &MaskingPolicyConfig) -> Vec<String>;
}

/// Finds nothing wrong.
pub(crate) struct Unchecked;

impl PolicyCheck for Unchecked {
    fn faults(&self, _: &MaskingPolicyConfig) -> Vec<String> {
        Vec::new()
    }
}

impl Masking {
    pub(crate) fn read(cursor: &Cursor<'_>) -> Masking {
        let fields = cursor.fields(Section::Masking);
        let key = fields.get("key").and_then(|key| key.parse_unquoted(tag_key));
        let policies = fields.get("policies");
        fields.close();
        let named = policies.map(|all| all.named(PolicyName::parse)).unwrap_or_default();
        let read = |(name, cursor): (PolicyName, Cursor<'_>)| (name, MaskingPolicy::read(&cursor));
        Masking { key, policies: named.into_iter().map(read).collect() }
    }
}

impl MaskingPolicy {
    fn read(cursor: &Cursor<'_>) -> MaskingPolicy {
        let fields = cursor.fields(Section::MaskingPolicy);
        let mut places = Vec::new();
        let on_failure = fields.get("on_failure");
        let on_failure = on_failure.and_then(|it| it.choose(ON_FAILURE));
        let placeholder = placeholder(&fields, &mut places);
        let (default, types) = fields.get("types").as_ref().map(types).unwrap_or_default();
        let deny_words = words(&fields, &mut places);
        let custom = patterns(&fields, &mut places);
        let answers = fields.value("answers", false, units::truth);
        let external = fields.get("external");
        fields.close();
        let external = external.as_ref().and_then(Detector::read);
        let on_failure = on_failure.unwrap_or_default();
        let rules = MaskingPolicyConfig {
            on_failure,
            placeholder,
            default,
            types,
            deny_words,
            custom,
            answers,
            external: None,
        };
        check(cursor, &rules, &places);
        MaskingPolicy { rules, external }
    }
}

/// Fields that a fault may be of, as [`PolicyCheck::faults`] names them.
type Places<'a> = Vec<(String, Cursor<'a>)>;

/// Reports what cannot be applied where it stands.
fn check(policy: &Cursor<'_>, rules: &MaskingPolicyConfig, places: &Places<'_>) {
    for fault in policy.policy_check().faults(rules) {
        let place = places.iter().find_map(|(field, cursor)| {
            Some((cursor, fault.strip_prefix(field.as_str())?.strip_prefix(": ")?))
        });
        match place {
            Some((cursor, why)) => cursor.report(why),
            None => policy.report_field(fault),
        }
    }
}

fn placeholder<'a>(fields: &Fields<'_, 'a>, places: &mut Places<'a>) -> String {
    let default = || PLACEHOLDER_DEFAULT.to_owned();
    let Some(field) = fields.get("placeholder") else { return default() };
    let text = field.parse(placeholder_of).unwrap_or_else(default);
    places.push(("placeholder".to_owned(), field));
    text
}

/// The action of `default`, and those of the types that are named.
fn types(cursor: &Cursor<'_>) -> (Action, BTreeMap<PiiType, Action>) {
    let fields = cursor.fields(Section::MaskingTypes);
    let action = |name: &'static str| fields.get(name).and_then(|field| field.choose(ACTIONS));
    let default = action("default").unwrap_or_default();
    let named = PiiType::ALL.iter().filter_map(|of| Some((*of, action(of.as_str())?))).collect();
    fields.close();
    (default, named)
}

fn words<'a>(fields: &Fields<'_, 'a>, places: &mut Places<'a>) -> Vec<String> {
    let items = fields.get("deny_words").and_then(|list| list.items()).unwrap_or_default();
    let mut words = Vec::new();
    for item in items {
        let Some(word) = item.parse(word_of) else { continue };
        places.push((format!("deny_words[{}]", words.len()), item));
        words.push(word);
    }
    words
}

fn patterns<'a>(fields: &Fields<'_, 'a>, places: &mut Places<'a>) -> BTreeMap<String, String> {
    let named = fields.get("custom").map(|all| all.named(PatternName::parse)).unwrap_or_default();
    let mut patterns = BTreeMap::new();
    for (name, field) in named {
        let Some(pattern) = field.parse(pattern_of) else { continue };
        places.push((format!("custom.{name}"), field));
        patterns.insert(name.to_string(), pattern);
    }
    patterns
}

/// The key of placeholders that `text` is: 16 to 1024 visible ASCII characters.
///
/// # Errors
/// When it is none; goes on after what it was, and quotes nothing.
pub fn tag_key(text: &str) -> Result<Secret, String> {
    if KEY_BYTES.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Secret::new(text.to_owned()));
    }
    Err(format!(
        "is not a key of placeholders; allowed: {} to {} visible ASCII characters without spaces",
        KEY_BYTES.start(),
        KEY_BYTES.end()
    ))
}

fn placeholder_of(text: &str) -> Result<String, &'static str> {
    let once = |part: &str| text.matches(part).count() == 1;
    let in_order = once("{TYPE}") && once("{TAG}") && text.find("{TYPE}") < text.find("{TAG}");
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if in_order && plain && text.len() <= PLACEHOLDER_BYTES_MAX {
        return Ok(text.to_owned());
    }
    Err("is not a placeholder; write {TYPE}, then {TAG}, once each, with what is around them, \
         such as [{TYPE}_{TAG}]: at most 64 visible ASCII characters without spaces")
}

fn word_of(text: &str) -> Result<String, &'static str> {
    let sized = (1..=WORD_CHARS_MAX).contains(&text.chars().count());
    if sized && text.trim() == text && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err("is not a word to look for; allowed: 1 to 200 characters without spaces around them")
}

fn pattern_of(text: &str) -> Result<String, &'static str> {
    if (1..=PATTERN_CHARS_MAX).contains(&text.chars().count()) {
        return Ok(text.to_owned());
    }
    Err("is not a regular expression of 1 to 1000 characters")
}
