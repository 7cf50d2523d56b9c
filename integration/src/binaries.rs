//! Where the programs under test are.

use std::path::{Path, PathBuf};

/// A program built by the workspace: `$VARIABLE` where it is set, else beside the
/// running test, else the release build.
///
/// # Errors
/// The places that were looked in, and what builds it.
pub fn built(name: &str, variable: &str) -> std::io::Result<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Ok(PathBuf::from(path));
    }
    let places = [profile_folder(), Some(target_folder().join("release"))];
    let programs = places.into_iter().flatten().map(|folder| folder.join(name));
    programs.clone().find(|program| program.is_file()).ok_or_else(|| {
        let tried: Vec<String> = programs.map(|it| it.display().to_string()).collect();
        let message =
            format!("{name} is not at {}: build it, or set {variable}", tried.join(" nor "));
        std::io::Error::new(std::io::ErrorKind::NotFound, message)
    })
}

/// The module that Envoy loads: `$TOLLGATE_WASM`, else what `wasm-build.sh` writes.
pub fn wasm() -> PathBuf {
    match std::env::var_os("TOLLGATE_WASM") {
        Some(path) => PathBuf::from(path),
        None => target_folder().join("wasm/gateway.wasm"),
    }
}

/// The Envoy of the checkout, for `ENVOY`; `None` leaves the choice to Tollgate.
pub fn envoy() -> Option<PathBuf> {
    let fetched = || Some(workspace().join(".tools/envoy")).filter(|path| path.exists());
    std::env::var_os("ENVOY").map(PathBuf::from).or_else(fetched)
}

/// The recorded answers of real engines.
pub fn captures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures")
}

/// Root of the workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder of the build that the running test is of, such as `target/debug`.
fn profile_folder() -> Option<PathBuf> {
    let test = std::env::current_exe().ok()?;
    let folder = test.parent()?;
    let inner = folder.ends_with("deps").then(|| folder.parent()).flatten();
    Some(inner.unwrap_or(folder).to_path_buf())
}

fn target_folder() -> PathBuf {
    let of_test = profile_folder().and_then(|it| Some(it.parent()?.to_path_buf()));
    of_test.unwrap_or_else(|| workspace().join("target"))
}
