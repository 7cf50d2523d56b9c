//! What the plan names by its files, read and checked by whoever translates.

use crate::jwks::Jwks;
use crate::secrets::{Certificate, ClientCa, Credential, EngineCa};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The content of files. It holds a secret and therefore has no `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Material {
    /// What callers are shown; `None`: they come without TLS.
    pub certificate: Option<Certificate>,
    /// Who signs the certificates of callers.
    pub client_ca: Option<ClientCa>,
    /// The keys of issuers, by the files that the plan names.
    pub jwks: BTreeMap<PathBuf, Jwks>,
    /// Who signs the certificates of engines, by the files that the plan names.
    pub engine_cas: BTreeMap<PathBuf, EngineCa>,
    /// The credentials of pools, by the names of the secrets.
    pub credentials: BTreeMap<String, Credential>,
}
