//! YAML or JSON as a tree that knows where each part of it stood.
//!
//! JSON is read as the YAML that it is. What is read is bounded in every way that
//! a small file can use to become a large tree.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::MergeKeyPolicy;
use serde_saphyr::{Error as YamlError, Options, Spanned};
use std::fmt;

/// Most scalars, lists and maps in a file: over 100,000 endpoints as Envoy writes
/// them fit.
const NODES_MAX: usize = 2_000_000;
/// Deepest nesting; Envoy's own files have eleven levels.
const DEPTH_MAX: usize = 32;
/// Most aliases and anchors, which lists of endpoints need none of.
const ALIASES_MAX: usize = 1_000;
/// Most nodes that all aliases together stand for.
const REPLAYED_MAX: usize = 100_000;

/// A part of the file and where it begins; lines and columns count from 1.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) line: u64,
    pub(crate) column: u64,
    pub(crate) node: Node,
}

/// A part of the file.
#[derive(Debug)]
pub(crate) enum Node {
    /// Nothing, `null` or `~`.
    Nothing,
    /// Text, a number or a truth value, as text.
    Scalar(String),
    /// A list.
    List(Vec<Placed>),
    /// A map, in the file's order; keys are different.
    Map(Vec<(String, Placed)>),
}

/// What is wrong with a file, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) line: u64,
    pub(crate) column: u64,
    pub(crate) what: String,
}

impl Placed {
    /// That something is wrong here.
    pub(crate) fn fault(&self, what: impl Into<String>) -> Fault {
        Fault { line: self.line, column: self.column, what: what.into() }
    }

    /// The value of the first of `keys` that this map has.
    pub(crate) fn get(&self, keys: &[&str]) -> Option<&Placed> {
        let Node::Map(entries) = &self.node else { return None };
        entries.iter().find(|(key, _)| keys.contains(&key.as_str())).map(|(_, value)| value)
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.node {
            Node::Scalar(text) => Some(text),
            _ => None,
        }
    }
}

/// Reads a file with one document.
pub(crate) fn parse(text: &str) -> Result<Placed, Fault> {
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| fault(&error))
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: NODES_MAX,
            max_events: 2 * NODES_MAX,
            max_depth: DEPTH_MAX,
            flow_nesting_limit: DEPTH_MAX,
            max_aliases: ALIASES_MAX,
            max_anchors: ALIASES_MAX,
            max_recorded_anchor_events: REPLAYED_MAX,
            max_documents: 1,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: REPLAYED_MAX,
            max_replay_stack_depth: DEPTH_MAX,
        },
        merge_keys: MergeKeyPolicy::Error,
        with_snippet: false,
        emit_comments: false,
    }
}

fn fault(error: &YamlError) -> Fault {
    let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
    Fault { line, column, what: explain(error) }
}

/// Names no key and no value of the file.
fn explain(error: &YamlError) -> String {
    let what = match error {
        YamlError::AliasError { error, .. } => return explain(error),
        YamlError::MultipleDocuments { .. }
        | YamlError::Budget { breach: BudgetBreach::Documents { .. }, .. } => {
            "another document begins; one file is one list"
        }
        YamlError::Budget { .. }
        | YamlError::AliasReplayLimitExceeded { .. }
        | YamlError::AliasReplayStackDepthExceeded { .. } => {
            "more levels, anchors, aliases or entries than a list of endpoints has"
        }
        YamlError::DuplicateMappingKey { .. } => "this key is there already",
        YamlError::MergeKeyNotAllowed { .. } => "merge keys are not read",
        // The parser's own words name the place once more.
        other => {
            let text = other.without_snippet().to_string();
            return text.split(" at line ").next().unwrap_or_default().to_owned();
        }
    };
    what.to_owned()
}

impl<'de> Deserialize<'de> for Placed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Placed, D::Error> {
        let spanned = Spanned::<Node>::deserialize(deserializer)?;
        let (line, column) = (spanned.referenced.line(), spanned.referenced.column());
        Ok(Placed { line, column, node: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML or JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}

#[cfg(test)]
mod tests;
