//! The body of one attempt: what its pool gets of a request that may go to several.

use crate::edit::{Edit, apply};
use contract::attempt::{Bodies, PoolBody};

/// What an attempt does with the body that was forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt<'b> {
    /// Nothing is told of its cluster.
    Untold,
    /// The body is the one that was forwarded. Its length and path are said again, because an
    /// earlier attempt may have left those of another on the request.
    Same(&'b PoolBody),
    /// The body is another.
    Changed(&'b PoolBody),
}

/// What `bodies` say of an attempt in `cluster`.
#[must_use]
pub fn of<'b>(bodies: &'b Bodies, cluster: &str) -> Attempt<'b> {
    match bodies.pools.iter().find(|pool| pool.cluster == cluster) {
        None => Attempt::Untold,
        Some(pool) if pool.edits.is_empty() => Attempt::Same(pool),
        Some(pool) => Attempt::Changed(pool),
    }
}

/// The body of a pool, made of the `forwarded` one. `None` where the edits do not fit it or
/// do not come to the length that was told: it is then another body than was decided about.
#[must_use]
pub fn body(pool: &PoolBody, forwarded: &[u8]) -> Option<Vec<u8>> {
    let edits: Option<Vec<Edit>> = pool.edits.iter().map(edit).collect();
    let body = apply(forwarded, &edits?)?;
    (u64::try_from(body.len()).ok()? == pool.length).then_some(body)
}

fn edit(told: &contract::attempt::BodyEdit) -> Option<Edit> {
    let (start, end) = (usize::try_from(told.start).ok()?, usize::try_from(told.end).ok()?);
    Some(Edit { span: start..end, text: told.text.clone().into_bytes() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::attempt::BodyEdit;
    use proptest::prelude::*;

    fn edit(start: u64, end: u64, text: &str) -> BodyEdit {
        BodyEdit { start, end, text: text.into() }
    }

    fn pool(cluster: &str, length: u64, edits: Vec<BodyEdit>) -> PoolBody {
        PoolBody { cluster: cluster.into(), length, edits, path: None }
    }

    const FORWARDED: &[u8] = br#"{"model":"llama","n":1}"#;

    #[test]
    fn each_cluster_is_told_its_own() {
        let other = pool("pool/b", 22, vec![edit(10, 15, "qwen")]);
        let same = pool("pool/a", 23, vec![]);
        let bodies = Bodies { pools: vec![same.clone(), other.clone()] };
        assert_eq!(of(&bodies, "pool/a"), Attempt::Same(&same));
        assert_eq!(of(&bodies, "pool/b"), Attempt::Changed(&other));
        assert_eq!(of(&bodies, "pool/shadow"), Attempt::Untold);
    }

    #[test]
    fn a_body_is_made_or_refused() {
        for (length, edits, expected) in [
            (22, vec![edit(10, 15, "qwen")], Some(r#"{"model":"qwen","n":1}"#)),
            (23, vec![], Some(r#"{"model":"llama","n":1}"#)),
            (31, vec![edit(1, 1, r#""s":"x","#)], Some(r#"{"s":"x","model":"llama","n":1}"#)),
            (22, vec![edit(10, 15, "llama")], None),
            (22, vec![edit(10, 99, "qwen")], None),
            (22, vec![edit(15, 10, "qwen")], None),
            (22, vec![edit(u64::MAX, u64::MAX, "")], None),
        ] {
            let made = body(&pool("p", length, edits), FORWARDED);
            assert_eq!(made.as_deref(), expected.map(str::as_bytes), "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_edit_makes_a_body_of_another_length(
            forwarded in proptest::collection::vec(any::<u8>(), 0..40),
            edits in proptest::collection::vec((0u64..50, 0u64..50, ".{0,5}"), 0..4),
            length in 0u64..60,
        ) {
            let edits = edits.iter().map(|(start, end, text)| edit(*start, *end, text)).collect();
            if let Some(body) = body(&pool("p", length, edits), &forwarded) {
                prop_assert_eq!(body.len() as u64, length);
            }
        }
    }
}
