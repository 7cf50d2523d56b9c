//! The shape of the repository: which crate may lean on which, where versions
//! are written, and how long files and functions may be.

mod ceilings;
mod directions;
mod workspace_table;

use cargo_metadata::{Metadata, MetadataCommand};
use std::path::{Path, PathBuf};

/// The folder of the workspace's `Cargo.toml`.
fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Our own crates and what they declare; nothing is resolved or downloaded.
fn workspace() -> cargo_metadata::Result<Metadata> {
    MetadataCommand::new().manifest_path(workspace_root().join("Cargo.toml")).no_deps().exec()
}

fn assert_no_offenders(rule: &str, offenders: &[String]) {
    assert!(offenders.is_empty(), "{rule}:\n  {}", offenders.join("\n  "));
}

#[test]
fn crates_lean_only_where_they_may() {
    let metadata = workspace().unwrap();
    let offenders = directions::offenders(&directions::edges(&metadata));
    assert_no_offenders("dependencies against the allowed directions", &offenders);
}

#[test]
fn every_crate_of_ours_has_a_row_in_the_table() {
    let metadata = workspace().unwrap();
    let missing: Vec<String> = metadata
        .packages
        .iter()
        .map(|package| package.name.to_string())
        .filter(|name| directions::allowed(name).is_none())
        .collect();
    assert_no_offenders("crates without a row in `directions::ALLOWED`", &missing);
}

#[test]
fn versions_are_written_in_one_table() {
    let metadata = workspace().unwrap();
    let mut offenders = Vec::new();
    for package in &metadata.packages {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        offenders.extend(workspace_table::offenders(&package.name, &manifest));
    }
    assert_no_offenders("dependencies beside the workspace's table", &offenders);
}

#[test]
fn files_and_functions_stay_under_their_ceilings() {
    let files = ceilings::rust_files(&workspace_root()).unwrap();
    assert!(files.len() > 10, "the walk found only {} files", files.len());
    let mut offenders = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        offenders.extend(ceilings::offenders(&file.display().to_string(), &text));
    }
    assert_no_offenders("too long", &offenders);
}
