//! The page tree of a PDF (ISO 32000-2 §7.7.3), as a graph over object numbers.

use std::collections::BTreeMap;
use std::ops::Range;

/// Levels of a tree that are followed. Writers balance theirs: four levels hold
/// ten thousand pages.
pub(super) const DEPTH_MAX: usize = 64;

/// Most objects of one document, in all versions. A page has some ten.
const OBJECTS_MAX: usize = 200_000;

/// Most references that are kept: of lists of kids, and of arrays, which may be
/// such lists.
const REFERENCES_MAX: usize = 1_000_000;

/// One version of an object.
pub(super) struct Node {
    number: u32,
    /// Its references, in the tree's list of them.
    references: Range<usize>,
    /// A list of kids is there, be it empty.
    pub(super) has_kids: bool,
    /// Pages that it says to have below.
    pub(super) count: u32,
    /// It says that it is a page.
    pub(super) is_page: bool,
    /// Written in a way that is not followed.
    pub(super) odd: bool,
}

impl Node {
    /// An object whose references will be the tree's next ones.
    pub(super) fn new(number: u32, start: usize) -> Self {
        let references = start..start;
        Self { number, references, has_kids: false, count: 0, is_page: false, odd: false }
    }

    fn is_leaf(&self) -> bool {
        !self.has_kids && self.references.is_empty()
    }
}

/// Every object of a document, and where its page trees begin.
#[derive(Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    references: Vec<u32>,
    roots: Vec<u32>,
}

impl Tree {
    pub(super) fn reference_count(&self) -> usize {
        self.references.len()
    }

    /// Adds a reference to the node that is being read; `None` beyond the bound.
    pub(super) fn refer(&mut self, node: &mut Node, to: u32) -> Option<()> {
        self.references.push(to);
        node.references.end = self.references.len();
        (self.references.len() <= REFERENCES_MAX).then_some(())
    }

    /// Adds a place where a page tree begins; `None` beyond the bound.
    pub(super) fn root(&mut self, number: u32) -> Option<()> {
        self.roots.push(number);
        (self.roots.len() <= OBJECTS_MAX).then_some(())
    }

    /// Adds a node; `None` beyond the bound.
    pub(super) fn insert(&mut self, node: Node) -> Option<()> {
        self.nodes.push(node);
        (self.nodes.len() <= OBJECTS_MAX).then_some(())
    }

    /// Pages of the largest tree, or objects that say they are pages, whichever
    /// is more. `None` without a tree, or when one cannot be followed.
    pub(super) fn pages(&mut self) -> Option<u64> {
        self.nodes.sort_by_key(|node| node.number);
        let mut counted = BTreeMap::new();
        let mut most = None;
        for root in &self.roots {
            most = most.max(Some(self.below(*root, 0, &mut counted)?));
        }
        most.map(|pages| pages.max(self.page_objects()))
    }

    /// Pages below an object, itself included: as many as there are ways to
    /// reach one, because a page may be listed more than once.
    fn below(&self, number: u32, depth: usize, counted: &mut BTreeMap<u32, u64>) -> Option<u64> {
        if let Some(pages) = counted.get(&number) {
            return Some(*pages);
        }
        // A cycle has no end either.
        if depth > DEPTH_MAX {
            return None;
        }
        let mut most = None;
        for node in self.versions(number) {
            if node.odd {
                return None;
            }
            let mut pages = u64::from(node.is_leaf());
            for kid in self.references.get(node.references.clone())? {
                pages = pages.saturating_add(self.below(*kid, depth + 1, counted)?);
            }
            let said = if node.has_kids { u64::from(node.count) } else { 0 };
            most = most.max(Some(pages.max(said)));
        }
        // Without a version the object is missing, or hidden.
        counted.insert(number, most?);
        most
    }

    fn versions(&self, number: u32) -> impl Iterator<Item = &Node> {
        let start = self.nodes.partition_point(|node| node.number < number);
        let from = self.nodes.get(start..).unwrap_or_default();
        from.iter().take_while(move |node| node.number == number)
    }

    /// Objects that say they are pages, each once whatever its versions.
    fn page_objects(&self) -> u64 {
        let mut pages = 0;
        let mut last = None;
        for node in self.nodes.iter().filter(|node| node.is_page) {
            pages += u64::from(last.replace(node.number) != Some(node.number));
        }
        pages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree out of `(number, kids)`; `None` is a page.
    fn tree(root: u32, objects: &[(u32, Option<&[u32]>)]) -> Tree {
        let mut tree = Tree::default();
        tree.root(root).unwrap();
        for (number, kids) in objects {
            let mut node = Node::new(*number, tree.reference_count());
            node.has_kids = kids.is_some();
            node.is_page = kids.is_none();
            for kid in kids.unwrap_or_default() {
                tree.refer(&mut node, *kid).unwrap();
            }
            tree.insert(node).unwrap();
        }
        tree
    }

    #[test]
    fn counts_ways_to_pages() {
        for (objects, expected) in [
            (&[(1, Some(&[2, 3][..])), (2, None), (3, None)][..], Some(2)),
            (&[(1, Some(&[2, 2, 2])), (2, None)], Some(3)),
            (&[(1, Some(&[2, 2])), (2, Some(&[3, 3])), (3, Some(&[4, 4])), (4, None)], Some(8)),
            (&[(1, Some(&[])), (9, None), (9, None), (8, None)], Some(2)),
            // Two versions of the root: the larger counts.
            (&[(1, Some(&[2])), (2, None), (1, Some(&[2, 2]))], Some(2)),
            (&[(1, Some(&[2]))], None),
            (&[(1, Some(&[1]))], None),
            (&[(1, Some(&[2])), (2, Some(&[1]))], None),
            (&[(2, None)], None),
            (&[], None),
        ] {
            assert_eq!(tree(1, objects).pages(), expected);
        }
        assert_eq!(Tree::default().pages(), None);
    }

    #[test]
    fn ways_without_end_are_many_pages_and_not_much_work() {
        let kids: Vec<[u32; 1000]> = (1..60).map(|number| [number + 1; 1000]).collect();
        let mut objects: Vec<(u32, Option<&[u32]>)> =
            (1..60).zip(&kids).map(|(number, kids)| (number, Some(&kids[..]))).collect();
        objects.push((60, None));
        assert_eq!(tree(1, &objects).pages(), Some(u64::MAX));
    }

    #[test]
    fn a_tree_that_is_too_deep_is_not_followed() {
        let kids: Vec<[u32; 1]> = (1..200).map(|number| [number + 1]).collect();
        for (levels, expected) in [(60, Some(1)), (100, None)] {
            let mut objects: Vec<(u32, Option<&[u32]>)> =
                (1..levels).zip(&kids).map(|(number, kids)| (number, Some(&kids[..]))).collect();
            objects.push((levels, None));
            assert_eq!(tree(1, &objects).pages(), expected);
        }
    }

    #[test]
    fn what_a_node_says_counts_when_it_is_more() {
        let mut tree = tree(1, &[(2, None)]);
        let mut node = Node::new(1, 0);
        node.has_kids = true;
        node.count = 5000;
        tree.refer(&mut node, 2).unwrap();
        tree.insert(node).unwrap();
        assert_eq!(tree.pages(), Some(5000));
    }
}
