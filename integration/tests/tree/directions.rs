//! Which of our crates may use which, and who may speak to the Wasm host.

use cargo_metadata::{DependencyKind, Metadata};

/// The SDK of the host's calls; a second crate that used it could not be tested
/// without a host.
const HOST_SDK: &str = "proxy-wasm";
const HOST_SDK_USER: &str = "gateway";

/// What a crate may name in `[dependencies]` and `[build-dependencies]`.
/// `[dev-dependencies]` are not held to it: a test may set its crate beside any
/// other one, and nothing of that gets into what we ship.
const ALLOWED: &[(&str, &[&str])] = &[
    // The data plane: gateway -> pipeline -> the policies -> contract. What a pool is sent and
    // what its errors say is `chat`'s; the role `engine` has no policies and no pipeline.
    ("gateway", &["pipeline", "chat", "contract"]),
    ("pipeline", &["chat", "auth", "masking", "routing", "billing", "contract"]),
    ("chat", &["contract"]),
    ("auth", &["contract"]),
    ("masking", &["contract"]),
    ("routing", &["contract"]),
    ("billing", &["contract"]),
    ("contract", &[]),
    // The control plane: server -> {admin, resources} -> plan -> model -> contract.
    (
        "server",
        &[
            "admin",
            "resources",
            "xds",
            "discovery",
            "engines",
            "ledger",
            "plan",
            "model",
            "masking",
            "auth",
            "contract",
        ],
    ),
    ("admin", &["plan", "model", "ledger", "contract"]),
    // The pipeline compiles a configuration before it is published.
    ("resources", &["plan", "model", "pipeline", "contract"]),
    ("ledger", &["model", "billing", "contract"]),
    ("plan", &["model", "contract"]),
    ("model", &["contract"]),
    ("discovery", &["model"]),
    ("engines", &["model"]),
    // The protocol, for whatever resources.
    ("xds", &[]),
    // Real programs are looked at from outside; the speed of masking is measured without
    // Envoy too, and the simulation of balancing runs the code that balances.
    ("integration", &["contract", "masking", "routing", "engines", "postgres-server"]),
    ("postgres-server", &[]),
];

/// One declared dependency between two crates of ours, or on the host's SDK.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    pub from: String,
    pub to: String,
}

/// The row of a crate of ours.
pub fn allowed(name: &str) -> Option<&'static [&'static str]> {
    ALLOWED.iter().find(|(from, _)| *from == name).map(|(_, to)| *to)
}

/// What ends up in a build, of all that the crates declare.
pub fn edges(metadata: &Metadata) -> Vec<Edge> {
    let ours = |name: &str| metadata.packages.iter().any(|package| package.name == name);
    let mut edges = Vec::new();
    for package in &metadata.packages {
        for dependency in &package.dependencies {
            let shipped = dependency.kind != DependencyKind::Development;
            if shipped && (ours(&dependency.name) || dependency.name == HOST_SDK) {
                edges.push(Edge { from: package.name.to_string(), to: dependency.name.clone() });
            }
        }
    }
    edges
}

/// The edges that the table does not have.
pub fn offenders(edges: &[Edge]) -> Vec<String> {
    edges
        .iter()
        .filter(|edge| !is_allowed(edge))
        .map(|e| format!("{} -> {}", e.from, e.to))
        .collect()
}

fn is_allowed(edge: &Edge) -> bool {
    if edge.to == HOST_SDK {
        return edge.from == HOST_SDK_USER;
    }
    allowed(&edge.from).is_some_and(|row| row.contains(&edge.to.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str) -> Edge {
        Edge { from: from.to_owned(), to: to.to_owned() }
    }

    #[test]
    fn the_way_down_is_open() {
        let down =
            [edge("gateway", "pipeline"), edge("pipeline", "auth"), edge("auth", "contract")];
        assert!(offenders(&down).is_empty());
    }

    #[test]
    fn sideways_and_up_are_closed() {
        let wrong = [edge("auth", "billing"), edge("contract", "chat"), edge("xds", "contract")];
        assert_eq!(offenders(&wrong), ["auth -> billing", "contract -> chat", "xds -> contract"]);
    }

    #[test]
    fn only_the_gateway_speaks_to_the_host() {
        let edges = [edge("gateway", HOST_SDK), edge("pipeline", HOST_SDK)];
        assert_eq!(offenders(&edges), ["pipeline -> proxy-wasm"]);
    }

    #[test]
    fn a_crate_without_a_row_may_nothing() {
        assert_eq!(offenders(&[edge("newcomer", "contract")]), ["newcomer -> contract"]);
    }

    #[test]
    fn no_two_crates_lead_back_to_each_other() {
        for (from, row) in ALLOWED {
            for to in *row {
                let back = allowed(to).unwrap();
                assert!(!back.contains(from), "{from} <-> {to}");
            }
        }
    }

    #[test]
    fn the_metadata_of_this_workspace_has_edges() {
        let edges = edges(&crate::workspace().unwrap());
        assert!(edges.contains(&edge("gateway", "pipeline")), "{edges:?}");
        assert!(edges.contains(&edge("gateway", HOST_SDK)), "{edges:?}");
    }
}
