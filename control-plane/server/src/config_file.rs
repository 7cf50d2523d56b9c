//! The configuration file: read, and everything wrong with it in one form.

use crate::policies::Compiled;
use model::{Config, Sources};
use sha2::{Digest as _, Sha256};
use std::io;
use std::path::{Path, PathBuf};

/// Hexadecimal digits of the digest by which a text is told from another.
const VERSION_CHARS: usize = 12;

/// A configuration file that was read and is valid.
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// Digest of its text.
    pub version: String,
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
struct Surroundings;

impl Sources for Surroundings {
    fn var(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &Path) -> io::Result<String> {
        std::fs::read_to_string(path)
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
    match model::load_checked(text, &folder(file), &Surroundings, &Compiled) {
        Ok(config) => Ok(Loaded { config, version: version(text) }),
        Err(problems) => {
            Err(Invalid(problems.iter().map(|p| format!("{}:{p}", file.display())).collect()))
        }
    }
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
    fn folders() {
        assert_eq!(folder(Path::new("tollgate.yaml")), Path::new("."));
        assert_eq!(folder(Path::new("a/tollgate.yaml")), Path::new("a"));
        assert_eq!(folder(Path::new("/tollgate.yaml")), Path::new("/"));
    }
}
