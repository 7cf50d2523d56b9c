//! YAML text as a tree that remembers where everything stood, and every scalar
//! as it was written (a price must never pass through a float).

use crate::problem::{Problem, Problems};
use crate::sources::{shield, unshield};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Longest text that is read: some ten thousand keys fit.
const TEXT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Deepest nesting: the configuration needs six.
const DEPTH_MAX: usize = 32;

/// Most nodes with every alias counted as what it stands for, so that a few
/// lines cannot stand for more than a machine can read.
const NODES_MAX: usize = 1_000_000;

/// A position in the text, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub line: u32,
    pub column: u32,
}

impl Mark {
    pub const START: Mark = Mark { line: 1, column: 1 };

    fn of(marker: &Marker) -> Mark {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Mark { line: number(marker.line().max(1)), column: number(marker.col().saturating_add(1)) }
    }

    /// The place, or the end of `text` where that is behind it: the parser has looked
    /// ahead when it gives up. The end may be the beginning of a line that is not there.
    fn within(self, text: &str) -> Mark {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let behind = number(text.split('\n').count()).saturating_add(1);
        let line = self.line.clamp(1, behind);
        let chars = |line: &str| number(line.chars().count());
        let length = text.split('\n').nth(line as usize - 1).map_or(0, chars);
        Mark { line, column: self.column.clamp(1, length.saturating_add(1)) }
    }

    pub fn problem(self, path: &str, message: impl Into<String>) -> Problem {
        Problem {
            line: self.line,
            column: self.column,
            path: path.to_owned(),
            message: message.into(),
        }
    }
}

/// A value and where it begins.
pub(crate) struct Node {
    pub mark: Mark,
    pub shape: Shape,
    /// Nodes in it, itself included, aliases counted as what they stand for.
    weight: usize,
}

pub(crate) enum Shape {
    /// The text as written, without quotes; `plain` when it had none.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Rc<Node>>),
    Map(Vec<Entry>),
}

pub(crate) struct Entry {
    pub key: String,
    pub mark: Mark,
    pub value: Rc<Node>,
}

impl Node {
    /// What an empty document is.
    fn null(mark: Mark) -> Node {
        Node { mark, shape: Shape::Scalar { text: String::new(), plain: true }, weight: 1 }
    }

    pub fn is_null(&self) -> bool {
        match &self.shape {
            Shape::Scalar { text, plain: true } => {
                matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL")
            }
            _ => false,
        }
    }
}

/// `path` with one more field; a name with a dot in it is quoted.
pub(crate) fn field_path(path: &str, field: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-:@/".contains(c);
    let dot = if path.is_empty() { "" } else { "." };
    let short: String = field.chars().take(64).collect();
    if field.chars().all(plain) && !field.is_empty() {
        format!("{path}{dot}{short}")
    } else {
        format!("{path}{dot}{short:?}")
    }
}

/// The tree of the one document in `text`. Problems that leave a tree (a key
/// that stands twice) go to `problems`.
///
/// # Errors
/// The problem after which nothing can be read.
pub(crate) fn parse(text: &str, problems: &mut Problems) -> Result<Rc<Node>, Problem> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("the configuration is larger than {TEXT_BYTES_MAX} bytes");
        return Err(Mark::START.problem("", message));
    }
    // Some editors begin a file with a byte order mark.
    let text = shield(text.strip_prefix('\u{feff}').unwrap_or(text));
    let shielded = matches!(text, Cow::Owned(_));
    let mut builder =
        Builder { problems, frames: Vec::new(), anchors: BTreeMap::new(), root: None, shielded };
    let mut parser = Parser::new_from_str(&text);
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|error| {
            let place = Mark::of(error.marker()).within(&text);
            place.problem("", format!("this is not YAML: {}", error.info()))
        })?;
        builder.take(event, Mark::of(&span.start))?;
    }
    Ok(builder.root.unwrap_or_else(|| Rc::new(Node::null(Mark::START))))
}

/// A list or map that has begun.
struct Frame {
    mark: Mark,
    anchor: usize,
    weight: usize,
    content: Content,
}

enum Content {
    List(Vec<Rc<Node>>),
    Map { entries: Vec<Entry>, names: BTreeSet<String>, key: Key },
}

/// Where a map stands between two nodes.
enum Key {
    /// The next node is a key.
    Awaited,
    /// The next node is the value of this key.
    Read(String, Mark),
    /// The next node is the value of a key that cannot be used.
    Refused,
}

