//! A reader over the tree: typed getters that collect what is wrong and go on,
//! so that one look finds everything.

use crate::masking::PolicyCheck;
use crate::problem::{Problem, Problems};
use crate::schema::{self, Section};
use crate::sources::{Sources, expand};
use crate::tree::{Entry, Mark, Node, Shape, field_path};
use std::cell::RefCell;
use std::fmt::Display;
use std::path::Path;

/// Longest part of a value that a problem quotes.
const QUOTED_CHARS_MAX: usize = 80;

/// Most names that a problem lists.
const LISTED_MAX: usize = 20;

/// Most names that are held against an unknown one, which may be one of many.
const CONSIDERED_MAX: usize = 1_000;

/// How alike two names are, of 1, before one is offered for the other.
const ALIKE: f64 = 0.8;

/// A document that is being read.
pub(crate) struct Document<'a> {
    pub base: &'a Path,
    pub sources: &'a dyn Sources,
    policies: &'a dyn PolicyCheck,
    problems: RefCell<Problems>,
}

impl<'a> Document<'a> {
    pub fn new(
        base: &'a Path,
        sources: &'a dyn Sources,
        policies: &'a dyn PolicyCheck,
        problems: Problems,
    ) -> Self {
        Document { base, sources, policies, problems: RefCell::new(problems) }
    }

    pub fn root(&'a self, node: &'a Node) -> Cursor<'a> {
        Cursor { document: self, node, key: node.mark, path: String::new() }
    }

    /// Everything that was found, in the order of the text.
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner().into_sorted()
    }

    fn report(&self, mark: Mark, path: &str, message: impl Display) {
        self.problems.borrow_mut().push(|| mark.problem(path, message.to_string()));
    }
}

/// A value in the document.
pub(crate) struct Cursor<'a> {
    document: &'a Document<'a>,
    node: &'a Node,
    /// Where the field's name stands, or the value itself in a list.
    key: Mark,
    pub path: String,
}

/// A scalar's text, and what a problem may show of it.
struct Text {
    value: String,
    shown: String,
}

