//! The certificate that callers are shown: read from its two files, and read
//! anew when they change. What does not fit together is never shown: as long as
//! only one of the files was replaced, the last good pair stays.

use crate::error::Failure;
use crate::files;
use discovery::file_events::FileEvents;
use model::Tls;
use resources::secrets::Certificate;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The pair in force. Clones share it. It holds a secret and therefore has no
/// `Debug`.
#[derive(Clone)]
pub struct Certificates(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// How often a rotation was found good.
    changes: watch::Sender<u64>,
    /// How often other files were named.
    named: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    files: Option<Tls>,
    current: Option<Arc<Certificate>>,
    /// Shown still by an Envoy that has not heard of `current`.
    previous: Option<Arc<Certificate>>,
    /// What was wrong at the last look, and whether that was said.
    trouble: Option<(String, bool)>,
}

/// A pair that could be put in force. It holds a secret and therefore has no
/// `Debug`.
pub struct Candidate {
    files: Option<Tls>,
    certificate: Option<Arc<Certificate>>,
}

impl Candidate {
    /// The pair; `None`: callers come without TLS.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_deref()
    }
}

impl Certificates {
    /// Nothing is in force yet.
    pub fn new() -> Self {
        Certificates(Arc::new(Shared {
            state: Mutex::default(),
            changes: watch::Sender::new(0),
            named: watch::Sender::new(0),
        }))
    }

    /// What `tls` names, as it lies there now; the last good pair, if these files
    /// are in force already and do not fit just now.
    pub fn read(&self, tls: Option<&Tls>) -> Result<Candidate, Failure> {
        let Some(tls) = tls else { return Ok(Candidate { files: None, certificate: None }) };
        let certificate = match read(tls) {
            Ok(certificate) => Arc::new(certificate),
            Err(why) => self.last_good(tls).ok_or(why)?,
        };
        Ok(Candidate { files: Some(tls.clone()), certificate: Some(certificate) })
    }

    /// From now on `candidate` is what callers are shown.
    pub fn in_force(&self, candidate: Candidate) {
        let mut state = self.state();
        let others = state.files != candidate.files;
        state.files = candidate.files;
        state.replace(candidate.certificate);
        drop(state);
        if others {
            self.0.named.send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// The pair in force; `None`: callers come without TLS.
    pub fn current(&self) -> Option<Arc<Certificate>> {
        self.state().current.clone()
    }

    /// Whether `leaf`, in DER, is of a pair that an Envoy of ours may show now.
    pub fn may_be_shown(&self, leaf: &[u8]) -> bool {
        let state = self.state();
        [&state.current, &state.previous].into_iter().flatten().any(|pair| pair.leaf() == leaf)
    }

    /// Counts up when another pair of the same files is to be published.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Watches the files for ever.
    pub async fn watch(self) {
        let mut named = self.0.named.subscribe();
        loop {
            let files = self.state().files.clone();
            let paths = files.iter().flat_map(|tls| [tls.cert.as_path(), tls.key.as_path()]);
            let mut events = FileEvents::of(paths);
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
        let Some(files) = self.state().files.clone() else { return };
        let found = read(&files);
        let mut state = self.state();
        match found {
            _ if state.files.as_ref() != Some(&files) => {}
            Ok(certificate) => {
                state.trouble = None;
                if state.replace(Some(Arc::new(certificate))) {
                    drop(state);
                    tracing::info!("the certificate of gateway.tls was replaced");
                    self.0.changes.send_modify(|count| *count = count.wrapping_add(1));
                }
            }
            Err(why) => state.complain(why.to_string()),
        }
    }

    fn last_good(&self, tls: &Tls) -> Option<Arc<Certificate>> {
        let state = self.state();
        state.current.clone().filter(|_| state.files.as_ref() == Some(tls))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether that is another one.
    fn replace(&mut self, certificate: Option<Arc<Certificate>>) -> bool {
        let other = self.current != certificate;
        if other {
            self.previous = std::mem::replace(&mut self.current, certificate);
        }
        other
    }

    /// Says once what is wrong, when it still is at the second look: between the
    /// writing of the one file and the other something always is.
    fn complain(&mut self, why: String) {
        let said = match &self.trouble {
            Some((known, said)) if *known == why => {
                if !said {
                    tracing::warn!("{why}; callers are shown the last good certificate");
                }
                true
            }
            _ => false,
        };
        self.trouble = Some((why, said));
    }
}

/// What `tls` names, as it lies there now.
pub fn read(tls: &Tls) -> Result<Certificate, Failure> {
    let file = |field: &str, path: &Path| {
        let cannot = |why| refused(&format!(".{field}"), path, why);
        files::read_small(path).map_err(cannot)
    };
    let (chain, key) = (file("cert", &tls.cert)?, file("key", &tls.key)?);
    Certificate::parse(&chain, &key).map_err(|why| refused("", &tls.cert, why))
}

fn refused(field: &str, path: &Path, why: impl std::fmt::Display) -> Failure {
    Failure::Refused(format!("gateway.tls{field}: {}: {why}", path.display()))
}

#[cfg(test)]
#[path = "certificates_tests.rs"]
mod tests;
