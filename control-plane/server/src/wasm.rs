//! The Wasm module, kept in the data folder under the name of its content: a
//! module that Envoy was told of never changes under it.

use crate::error::Failure;
use crate::files;
use sha2::{Digest as _, Sha256};
use std::io;
use std::path::{Path, PathBuf};

/// Name of the folder of modules in the data folder.
const FOLDER: &str = "wasm";

/// Where a module is looked for when the configuration names none, from the
/// configuration's folder.
const DEFAULT: &str = "target/wasm/gateway.wasm";

/// Copies `module` into the data folder and returns the copy's path, which is
/// absolute when `data` is. Copies of other modules stay: an Envoy may still
/// have one.
pub fn keep(module: &Path, data: &Path) -> Result<PathBuf, Failure> {
    let bytes = match std::fs::read(found(module, built_beside().as_deref())) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Failure::NoWasm(module.to_owned()));
        }
        read => read.map_err(|error| Failure::file("read", module, error))?,
    };
    let folder = data.join(FOLDER);
    files::private_folder(&folder)?;
    let kept = folder.join(format!("{}.wasm", hex::encode(Sha256::digest(&bytes))));
    // One of another length was cut off by a full disk.
    let whole = std::fs::metadata(&kept).is_ok_and(|found| found.len() == bytes.len() as u64);
    if !whole {
        files::write_private(&kept, &bytes)?;
    }
    Ok(kept)
}

/// A configuration outside of a checkout that names no module means the one that
/// was built with this program.
fn found<'a>(module: &'a Path, beside: Option<&'a Path>) -> &'a Path {
    let missing_default = module.ends_with(DEFAULT) && !module.exists();
    beside.filter(|beside| missing_default && beside.exists()).unwrap_or(module)
}

/// `target/wasm/gateway.wasm` for a program in `target/release`.
fn built_beside() -> Option<PathBuf> {
    Some(std::env::current_exe().ok()?.parent()?.parent()?.join("wasm/gateway.wasm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_module_is_kept_under_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let module = folder.path().join("gateway.wasm");
        std::fs::write(&module, "one").unwrap();
        let first = keep(&module, folder.path()).unwrap();
        assert_eq!(keep(&module, folder.path()).unwrap(), first);
        std::fs::write(&module, "two").unwrap();
        let second = keep(&module, folder.path()).unwrap();
        assert_ne!(first, second);
        assert_eq!(std::fs::read(first).unwrap(), b"one");
        assert_eq!(std::fs::read(second).unwrap(), b"two");
    }

    #[test]
    fn a_module_that_is_not_named_is_looked_for_beside_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let beside = folder.path().join("gateway.wasm");
        let default = folder.path().join(DEFAULT);
        assert_eq!(found(&default, Some(&beside)), default, "neither is there");
        std::fs::write(&beside, "built").unwrap();
        assert_eq!(found(&default, Some(&beside)), beside);
        let named = folder.path().join("mine.wasm");
        assert_eq!(found(&named, Some(&beside)), named, "a named one is meant");
        std::fs::create_dir_all(default.parent().unwrap()).unwrap();
        std::fs::write(&default, "here").unwrap();
        assert_eq!(found(&default, Some(&beside)), default);
    }

    #[test]
    fn a_missing_module_says_how_to_build_it() {
        let folder = tempfile::tempdir().unwrap();
        let failure = keep(&folder.path().join("none.wasm"), folder.path()).unwrap_err();
        assert!(failure.to_string().contains("./wasm-build.sh"), "{failure}");
    }
}
