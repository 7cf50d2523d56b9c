//! What the text of a file lists.

use super::eds;
use super::tree::{self, Fault, Node, Placed};
use crate::written::{self, List};
use model::Endpoint;

/// Reads a list of URLs and `HOST:PORT`, or Envoy's EDS file. `[]` and an EDS
/// file without endpoints say that there are none; a file with nothing in it is
/// one that is being written.
pub(crate) fn read(text: &str, tls: bool) -> Result<Vec<Endpoint>, Fault> {
    let root = tree::parse(text)?;
    let mut list = List::default();
    match &root.node {
        Node::List(entries) => {
            entries.iter().try_for_each(|entry| push(&mut list, entry, entry.text(), tls))?;
        }
        Node::Map(_) => {
            for place in eds::addresses(&root)? {
                push(&mut list, place.at, Some(&place.text), tls)?;
            }
        }
        Node::Nothing => return Err(root.fault("the file is empty")),
        Node::Scalar(_) => return Err(root.fault("is neither a list nor Envoy's `resources:`")),
    }
    Ok(list.into_endpoints())
}

fn push(list: &mut List, at: &Placed, text: Option<&str>, tls: bool) -> Result<(), Fault> {
    let text = text.ok_or_else(|| at.fault("this entry is not text; write HOST:PORT or a URL"))?;
    let pushed = written::endpoint(text, tls).and_then(|endpoint| list.push(endpoint));
    pushed.map_err(|what| at.fault(format!("this entry {what}")))
}

#[cfg(test)]
mod tests;
