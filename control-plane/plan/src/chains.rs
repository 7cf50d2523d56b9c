//! Which pools a request can go through, one after the other.

use crate::Inputs;
use contract::limits::ATTEMPTS_MAX;
use model::Model;
use model::ids::PoolName;
use std::collections::BTreeSet;

/// What is true of pools for what models say of them. Weights have no say in it, also those
/// of 0: no step of a rollout changes a cluster.
#[derive(Default)]
pub(crate) struct Chains {
    left: BTreeSet<PoolName>,
    ended: BTreeSet<PoolName>,
    rewritten: BTreeSet<PoolName>,
}

impl Chains {
    pub fn of(inputs: &Inputs<'_>) -> Chains {
        let mut chains = Chains::default();
        for (_, model) in inputs.config.routes() {
            let fallback = if inputs.chains { model.fallback.as_slice() } else { &[] };
            let pools = &inputs.config.pools;
            let attempts = |pool: &PoolName| {
                pools.get(pool).map_or(1, |pool| usize::try_from(pool.retries).unwrap_or(0) + 1)
            };
            first(model).for_each(|first| chains.take(first, fallback, attempts));
            let copied = model.shadow.as_ref().map(|shadow| shadow.pool.clone());
            chains.rewritten.extend(copied);
        }
        chains
    }

    /// A request that begins at `first`. What its [`ATTEMPTS_MAX`] do not reach is no part of its
    /// way.
    fn take(
        &mut self,
        first: &PoolName,
        fallback: &[PoolName],
        attempts: impl Fn(&PoolName) -> usize,
    ) {
        let (mut at, mut made) = (first, attempts(first));
        for next in fallback.iter().filter(|pool| *pool != first) {
            if made >= ATTEMPTS_MAX {
                break;
            }
            made += attempts(next);
            self.left.insert(at.clone());
            self.rewritten.extend([at.clone(), next.clone()]);
            at = next;
        }
        self.ended.insert(at.clone());
    }

    /// Whether some request goes on to another pool from here.
    pub fn goes_on(&self, pool: &PoolName) -> bool {
        self.left.contains(pool)
    }

    /// Whether some request goes no further than here.
    pub fn ends_at(&self, pool: &PoolName) -> bool {
        self.ended.contains(pool)
    }

    /// Whether some request gets here with a body that was made for another pool.
    pub fn rewrites(&self, pool: &PoolName) -> bool {
        self.rewritten.contains(pool)
    }
}

/// The pools that a request can begin at.
fn first(model: &Model) -> impl Iterator<Item = &PoolName> {
    let ruled = model.rules.iter().flat_map(|rule| &rule.split);
    model.split.iter().chain(ruled).map(|share| &share.pool)
}

#[cfg(test)]
mod tests {
    use crate::Inputs;
    use crate::build::build;
    use crate::build::tests::{config, inputs};
    use std::fmt::Write;

    /// The pools that something is true of, by their names.
    fn of(models: &str, chains: bool) -> [String; 3] {
        let mut text = "version: 1\npools:\n".to_owned();
        for name in ["a", "b", "c", "d", "e"] {
            let pool = "engine: tgi, model: m, endpoints: [http://10.0.0.1:1]";
            writeln!(text, "  {name}: {{ {pool} }}").unwrap();
        }
        let config = config(&format!("{text}models:\n{models}"));
        let plan = build(&Inputs { chains, ..inputs(&config) });
        let names = |is: fn(&crate::PoolPlan) -> bool| {
            plan.pools.iter().filter(|pool| is(pool)).map(|pool| pool.name.as_str()).collect()
        };
        [names(|pool| pool.chained), names(|pool| pool.ends), names(|pool| pool.rewritten)]
    }

    #[test]
    fn where_requests_go_on_from() {
        let table = [
            ("  m: a\n", "", "a", ""),
            ("  m: { split: [{ pool: a }, { pool: b }] }\n", "", "ab", ""),
            ("  m: { split: [{ pool: a }], fallback: [b] }\n", "a", "b", "ab"),
            ("  m: { split: [{ pool: a }], fallback: [b] }\n  n: a\n", "a", "ab", "ab"),
            ("  m: { split: [{ pool: a }], fallback: [b, c] }\n", "ab", "c", "abc"),
            ("  m: { split: [{ pool: a }, { pool: b }], fallback: [b] }\n", "a", "b", "ab"),
            (
                "  m: { split: [{ pool: a }, { pool: d, weight: 0 }], fallback: [b] }\n",
                "ad",
                "b",
                "abd",
            ),
            (
                "  m: { split: [{ pool: a }], fallback: [a, b], rules: [{ when: { stream: true }, to: c }] }\n",
                "ac",
                "b",
                "abc",
            ),
            ("  'm*': { split: [{ pool: a }], fallback: [b] }\n", "a", "b", "ab"),
            ("  m: { split: [{ pool: a }], shadow: { pool: d, share: 1% } }\n", "", "a", "d"),
        ];
        for (models, chained, ends, rewritten) in table {
            assert_eq!(of(models, true), [chained, ends, rewritten], "{models}");
        }
    }

    #[test]
    fn a_request_ends_where_its_attempts_do() {
        // Two attempts at each: the eighth is the second at `d`.
        let models = "  m: { split: [{ pool: a }], fallback: [b, c, d, e] }\n";
        assert_eq!(of(models, true), ["abc", "d", "abcd"]);
    }

    #[test]
    fn an_envoy_without_chains_has_none() {
        let models =
            "  m: { split: [{ pool: a }], fallback: [b], shadow: { pool: d, share: 1% } }\n";
        assert_eq!(of(models, false), ["", "a", "d"]);
    }
}