impl<'a> Cursor<'a> {
    /// Who says whether the rules of a masking policy can be applied.
    pub fn policy_check(&self) -> &'a dyn PolicyCheck {
        self.document.policies
    }

    /// Reports what is wrong with the value.
    pub fn report(&self, message: impl Display) {
        self.document.report(self.node.mark, &self.path, message);
    }

    /// Reports what is wrong with the field as a whole.
    pub fn report_field(&self, message: impl Display) {
        self.document.report(self.key, &self.path, message);
    }

    /// What `parse` makes of the scalar; its error follows the quoted value.
    pub fn parse<T, E: Display>(&self, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let text = self.text()?;
        self.keep(parse(&text.value), &text.shown)
    }

    /// Like [`Cursor::parse`], for what must not be quoted.
    pub fn parse_unquoted<T, E: Display>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text()?;
        self.keep(parse(&text.value), "the value")
    }

    fn keep<T, E: Display>(&self, parsed: Result<T, E>, shown: &str) -> Option<T> {
        parsed.map_err(|error| self.report(format_args!("{shown} {error}"))).ok()
    }

    /// One of `choices` by its name.
    pub fn choose<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let chosen = choices.iter().find(|(name, _)| *name == text.value);
        if chosen.is_none() {
            let allowed = listed(choices.iter().map(|(name, _)| *name));
            self.report(format_args!("{} is not known; allowed: {allowed}", text.shown));
        }
        chosen.map(|(_, value)| *value)
    }

    fn text(&self) -> Option<Text> {
        let Shape::Scalar { text, .. } = &self.node.shape else {
            self.expected("one value");
            return None;
        };
        if self.node.is_null() {
            self.report("is empty; give a value or remove it");
            return None;
        }
        match expand(text, self.document.base, self.document.sources) {
            Ok(value) => Some(Text { value, shown: quoted(text) }),
            Err(error) => {
                self.report(error);
                None
            }
        }
    }

    /// Whether there is something at `path`, of fields in fields, right or wrong.
    pub fn has(&self, path: &[&str]) -> bool {
        let found = path.iter().try_fold(self.node, |node, name| match &node.shape {
            Shape::Map(entries) => {
                entries.iter().find(|entry| entry.key == *name).map(|entry| &*entry.value)
            }
            _ => None,
        });
        found.is_some()
    }

    /// Whether the value is written as a scalar.
    pub fn is_scalar(&self) -> bool {
        matches!(self.node.shape, Shape::Scalar { .. })
    }

    /// The items of a list; none when it is no list, which is reported.
    pub fn items(&self) -> Option<Vec<Cursor<'a>>> {
        let Shape::List(items) = &self.node.shape else {
            self.expected("a list");
            return None;
        };
        let item = |(index, node): (usize, &'a std::rc::Rc<Node>)| Cursor {
            document: self.document,
            node,
            key: node.mark,
            path: format!("{}[{index}]", self.path),
        };
        Some(items.iter().enumerate().map(item).collect())
    }

    /// The one value itself, or the items of a list, which must not be empty.
    pub fn one_or_more(&self) -> Vec<Cursor<'a>> {
        if self.is_scalar() {
            return vec![Cursor { path: self.path.clone(), ..*self }];
        }
        let items = self.items();
        if items.as_ref().is_some_and(Vec::is_empty) {
            self.report("is empty; give a value or remove it");
        }
        items.unwrap_or_default()
    }

    /// What `parse` makes of each item, without those it refuses.
    pub fn parse_items<T, E: Display>(&self, parse: impl Fn(&str) -> Result<T, E>) -> Vec<T> {
        let items = self.items().unwrap_or_default();
        items.iter().filter_map(|item| item.parse(&parse)).collect()
    }

    /// The fields of a map, of which nothing is one without fields.
    pub fn fields(&self, section: Section) -> Fields<'_, 'a> {
        let known = RefCell::new(Vec::new());
        Fields { cursor: self, section, entries: self.entries(), known }
    }

    /// The names of a map that its author chose, without those that `parse` refuses.
    pub fn named<N, E: Display>(
        &self,
        parse: impl Fn(&str) -> Result<N, E>,
    ) -> Vec<(N, Cursor<'a>)> {
        let named = |entry: &'a Entry| {
            let value = self.field(entry);
            match parse(&entry.key) {
                Ok(name) => Some((name, value)),
                Err(error) => {
                    value.report_field(format!("{} {error}", quoted(&entry.key)));
                    None
                }
            }
        };
        self.entries().iter().filter_map(named).collect()
    }

    fn entries(&self) -> &'a [Entry] {
        match &self.node.shape {
            Shape::Map(entries) => entries,
            _ if self.node.is_null() => &[],
            _ => {
                self.expected("a map of fields");
                &[]
            }
        }
    }

    fn field(&self, entry: &'a Entry) -> Cursor<'a> {
        Cursor {
            document: self.document,
            node: &entry.value,
            key: entry.mark,
            path: field_path(&self.path, &entry.key),
        }
    }

    fn expected(&self, expected: &str) {
        let found = match &self.node.shape {
            Shape::Scalar { .. } if self.node.is_null() => "nothing",
            Shape::Scalar { .. } => "one value",
            Shape::List(_) => "a list",
            Shape::Map(_) => "a map",
        };
        self.report(format!("must be {expected}, not {found}"));
    }
}