struct Builder<'p> {
    problems: &'p mut Problems,
    frames: Vec<Frame>,
    anchors: BTreeMap<usize, Rc<Node>>,
    root: Option<Rc<Node>>,
    /// Whether the braces of `${...}` are not braces.
    shielded: bool,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, mark: Mark) -> Result<(), Problem> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(mark.problem("", "a second document begins here; one is allowed"))
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.untagged(tag, mark);
                self.scalar(unshield(text.into_owned(), self.shielded), style, anchor, mark)
            }
            Event::SequenceStart(anchor, tag) => {
                self.untagged(tag, mark);
                self.open(anchor, mark, Content::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.untagged(tag, mark);
                let (entries, names) = (Vec::new(), BTreeSet::new());
                self.open(anchor, mark, Content::Map { entries, names, key: Key::Awaited })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.alias(anchor, mark),
            _ => Ok(()),
        }
    }

    fn untagged(&mut self, tag: Option<Cow<'_, Tag>>, mark: Mark) {
        if tag.is_some() {
            let path = self.path();
            self.problems.push(|| mark.problem(&path, "tags (`!...`) are not allowed"));
        }
    }

    fn scalar(
        &mut self,
        text: String,
        style: ScalarStyle,
        anchor: usize,
        mark: Mark,
    ) -> Result<(), Problem> {
        let plain = style == ScalarStyle::Plain;
        let node = Node { mark, shape: Shape::Scalar { text, plain }, weight: 1 };
        self.finish(Rc::new(node), anchor)
    }

    fn open(&mut self, anchor: usize, mark: Mark, content: Content) -> Result<(), Problem> {
        if self.frames.len() >= DEPTH_MAX {
            return Err(mark.problem("", format!("nested deeper than {DEPTH_MAX} levels")));
        }
        self.frames.push(Frame { mark, anchor, weight: 1, content });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Problem> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let shape = match frame.content {
            Content::List(items) => Shape::List(items),
            Content::Map { entries, .. } => Shape::Map(entries),
        };
        let node = Node { mark: frame.mark, shape, weight: frame.weight };
        self.finish(Rc::new(node), frame.anchor)
    }

    fn alias(&mut self, anchor: usize, mark: Mark) -> Result<(), Problem> {
        match self.anchors.get(&anchor) {
            Some(node) => self.finish(Rc::clone(node), 0),
            None => Err(mark.problem(&self.path(), "this alias stands inside of its own anchor")),
        }
    }

    /// A node is whole: it becomes the root, or goes where it stands.
    fn finish(&mut self, node: Rc<Node>, anchor: usize) -> Result<(), Problem> {
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        let path = self.path();
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        frame.weight = frame.weight.saturating_add(node.weight);
        if frame.weight > NODES_MAX {
            let message = format!("holds more than {NODES_MAX} values, aliases counted in full");
            return Err(node.mark.problem(&path, message));
        }
        if let Some(problem) = frame.content.push(node, &path) {
            self.problems.push(|| problem);
        }
        Ok(())
    }

    /// The path of the node that comes next.
    fn path(&self) -> String {
        self.frames.iter().fold(String::new(), |path, frame| match &frame.content {
            Content::List(items) => format!("{path}[{}]", items.len()),
            Content::Map { key: Key::Read(key, _), .. } => field_path(&path, key),
            Content::Map { .. } => path,
        })
    }
}

impl Content {
    fn push(&mut self, node: Rc<Node>, path: &str) -> Option<Problem> {
        match self {
            Content::List(items) => items.push(node),
            Content::Map { entries, names, key } => {
                return match std::mem::replace(key, Key::Awaited) {
                    Key::Awaited => read_key(key, names, &node, path),
                    Key::Refused => None,
                    Key::Read(key, mark) => {
                        entries.push(entry(key, mark, node));
                        None
                    }
                };
            }
        }
        None
    }
}

fn read_key(
    key: &mut Key,
    names: &mut BTreeSet<String>,
    node: &Node,
    path: &str,
) -> Option<Problem> {
    let Shape::Scalar { text, .. } = &node.shape else {
        *key = Key::Refused;
        return Some(node.mark.problem(path, "a list or map cannot be the name of a field"));
    };
    if names.insert(text.clone()) {
        *key = Key::Read(text.clone(), node.mark);
        return None;
    }
    *key = Key::Refused;
    Some(node.mark.problem(&field_path(path, text), "stands here a second time; once is allowed"))
}

