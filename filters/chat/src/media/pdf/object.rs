//! One object of a PDF: what a page tree needs to know of it.

use super::lexer::{Lexer, Name, Value};
use super::tree::{Node, Tree};

/// A stream that has objects inside (ISO 32000-2 §7.5.7).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ObjectStream {
    /// Where its data begins in the file.
    pub(super) start: usize,
    /// How many objects it has.
    pub(super) count: u32,
    /// Where the first of them is in the data.
    pub(super) first: u32,
    /// By Flate, the only compression that is read.
    pub(super) compressed: bool,
}

/// Reads an object and puts it into the tree. Returns where its own objects
/// are, if it has some; `None` when the document cannot be counted.
pub(super) fn read(
    lexer: &mut Lexer<'_, '_>,
    number: u32,
    tree: &mut Tree,
) -> Option<Option<ObjectStream>> {
    let mut node = Node::new(number, tree.reference_count());
    let mut stream = None;
    match lexer.value() {
        Some(Value::DictionaryStart) => {
            let mut dictionary = Dictionary::new(tree, &mut node);
            dictionary.read(lexer)?;
            stream = dictionary.object_stream(lexer)?;
        }
        Some(Value::ArrayStart) => references(lexer, tree, &mut node)?,
        // An object that is another one.
        Some(Value::Reference(other)) => tree.refer(&mut node, other)?,
        // No page, or cut where the object was taken to end.
        _ => node.odd = true,
    }
    tree.insert(node)?;
    Some(stream)
}

/// Reads the dictionary behind the word `trailer`.
pub(super) fn read_trailer(lexer: &mut Lexer<'_, '_>, tree: &mut Tree) -> Option<()> {
    let mut node = Node::new(0, tree.reference_count());
    match lexer.value() {
        Some(Value::DictionaryStart) => Dictionary::new(tree, &mut node).read(lexer),
        _ => Some(()),
    }
}

/// References of an array, however deep they stand in it.
fn references(lexer: &mut Lexer<'_, '_>, tree: &mut Tree, node: &mut Node) -> Option<()> {
    let mut depth = 1_usize;
    while depth > 0 {
        match lexer.value() {
            Some(Value::Reference(kid)) => tree.refer(node, kid)?,
            Some(Value::ArrayStart) => depth += 1,
            Some(Value::ArrayEnd) => depth -= 1,
            // A page that is no object of its own is not followed.
            Some(Value::DictionaryStart) => {
                node.odd = true;
                lexer.skip_inside();
            }
            Some(_) => {}
            None => {
                node.odd = true;
                return Some(());
            }
        }
    }
    Some(())
}

/// A filter of a stream, as far as it is read here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Filter {
    Nothing,
    Flate,
    Other,
}

/// The members of a dictionary that matter.
struct Dictionary<'t> {
    tree: &'t mut Tree,
    node: &'t mut Node,
    /// `N` and `First`, when they are there; inside `None` when they are no
    /// numbers.
    count: Option<Option<u32>>,
    first: Option<Option<u32>>,
    filter: Filter,
    /// Parameters of the filter: not read.
    parameters: bool,
}

impl<'t> Dictionary<'t> {
    fn new(tree: &'t mut Tree, node: &'t mut Node) -> Self {
        let filter = Filter::Nothing;
        Self { tree, node, count: None, first: None, filter, parameters: false }
    }

    /// Reads up to the end of the dictionary, which is open. `None` when the
    /// document cannot be counted.
    fn read(&mut self, lexer: &mut Lexer<'_, '_>) -> Option<()> {
        loop {
            match lexer.value() {
                Some(Value::Name(key)) => self.member(key, lexer)?,
                Some(Value::DictionaryEnd) => return Some(()),
                Some(Value::DictionaryStart | Value::ArrayStart) => lexer.skip_inside(),
                Some(_) => {}
                None => {
                    self.node.odd = true;
                    return Some(());
                }
            }
        }
    }

    fn member(&mut self, key: Name<'_>, lexer: &mut Lexer<'_, '_>) -> Option<()> {
        let Some(value) = lexer.member() else { return Some(()) };
        match key {
            key if key.is(b"Kids") => return self.kids(value, lexer),
            key if key.is(b"Filter") => {
                self.filter(value, lexer);
                return Some(());
            }
            key if key.is(b"DecodeParms") => self.parameters |= !is_null(value),
            key if key.is(b"Type") => {
                self.node.is_page |= matches!(value, Value::Name(name) if name.is(b"Page"));
            }
            key if key.is(b"Count") => self.page_count(value),
            key if key.is(b"N") => self.count = Some(number(value)),
            key if key.is(b"First") => self.first = Some(number(value)),
            key if key.is(b"Pages") => match value {
                Value::Reference(root) => self.tree.root(root)?,
                // A tree that is no object of its own is not followed.
                _ if opens(value) => return None,
                _ => {}
            },
            key if key.is(b"Root") && opens(value) => return None,
            key if key.is(b"Encrypt") && !is_null(value) => return None,
            _ => {}
        }
        if opens(value) {
            lexer.skip_inside();
        }
        Some(())
    }

    fn kids(&mut self, value: Value<'_>, lexer: &mut Lexer<'_, '_>) -> Option<()> {
        self.node.has_kids = true;
        match value {
            Value::ArrayStart => references(lexer, self.tree, self.node)?,
            Value::Reference(array) => self.tree.refer(self.node, array)?,
            Value::DictionaryStart => {
                self.node.odd = true;
                lexer.skip_inside();
            }
            _ => {}
        }
        Some(())
    }

    fn page_count(&mut self, value: Value<'_>) {
        match value {
            Value::Number(count) => self.node.count = self.node.count.max(count),
            Value::Reference(_) => self.node.odd = true,
            _ => {}
        }
    }

    fn filter(&mut self, value: Value<'_>, lexer: &mut Lexer<'_, '_>) {
        match value {
            Value::ArrayStart => loop {
                match lexer.value() {
                    Some(Value::ArrayEnd) | None => return,
                    Some(value) => self.one_filter(value, lexer),
                }
            },
            value => self.one_filter(value, lexer),
        }
    }

    fn one_filter(&mut self, value: Value<'_>, lexer: &mut Lexer<'_, '_>) {
        self.filter = match value {
            Value::Word(b"null") => self.filter,
            Value::Name(name)
                if self.filter == Filter::Nothing
                    && (name.is(b"FlateDecode") || name.is(b"Fl")) =>
            {
                Filter::Flate
            }
            _ => Filter::Other,
        };
        if opens(value) {
            lexer.skip_inside();
        }
    }

    /// The stream behind the dictionary, when it is one of objects. Its type is
    /// not asked for, as some readers do not ask either.
    fn object_stream(&self, lexer: &mut Lexer<'_, '_>) -> Option<Option<ObjectStream>> {
        let (Some(count), Some(first)) = (self.count, self.first) else { return Some(None) };
        let Some(start) = lexer.stream_start() else { return Some(None) };
        // Numbers that stand elsewhere are not followed.
        let (count, first) = (count?, first?);
        if self.filter == Filter::Other || self.parameters {
            return None;
        }
        let compressed = self.filter == Filter::Flate;
        Some(Some(ObjectStream { start, count, first, compressed }))
    }
}

/// Whether a value has others inside.
fn opens(value: Value<'_>) -> bool {
    matches!(value, Value::DictionaryStart | Value::ArrayStart)
}

fn is_null(value: Value<'_>) -> bool {
    matches!(value, Value::Word(b"null"))
}

fn number(value: Value<'_>) -> Option<u32> {
    match value {
        Value::Number(number) => Some(number),
        _ => None,
    }
}
