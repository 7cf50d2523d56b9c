//! What an Envoy is started with.

use crate::error::Failure;
use crate::files;
use plan::UsageFlush;
use sha2::{Digest as _, Sha256};
use std::env;
use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// The environment variable that names an Envoy.
const ENVOY_VARIABLE: &str = "ENVOY";
/// The Envoy of a checkout, counted from its root.
const CHECKOUT_ENVOY: &str = ".tools/envoy";
/// A binary of a checkout lies this many folders deep (`target/release`).
const CHECKOUT_DEPTH: usize = 3;

/// Everything that an Envoy is started with.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program.
    pub envoy: PathBuf,
    /// Its configuration, written before the start.
    pub bootstrap_file: PathBuf,
    /// The text of that file.
    pub bootstrap: String,
    /// Where Envoy writes the address of its admin interface.
    pub admin_address_file: PathBuf,
    /// Where its own log goes, with the journal of usage in it. Its workers write
    /// there themselves; with `--log-path` a thread would, later.
    pub journal_file: PathBuf,
    /// Its worker threads; `None`: as many as there are cores.
    pub workers: Option<NonZeroU32>,
    /// When a usage line reaches the kernel.
    pub usage_flush: UsageFlush,
}

impl Launch {
    /// The same digest means: an Envoy that was started with the one does as
    /// well as one that is started with the other.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        part(self.envoy.as_os_str().as_encoded_bytes());
        self.arguments().iter().for_each(|word| part(word.as_encoded_bytes()));
        part(self.bootstrap.as_bytes());
        hex::encode(hash.finalize())
    }

    /// Starts it, in a process group of its own, so that a Ctrl-C at the
    /// terminal does not reach it before it is drained.
    pub fn spawn(&self) -> Result<Child, Failure> {
        files::write_private(&self.bootstrap_file, self.bootstrap.as_bytes())?;
        let _ = std::fs::remove_file(&self.admin_address_file);
        let log = files::append_private(&self.journal_file)?;
        let again = log.try_clone().map_err(|e| Failure::file("open", &self.journal_file, e))?;
        Command::new(&self.envoy)
            .args(self.arguments())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(again)
            .process_group(0)
            .spawn()
            .map_err(|error| Failure::file("start", &self.envoy, error))
    }

    fn arguments(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec![
            "-c".into(),
            self.bootstrap_file.clone().into(),
            "--admin-address-path".into(),
            self.admin_address_file.clone().into(),
            "--log-level".into(),
            "warning".into(),
            // One Envoy a data folder: nothing to hand over by shared memory.
            "--disable-hot-restart".into(),
        ];
        if let Some(workers) = self.workers {
            words.extend(["--concurrency".into(), workers.to_string().into()]);
        }
        words.extend(flush_arguments(self.usage_flush));
        words
    }
}

/// How long lines of the spool may wait where the journal has their end.
const JOURNALED_FLUSH: Duration = Duration::from_millis(10);
/// The level at which the filter writes the journal, and nothing but it.
const JOURNAL_LEVEL: &str = "wasm:info";

fn flush_arguments(flush: UsageFlush) -> Vec<OsString> {
    let (time, level) = match flush {
        UsageFlush::Line => (JOURNALED_FLUSH, Some(JOURNAL_LEVEL)),
        UsageFlush::Within(time) => (time, None),
    };
    let mut words = vec![
        OsString::from("--file-flush-interval-msec"),
        OsString::from(time.as_millis().to_string()),
    ];
    words.extend(
        level.into_iter().flat_map(|level| ["--component-log-level", level].map(Into::into)),
    );
    words
}

/// The Envoy of this machine: the one that ENVOY names, else one on PATH, else
/// the one of the checkout that this binary or the working folder belongs to.
pub fn find_envoy() -> Result<PathBuf, Failure> {
    if let Some(named) = env::var_os(ENVOY_VARIABLE).filter(|name| !name.is_empty()) {
        return existing(Path::new(&named)).ok_or(Failure::NoEnvoy);
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).find_map(|folder| existing(&folder.join("envoy")));
    on_path.or_else(of_checkout).ok_or(Failure::NoEnvoy)
}

fn of_checkout() -> Option<PathBuf> {
    let here = env::current_dir().ok();
    let binary = env::current_exe().ok();
    let root = binary.as_deref().and_then(|path| path.ancestors().nth(CHECKOUT_DEPTH));
    [here.as_deref(), root].into_iter().flatten().find_map(|f| existing(&f.join(CHECKOUT_ENVOY)))
}

fn existing(path: &Path) -> Option<PathBuf> {
    path.is_file().then(|| std::path::absolute(path).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch() -> Launch {
        Launch {
            envoy: "/opt/envoy".into(),
            bootstrap_file: "/d/bootstrap.json".into(),
            bootstrap: "{}".into(),
            admin_address_file: "/d/envoy-admin".into(),
            journal_file: "/d/spool/usage.journal".into(),
            workers: NonZeroU32::new(2),
            usage_flush: UsageFlush::Line,
        }
    }

    fn line(launch: &Launch) -> String {
        let words = launch.arguments();
        words.iter().map(|w| w.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn there_is_a_journal_or_usage_lines_wait_as_configured() {
        let journal = "--file-flush-interval-msec 10 --component-log-level wasm:info";
        assert!(line(&launch()).ends_with(&format!("--concurrency 2 {journal}")));
        assert!(line(&launch()).contains("--log-level warning"));
        assert!(!line(&launch()).contains("--log-path"), "a thread would write it");
        let lazy = Launch {
            usage_flush: UsageFlush::Within(Duration::from_millis(250)),
            workers: None,
            ..launch()
        };
        assert!(line(&lazy).ends_with("--disable-hot-restart --file-flush-interval-msec 250"));
    }

    #[test]
    fn the_digest_tells_what_an_envoy_was_started_with() {
        assert_eq!(launch().digest(), launch().digest());
        let others = [
            Launch { bootstrap: "{ }".into(), ..launch() },
            Launch { workers: None, ..launch() },
            Launch { envoy: "/opt/envoy-1.40".into(), ..launch() },
        ];
        for other in others {
            assert_ne!(other.digest(), launch().digest(), "{other:?}");
        }
    }
}
