//! What the configuration names files for: the certificate that callers are shown, the
//! authority that signs theirs, the keys of issuers. Read from the files, and read anew
//! when they change. What is wrong with a file is never put in force: as long as it is,
//! or as only one file of a pair was replaced, the last good content stays.

use crate::error::Failure;
use crate::files;
use discovery::file_events::FileEvents;
use model::{Config, Jwks, Tls};
use plan::Plan;
use resources::secrets::{Certificate, ClientCa, Credential, EngineCa};
use resources::{Jwks as JwksText, Material};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The contents in force. Clones share them. They hold a secret and therefore have no
/// `Debug`.
#[derive(Clone)]
pub struct Materials(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// How often another content was found good.
    changes: watch::Sender<u64>,
    /// How often other files were named.
    named: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    files: Files,
    current: Arc<Material>,
    /// Shown still by an Envoy that has not heard of the current one.
    previous: Option<Certificate>,
    /// What was wrong at the last look, and whether that was said.
    trouble: Option<(String, bool)>,
}

/// The files that a configuration names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Files {
    tls: Option<Tls>,
    jwks: BTreeSet<PathBuf>,
    engine_cas: BTreeSet<PathBuf>,
}

/// Contents that could be put in force. They hold a secret and therefore have no
/// `Debug`.
pub struct Candidate {
    files: Files,
    material: Arc<Material>,
}

impl Candidate {
    /// The contents.
    pub fn material(&self) -> &Material {
        &self.material
    }
}

/// Which credentials are others than before, in words that show none of them.
pub fn changes(before: &Material, now: &Material) -> Vec<String> {
    let names: BTreeSet<_> = before.credentials.keys().chain(now.credentials.keys()).collect();
    let others =
        names.into_iter().filter(|&name| before.credentials.get(name) != now.credentials.get(name));
    others.map(|name| format!("{name}: changed")).collect()
}

impl Materials {
    /// Nothing is in force yet.
    pub fn new() -> Self {
        Materials(Arc::new(Shared {
            state: Mutex::default(),
            changes: watch::Sender::new(0),
            named: watch::Sender::new(0),
        }))
    }

    /// What the files of `config` contain now; the last good content of those that are
    /// in force already and wrong just now. The credentials of pools are as `config` has
    /// them, under the names that `plan` has for them.
    pub fn read(&self, config: &Config, plan: &Plan) -> Result<Candidate, Failure> {
        let files = Files::of(config);
        let mut material = {
            let state = self.state();
            read(&files, &state)?.0
        };
        material.credentials = credentials(config, plan);
        Ok(Candidate { files, material: Arc::new(material) })
    }

    /// From now on `candidate` is what the gateways are told. Returns what it was before.
    pub fn in_force(&self, candidate: Candidate) -> Candidate {
        let mut state = self.state();
        let others = state.files != candidate.files;
        let before = Candidate {
            files: std::mem::replace(&mut state.files, candidate.files),
            material: Arc::clone(&state.current),
        };
        state.replace(candidate.material);
        drop(state);
        if others {
            self.0.named.send_modify(|count| *count = count.wrapping_add(1));
        }
        before
    }

    /// The contents in force.
    pub fn current(&self) -> Arc<Material> {
        Arc::clone(&self.state().current)
    }

    /// Whether callers come over TLS.
    pub fn has_certificate(&self) -> bool {
        self.state().current.certificate.is_some()
    }

    /// Whether `leaf`, in DER, is of a pair that an Envoy of ours may show now.
    pub fn may_be_shown(&self, leaf: &[u8]) -> bool {
        let state = self.state();
        let pairs = [&state.current.certificate, &state.previous];
        pairs.into_iter().flatten().any(|pair| pair.leaf() == leaf)
    }

    /// Counts up when another content of the same files is to be published.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Watches the files for ever.
    pub async fn watch(self) {
        let mut named = self.0.named.subscribe();
        loop {
            let files = self.state().files.clone();
            let mut events = FileEvents::of(files.paths());
            while !named.has_changed().unwrap_or(false) {
                tokio::select! {
                    _ = events.next() => self.look(),
                    _ = named.changed() => break,
                }
            }
            named.mark_unchanged();
        }
    }