/// A value of which nothing is written begins where its key does.
fn entry(key: String, mark: Mark, value: Rc<Node>) -> Entry {
    let nothing = matches!(&value.shape, Shape::Scalar { text, plain: true } if text.is_empty());
    let value = if nothing { Rc::new(Node::null(mark)) } else { value };
    Entry { key, mark, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let mut problems = Problems::default();
        if let Err(problem) = parse(text, &mut problems) {
            problems.push(|| problem);
        }
        problems.into_sorted().iter().map(ToString::to_string).collect()
    }

    fn entries(text: &str) -> Vec<Entry> {
        let node =
            parse(text, &mut Problems::default()).unwrap_or_else(|problem| panic!("{problem}"));
        match Rc::into_inner(node).unwrap().shape {
            Shape::Map(entries) => entries,
            _ => panic!("no map"),
        }
    }

    fn text(node: &Node) -> &str {
        match &node.shape {
            Shape::Scalar { text, .. } => text,
            _ => panic!("no scalar"),
        }
    }

    #[test]
    fn scalars_stay_as_they_are_written() {
        let all = entries("price: 0.60\nbig: 18446744073709551616\nquoted: \"0x10\"\n");
        let texts: Vec<_> = all.iter().map(|entry| text(&entry.value)).collect();
        assert_eq!(texts, ["0.60", "18446744073709551616", "0x10"]);
        assert_eq!(all[1].mark, Mark { line: 2, column: 1 });
        assert_eq!(all[1].value.mark, Mark { line: 2, column: 6 });
    }

    #[test]
    fn an_alias_is_what_it_stands_for() {
        let all = entries("a: &x [1, 2]\nb: *x\n");
        assert!(matches!(&all[1].value.shape, Shape::List(items) if items.len() == 2));
    }

    #[test]
    fn a_bomb_does_not_explode() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let below = format!("*a{}, ", level - 1).repeat(10);
            bomb += &format!("a{level}: &a{level} [{below}]\n");
        }
        let found = problems(&bomb);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("holds more than 1000000 values"), "{found:?}");
    }

    #[test]
    fn what_cannot_be_read() {
        let deep = "[".repeat(40) + &"]".repeat(40);
        let table = [
            ("a: 1\nb: {c: 1, c: 2}\n", "2:11: b.c: stands here a second time; once is allowed"),
            ("a: 1\n---\nb: 2\n", "2:1: a second document begins here; one is allowed"),
            ("a: &x [*x]\n", "1:8: a[0]: this alias stands inside of its own anchor"),
            ("a:\n  - !!str b\n", "2:5: a[0]: tags (`!...`) are not allowed"),
            ("a:\n  [b]: c\n", "2:3: a: a list or map cannot be the name of a field"),
            ("a: *x\n", "1:4: this is not YAML: while parsing node, found unknown anchor"),
            (&deep, "1:33: nested deeper than 32 levels"),
        ];
        for (text, expected) in table {
            assert_eq!(problems(text), [expected], "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_inside_of_the_text() {
        assert_eq!(
            problems("%Y\u{2}X\0\0"),
            ["1:5: this is not YAML: found unprintable character"]
        );
        let table = [((1, 9), (1, 3)), ((3, 1), (3, 1)), ((9, 9), (4, 1)), ((2, 2), (2, 2))];
        for ((line, column), (inside, place)) in table {
            let mark = Mark { line, column }.within("ab\rc\r\n");
            assert_eq!(mark, Mark { line: inside, column: place }, "{line}:{column}");
        }
    }

    #[test]
    fn nothing_is_null() {
        for text in ["", "\u{feff}", "\n", "# only a comment\n", "---\n"] {
            assert!(
                parse(text, &mut Problems::default()).is_ok_and(|node| node.is_null()),
                "{text:?}"
            );
        }
        assert_eq!(entries("a:\n\nb: 1\n")[0].value.mark, Mark::START);
    }

    #[test]
    fn names_with_dots_are_quoted_in_paths() {
        assert_eq!(field_path("models", "gpt-4.1"), "models.\"gpt-4.1\"");
        assert_eq!(field_path("", "pools"), "pools");
    }
}
