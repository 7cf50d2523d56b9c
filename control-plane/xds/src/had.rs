//! Resources in the order of their names, and what differs between two sets.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::resource::Resource;
use crate::snapshot::ResourceMap;

/// A resource that an Envoy has, found by its name.
#[derive(Clone, Debug)]
pub(crate) struct Had(pub Arc<Resource>);

impl Borrow<str> for Had {
    fn borrow(&self) -> &str {
        &self.0.name
    }
}

impl PartialEq for Had {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Had {}

impl PartialOrd for Had {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Had {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.name.cmp(&other.0.name)
    }
}

/// What two sets do not have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct Differences {
    /// Names that are wanted and not had, or had in another version.
    pub missing: BTreeSet<Arc<str>>,
    /// Names that are had and are no more.
    pub gone: BTreeSet<Arc<str>>,
}

/// What differs between what is `known` and what there is and `wants`. Both are in order and mostly share their resources, so this is one
/// walk along two rows of pointers.
pub(crate) fn differing(
    known: &BTreeSet<Had>,
    all: &ResourceMap,
    wants: impl Fn(&str) -> bool,
) -> Differences {
    let mut differ = Differences::default();
    let (mut known, mut all) = (known.iter().peekable(), all.values().peekable());
    loop {
        let order = match (known.peek(), all.peek()) {
            (None, None) => return differ,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(had), Some(r)) if Arc::ptr_eq(&had.0, r) => Ordering::Equal,
            (Some(had), Some(r)) => had.0.name.cmp(&r.name),
        };
        let had = if order.is_le() { known.next() } else { None };
        let resource = if order.is_ge() { all.next() } else { None };
        match (had, resource) {
            (Some(had), Some(r)) if had.0.version != r.version => {
                differ.missing.insert(r.name.clone())
            }
            (Some(had), None) => differ.gone.insert(had.0.name.clone()),
            (None, Some(r)) if wants(&r.name) => differ.missing.insert(r.name.clone()),
            _ => false,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ResourceType::Cluster;

    fn resource(name: &str, content: &str) -> Arc<Resource> {
        Arc::new(Resource::new(Cluster, name, content.into()))
    }

    #[test]
    fn what_is_other_too_much_or_missing_differs() {
        let same = resource("same", "1");
        let known = [same.clone(), resource("equal", "1"), resource("old", "1")];
        let known = known.into_iter().chain([resource("gone", "1"), resource("zz", "1")]);
        let known: BTreeSet<Had> = known.map(Had).collect();
        let all = [same, resource("equal", "1"), resource("old", "2")];
        let all = all.into_iter().chain([resource("new", "1"), resource("unwanted", "1")]);
        let all: ResourceMap = all.map(|r| (r.name.clone(), r)).collect();
        let differ = differing(&known, &all, |name| name != "unwanted");
        assert!(differ.missing.iter().map(|name| &**name).eq(["new", "old"]));
        assert!(differ.gone.iter().map(|name| &**name).eq(["gone", "zz"]));
    }
}