/// The fields of a map. What is asked for is known; [`Fields::close`] reports
/// the rest.
pub(crate) struct Fields<'c, 'a> {
    cursor: &'c Cursor<'a>,
    section: Section,
    entries: &'a [Entry],
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Fields<'_, 'a> {
    pub fn get(&self, name: &'static str) -> Option<Cursor<'a>> {
        debug_assert!(schema::has(self.section, name), "no row for {:?}.{name}", self.section);
        self.known.borrow_mut().push(name);
        self.entries.iter().find(|entry| entry.key == name).map(|entry| self.cursor.field(entry))
    }

    /// The names in the map under `name`, before anybody reads it; none where there is no
    /// map.
    pub fn names_in(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let found = self.entries.iter().find(|entry| entry.key == name);
        let entries: &[Entry] = match found.map(|entry| &entry.value.shape) {
            Some(Shape::Map(entries)) => entries,
            _ => &[],
        };
        entries.iter().map(|entry| entry.key.as_str())
    }

    /// Like [`Fields::get`]; reports that the field is missing.
    pub fn require(&self, name: &'static str, what: &str) -> Option<Cursor<'a>> {
        let found = self.get(name);
        if found.is_none() {
            self.cursor.report_field(format!("`{name}` is missing; {what}"));
        }
        found
    }

    /// What `parse` makes of the field, or `default` when it is left out.
    pub fn value<T, E: Display>(
        &self,
        name: &'static str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> T {
        self.get(name).and_then(|field| field.parse(parse)).unwrap_or(default)
    }

    /// Reports what is wrong with the map as a whole.
    pub fn report(&self, message: &str) {
        self.cursor.report_field(message);
    }

    /// Whether the field stands there, known or not.
    pub fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == name)
    }

    /// The names of all fields, known or not.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.entries.iter().map(|entry| entry.key.as_str())
    }

    /// Whether there is no field at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Reports every field that nobody asked for.
    pub fn close(self) {
        let known = self.known.borrow();
        for entry in self.entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let message = unknown_field(&entry.key, known.iter().copied());
            self.cursor.field(entry).report_field(message);
        }
    }
}

fn unknown_field<'n>(name: &str, allowed: impl Iterator<Item = &'n str> + Clone) -> String {
    format!("unknown field {};{}", quoted(name), alternatives(name, allowed))
}

/// What an unknown name may have been meant to be, and what there is. Looks at
/// [`CONSIDERED_MAX`] names at most.
pub(crate) fn alternatives<'n>(
    name: &str,
    allowed: impl Iterator<Item = &'n str> + Clone,
) -> String {
    let meant = allowed
        .clone()
        .take(CONSIDERED_MAX)
        .map(|candidate| (alike(name, candidate), candidate))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    let meant = meant.map(|(_, candidate)| format!(" did you mean {candidate}?"));
    format!("{} allowed: {}", meant.unwrap_or_default(), listed(allowed))
}

/// How alike two names are, whatever their case.
fn alike(name: &str, candidate: &str) -> f64 {
    strsim::jaro_winkler(&name.to_lowercase(), &candidate.to_lowercase())
}

fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut names: Vec<_> = names.take(LISTED_MAX.saturating_add(1)).collect();
    if names.is_empty() {
        return "none".to_owned();
    }
    let more = if names.len() > LISTED_MAX { ", ..." } else { "" };
    names.truncate(LISTED_MAX);
    names.join(", ") + more
}

/// `text` in backticks, cut when long, control characters made visible.
fn quoted(text: &str) -> String {
    let cut: String = text.chars().take(QUOTED_CHARS_MAX).collect();
    let more = if cut.len() < text.len() { "..." } else { "" };
    let visible = cut.chars().fold(String::new(), |visible, c| {
        if c.is_control() {
            visible + &c.escape_debug().to_string()
        } else {
            visible + c.encode_utf8(&mut [0; 4])
        }
    });
    format!("`{visible}{more}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_can_be_seen() {
        assert_eq!(quoted("a\n\u{1}'b"), "`a\\n\\u{1}'b`");
        assert_eq!(quoted(&"x".repeat(90)), format!("`{}...`", "x".repeat(80)));
    }

    #[test]
    fn offers_what_is_alike() {
        let allowed = ["listen", "workers"].into_iter();
        let lisen = unknown_field("lisen", allowed.clone());
        assert_eq!(lisen, "unknown field `lisen`; did you mean listen? allowed: listen, workers");
        assert_eq!(alternatives("x", allowed), " allowed: listen, workers");
        assert_eq!(alternatives("x", [].into_iter()), " allowed: none");
        let types = ["EMAIL", "PHONE"].into_iter();
        assert_eq!(alternatives("e-mail", types), " did you mean EMAIL? allowed: EMAIL, PHONE");
    }

    #[test]
    fn a_long_list_is_cut() {
        let names: Vec<_> = (0..30).map(|n| n.to_string()).collect();
        let text = listed(names.iter().map(String::as_str));
        assert!(text.ends_with("18, 19, ..."), "{text}");
    }
}