    fn look(&self) {
        let mut state = self.state();
        let files = state.files.clone();
        // Everything that is in force can be fallen back to.
        let Ok((material, troubles)) = read(&files, &state) else { return };
        state.complain(troubles);
        if state.replace(Arc::new(material)) {
            drop(state);
            tracing::info!("a file that the configuration names was replaced");
            self.0.changes.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether that is another one.
    fn replace(&mut self, material: Arc<Material>) -> bool {
        let other = self.current != material;
        if other {
            let before = std::mem::replace(&mut self.current, material);
            if before.certificate != self.current.certificate {
                self.previous.clone_from(&before.certificate);
            }
        }
        other
    }

    /// Says once what is wrong, when it still is at the second look: between the
    /// writing of the one file and the other something always is.
    fn complain(&mut self, troubles: Vec<String>) {
        if troubles.is_empty() {
            self.trouble = None;
            return;
        }
        let why = troubles.join("; ");
        let said = match &self.trouble {
            Some((known, said)) if *known == why => {
                if !said {
                    tracing::warn!("{why}; the last good content stays in force");
                }
                true
            }
            _ => false,
        };
        self.trouble = Some((why, said));
    }
}

impl Files {
    fn of(config: &Config) -> Files {
        let jwks = config.auth.jwt.iter().filter_map(|issuer| match &issuer.jwks {
            Jwks::File(path) => Some(path.clone()),
            Jwks::Url(_) => None,
        });
        let engines = config.pools.values().filter_map(|pool| Some(pool.tls.as_ref()?.ca.clone()));
        Files {
            tls: config.gateway.tls.clone(),
            jwks: jwks.collect(),
            engine_cas: engines.collect(),
        }
    }

    fn paths(&self) -> impl Iterator<Item = &Path> {
        let tls = self.tls.iter().flat_map(|tls| {
            [Some(&tls.cert), Some(&tls.key), tls.client_ca.as_ref()].into_iter().flatten()
        });
        tls.chain(&self.jwks).chain(&self.engine_cas).map(PathBuf::as_path)
    }
}

/// The contents of `files`, and what is wrong with those that keep what `state` has of
/// them. An error where there is nothing to keep.
fn read(files: &Files, state: &State) -> Result<(Material, Vec<String>), Failure> {
    let mut troubles = Vec::new();
    let last = &state.current;
    // What stands in the configuration itself changes with it alone.
    let credentials = last.credentials.clone();
    let mut material = Material { credentials, ..Material::default() };
    if let Some(tls) = &files.tls {
        let before = state.files.tls.as_ref();
        let same = before.is_some_and(|it| (&it.cert, &it.key) == (&tls.cert, &tls.key));
        let kept = last.certificate.clone().filter(|_| same);
        material.certificate = Some(or_last(pair(tls), kept, &mut troubles)?);
        if let Some(path) = &tls.client_ca {
            let same = before.is_some_and(|it| it.client_ca.as_ref() == Some(path));
            let kept = last.client_ca.clone().filter(|_| same);
            material.client_ca = Some(or_last(client_ca(path), kept, &mut troubles)?);
        }
    }
    for path in &files.jwks {
        let kept = last.jwks.get(path).cloned();
        material.jwks.insert(path.clone(), or_last(jwks(path), kept, &mut troubles)?);
    }
    for path in &files.engine_cas {
        let kept = last.engine_cas.get(path).cloned();
        material.engine_cas.insert(path.clone(), or_last(engine_ca(path), kept, &mut troubles)?);
    }
    Ok((material, troubles))
}

/// The credentials of the pools, by the names of the secrets.
fn credentials(config: &Config, plan: &Plan) -> BTreeMap<String, Credential> {
    let of = |pool: &plan::PoolPlan| {
        let secret = pool.credentials.as_ref()?.secret.clone();
        let credentials = config.pools.get(pool.name.as_str())?.credentials.as_ref()?;
        Some((secret, Credential::new(credentials.value.reveal())))
    };
    plan.pools.iter().filter_map(of).collect()
}

fn or_last<T>(
    read: Result<T, Failure>,
    last: Option<T>,
    troubles: &mut Vec<String>,
) -> Result<T, Failure> {
    match (read, last) {
        (Ok(new), _) => Ok(new),
        (Err(why), Some(last)) => {
            troubles.push(why.to_string());
            Ok(last)
        }
        (Err(why), None) => Err(why),
    }
}

fn pair(tls: &Tls) -> Result<Certificate, Failure> {
    let chain = file("gateway.tls.cert", &tls.cert)?;
    let key = file("gateway.tls.key", &tls.key)?;
    Certificate::parse(&chain, &key).map_err(|why| refused("gateway.tls", &tls.cert, why))
}

fn client_ca(path: &Path) -> Result<ClientCa, Failure> {
    let field = "gateway.tls.client_ca";
    ClientCa::parse(&file(field, path)?).map_err(|why| refused(field, path, why))
}

fn engine_ca(path: &Path) -> Result<EngineCa, Failure> {
    let field = "pools.tls.ca";
    EngineCa::parse(&file(field, path)?).map_err(|why| refused(field, path, why))
}

fn jwks(path: &Path) -> Result<JwksText, Failure> {
    let field = "auth.jwt.jwks";
    let bytes = file(field, path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| refused(field, path, "is not UTF-8"))?;
    JwksText::parse(text).map_err(|why| refused(field, path, why))
}

fn file(field: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    files::read_small(path).map_err(|why| refused(field, path, why))
}

fn refused(field: &str, path: &Path, why: impl Display) -> Failure {
    Failure::Refused(format!("{field}: {}: {why}", path.display()))
}

#[cfg(test)]
#[path = "materials_tests.rs"]
mod tests;
