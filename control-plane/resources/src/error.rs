//! Why there are no resources.

use std::path::PathBuf;

/// Why a plan cannot be written as Envoy's messages, or why they do not fit
/// together.
#[derive(Debug, thiserror::Error)]
pub enum TranslateError {
    /// Envoy's messages carry paths as UTF-8.
    #[error("the path {} is not UTF-8", .0.display())]
    PathNotText(PathBuf),
    /// A file that the plan relies on is not among the material.
    #[error("{0} was not read")]
    NotRead(String),
    /// The filter's configuration cannot be written.
    #[error("the filter's configuration cannot be written as JSON")]
    FilterConfig(#[source] serde_json::Error),
    /// Two resources of one type have the same name.
    #[error("two {kind} are named {name}")]
    Twice {
        /// What they are.
        kind: &'static str,
        /// Their name.
        name: String,
    },
    /// A resource names another that is not there.
    #[error("{from} names the {kind} {name}, which is not there")]
    Missing {
        /// What refers to it.
        from: String,
        /// What it would be.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// A message inside a message is not what it says.
    #[error("{what} cannot be read: {why}")]
    Unreadable {
        /// Which message.
        what: String,
        /// What the decoder said.
        why: String,
    },
    /// The filter that verifies tokens and the one that believes it do not mean the
    /// same issuer by a header.
    #[error("only one of the two filters means the issuer {issuer} by {header}")]
    Issuers {
        /// The header with the payload.
        header: String,
        /// Whom one of them means.
        issuer: String,
    },
    /// The filter would refuse its configuration.
    #[error("the filter refuses its configuration: {0}")]
    FilterRefuses(String),
}
