//! Conditions over requests.

use crate::model::Facts;
use crate::split::Split;
use contract::glob::Glob;
use contract::policy::{Language, MediaKind, WhenConfig};
use std::cell::OnceCell;

/// A condition, and the pools where it is true.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) when: When,
    pub(crate) split: Split,
}

/// What has to be true of a request; what is cheap to know stands first.
#[derive(Clone, Debug)]
pub(crate) struct When {
    stream: Option<bool>,
    tenants: Box<[Box<str>]>,
    roles: Box<[Box<str>]>,
    paths: Box<[Glob]>,
    headers: Box<[(Box<str>, Glob)]>,
    media: Box<[MediaKind]>,
    tokens_over: Option<u64>,
    tokens_up_to: Option<u64>,
    language: Option<Language>,
}

impl When {
    pub(crate) fn compile(config: &WhenConfig) -> When {
        let words = |words: &[String]| words.iter().map(|word| word.as_str().into()).collect();
        let header = |(name, pattern): (&String, &String)| {
            (name.to_ascii_lowercase().into(), Glob::new(pattern))
        };
        When {
            stream: config.stream,
            tenants: words(&config.tenants),
            roles: words(&config.roles),
            paths: config.paths.iter().map(|pattern| Glob::new(pattern)).collect(),
            headers: config.headers.iter().map(header).collect(),
            media: config.media.iter().copied().collect(),
            tokens_over: config.prompt_tokens_over,
            tokens_up_to: config.prompt_tokens_up_to,
            language: config.language,
        }
    }

    /// Names of the headers that are asked for, in lower case.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(name, _)| &**name)
    }

    /// Whether the prompt has to be read.
    pub(crate) fn reads_prompt(&self) -> bool {
        self.tokens_over.is_some() || self.tokens_up_to.is_some() || self.language.is_some()
    }

    pub(crate) fn fits(&self, known: &Known<'_, impl Facts>) -> bool {
        let facts = known.facts;
        self.stream.is_none_or(|stream| stream == facts.stream())
            && is_one_of(&self.tenants, |tenant| **tenant == *facts.tenant())
            && is_one_of(&self.roles, |role| facts.has_role(role))
            && is_one_of(&self.paths, |path| path.matches(facts.path()))
            && self.headers.iter().all(|(name, value)| known.header_fits(name, value))
            && is_one_of(&self.media, |kind| facts.has_media(*kind))
            && self.tokens_over.is_none_or(|bound| known.tokens() > bound)
            && self.tokens_up_to.is_none_or(|bound| known.tokens() <= bound)
            && self.language.is_none_or(|language| known.language() == language)
    }
}

/// Of none, nothing is asked.
fn is_one_of<T>(wanted: &[T], is: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(is)
}

/// The facts of a request, each of the costly ones asked at most once.
pub(crate) struct Known<'f, F> {
    facts: &'f F,
    tokens: OnceCell<u64>,
    language: OnceCell<Language>,
}

impl<'f, F: Facts> Known<'f, F> {
    pub(crate) fn new(facts: &'f F) -> Known<'f, F> {
        Known { facts, tokens: OnceCell::new(), language: OnceCell::new() }
    }

    fn header_fits(&self, name: &str, value: &Glob) -> bool {
        self.facts.header(name).is_some_and(|found| value.matches(&found))
    }

    fn tokens(&self) -> u64 {
        *self.tokens.get_or_init(|| self.facts.prompt_tokens())
    }

    fn language(&self) -> Language {
        *self.language.get_or_init(|| self.facts.language())
    }
}
