//! The configuration file: read, and everything wrong with it in one form.

use crate::policies::Compiled;
use model::{Config, Sources};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Hexadecimal digits of the digest by which a text is told from another.
const VERSION_CHARS: usize = 12;

/// A configuration file that was read and is valid.
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// Digest of its text.
    pub version: String,
    /// The files whose contents stand in it by `${file:PATH}`.
    pub named: Named,
}

/// Files that were read for a configuration, with digests of what they contained. Digests of
/// secrets are for comparing alone: it has no `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Named(BTreeMap<PathBuf, Option<[u8; 32]>>);

impl Named {
    /// The files.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(PathBuf::as_path)
    }

    /// Whether one of them contains something else now.
    pub fn have_changed(&self) -> bool {
        self.0.iter().any(|(path, before)| digest(&std::fs::read_to_string(path)) != *before)
    }
}

fn digest(read: &io::Result<String>) -> Option<[u8; 32]> {
    read.as_ref().ok().map(|text| Sha256::digest(text).into())
}

/// Why a configuration file cannot be used: everything that is wrong with it,
/// each as `FILE:LINE:COL: path: what is wrong, what is allowed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(pub Vec<String>);

impl Invalid {
    /// A configuration that reads well and still cannot be used.
    pub fn as_a_whole(file: &Path, why: impl std::fmt::Display) -> Self {
        Invalid(vec![format!("{}:1:1: {why}", file.display())])
    }
}

/// Where `${NAME}` and `${file:PATH}` of a configuration come from.
#[derive(Default)]
struct Surroundings {
    named: Mutex<Named>,
}

impl Sources for Surroundings {
    fn var(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &Path) -> io::Result<String> {
        let read = std::fs::read_to_string(path);
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        named.0.insert(path.to_owned(), digest(&read));
        read
    }
}

/// Reads `file`.
pub fn load(file: &Path) -> Result<Loaded, Invalid> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Invalid::as_a_whole(file, format!("cannot be read: {error}")))?;
    load_text(file, &text)
}

/// The same for a text that stands in `file`.
pub fn load_text(file: &Path, text: &str) -> Result<Loaded, Invalid> {
    load_named(file, text).0
}

/// As [`load_text`], with the files that the text names, be it valid or not.
pub fn load_named(file: &Path, text: &str) -> (Result<Loaded, Invalid>, Named) {
    let surroundings = Surroundings::default();
    let loaded = model::load_checked(text, &folder(file), &surroundings, &Compiled);
    let named = surroundings.named.into_inner().unwrap_or_else(PoisonError::into_inner);
    let loaded = match loaded {
        Ok(config) => Ok(Loaded { config, version: version(text), named: named.clone() }),
        Err(problems) => {
            Err(Invalid(problems.iter().map(|p| format!("{}:{p}", file.display())).collect()))
        }
    };
    (loaded, named)
}

/// A short digest of a text.
pub fn version(text: &str) -> String {
    let mut digest = hex::encode(Sha256::digest(text));
    digest.truncate(VERSION_CHARS);
    digest
}

/// The folder that relative paths in `file` count from.
pub fn folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_name_the_file_and_the_place() {
        let Err(Invalid(problems)) = load_text(Path::new("a/b.yaml"), "version: 1\nspeed: 3\n")
        else {
            panic!("valid")
        };
        assert!(problems.iter().any(|p| p.starts_with("a/b.yaml:2:1: ")), "{problems:?}");
    }

    #[test]
    fn a_file_that_is_not_there_is_a_problem_too() {
        let Err(Invalid(problems)) = load(Path::new("does/not/exist.yaml")) else {
            panic!("valid")
        };
        assert!(problems[0].starts_with("does/not/exist.yaml:1:1: cannot be read: "));
    }

    #[test]
    fn the_files_that_a_text_names_are_known_and_when_they_change() {
        let folder = tempfile::tempdir().unwrap();
        let (file, secret) = (folder.path().join("t.yaml"), folder.path().join("secret"));
        let text = "version: 1\ncontrol: { admin_token: \"${file:secret}\" }\n";
        let (missing, named) = load_named(&file, text);
        assert!(missing.is_err());
        assert_eq!(named.paths().collect::<Vec<_>>(), [secret.as_path()]);
        assert!(!named.have_changed());
        std::fs::write(&secret, "a-made-up-token-of-some-length").unwrap();
        assert!(named.have_changed());
        let (loaded, named) = load_named(&file, text);
        let loaded = loaded.map_err(|invalid| invalid.0).ok().unwrap();
        assert!(loaded.named == named && !named.have_changed());
        std::fs::write(&secret, "another-made-up-token-as-long").unwrap();
        assert!(named.have_changed());
    }

    #[test]
    fn folders() {
        assert_eq!(folder(Path::new("tollgate.yaml")), Path::new("."));
        assert_eq!(folder(Path::new("a/tollgate.yaml")), Path::new("a"));
        assert_eq!(folder(Path::new("/tollgate.yaml")), Path::new("/"));
    }
}
